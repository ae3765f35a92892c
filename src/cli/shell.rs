//! The shell: a person types statements and `\` commands, a pipe may too. On a terminal Ctrl-C stops the running query
//! and leaves the shell, Ctrl-D leaves it; an error is printed and the next line read. In a pipe the first error ends it.

mod catalog;
mod helper;
mod meta;

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::time::Instant;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use self::helper::{Names, SqlHelper};
use self::meta::Meta;
use super::args::{Format, Output};
use super::commands::{functions, sql};
use super::render::{self, Printer};
use super::{CliError, consent, statements};
use crate::sql::Session;
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
}

/// Whether to read on.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Line,
    Quit,
}

impl Shell {
    /// A shell over `session`, printing to standard output in `format`.
    pub fn new(store: Store, session: Session, format: Format, yes: bool) -> Result<Self, CliError> {
        Ok(Self { store, session, printer: Printer::stdout(format)?, format, timing: false, yes })
    }

    /// Read, run and print until the end of the input.
    pub async fn run(mut self) -> Result<(), CliError> {
        if std::io::stdin().is_terminal() { self.converse().await } else { self.read_pipe().await }
    }

    async fn read_pipe(&mut self) -> Result<(), CliError> {
        let mut pending = String::new();
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|source| CliError::Io { path: "standard input".into(), source })?;
            if statements::is_blank(&pending) && line.trim_start().starts_with('\\') {
                if self.meta(&line, false).await? == Next::Quit {
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
        let config = Config::builder().completion_type(CompletionType::List).history_ignore_space(true).build();
        let mut editor = Editor::<SqlHelper, FileHistory>::with_config(config).map_err(terminal)?;
        editor.set_helper(Some(SqlHelper { names: Names::of(&self.session).await }));
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
            let text = match tokio::task::block_in_place(|| editor.readline("hollandite> ")) {
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
        if text.trim_start().starts_with('\\') {
            return self.meta(text, true).await;
        }
        for statement in statements::all(text) {
            self.statement(statement, true).await?;
        }
        Ok(Next::Line)
    }

    /// Run one statement. It runs as a task of its own, so that Ctrl-C is heard while it computes.
    async fn statement(&self, text: &str, cancellable: bool) -> Result<(), CliError> {
        tokio::task::block_in_place(|| consent::ask(&self.session, text, self.yes))?;
        let (session, printer, text) = (self.session.clone(), self.printer.clone(), text.to_string());
        self.watch(cancellable, async move { sql::run_one(&session, &text, &printer).await.map(drop) }).await
    }

    async fn watch(
        &self,
        cancellable: bool,
        work: impl Future<Output = Result<(), CliError>> + Send + 'static,
    ) -> Result<(), CliError> {
        let started = Instant::now();
        if cancellable {
            if !until(work, tokio::signal::ctrl_c()).await? {
                eprintln!("cancelled");
            }
        } else {
            work.await?;
        }
        if self.timing {
            eprintln!("Time: {:.3} s", started.elapsed().as_secs_f64());
        }
        Ok(())
    }

    async fn meta(&mut self, line: &str, cancellable: bool) -> Result<Next, CliError> {
        match Meta::parse(line).map_err(CliError::Usage)? {
            Meta::Tables => self.printer.print_batch(&catalog::tables(&self.store, &self.session).await?)?,
            Meta::Table(name) => self.printer.print_batch(&catalog::columns(&self.session, &name).await?)?,
            Meta::Functions(None) => self.printer.print_batch(&functions::batch()?)?,
            Meta::Functions(Some(name)) => render::print(&functions::page(&name)?)?,
            Meta::Describe(query) => {
                let (session, printer) = (self.session.clone(), self.printer.clone());
                let work = async move { sql::describe(&session, &query, &printer).await };
                self.watch(cancellable, work).await?;
            }
            Meta::Timing => {
                self.timing = !self.timing;
                eprintln!("timing is {}", if self.timing { "on" } else { "off" });
            }
            Meta::Output(None) => self.printer = Printer::stdout(self.format)?,
            Meta::Output(Some(file)) => self.printer = Printer::new(&Output { format: None, output: Some(file) })?,
            Meta::Help => render::print(meta::HELP)?,
            Meta::Quit => return Ok(Next::Quit),
        }
        Ok(Next::Line)
    }
}

/// Drive `work` on a thread of its own until it is done or `stop` is; false where it was stopped. A stopped query ends at
/// its next batch, and nobody waits for that.
async fn until<T>(
    work: impl Future<Output = Result<(), CliError>> + Send + 'static,
    stop: impl Future<Output = T>,
) -> Result<bool, CliError> {
    let mut work = tokio::spawn(work);
    tokio::select! {
        done = &mut work => match done {
            Ok(done) => done.map(|()| true),
            Err(panic) => Err(CliError::Failed(format!("the query broke down, which is a fault of hollandite: {panic}"))),
        },
        _ = stop => {
            work.abort();
            Ok(false)
        }
    }
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
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_query_is_stopped_and_one_that_is_done_is_not() {
        let endless = async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(())
        };
        assert!(!until(endless, tokio::time::sleep(Duration::from_millis(10))).await.unwrap());
        assert!(until(async { Ok(()) }, std::future::pending::<()>()).await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn stopping_does_not_wait_for_a_busy_thread() {
        let busy = async {
            std::thread::sleep(Duration::from_secs(2));
            Ok(())
        };
        let started = Instant::now();
        assert!(!until(busy, tokio::time::sleep(Duration::from_millis(10))).await.unwrap());
        assert!(started.elapsed() < Duration::from_secs(1));
    }
}
