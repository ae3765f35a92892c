//! Where a page comes from: store and snapshot, models with their errors, how the DFT labels were computed, program, date, and the
//! command that writes it again.

use arrow::array::{Array, AsArray};
use datafusion::prelude::DataFrame;

use super::candidates::coverage;
use crate::cli::CliError;
use crate::cli::args::{At, Report};
use crate::models::{Found, Metrics, Quantity, behind, find};
use crate::report::plots::labels::{count, number};
use crate::sql::{Session, quoted_name};
use crate::store::Store;

/// Label and value of each fact.
pub(crate) async fn facts(
    store: &Store,
    session: &Session,
    frame: &DataFrame,
    args: &Report,
    at: At,
    model_of_cards: Option<&str>,
) -> Result<Vec<(String, String)>, CliError> {
    let mut facts = vec![("store".to_string(), store.dir().display().to_string())];
    if let Some(snapshot) = store.snapshots()?.into_iter().find(|s| Some(s.id) == at.snapshot) {
        let what = snapshot.message.or(snapshot.changes).map(|m| format!(": {m}")).unwrap_or_default();
        facts.push(("snapshot".into(), format!("{} of {} UTC{what}", snapshot.id, moment(&snapshot.time))));
    }
    facts.extend(schemes(session, &args.table).await?.map(|schemes| ("DFT labels".to_string(), schemes)));
    let mut models = session.models_of(frame);
    models.extend(model_of_cards.map(str::to_string));
    for name in models {
        facts.push(("model".into(), model(store, session, &name)));
    }
    if model_of_cards.is_some() {
        let share = number(100.0 * coverage(session), 2);
        facts.push((
            "intervals".into(),
            format!("hold the DFT label of {share} % of crystals like those that the model was calibrated with (split conformal)"),
        ));
    }
    facts.push((
        "channels".into(),
        "of spheres of at least 0.5 Å radius between atoms of ionic radii; in space, the largest sphere that passes"
            .into(),
    ));
    facts.push(("program".into(), format!("hollandite {}", env!("CARGO_PKG_VERSION"))));
    facts.push(("date".into(), format!("{} UTC", now(session).await?)));
    facts.push(("command".into(), command(store, args, at)));
    Ok(facts)
}

/// A catalog's time to the second.
fn moment(time: &str) -> String {
    time.chars().take(19).collect()
}

async fn now(session: &Session) -> Result<String, CliError> {
    let batches = session.sql("SELECT arrow_cast(to_char(now(), '%Y-%m-%d %H:%M'), 'Utf8')").await?.collect().await?;
    Ok(batches.first().map(|b| b.column(0).as_string::<i32>().value(0).to_string()).unwrap_or_default())
}

/// The correction schemes of the labels of a table with their numbers of rows; `None` for a table without labels.
async fn schemes(session: &Session, table: &str) -> Result<Option<String>, CliError> {
    let table_name = quoted_name(table);
    let provider = session.context().table_provider(table_name.as_str()).await;
    let labelled = provider.is_ok_and(|p| {
        ["correction_scheme", "formation_energy_per_atom"].iter().all(|c| p.schema().column_with_name(c).is_some())
    });
    if !labelled {
        return Ok(None);
    }
    let query = format!(
        "SELECT arrow_cast(coalesce(correction_scheme, 'not stated'), 'Utf8'), count(*) FROM {table_name} \
         WHERE formation_energy_per_atom IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    );
    let mut lines = Vec::new();
    for batch in session.sql(&query).await?.collect().await? {
        let (names, counts) =
            (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<arrow::datatypes::Int64Type>());
        lines.extend(
            (0..names.len()).map(|i| format!("{}: {} crystals", names.value(i), count(counts.value(i).unsigned_abs()))),
        );
    }
    Ok(Some(if lines.is_empty() { format!("none in {table}") } else { lines.join("\n") }))
}

/// Name, id and errors of a model.
fn model(store: &Store, session: &Session, name: &str) -> String {
    let error = |m: &Metrics, quantity: Quantity<'_>| {
        let (unit, count) = (behind(quantity.unit), count(m.count as u64));
        format!("RMSE {:.3}, MAE {:.3}{unit} over {count} crystals", m.rmse, m.mae)
    };
    match find(name, Some(&store.models_folder())) {
        Ok(Found::Model(model)) => {
            let (card, quantity) = (model.card(), model.quantity());
            let test = card.metrics.iter().find(|(set, _)| set.starts_with("test"));
            let test =
                test.map_or("no test error is known".into(), |(set, m)| format!("{set}: {}", error(m, quantity)));
            let scheme = card.correction_scheme.as_ref().map(|s| format!("; corrections: {s}")).unwrap_or_default();
            format!(
                "{} ({}), id {}, predicts {quantity}\n{test}\ntrained on {}{scheme}",
                card.name, card.architecture, card.id, card.data
            )
        }
        Ok(Found::Ensemble(ensemble)) => {
            let (card, quantity) = (ensemble.card(), ensemble.quantity());
            let members: Vec<String> = card.members.iter().map(|m| m.model.clone()).collect();
            let sets = card.test.iter().map(|(set, m)| (set.as_str(), m));
            let known = sets.chain(card.metrics.iter().map(|m| ("calibration", m))).next();
            let test = known.map_or("no error is known".into(), |(set, m)| format!("{set}: {}", error(m, quantity)));
            format!("{} (ensemble of {}), id {}\n{test}", card.name, members.join(", "), card.id)
        }
        // A model that the program's caller brought.
        Err(_) => session.model(name).map_or_else(|_| name.to_string(), |m| format!("{}, id {}", m.name(), m.id())),
    }
}

/// The command that writes the page again, from the same snapshot.
fn command(store: &Store, args: &Report, at: At) -> String {
    let mut words =
        vec!["hollandite".to_string(), "--store".into(), store.dir().display().to_string(), "report".into()];
    words.extend(args.query.clone());
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([format!("--{name}"), value]);
        }
    };
    option("file", args.file.as_ref().map(|f| f.display().to_string()));
    option("to", Some(args.to.display().to_string()));
    option("funnel", args.funnel.clone());
    option("cards", (args.cards != 12).then(|| args.cards.to_string()));
    option("rows", (args.rows != 1000).then(|| args.rows.to_string()));
    option("table", (args.table != "tmo").then(|| args.table.clone()));
    option("model", args.model.clone());
    option("title", args.title.clone());
    option("snapshot", at.snapshot.map(|n| n.to_string()));
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(quoted("--to"), "--to");
        assert_eq!(quoted("SELECT 'a'"), r"'SELECT '\''a'\'''");
        assert_eq!(quoted(""), "''");
        assert_eq!(moment("2026-11-23 13:40:01.123456+00"), "2026-11-23 13:40:01");
    }
}
