//! The definition of a tuning: everything that must not change when it goes on.

use serde::{Deserialize, Serialize};

use super::pruning::Pruning;

/// The data, the network and the way of a tuning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Architecture.
    pub model: String,
    /// Name of its space.
    pub space: String,
    /// When a trial is pruned.
    pub pruning: Pruning,
    /// Epochs of a trial.
    pub epochs: usize,
    /// Early stop of a trial, epochs.
    pub patience: usize,
    /// Batch size in crystals, where the space does not choose it.
    pub batch: usize,
    /// Loss, where the space does not choose it.
    pub loss: String,
    /// Table with structures and labels.
    pub table: String,
    /// Snapshot of the store.
    pub snapshot: Option<i64>,
    /// Label column.
    pub target: String,
    /// SQL condition on its rows.
    pub condition: Option<String>,
    /// Kind of division.
    pub split: String,
    /// Share held out as test set, which no trial sees.
    pub test: f64,
    /// Share of the rest by which trials are judged.
    pub validation: f64,
    /// Random seed of the proposals, the split, the initial weights and the order.
    pub seed: u64,
}

impl Definition {
    /// What differs in another one: (name, value here, value there).
    pub fn differences(&self, other: &Self) -> Vec<(String, String, String)> {
        let fields = |definition: &Self| match serde_json::to_value(definition) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let (ours, theirs) = (fields(self), fields(other));
        let differs = |(name, value): (String, serde_json::Value)| {
            let there = theirs.get(&name)?;
            (*there != value).then(|| (name, value.to_string(), there.to_string()))
        };
        ours.into_iter().filter_map(differs).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named() {
        let one = Definition {
            model: "cnn-xrd".into(),
            space: "paper".into(),
            pruning: Pruning::Median,
            epochs: 100,
            patience: 50,
            batch: 32,
            loss: "mse".into(),
            table: "tmo".into(),
            snapshot: Some(3),
            target: "formation_energy_per_atom".into(),
            condition: None,
            split: "column".into(),
            test: 0.2,
            validation: 0.2,
            seed: 42,
        };
        let other = Definition { epochs: 50, condition: Some("natoms < 9".into()), ..one.clone() };
        assert_eq!(one.differences(&one), []);
        let expected = [("condition", "null", "\"natoms < 9\""), ("epochs", "100", "50")];
        assert_eq!(one.differences(&other), expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), one);
    }
}
