//! A connection that is kept, and just enough HTTP to ask on it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            key: None,
            body: String::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { method, path, .. } = self;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        if let Some(key) = &self.key {
            text.push_str(&format!("Authorization: Bearer {key}\r\n"));
        }
        if !self.body.is_empty() {
            let length = self.body.len();
            text.push_str("Content-Type: application/json\r\n");
            text.push_str(&format!("Content-Length: {length}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text.into_bytes()
    }
}

/// A connection to a server; made anew when the server has closed it.
pub(crate) struct Line {
    to: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Line {
    pub(crate) fn new(to: SocketAddr) -> Self {
        Self { to, stream: None }
    }

    /// Asks; gives status and body.
    pub(crate) fn ask(&mut self, ask: &Ask) -> std::io::Result<(u16, Vec<u8>)> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.to)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(120)))?;
                BufReader::new(stream)
            }
        };
        stream.get_mut().write_all(&ask.bytes())?;
        let mut line = String::new();
        let other = |what: &str| std::io::Error::other(what.to_owned());
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| other("no status"))?;
        let (mut length, mut close) = (None, false);
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').ok_or_else(|| other("no header"))?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok(),
                "connection" => close = value.trim().eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        let mut body = vec![0; length.ok_or_else(|| other("no length"))?];
        stream.read_exact(&mut body)?;
        if !close {
            self.stream = Some(stream);
        }
        Ok((status, body))
    }
}
