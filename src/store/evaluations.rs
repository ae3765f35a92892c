//! What models answer for the rows of tables, beside the labels: the rows of `predictions` that have an id.

use rusqlite::params;

use super::lake::Store;
use crate::StoreError;

/// What fills `predictions`: of the answers that stand in no row, only the number is known.
pub(super) const LIST: &str = "
    SELECT e.model, e.model_id, table_name, id, structure_hash, split, value, lower, upper, coverage, in_domain, reason,
           target_column, target, json_extract(m.card, '$.unit')
    FROM hollandite_evaluations e LEFT JOIN hollandite_models m USING (model_id)
    UNION ALL
    SELECT coalesce(m.name, p.model_id), p.model_id, NULL, NULL, p.structure_hash, NULL, p.value, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, json_extract(m.card, '$.unit')
    FROM hollandite_predictions p LEFT JOIN hollandite_models m USING (model_id)
    WHERE NOT EXISTS (SELECT 1 FROM hollandite_evaluations e
                      WHERE e.model_id = p.model_id AND e.structure_hash = p.structure_hash)";

/// What the rows of one evaluation have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedBy {
    /// Name of the model.
    pub model: String,
    /// Identity of its weights.
    pub model_id: String,
    /// The table.
    pub table: String,
    /// Column of the label.
    pub target: String,
    /// Stated coverage of the intervals.
    pub coverage: f64,
}

/// One row of a table and what the model answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Id of the row.
    pub id: String,
    /// Its content hash, 32 hex digits.
    pub structure_hash: String,
    /// The part of the model's training that it belongs to; `None` where the model does not say.
    pub split: Option<String>,
    /// Prediction, in the unit of what the model predicts.
    pub value: Option<f64>,
    /// Interval around it.
    pub interval: Option<(f64, f64)>,
    /// Whether it is of a kind that the model has seen.
    pub in_domain: bool,
    /// Why there is no value or no interval.
    pub reason: Option<String>,
    /// Label.
    pub target: Option<f64>,
}

impl Store {
    /// Forgets the evaluations of `table` by other models of the same name.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn supersede_evaluations(&self, evaluation: &EvaluatedBy) -> Result<(), StoreError> {
        self.connect()?.execute(
            "DELETE FROM hollandite_evaluations WHERE model = ? AND table_name = ? AND model_id <> ?",
            params![evaluation.model, evaluation.table, evaluation.model_id],
        )?;
        Ok(())
    }

    /// Keeps the evaluations of some rows in the place of earlier ones: all of them or, on an error, none.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn keep_evaluations(&self, evaluation: &EvaluatedBy, rows: &[Evaluated]) -> Result<(), StoreError> {
        let mut connection = self.connect()?;
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let mut statement = transaction.prepare(
                "INSERT OR REPLACE INTO hollandite_evaluations (model, model_id, table_name, id, structure_hash, split,
                     value, lower, upper, coverage, in_domain, reason, target_column, target)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            for row in rows {
                statement.execute(params![
                    evaluation.model,
                    evaluation.model_id,
                    evaluation.table,
                    row.id,
                    row.structure_hash,
                    row.split,
                    row.value,
                    row.interval.map(|(lower, _)| lower),
                    row.interval.map(|(_, upper)| upper),
                    evaluation.coverage,
                    row.in_domain,
                    row.reason,
                    evaluation.target,
                    row.target,
                ])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_model_of_the_same_name_takes_the_place_of_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let of = |model_id: &str| EvaluatedBy {
            model: "megnet".into(),
            model_id: model_id.into(),
            table: "tmo".into(),
            target: "e".into(),
            coverage: 0.9,
        };
        let row = |id: &str, value| Evaluated {
            id: id.into(),
            structure_hash: "00000000000000000000000000000001".into(),
            split: Some("test".into()),
            value,
            interval: value.map(|x| (x - 0.1, x + 0.1)),
            in_domain: value.is_some(),
            reason: None,
            target: Some(-2.0),
        };
        store.keep_evaluations(&of("1"), &[row("a", Some(-1.0)), row("b", None)]).unwrap();
        store.keep_evaluations(&of("1"), &[row("a", Some(-1.5))]).unwrap();
        store.supersede_evaluations(&of("1")).unwrap();
        // Known to the cache, of this crystal in rows, and of another in none.
        let cache = store.predictions().unwrap();
        cache.put("1", &[(crystal::ContentHash(1), -1.5), (crystal::ContentHash(2), -3.0)]).unwrap();
        let listed = || -> Vec<(String, Option<String>, Option<f64>)> {
            let connection = store.connect().unwrap();
            let mut statement = connection.prepare(&format!("{LIST} ORDER BY id")).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(3)?, row.get(6)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let pair = |id: &str, value| ("megnet".to_string(), Some(id.to_string()), value);
        let loose = ("1".to_string(), None, Some(-3.0));
        assert_eq!(listed(), [loose.clone(), pair("a", Some(-1.5)), pair("b", None)]);
        store.supersede_evaluations(&of("2")).unwrap();
        assert_eq!(listed().len(), 2, "the cache remembers both numbers");
        store.keep_evaluations(&of("2"), &[row("a", Some(-2.0))]).unwrap();
        assert_eq!(listed().pop(), Some(pair("a", Some(-2.0))));
    }
}
