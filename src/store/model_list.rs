//! The table `models`: every model that a query can use, with its errors, and the generators of the store.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;

use super::evaluations;
use super::lake::Store;
use crate::StoreError;
use generation::wyckoff::WyckoffCard;
use generation::{SamplerKind, WyckoffModel};
use models::{Found, Metrics, ModelCard, Quantity, embedded, find, is_embedded, published_rmse};

/// The set of a card: test crystals of a formula that the training set does not have.
const NEW_FORMULA: &str = "test, formula not in training";
/// The set of a card: errors of another run of the same network.
const FORMULA_SPLIT: &str = "test of a run split by formula";

/// A model that ships with the program, or that the store keeps; of generators those that the store keeps.
pub struct KnownModel {
    /// The name, or the path, by which queries name it.
    pub asked: String,
    /// Its name in the store; the one that ships has no other.
    pub name: String,
    found: Result<Kind, String>,
}

/// What it does.
enum Kind {
    /// It predicts a number of a crystal.
    Predicts(Found),
    /// It writes crystals, and has no errors.
    Writes(Arc<WyckoffModel>),
}

impl KnownModel {
    /// Whether a model of the store has the name of a shipped one, which is then what the name means.
    pub fn is_shadowed(&self) -> bool {
        self.asked != self.name
    }

    /// Why it cannot be used, if it cannot.
    pub fn reason(&self) -> Option<String> {
        self.found.as_ref().err().cloned()
    }

    fn found(&self) -> Option<&Found> {
        match self.found.as_ref().ok()? {
            Kind::Predicts(found) => Some(found),
            Kind::Writes(_) => None,
        }
    }

    /// The card of a generator.
    fn generator(&self) -> Option<&WyckoffCard> {
        match self.found.as_ref().ok()? {
            Kind::Predicts(_) => None,
            Kind::Writes(model) => Some(model.card()),
        }
    }

    fn model(&self) -> Option<&ModelCard> {
        match self.found()? {
            Found::Model(model) => Some(model.card()),
            Found::Ensemble(_) => None,
        }
    }

    /// The card of a model, or those of the members of an ensemble.
    fn cards(&self) -> Vec<&ModelCard> {
        match self.found() {
            Some(Found::Model(model)) => vec![model.card()],
            Some(Found::Ensemble(ensemble)) => ensemble.members().iter().map(|(model, _)| model.card()).collect(),
            None => vec![],
        }
    }

    /// A count over all cards; `None` where there is none.
    fn total<T: std::iter::Sum>(&self, of: fn(&ModelCard) -> T) -> Option<T> {
        let cards = self.cards();
        (!cards.is_empty()).then(|| cards.into_iter().map(of).sum())
    }

    /// How many elements it answers for.
    fn elements(&self) -> Option<usize> {
        Some(match self.found.as_ref().ok()? {
            Kind::Predicts(Found::Model(model)) => model.card().elements.len(),
            Kind::Predicts(Found::Ensemble(ensemble)) => ensemble.elements().len(),
            Kind::Writes(model) => model.elements().len(),
        })
    }

    fn quantity(&self) -> Option<Quantity<'_>> {
        match self.found()? {
            Found::Model(model) => Some(model.quantity()),
            Found::Ensemble(ensemble) => Some(ensemble.quantity()),
        }
    }

    fn architecture(&self) -> Option<String> {
        Some(match self.found.as_ref().ok()? {
            Kind::Predicts(Found::Model(model)) => model.card().architecture.clone(),
            Kind::Predicts(Found::Ensemble(ensemble)) => format!("ensemble of {}", ensemble.members().len()),
            Kind::Writes(_) => SamplerKind::WYCKOFF.to_owned(),
        })
    }

    /// Whether it is an energy model; no ensemble and no generator is.
    fn has_forces(&self) -> Option<bool> {
        Some(match self.found.as_ref().ok()? {
            Kind::Predicts(Found::Model(model)) => model.has_forces(),
            Kind::Predicts(Found::Ensemble(_)) | Kind::Writes(_) => false,
        })
    }

    fn id(&self) -> Option<&str> {
        Some(match self.found()? {
            Found::Model(model) => model.id(),
            Found::Ensemble(ensemble) => &ensemble.card().id,
        })
    }

    fn card(&self) -> Option<String> {
        let json = match self.found.as_ref().ok()? {
            Kind::Predicts(Found::Model(model)) => model.card().to_json(),
            Kind::Predicts(Found::Ensemble(ensemble)) => serde_json::to_value(ensemble.card()),
            Kind::Writes(model) => serde_json::to_value(model.card()),
        };
        json.ok().map(|card| card.to_string())
    }

    /// The errors on the set whose name begins so.
    fn metrics(&self, set: &str) -> Option<&Metrics> {
        let sets = match self.found()? {
            Found::Model(model) => &model.card().metrics,
            Found::Ensemble(ensemble) => &ensemble.card().test,
        };
        sets.iter().find(|(name, _)| name.starts_with(set)).map(|(_, metrics)| metrics)
    }

    /// What the paper has to compare with: an error of formation energies.
    fn published(&self) -> Option<f64> {
        self.quantity()?.is_formation_energy().then(|| published_rmse(&self.model()?.architecture)).flatten()
    }
}

impl Store {
    /// The models that ship with the program, then those of the store, then its generators.
    pub fn known_models(&self) -> Vec<KnownModel> {
        let folder = self.models_folder();
        let shipped = embedded().map(|name| (name.to_owned(), name.to_owned()));
        let own = self.model_names().into_iter().map(|name| match is_embedded(&name) {
            true => (folder.join(&name).display().to_string(), name),
            false => (name.clone(), name),
        });
        let predicts = |asked: &str| find(asked, Some(&folder)).map(Kind::Predicts).map_err(|e| e.to_string());
        let predicting = shipped.chain(own).map(|(asked, name)| KnownModel { found: predicts(&asked), asked, name });
        let writes = |name: &str| WyckoffModel::find(name, Some(&folder), false).map(Kind::Writes);
        let writing = self.generator_names().into_iter().map(|name| KnownModel {
            found: writes(&name).map_err(|e| e.to_string()),
            asked: name.clone(),
            name,
        });
        predicting.chain(writing).collect()
    }

    /// The models that were used over this store, by name: name, id, and how many predictions are remembered. No weights are read.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn asked_models(&self) -> Result<Vec<(String, String, u64)>, StoreError> {
        let sql = format!(
            "SELECT m.name, m.model_id, count(p.value) FROM hollandite_models m LEFT JOIN ({}) p USING (model_id)
             GROUP BY m.name, m.model_id ORDER BY m.name, m.model_id",
            evaluations::LIST
        );
        let connection = self.connect()?;
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The rows of the table `models`; the last four columns (`reason`, `forces`, `first_used`, `card`) are for queries alone.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn models(&self) -> Result<RecordBatch, StoreError> {
        self.table_of(&self.known_models())
    }

    /// As [`Store::models`], of models in memory.
    ///
    /// # Errors
    /// As [`Store::models`].
    pub fn table_of(&self, models: &[KnownModel]) -> Result<RecordBatch, StoreError> {
        let used = self
            .connect()?
            .prepare("SELECT model_id, first_used FROM hollandite_models")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        Ok(table(models, &used))
    }
}

/// The columns of the table.
pub(super) fn schema() -> SchemaRef {
    table(&[], &HashMap::new()).schema()
}

fn table(rows: &[KnownModel], used: &HashMap<String, String>) -> RecordBatch {
    let text = |f: &dyn Fn(&KnownModel) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(f).collect::<StringArray>())
    };
    let count = |f: &dyn Fn(&KnownModel) -> Option<usize>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| f(row).map(|n| n as i64)).collect::<Int64Array>())
    };
    let number =
        |f: &dyn Fn(&KnownModel) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(f).collect::<Float64Array>()) };
    let error = |set: &str, f: fn(&Metrics) -> f64| number(&|row| row.metrics(set).map(f));
    // Of a model that predicts, or of a generator.
    let either = |row: &KnownModel, predicts: fn(&ModelCard) -> usize, writes: fn(&WyckoffCard) -> usize| {
        row.total(predicts).or_else(|| row.generator().map(writes))
    };
    let hours = |row: &KnownModel| {
        let seconds = row.total(|c| c.training.seconds).or_else(|| row.generator().map(|c| c.seconds));
        seconds.map(|seconds| seconds / 3600.0).filter(|hours| *hours > 0.0)
    };
    let crystals = |row: &KnownModel| {
        row.cards().iter().map(|c| c.split.train).max().or_else(|| row.generator().map(|c| c.crystals))
    };
    let forces: ArrayRef = Arc::new(rows.iter().map(KnownModel::has_forces).collect::<BooleanArray>());
    let columns = [
        ("name", text(&|row| Some(row.asked.clone()))),
        ("architecture", text(&KnownModel::architecture)),
        ("predicts", text(&|row| row.quantity().map(|q| q.target.to_owned()))),
        ("unit", text(&|row| row.quantity().map(|q| q.unit.to_owned()))),
        ("parameters", count(&|row| either(row, |c| c.parameters, |c| c.parameters))),
        ("elements", count(&KnownModel::elements)),
        ("crystals", count(&crystals)),
        ("epochs", count(&|row| either(row, |c| c.training.epochs, |c| c.epochs))),
        ("hours", number(&hours)),
        ("test_rmse", error("test", |m| m.rmse)),
        ("test_mae", error("test", |m| m.mae)),
        ("new_formula_rmse", error(NEW_FORMULA, |m| m.rmse)),
        ("new_formula_mae", error(NEW_FORMULA, |m| m.mae)),
        ("formula_split_rmse", error(FORMULA_SPLIT, |m| m.rmse)),
        ("formula_split_mae", error(FORMULA_SPLIT, |m| m.mae)),
        ("paper_rmse", number(&KnownModel::published)),
        ("mean_rmse", error("test", |m| m.baseline_rmse)),
        ("model_id", text(&|row| row.id().map(str::to_owned))),
        ("reason", text(&KnownModel::reason)),
        ("forces", forces),
        ("first_used", text(&|row| used.get(row.id()?).cloned())),
        ("card", text(&KnownModel::card)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .expect("as many rows in every column")
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Float64Type, Int64Type};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_model_that_ships_is_a_row_with_its_errors() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let rows = store.models().unwrap();
        let names: Vec<&str> = rows["name"].as_string::<i32>().iter().flatten().collect();
        assert_eq!(names, embedded().collect::<Vec<_>>());
        assert!(rows["test_rmse"].as_primitive::<Float64Type>().iter().all(|rmse| rmse.is_some_and(|r| r > 0.0)));
        assert_eq!(rows["reason"].null_count(), rows.num_rows());
        // None that ships has forces: an energy model is brought in.
        assert!(rows["forces"].as_boolean().iter().all(|forces| forces == Some(false)));
        // A generator is a row without errors.
        let home = store.models_folder().join("mine");
        std::fs::create_dir_all(&home).unwrap();
        let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/generators/wyckoff.safetensors");
        std::fs::copy(weights, home.join("mine.safetensors")).unwrap();
        let rows = store.models().unwrap();
        let last = rows.num_rows() - 1;
        let text = |column: &str| rows[column].as_string::<i32>().value(last);
        assert_eq!((last, text("name"), text("architecture")), (names.len(), "mine", "wyckoff"));
        assert!(text("card").contains("held_out_loss") && rows["predicts"].is_null(last));
        assert!(rows["test_rmse"].is_null(last) && rows["reason"].is_null(last));
        for column in ["parameters", "elements", "crystals", "epochs"] {
            assert!(rows[column].as_primitive::<Int64Type>().value(last) > 0, "{column}");
        }
        std::fs::remove_dir_all(&home).unwrap();
        // A folder that cannot be read is a row too, which says why.
        let home = store.models_folder().join("broken");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join("broken.safetensors.zst"), "none").unwrap();
        let rows = store.models().unwrap();
        let last = rows.num_rows() - 1;
        assert_eq!(rows["name"].as_string::<i32>().value(last), "broken");
        assert!(!rows["reason"].as_string::<i32>().value(last).is_empty() && rows["card"].is_null(last));
    }
}
