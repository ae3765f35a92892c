//! Trainings, where they are allowed: one at a time, of crystals that a statement through the gate reads, each into a model of a new
//! name. It is the one thing that is written for others.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crystal::stop::Stop;
use jobs::Labelled;
use models::network::{architectures, names};
use models::train::{Epoch, Observer, Sample, TrainOptions, Trained, train};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Gate, Question};
use crate::error::{Kind, Refusal};

/// Longest schedule, epochs, and longest training, seconds.
const EPOCHS: usize = 10_000;
const LONGEST: f64 = 86_400.0;

/// A file in the folder of a model to come, locked while a server trains it, however that server ends.
const BEGUN: &str = ".begun";

/// What is to be fitted to what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Training {
    /// An architecture, with its usual settings.
    network: String,
    /// A table with labels, and the column that holds them.
    table: String,
    target: String,
    /// A condition of SQL on the rows.
    #[serde(rename = "where")]
    condition: Option<String>,
    /// An older snapshot.
    snapshot: Option<i64>,
    /// Name of the model; that of the network with a number where it is not given.
    name: Option<String>,
    split: Option<String>,
    seed: Option<u64>,
    epochs: Option<usize>,
    /// It ends with the epoch in which so many seconds have passed.
    seconds: Option<f64>,
}

/// A training under way. Dropping it ends the training with the epoch, and nothing is left of it.
pub(crate) struct Course {
    said: UnboundedReceiver<Result<Value, Refusal>>,
    stop: Stop,
    /// The snapshot that was read.
    pub snapshot: i64,
}

impl Course {
    /// The next epoch; at last the model. `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Value, Refusal>> {
        self.said.recv().await
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        self.stop.give();
    }
}

impl Training {
    /// As OpenAPI describes it.
    pub fn schema() -> Value {
        let text = |about: &str| json!({ "type": "string", "description": about });
        let networks: Vec<&str> = architectures().into_iter().map(|(name, _)| name).collect();
        json!({
            "type": "object",
            "required": ["network", "table", "target"],
            "additionalProperties": false,
            "properties": {
                "network": { "type": "string", "enum": networks, "description": "Architecture, with its usual settings." },
                "table": text("Table with structures and labels."),
                "target": text("Column of the label."),
                "where": text("A condition of SQL on the rows."),
                "snapshot": { "type": "integer", "description": "An older snapshot." },
                "name": text("Name of the model; that of the network with a number where it is not given."),
                "split": text("Split of the rows, as of `hollandite train`."),
                "seed": { "type": "integer", "minimum": 0 },
                "epochs": { "type": "integer", "minimum": 1, "maximum": EPOCHS },
                "seconds": { "type": "number", "exclusiveMinimum": 0, "maximum": LONGEST, "description": "It ends with the epoch in which they have passed." },
            },
        })
    }

    /// What is asked for, apart from name and data.
    fn options(&self) -> Result<TrainOptions, Refusal> {
        let known = architectures().into_iter().find(|(name, _)| *name == self.network);
        let (_, config) =
            known.ok_or_else(|| Refusal::bad(format!("network {}: expected {}", self.network, names())))?;
        let wrong = |error: models::ModelError| Refusal::bad(error.to_string());
        config.can_be_trained().map_err(wrong)?;
        let usual = TrainOptions::new(config, PathBuf::new());
        let (epochs, seconds) = (self.epochs.unwrap_or(usual.epochs), self.seconds.unwrap_or(LONGEST));
        if !((1..=EPOCHS).contains(&epochs) && seconds > 0.0 && seconds <= LONGEST) {
            return Err(Refusal::bad(format!("a training has 1 to {EPOCHS} epochs, and at most {LONGEST} seconds")));
        }
        Ok(TrainOptions {
            split: self.split.as_ref().map_or(Ok(usual.split), |split| split.parse()).map_err(wrong)?,
            seed: self.seed.unwrap_or(usual.seed),
            epochs,
            time_limit: Some(seconds),
            // Queries are still to be answered.
            threads: (usual.threads / 2).max(1),
            target: self.target.clone(),
            ..usual
        })
    }
}

impl Gate {
    /// # Errors
    /// Where trainings are not allowed.
    pub(crate) fn check_training(&self) -> Result<(), Refusal> {
        match (self.0.allowed.train, self.0.store.is_writable()) {
            (true, true) => Ok(()),
            (true, false) => Err(Refusal::forbidden("the store may not be written to")),
            (false, _) => Err(Refusal::forbidden(
                "a training takes minutes to hours and writes a model: the operator of this server allows it with --allow train",
            )),
        }
    }

    /// Begins a training.
    ///
    /// # Errors
    /// Where trainings are not allowed, or one runs; what asks for none; rows that the gate does not let through.
    pub(crate) async fn train(&self, asked: Training) -> Result<Course, Refusal> {
        self.check_training()?;
        let place = self.0.training.clone().try_acquire_owned();
        let place = place.map_err(|_| Refusal::new(Kind::Busy, "a training runs; try again when it has ended"))?;
        let mut options = asked.options()?;
        let labelled = Labelled { table: &asked.table, target: &asked.target, condition: asked.condition.as_deref() };
        let unit = self.plan(Question::from(labelled.label().as_str())).await?.units;
        options.unit =
            unit.into_iter().next().and_then(|column| column.unit).map(|u| u.to_string()).unwrap_or_default();
        let question = Question { snapshot: asked.snapshot, ..Question::from(labelled.query().as_str()) };
        let answer = self.ask(question).await?;
        let snapshot = answer.snapshot();
        let samples = labelled.samples(&answer.collect().await?).map_err(|error| self.refusal(&error))?;
        let rows = asked.condition.as_ref().map(|c| format!(", WHERE {c}")).unwrap_or_default();
        options.data = format!("table {}, snapshot {snapshot}{rows}", asked.table);
        let (name, home) = self.home(&asked)?;
        (options.name, options.directory) = (name, home.folder.clone());
        Ok(self.begun(samples, options, snapshot, home, place))
    }

    /// Ends the training that runs, with its epoch, and waits until nothing is left of it.
    pub(crate) async fn end_training(&self) {
        self.0.ending.give();
        let _ended = self.0.training.acquire().await;
    }

    /// Name and folder of the model to come; the folder is new.
    fn home(&self, asked: &Training) -> Result<(String, Home), Refusal> {
        let store = &self.0.store;
        let said = |error: store::StoreError| self.refusal(&error.into());
        let folder = store.models_folder();
        let cannot = |name: &str| Refusal::bad(format!("a model {name} cannot be begun: give another name"));
        let name = match &asked.name {
            None => store.new_model(&asked.network).map_err(said)?,
            Some(name) => {
                store.free_model_name(name).map_err(|error| Refusal::bad(said(error).message))?;
                let made = fs::create_dir_all(&folder).and_then(|()| fs::create_dir(folder.join(name)));
                made.map_err(|_| cannot(name))?;
                name.clone()
            }
        };
        let home = Home::begin(folder.join(&name)).map_err(|_| cannot(&name))?;
        Ok((name, home))
    }

    fn begun(
        &self,
        samples: Vec<Sample>,
        options: TrainOptions,
        snapshot: i64,
        home: Home,
        place: OwnedSemaphorePermit,
    ) -> Course {
        let (say, said) = unbounded_channel();
        let stop = self.0.ending.during(Stop::new);
        let (gate, watched) = (self.clone(), Watched { say: say.clone(), stop: stop.clone() });
        tokio::task::spawn_blocking(move || {
            let trained = crystal::guard::guarded(|| train(&samples, &options, &watched));
            let last = match trained {
                Ok(Ok(trained)) if !watched.stop.is_given() => Ok(model(&trained)),
                Ok(Ok(_)) => Err(Refusal::new(Kind::Cancelled, "the training was ended")),
                Ok(Err(error)) => Err(gate.refusal(&error.into())),
                Err(_) => Err(super::running::fault()),
            };
            match last {
                Ok(_) => home.keep(),
                Err(_) => home.forget(),
            }
            // The client may be gone.
            let _ = say.send(last);
            drop(place);
        });
        Course { said, stop, snapshot }
    }
}

/// What came of it.
fn model(trained: &Trained) -> Value {
    let card = &trained.card;
    json!({
        "model": card.name,
        "id": card.id,
        "predicts": card.target,
        "unit": card.unit,
        "metrics": card.metrics,
    })
}

/// The folder of a model to come, made for one training alone.
struct Home {
    folder: PathBuf,
    /// Locked until it is dropped.
    _begun: File,
}

impl Home {
    fn begin(folder: PathBuf) -> std::io::Result<Self> {
        let begun = File::create(folder.join(BEGUN)).and_then(|file| file.lock().map(|()| file));
        match begun {
            Ok(begun) => Ok(Self { folder, _begun: begun }),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// The model is there.
    fn keep(self) {
        let _ = fs::remove_file(self.folder.join(BEGUN));
    }

    /// A name that nothing came of is free again.
    fn forget(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what servers have left that were killed while they trained.
pub(super) fn clear(models: &Path) {
    for folder in fs::read_dir(models).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if File::open(folder.join(BEGUN)).is_ok_and(|begun| begun.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Reports each epoch to the client.
struct Watched {
    say: UnboundedSender<Result<Value, Refusal>>,
    stop: Stop,
}

impl Observer for Watched {
    fn step(&self, _: usize, _: usize, _: usize, _: f64) {}

    fn epoch(&self, epoch: &Epoch) -> ControlFlow<()> {
        let said = serde_json::to_value(epoch).map(|epoch| self.say.send(Ok(epoch)));
        match matches!(said, Ok(Ok(()))) && !self.stop.is_given() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }

    fn note(&self, message: &str) {
        let _ = self.say.send(Ok(json!({ "note": message })));
    }
}
