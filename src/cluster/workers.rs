//! The sessions of a process that computes for queries of others: one a query, in a branch of its store.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use sql::{CarriedWarnings, Environment, Session, Warnings};
use store::Lent;

/// Queries whose sessions are kept open.
const KEPT: usize = 8;

/// What a worker leaves in its branch for the client: warnings of its rows, a line of JSON each time.
const WARNINGS: &str = "warnings.jsonl";
/// And how many rows each pass has behind it, as JSON; the file is rewritten each time.
const PROGRESS: &str = "progress.json";
/// How often that is written, and read.
pub const BEAT: Duration = Duration::from_millis(500);

/// The session of one query in this process.
pub struct Worker {
    lent: Lent,
    session: Session,
    warnings: PathBuf,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Worker").field(&self.lent).finish()
    }
}

impl Worker {
    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The copy of the catalog that it reads.
    pub fn lent(&self) -> &Lent {
        &self.lent
    }

    /// Leaves the warnings that there are.
    pub fn leave_warnings(&self) {
        leave_warnings(self.session.environment(), &self.warnings);
    }
}

/// Leaves the warnings of a session, a line at a time. Where that fails, as in a query that has ended, they are not needed.
fn leave_warnings(environment: &Environment, path: &Path) {
    let Some(carried) = environment.warnings().carried() else { return };
    let file = File::options().create(true).append(true).open(path);
    if let (Ok(mut file), Ok(line)) = (file, serde_json::to_string(&carried)) {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

/// Adds the warnings that the worker of a branch left to `warnings`.
pub fn take_warnings(branch: &Path, warnings: &Warnings) {
    let Ok(file) = File::open(branch.join(WARNINGS)) else { return };
    let lines = BufReader::new(file).lines().map_while(std::result::Result::ok);
    lines.filter_map(|line| serde_json::from_str::<CarriedWarnings>(&line).ok()).for_each(|said| warnings.add(said));
}

/// Rows done, by what is done.
pub type Passes = BTreeMap<String, u64>;

/// Writes it whole or not at all. Where that fails the query shows no progress.
fn write_progress(path: &Path, passes: &Passes) {
    let draft = path.with_extension("new");
    let written = serde_json::to_vec(passes).is_ok_and(|text| std::fs::write(&draft, text).is_ok());
    if written {
        let _ = std::fs::rename(&draft, path);
    }
}

/// How far all workers of a query are together.
pub fn progress(lent: &Lent) -> Passes {
    let mut all = Passes::new();
    for branch in lent.branches() {
        let text = std::fs::read(branch.join(PROGRESS)).unwrap_or_default();
        for (what, done) in serde_json::from_slice::<Passes>(&text).unwrap_or_default() {
            *all.entry(what).or_default() += done;
        }
    }
    all
}

/// The workers of this process, the last used in front.
#[derive(Debug)]
pub struct Workers {
    /// Names the branches of this process.
    name: String,
    open: Mutex<VecDeque<Arc<Worker>>>,
}

impl Workers {
    /// None so far; their branches are called `name`.
    pub fn new(name: String) -> Self {
        Self { name, open: Mutex::default() }
    }

    /// The worker of a query, opened at first. It blocks the thread meanwhile.
    ///
    /// # Errors
    /// A store that this machine does not see, a copy by another version of the program.
    pub fn of(&self, lent: &Lent) -> Result<Arc<Worker>> {
        // Locked while one is opened: others that come meanwhile want the same one.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|worker| worker.lent == *lent) {
            let worker = open.remove(at).expect("it is there");
            open.push_front(Arc::clone(&worker));
            return Ok(worker);
        }
        let worker = Arc::new(self.opened(lent)?);
        open.push_front(Arc::clone(&worker));
        open.truncate(KEPT);
        Ok(worker)
    }

    /// The query whose session has this environment.
    pub fn lent_to(&self, environment: &Environment) -> Option<Lent> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().find(|worker| worker.session.environment() == environment).map(|worker| worker.lent.clone())
    }

    fn opened(&self, lent: &Lent) -> Result<Worker> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|e| exec_datafusion_err!("a session is opened outside the threads of queries: {e}"))?;
        let (name, asked) = (self.name.clone(), lent.clone());
        let opening = async move {
            let store = asked.branch(&name).await.map_err(|e| DataFusionError::External(Box::new(e)))?;
            let session = Session::open(&store, None).await.map_err(|e| DataFusionError::External(Box::new(e)))?;
            Ok::<_, DataFusionError>((store.dir().join(WARNINGS), session))
        };
        // Decoding a plan cannot wait; another thread does.
        let opened = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(opening)).join());
        let (warnings, session) =
            opened.map_err(|_| exec_datafusion_err!("opening a branch of the store ended in a panic"))??;
        let (environment, path) = (session.environment().clone(), warnings.clone());
        let passes = Mutex::new((Instant::now(), Passes::new()));
        session.watch_rows(Box::new(move |rows| {
            let mut passes = passes.lock().unwrap_or_else(PoisonError::into_inner);
            passes.1.insert(rows.what.to_owned(), rows.done);
            if rows.ended || passes.0.elapsed() > BEAT {
                passes.0 = Instant::now();
                write_progress(&path.with_file_name(PROGRESS), &passes.1);
            }
            if rows.ended {
                leave_warnings(&environment, &path);
            }
        }));
        Ok(Worker { lent: lent.clone(), session, warnings })
    }
}
