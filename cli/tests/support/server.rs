//! A server under test: started on a free port, asked over plain sockets, ended by its own pid.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::zhao;

/// A running `zhao serve`.
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Reads what it says, so that it never waits for somebody to read.
    stderr: Option<JoinHandle<String>>,
    pub address: SocketAddr,
    pub socket: PathBuf,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        lines
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The same, if it has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{}\n{body}", self.head);
        self
    }

    /// The same, if it is the problem of this name, whole and in both languages.
    #[track_caller]
    pub fn problem(self, name: &str) -> Self {
        let json = self.json();
        let uri = format!("https://zhao.example/problems/{name}");
        assert_eq!(json["type"], uri, "{json}");
        assert_eq!(json["status"], self.status);
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        for member in ["title", "title_zh", "detail", "detail_zh", "instance"] {
            assert!(
                json[member].as_str().is_some_and(|text| !text.is_empty()),
                "{json}"
            );
        }
        let id = self.header("x-request-id").expect("a request has an id");
        assert_eq!(json["instance"], format!("urn:request:{id}"));
        self
    }
}

/// Starts a server on an office.
pub fn serve(dir: &Path, arguments: &[&str]) -> Server {
    let mut all = vec!["serve", "office", "--listen", "127.0.0.1:0"];
    all.extend(arguments);
    let mut server = start(dir, &all);
    server.socket = dir.join("office/zhao.sock");
    server
}

/// Starts a command that listens, and waits until it says where.
pub fn start(dir: &Path, arguments: &[&str]) -> Server {
    listening(super::command(dir, arguments))
}

/// The same by another program, which becomes it.
pub fn start_as(dir: &Path, program: &str, arguments: &[&str]) -> Server {
    listening(super::command_as(dir, program, arguments))
}

fn listening(mut command: Command) -> Server {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
    let mut line = String::new();
    // What it did before it listens comes first.
    while !line.contains("http://") {
        line.clear();
        if stdout.read_line(&mut line).unwrap() == 0 {
            break;
        }
    }
    let mut pipe = child.stderr.take().expect("stderr is a pipe");
    let stderr = thread::spawn(move || {
        let mut said = String::new();
        let _ = pipe.read_to_string(&mut said);
        said
    });
    let Some((_, address)) = line.trim().trim_end_matches('/').split_once("http://") else {
        let stderr = stderr.join().unwrap();
        panic!("the server did not start: {line}{stderr}");
    };
    Server {
        address: address.parse().expect("an address"),
        socket: PathBuf::new(),
        child,
        stdout,
        stderr: Some(stderr),
    }
}

impl Server {
    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request, and reads the answer to the end of the connection.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("the server listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        stream
            .write_all(&request(method, path, headers, body))
            .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        parse(&bytes)
    }

    /// The same through the local socket.
    pub fn ask_locally(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let mut stream = UnixStream::connect(&self.socket).expect("the server listens");
        let headers = [("Content-Type", "application/json")];
        stream
            .write_all(&request(method, path, &headers, body))
            .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        parse(&bytes)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    /// Reads with a key.
    pub fn get_with(&self, key: &str, path: &str) -> Answer {
        self.ask("GET", path, &[("Authorization", &bearer(key))], b"")
    }

    /// Posts JSON with a key.
    pub fn post(&self, key: &str, path: &str, body: &str) -> Answer {
        let headers = [
            ("Authorization", &*bearer(key)),
            ("Content-Type", "application/json"),
        ];
        self.ask("POST", path, &headers, body.as_bytes())
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the process to stop, as an operator's machine does.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; gives its exit code and standard error.
    pub fn end(mut self) -> (i32, String) {
        let mut rest = String::new();
        let stderr = self.stderr.take().expect("ended once").join().unwrap();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "only the address is data");
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or(-1), stderr)
    }

    /// Stops it; gives its exit code and standard error.
    pub fn stop(self) -> (i32, String) {
        self.terminate();
        self.end()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed must not leave its server behind.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

/// The bytes of a request after which the server closes the connection.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

/// An answer, from the bytes of a closed connection.
pub fn parse(bytes: &[u8]) -> Answer {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let at = at.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Answer {
        status: status.expect("a status"),
        body: bytes[at + 4..].to_vec(),
        head,
    }
}

/// A new key with these scopes; one of each a directory.
pub fn key(dir: &Path, scopes: &str) -> String {
    let made = zhao(
        dir,
        &[
            "api-key", "office", "add", "--name", scopes, "--scopes", scopes,
        ],
    );
    made.code(0).stdout.trim().to_owned()
}
