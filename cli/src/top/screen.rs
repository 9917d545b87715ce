//! The terminal while it is ours, and given back whatever happens.

use std::io;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::signal::unix::{SignalKind, signal};

/// How soon a key is seen.
const KEYS: Duration = Duration::from_millis(50);

/// The terminal in raw mode, on its other page. Dropped, it is as it was; a panic gives it back
/// before it speaks.
pub(super) struct Screen {
    pub(super) terminal: DefaultTerminal,
    _back: Back<fn()>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It is none, or cannot be set.
    pub(super) fn take() -> io::Result<Self> {
        // From here on: what was set before a later step failed is put back as well.
        let back: Back<fn()> = Back(ratatui::restore);
        let terminal = ratatui::try_init()?;
        Ok(Self {
            terminal,
            _back: back,
        })
    }
}

/// Does something when it goes, however it goes.
struct Back<F: FnMut()>(F);

impl<F: FnMut()> Drop for Back<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What happens while the screen waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    Nothing,
    /// The terminal has another size.
    Resized,
    /// The person wants to leave, or is told to.
    Leave,
}

/// Waits a moment for a key or a signal.
///
/// # Errors
/// The terminal is gone.
pub(super) fn wait(told: &Receiver<()>) -> io::Result<Happened> {
    if told.try_recv().is_ok() {
        return Ok(Happened::Leave);
    }
    if !event::poll(KEYS)? {
        return Ok(Happened::Nothing);
    }
    Ok(match event::read()? {
        Event::Key(key) if leaves(key) => Happened::Leave,
        Event::Resize(..) => Happened::Resized,
        _ => Happened::Nothing,
    })
}

/// In raw mode Ctrl-C is a key like any other.
fn leaves(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind != KeyEventKind::Release
        && match key.code {
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => true,
            KeyCode::Char('c' | 'd') => control,
            _ => false,
        }
}

/// Tells when the process is asked to end: it must not die before the terminal is given back.
///
/// # Errors
/// The operating system gives no thread or no signals.
pub(super) fn signals(tell: Sender<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let entered = runtime.enter();
    let mut term = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    drop(entered);
    let work = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = term.recv() => {}
                _ = hangup.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        let _ = tell.send(());
    };
    let thread = thread::Builder::new().name("signals".to_owned());
    thread.spawn(work).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_given_back_by_a_panic_too() {
        let mut given = 0;
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _back = Back(|| given += 1);
            panic!("a fault while the screen is drawn");
        }));
        assert!(panicked.is_err());
        assert_eq!(given, 1);
    }

    #[test]
    fn leaving_is_q_escape_and_control_c_pressed() {
        let key = |code, modifiers, kind| KeyEvent::new_with_kind(code, modifiers, kind);
        let (none, control) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        let (press, release) = (KeyEventKind::Press, KeyEventKind::Release);
        for (code, modifiers) in [
            (KeyCode::Char('q'), none),
            (KeyCode::Esc, none),
            (KeyCode::Char('c'), control),
        ] {
            assert!(leaves(key(code, modifiers, press)));
            assert!(!leaves(key(code, modifiers, release)));
        }
        for code in [KeyCode::Char('c'), KeyCode::Char('x'), KeyCode::Enter] {
            assert!(!leaves(key(code, none, press)));
        }
    }
}
