//! The gate: the one way from a request to rows, from any door.
//!
//! A statement is read (one, and one that only reads), planned at a snapshot, its plan is checked, and that very plan is run. Planning
//! and running are both within the deadline; the number of those that run and wait is bounded, and so is the memory of all together.
//! A client that goes away ends its work.

mod answer;
mod bodies;
mod counts;
mod limits;
mod places;
mod plan;
mod running;
mod size;
mod training;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{Schema, SchemaRef};
use crystal::stop::Stop;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::DataFrame;
use report::{Headings, plain_layouts, with_units};
use sql::{ColumnUnits, Session, Values, column_units};
use store::Store;
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub use answer::Answer;
use bodies::Bodies;
pub(crate) use bodies::refusal;
pub(crate) use counts::Counts;
pub use limits::{Allowed, Limits};
use places::{Place, Places};
use running::within;
pub(crate) use training::{Course, Training};

use crate::error::{Hidden, Kind, Refusal, ServeError};

/// Options that a request may set for itself, each under the prefix `hollandite`.
pub const OPTIONS: [&str; 5] = ["model", "energy_model", "coverage", "features", "cache"];

/// The message where a client wants to change something.
pub(crate) const ONLY_READS: &str = "this server only reads: SELECT, EXPLAIN, DESCRIBE and SHOW";

/// Longest bodies that may arrive at a time.
const LONGEST_BODIES: usize = 64;

/// Longest warning, characters.
const LONGEST_WARNING: usize = 300;

/// A statement with what belongs to it.
#[derive(Debug, Clone)]
pub struct Question {
    /// One statement that only reads.
    pub text: String,
    /// Values of its placeholders.
    pub values: Values,
    /// An older snapshot; the newest where it is not given.
    pub snapshot: Option<i64>,
    /// Options by their names in [`OPTIONS`].
    pub options: Vec<(String, String)>,
}

impl From<&str> for Question {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), values: Values::InOrder(Vec::new()), snapshot: None, options: Vec::new() }
    }
}

/// A statement that was planned and found harmless. Running it runs this plan and no other.
#[derive(Clone)]
pub struct Planned {
    frame: DataFrame,
    /// The session that planned it, which gets the warnings of single rows.
    session: Session,
    hidden: Hidden,
    /// The snapshot that it reads.
    pub snapshot: i64,
    /// The columns under readable names, with units.
    pub schema: SchemaRef,
    /// The units of each column, and of the fields of its structs.
    pub units: Vec<ColumnUnits>,
    /// Signals its runner to stop.
    pub stop: Stop,
}

impl std::fmt::Debug for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Planned at snapshot {}", self.snapshot)
    }
}

impl Planned {
    /// The types of the placeholders that have no value, by their names, where the plan has them.
    pub fn parameters(&self) -> Vec<(String, Option<arrow::datatypes::DataType>)> {
        let types = self.frame.logical_plan().get_parameter_types().unwrap_or_default();
        let mut types: Vec<_> = types.into_iter().collect();
        types.sort_by(|a, b| a.0.cmp(&b.0));
        types
    }

    /// What single rows complained of while it ran, since the last call: a few sentences.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let shown = |text: &String| self.hidden.hide(text).chars().take(LONGEST_WARNING).collect();
        self.session.warnings().iter().map(shown).collect()
    }

    /// The models that it uses, by name, with the hash of each as far as it is known: it is once the model has answered.
    pub(crate) fn models(&self) -> serde_json::Map<String, serde_json::Value> {
        let loaded = self.session.loaded_models();
        let names = self.session.models_of(&self.frame).into_iter();
        names.map(|name| (name.clone(), loaded.get(&name).cloned().into())).collect()
    }

    /// Whether the answer is a plan, as text.
    fn explains(&self) -> bool {
        matches!(self.frame.logical_plan(), LogicalPlan::Explain(_) | LogicalPlan::Analyze(_))
    }
}

/// A store, and what may be asked of it. Clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Shared>);

struct Shared {
    store: Store,
    newest: Session,
    /// The session of the last snapshot that was asked for without a number.
    pinned: Mutex<Option<(i64, Session)>>,
    limits: Limits,
    allowed: Allowed,
    /// The place of the one training that may run, and the sign to it that the server ends.
    training: Arc<Semaphore>,
    ending: Stop,
    places: Places,
    bodies: Bodies,
    hidden: Hidden,
    counts: Counts,
}

impl Gate {
    /// The gate before a store.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn open(store: &Store, limits: Limits, allowed: Allowed) -> Result<Self, ServeError> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_limit(limits.memory, 1.0)
            .with_max_temp_directory_size(limits.spill)
            .build_arc()
            .map_err(sql::Error::from)?;
        if allowed.train && store.is_writable() {
            training::clear(&store.models_folder());
        }
        let newest = Session::served(store, runtime).await?;
        if allowed.keep_nothing {
            newest.environment().keep_nothing();
        }
        Ok(Self(Arc::new(Shared {
            newest,
            store: store.clone(),
            pinned: Mutex::default(),
            places: Places::new(limits.queries, limits.waiting),
            bodies: Bodies::new(LONGEST_BODIES.saturating_mul(limits.body)),
            limits,
            allowed,
            training: Arc::new(Semaphore::new(1)),
            ending: Stop::new(),
            hidden: Hidden::new(store.dir()),
            counts: Counts::default(),
        })))
    }

    /// What is bounded.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// What the bodies of requests take.
    pub(crate) fn bodies(&self) -> &Bodies {
        &self.0.bodies
    }

    /// How many queries run, and how many wait.
    pub fn load(&self) -> (usize, usize) {
        (self.0.places.running(), self.0.places.waiting())
    }

    /// A sentence without paths of the host.
    pub(crate) fn refusal(&self, error: &sql::Error) -> Refusal {
        Refusal::of(error, &self.0.hidden)
    }

    /// Plans and runs a statement, both within one deadline.
    ///
    /// # Errors
    /// Whatever the gate does not let through.
    pub async fn ask(&self, question: Question) -> Result<Answer, Refusal> {
        Ok(self.ask_with(question, |_, frame| Ok((frame, ()))).await?.0)
    }

    /// Plans a statement, has `refine` add to the plan what is no SQL, and runs it; with what else `refine` has found.
    ///
    /// # Errors
    /// As [`Gate::ask`], and those of `refine`.
    pub(crate) async fn ask_with<T: Send + 'static>(
        &self,
        question: Question,
        refine: impl FnOnce(&Session, DataFrame) -> Result<(DataFrame, T), Refusal> + Send + 'static,
    ) -> Result<(Answer, T), Refusal> {
        let deadline = self.deadline();
        let place = self.0.places.take(deadline).await?;
        let ((planned, found), place) = self.planned(question, refine, place, deadline).await?;
        Ok((self.started(planned, place, deadline).await?, found))
    }

    /// Plans a statement and checks the plan; nothing of it runs.
    ///
    /// # Errors
    /// As [`Gate::ask`].
    pub async fn plan(&self, question: Question) -> Result<Planned, Refusal> {
        let deadline = self.deadline();
        let place = self.0.places.take(deadline).await?;
        Ok(self.planned(question, |_, frame| Ok((frame, ())), place, deadline).await?.0.0)
    }

    /// Runs what was planned.
    ///
    /// # Errors
    /// As [`Gate::ask`].
    pub async fn run(&self, planned: Planned) -> Result<Answer, Refusal> {
        let deadline = self.deadline();
        let place = self.0.places.take(deadline).await?;
        self.started(planned, place, deadline).await
    }

    /// The newest snapshot of the store.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn newest_snapshot(&self) -> Result<i64, Refusal> {
        self.0.store.newest_snapshot().map_err(|error| self.refusal(&error.into()))
    }

    /// The placeholders of a statement.
    pub fn placeholders(&self, text: &str) -> Vec<String> {
        match self.check_text("statement", text) {
            Ok(()) => self.0.newest.placeholders(text),
            Err(_) => Vec::new(),
        }
    }

    /// How many rows each step of a statement leaves, at which snapshot; no steps where it is another than conditions on one table.
    ///
    /// # Errors
    /// As [`Gate::ask`].
    pub(crate) async fn steps(&self, question: Question) -> Result<(i64, Option<Vec<jobs::Step>>), Refusal> {
        let deadline = self.deadline();
        let place = self.0.places.take(deadline).await?;
        let ((planned, ()), place) = self.planned(question, |_, frame| Ok((frame, ())), place, deadline).await?;
        let (gate, stop, snapshot) = (self.clone(), planned.stop.clone(), planned.snapshot);
        let count = async move {
            let steps = jobs::steps(&planned.session, &planned.frame, None).await;
            steps.map_err(|error| gate.refusal(&error))
        };
        let (steps, _place) = within(deadline, &stop, place, count).await?;
        Ok((snapshot, steps))
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.0.limits.timeout
    }

    async fn planned<T: Send + 'static>(
        &self,
        question: Question,
        refine: impl FnOnce(&Session, DataFrame) -> Result<(DataFrame, T), Refusal> + Send + 'static,
        place: Place,
        deadline: Instant,
    ) -> Result<((Planned, T), Place), Refusal> {
        self.check_size(&question)?;
        let gate = self.clone();
        let stop = Stop::new();
        let sign = stop.clone();
        let plan = async move {
            let said = |error: sql::Error| gate.refusal(&error);
            let session = gate.session(question.snapshot, &question.options).await?.apart().map_err(said)?;
            let Some(mut statement) = session.parsed(&question.text).map_err(said)? else {
                return Err(Refusal::forbidden(ONLY_READS));
            };
            size::check_named(statement.tables_read())?;
            statement.bind(&question.values, gate.limits().body).map_err(said)?;
            let frame = session.plan(statement).await.map_err(said)?;
            let (frame, found) = refine(&session, frame)?;
            size::check(frame.logical_plan())?;
            plan::check(&frame, gate.0.allowed)?;
            let headings = Headings::of(&Arc::new(frame.schema().as_arrow().clone()));
            let units = column_units(&session, &frame);
            let of_columns: Vec<_> = units.iter().map(|column| column.unit.clone()).collect();
            // What is planned and what is answered have the very same columns: clients of Flight compare them.
            let schema = as_sent(&with_units(headings.schema(), &of_columns));
            let snapshot = session_snapshot(&session)?;
            let hidden = gate.0.hidden.clone();
            Ok((Planned { frame, session, hidden, snapshot, schema, units, stop: sign }, found))
        };
        within(deadline, &stop, place, plan).await
    }

    async fn started(&self, planned: Planned, place: Place, deadline: Instant) -> Result<Answer, Refusal> {
        let gate = self.clone();
        let (frame, stop) = (planned.frame.clone(), planned.stop.clone());
        let start = async move { frame.execute_stream().await.map_err(|error| gate.refusal(&error.into())) };
        let (rows, place) = within(deadline, &stop, place, start).await?;
        Ok(Answer::new(self.clone(), planned, rows, place, deadline))
    }

    fn check_size(&self, question: &Question) -> Result<(), Refusal> {
        self.check_text("statement", &question.text)?;
        let bounds = &self.0.limits;
        let given = match &question.values {
            Values::InOrder(values) => values.len(),
            Values::Named(values) => values.len(),
        };
        if given > bounds.parameters {
            let message = format!("{given} parameters are more than {}", bounds.parameters);
            return Err(Refusal::new(Kind::TooMuch, message));
        }
        Ok(())
    }

    /// # Errors
    /// A text that is too long, or would make a plan that is too deep.
    pub(crate) fn check_text(&self, what: &str, text: &str) -> Result<(), Refusal> {
        let bounds = &self.0.limits;
        let longer = |message: String| Err(Refusal::new(Kind::TooMuch, message));
        if text.len() > bounds.text {
            return longer(format!("the {what} has {} bytes, more than {}", text.len(), bounds.text));
        }
        let depth = store::depth(text);
        if depth > bounds.depth {
            return longer(format!("the {what} has {depth} words and operators, more than {}", bounds.depth));
        }
        Ok(())
    }

    /// The session at a snapshot, with options of its own where some are given.
    async fn session(&self, snapshot: Option<i64>, options: &[(String, String)]) -> Result<Session, Refusal> {
        let said = |error: sql::Error| self.refusal(&error);
        let newest = self.newest_snapshot()?;
        let session = match snapshot.filter(|snapshot| *snapshot != newest) {
            Some(snapshot) => self.0.newest.at(snapshot).await.map_err(said)?,
            None => self.pinned(newest).await.map_err(said)?,
        };
        if options.is_empty() {
            return Ok(session);
        }
        let mut prefixed = Vec::with_capacity(options.len());
        for (name, value) in options {
            if !OPTIONS.contains(&name.as_str()) {
                return Err(Refusal::bad(format!("{name} is no option here; there are {}", OPTIONS.join(", "))));
            }
            prefixed.push((format!("hollandite.{name}"), value.clone()));
        }
        session.with_options(&prefixed).map_err(said)
    }

    /// The session at the newest snapshot. Nothing that is let through changes a session, so that one serves all.
    async fn pinned(&self, snapshot: i64) -> Result<Session, sql::Error> {
        let kept = || self.0.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, session)) = kept().as_ref()
            && *at == snapshot
        {
            return Ok(session.clone());
        }
        let session = self.0.newest.at(snapshot).await?;
        *kept() = Some((snapshot, session.clone()));
        Ok(session)
    }
}

/// Columns as they are sent: in layouts that every client knows, and any value may be NULL.
fn as_sent(schema: &Schema) -> SchemaRef {
    let plain = plain_layouts(schema);
    let fields: Vec<_> = plain.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    Arc::new(Schema::new_with_metadata(fields, plain.metadata().clone()))
}

/// The snapshot at which a session is fixed.
fn session_snapshot(session: &Session) -> Result<i64, Refusal> {
    session.snapshot().ok_or_else(|| Refusal::new(Kind::Fault, "the session is at no snapshot"))
}
