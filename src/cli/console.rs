//! Where a command prints when another program runs it: not to the terminal of that program, but to the caller.

use std::io::{self, Write};
use std::sync::Arc;

use crystal::progress::Progress;

use crate::sql::{Error, Session};

tokio::task_local! {
    static IN_FORCE: Arc<dyn Console>;
}

/// Takes what a command says, and how far it is.
pub trait Console: Progress {
    /// What goes to standard output otherwise.
    fn print(&self, text: &str);
    /// A remark of one line, which goes to standard error otherwise.
    fn note(&self, line: &str);
    /// A session that the command opened, before it reads by it: the caller registers tables of its own here.
    ///
    /// # Errors
    /// A table that the session has already.
    fn opened(&self, session: &Session) -> Result<(), Error>;
}

/// The command, speaking to `console`.
pub fn speaking_to<F: Future>(console: Arc<dyn Console>, command: F) -> impl Future<Output = F::Output> {
    IN_FORCE.scope(console, command)
}

/// Who listens here; `None` is the terminal.
pub fn listener() -> Option<Arc<dyn Console>> {
    IN_FORCE.try_with(Arc::clone).ok()
}

/// A remark of one line.
pub fn note(line: &str) {
    match listener() {
        Some(console) => console.note(line),
        None => eprintln!("{line}"),
    }
}

/// A writer of text, for a listener.
pub struct Text {
    console: Arc<dyn Console>,
    /// The first bytes of a character whose others are to come.
    begun: Vec<u8>,
}

impl Text {
    /// Text for this listener.
    pub fn new(console: Arc<dyn Console>) -> Self {
        Self { console, begun: Vec::new() }
    }
}

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            Err(_) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the output is not text: write it to a file"));
            }
        };
        self.console.print(&String::from_utf8_lossy(&self.begun[..whole]));
        self.begun.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use crystal::progress::Done;

    use super::*;

    #[derive(Default)]
    struct Recorder(Mutex<String>);

    impl Console for Recorder {
        fn print(&self, text: &str) {
            self.0.lock().unwrap().push_str(text);
        }
        fn note(&self, line: &str) {
            self.print(&format!("({line})"));
        }
        fn opened(&self, _: &Session) -> Result<(), Error> {
            Ok(())
        }
    }

    impl Progress for Recorder {
        fn step(&self, _: &Done) {}
    }

    #[tokio::test]
    async fn only_the_caller_gets_the_output() {
        let recorder = Arc::new(Recorder::default());
        assert!(listener().is_none());
        speaking_to(recorder.clone(), async {
            let mut text = Text::new(listener().unwrap());
            for byte in "aÅΔμ".bytes() {
                text.write_all(&[byte]).unwrap();
            }
            assert!(text.write_all(&[0xff, b'a']).is_err());
            note("one");
        })
        .await;
        assert!(listener().is_none());
        assert_eq!(*recorder.0.lock().unwrap(), "aÅΔμ(one)");
    }
}
