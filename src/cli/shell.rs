//! The shell: statements and `\` commands from a terminal or a pipe. On a terminal Ctrl-C stops the running query
//! and leaves the shell, Ctrl-D leaves it; an error is printed and the next line read. In a pipe the first error ends it.

mod answer;
mod catalog;
mod helper;
mod meta;

pub use answer::Word;
pub(crate) use answer::answer;
pub use meta::Meta;

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::task::JoinError;

use self::helper::{Names, SqlHelper};
use super::args::{Format, Output};
use super::commands::sql;
use super::render::{self, Expanded, Look, Printer};
use super::{CliError, bars, consent, interrupt, statements};
use crate::sql::Session;
use crate::stop::Stop;
use crate::store::Store;

/// What the shell remembers between two lines.
pub struct Shell {
    store: Store,
    session: Session,
    printer: Printer,
    /// `--format`: where `\o` returns to.
    format: Format,
    timing: bool,
    /// Whether statements that take a whole table with them are done without asking.
    yes: bool,
    look: Look,
}

/// Whether to read on.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Line,
    Quit,
}

impl Shell {
    /// A shell over `session`, printing to standard output in `format`.
    pub(crate) fn new(store: Store, session: Session, format: Format, yes: bool) -> Result<Self, CliError> {
        let (printer, look) = (Printer::stdout(format)?, Look::default());
        Ok(Self { store, session, printer, format, timing: false, yes, look })
    }

    /// Read, run and print until the end of the input.
    pub(crate) async fn run(mut self) -> Result<(), CliError> {
        if std::io::stdin().is_terminal() { self.converse().await } else { self.read_pipe().await }
    }

    async fn read_pipe(&mut self) -> Result<(), CliError> {
        let mut pending = String::new();
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|source| CliError::Io { path: "standard input".into(), source })?;
            if statements::is_blank(&pending)
                && let Some(meta) = command(&line)?
            {
                if self.meta(meta, false).await? == Next::Quit {
                    return Ok(());
                }
                continue;
            }
            pending += &line;
            pending.push('\n');
            let (whole, rest) = statements::split(&pending);
            for statement in whole {
                self.statement(statement, false).await?;
            }
            pending = rest.to_string();
        }
        if !statements::is_blank(&pending) {
            self.statement(pending.trim(), false).await?;
        }
        Ok(())
    }

    async fn converse(&mut self) -> Result<(), CliError> {
        self.look.pager = true;
        let config = Config::builder().completion_type(CompletionType::List).history_ignore_space(true).build();
        let mut editor = Editor::<SqlHelper, FileHistory>::with_config(config).map_err(terminal)?;
        editor.set_helper(Some(SqlHelper { names: Names::of(&self.session).await }));
        interrupt::leave_to_the_shell();
        // From here on Ctrl-C is a message to the shell, and no longer its end. The handler is in place before the first line
        // is read: rustyline has one of its own while it reads, and puts back the one that it found.
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => {}
            () = std::future::ready(()) => {}
        }
        let history = history_file();
        if let Some(file) = &history {
            // The first shell has no history yet.
            let _ = editor.load_history(file);
        }
        eprintln!("hollandite {}, store {}", env!("CARGO_PKG_VERSION"), self.store.dir().display());
        eprintln!("End a statement with ; and press Enter. \\? explains the commands, \\q or Ctrl-D leaves.");
        loop {
            bars::silence();
            let read = tokio::task::block_in_place(|| editor.readline("hollandite> "));
            bars::resume();
            let text = match read {
                Ok(text) => text,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(terminal(error)),
            };
            if statements::is_blank(&text) {
                continue;
            }
            editor.add_history_entry(text.trim()).map_err(terminal)?;
            if let Some(file) = &history
                && let Err(error) = editor.append_history(file)
            {
                eprintln!("warning: the history is not kept: {}: {error}", file.display());
            }
            match self.enter(&text).await {
                Ok(Next::Line) => {}
                Ok(Next::Quit) => return Ok(()),
                Err(error) => eprintln!("error: {error}"),
            }
            if changes_names(&text)
                && let Some(helper) = editor.helper_mut()
            {
                helper.names = Names::of(&self.session).await;
            }
        }
    }

    async fn enter(&mut self, text: &str) -> Result<Next, CliError> {
        if let Some(meta) = command(text)? {
            return self.meta(meta, true).await;
        }
        for statement in statements::all(text) {
            self.statement(statement, true).await?;
        }
        Ok(Next::Line)
    }

    /// Run one statement. It runs as a task of its own, so that Ctrl-C works while it computes.
    async fn statement(&self, text: &str, cancellable: bool) -> Result<(), CliError> {
        consent::ask(&self.session, text, self.yes).await?;
        let (session, printer, text) = (self.session.clone(), self.printer(), text.to_string());
        self.watch(cancellable, async move { sql::run_one(&session, &text, &printer).await.map(drop) }).await
    }

    async fn watch(
        &self,
        cancellable: bool,
        work: impl Future<Output = Result<(), CliError>> + Send + 'static,
    ) -> Result<(), CliError> {
        let started = Instant::now();
        let notice = |how: &str| {
            bars::silence();
            eprintln!("{how}");
        };
        if cancellable {
            match until(work, interrupted()).await? {
                Ended::Done => {}
                Ended::Stopped => notice("cancelled"),
                Ended::Stopping => notice("cancelled; what it was at ends soon"),
            }
        } else {
            work.await?;
        }
        if self.timing {
            eprintln!("Time: {:.3} s", started.elapsed().as_secs_f64());
        }
        Ok(())
    }

    async fn meta(&mut self, meta: Meta, cancellable: bool) -> Result<Next, CliError> {
        let notice = |what: &str, on: bool| eprintln!("{what} is {}", if on { "on" } else { "off" });
        match meta {
            Meta::Expanded(how) => {
                self.look.expanded = how.unwrap_or(match self.look.expanded {
                    Expanded::On => Expanded::Off,
                    Expanded::Auto | Expanded::Off => Expanded::On,
                });
                eprintln!("expanded display is {}", format!("{:?}", self.look.expanded).to_lowercase());
            }
            Meta::Full(how) => {
                self.look.full = how.unwrap_or(!self.look.full);
                notice("printing lists, structs and crystals whole", self.look.full);
            }
            Meta::Pager(how) => {
                self.look.pager = how.unwrap_or(!self.look.pager);
                notice("the pager", self.look.pager);
            }
            Meta::Timing => {
                self.timing = !self.timing;
                notice("timing", self.timing);
            }
            Meta::Output(None) => self.printer = Printer::stdout(self.format)?,
            Meta::Output(Some(file)) => self.printer = Printer::new(&Output { format: None, output: Some(file) })?,
            Meta::Help => render::print(meta::HELP)?,
            Meta::Quit => return Ok(Next::Quit),
            asked => {
                let (store, session, printer) = (self.store.clone(), self.session.clone(), self.printer());
                let work = async move { answer(&asked, &store, &session, &printer).await.map(drop) };
                self.watch(cancellable, work).await?;
            }
        }
        Ok(Next::Line)
    }

    /// The printer, with the look that is set now.
    fn printer(&self) -> Printer {
        self.printer.clone().with_look(self.look)
    }
}

/// What a line asks for that is no statement: a `\` command, or a word such as quit.
fn command(line: &str) -> Result<Option<Meta>, CliError> {
    match line.trim_start().starts_with('\\') {
        true => Meta::parse(line).map(Some).map_err(CliError::Usage),
        false => Ok(Meta::of_word(line)),
    }
}

/// How a statement ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// By itself.
    Done,
    /// Because it was stopped.
    Stopped,
    /// It was stopped, and a thread is still in the middle of a step.
    Stopping,
}

/// When Ctrl-C is meant for us, and not for a pager that has the terminal.
async fn interrupted() {
    loop {
        match tokio::signal::ctrl_c().await {
            Ok(()) if render::pager_is_open() => {}
            Ok(()) => return,
            // The receiver is gone.
            Err(_) => std::future::pending().await,
        }
    }
}

/// How long a statement that is stopped has to end by itself, and then once more when it is broken off.
const GRACE: Duration = Duration::from_millis(450);

/// Drive `work` on a thread of its own until it is done or `interrupted` is. Work that is stopped is asked to end by itself,
/// so that it can clean up behind it, and what only waits is broken off.
async fn until<T>(
    work: impl Future<Output = Result<(), CliError>> + Send + 'static,
    interrupted: impl Future<Output = T>,
) -> Result<Ended, CliError> {
    let stop = Stop::new();
    let mut work = tokio::spawn(stop.clone().over(work));
    tokio::select! {
        done = &mut work => return joined(done).map(|()| Ended::Done),
        _ = interrupted => stop.give(),
    }
    if let Ok(done) = tokio::time::timeout(GRACE, &mut work).await {
        // What had done its work before it looked is done.
        return Ok(if joined(done).is_ok() { Ended::Done } else { Ended::Stopped });
    }
    work.abort();
    Ok(if tokio::time::timeout(GRACE, &mut work).await.is_ok() { Ended::Stopped } else { Ended::Stopping })
}

fn joined(done: Result<Result<(), CliError>, JoinError>) -> Result<(), CliError> {
    let fault = |panic| CliError::Failed(format!("internal error of hollandite, please report it: {panic}"));
    done.unwrap_or_else(|panic| Err(fault(panic)))
}

fn terminal(error: ReadlineError) -> CliError {
    CliError::Failed(format!("terminal: {error}"))
}

/// `history` in the user's data folder.
fn history_file() -> Option<PathBuf> {
    let folder = dirs::data_dir()?.join("hollandite");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// Whether a statement may have changed what completion knows.
fn changes_names(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    ["create", "drop", "alter"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_query_is_stopped_and_one_that_is_done_is_not() {
        let endless = async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(())
        };
        assert_eq!(until(endless, tokio::time::sleep(Duration::from_millis(10))).await.unwrap(), Ended::Stopped);
        assert_eq!(until(async { Ok(()) }, std::future::pending::<()>()).await.unwrap(), Ended::Done);
        let stoppable = async {
            while !Stop::current().is_given() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(CliError::Failed("stopped".into()))
        };
        let started = Instant::now();
        assert_eq!(until(stoppable, tokio::time::sleep(Duration::from_millis(10))).await.unwrap(), Ended::Stopped);
        assert!(started.elapsed() < GRACE);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn stopping_does_not_wait_for_a_busy_thread() {
        let busy = async {
            std::thread::sleep(Duration::from_secs(2));
            Ok(())
        };
        let started = Instant::now();
        assert_eq!(until(busy, tokio::time::sleep(Duration::from_millis(10))).await.unwrap(), Ended::Stopping);
        assert!(started.elapsed() < Duration::from_millis(1500));
    }
}
