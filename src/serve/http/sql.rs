//! `POST /v1/sql`: a statement in, its rows out.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use datafusion::common::config::ExtensionOptions;
use report::Format;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sql::HollanditeOptions;

use super::{Asked, body, end, essence, of_json, posted};
use crate::door::Door;
use crate::error::Refusal;
use crate::gate::{OPTIONS, Question};
use crate::parameters;

/// Names of formats, their types, and what writes them.
const FORMATS: [(&str, &str, Format); 5] = [
    ("json", "application/json", Format::Json),
    ("jsonl", "application/jsonl", Format::Jsonl),
    ("csv", "text/csv", Format::Csv),
    ("arrow", "application/vnd.apache.arrow.stream", Format::ArrowStream),
    ("parquet", "application/vnd.apache.parquet", Format::Parquet),
];

/// The types of [`FORMATS`].
pub(super) const TYPES: [&str; 5] = [FORMATS[0].1, FORMATS[1].1, FORMATS[2].1, FORMATS[3].1, FORMATS[4].1];

/// What is posted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    query: String,
    #[serde(default)]
    params: Value,
    format: Option<String>,
    snapshot: Option<i64>,
    #[serde(default)]
    options: Map<String, Value>,
    rows: Option<usize>,
}

/// Of what is posted, as OpenAPI describes it.
pub(super) fn schema() -> Value {
    let options: Map<String, Value> = OPTIONS.iter().map(|name| ((*name).to_owned(), kind_of(name))).collect();
    json!({
        "type": "object",
        "required": ["query"],
        "additionalProperties": false,
        "properties": {
            "query": { "type": "string", "description": "One statement that only reads, or the name of a stored query." },
            "params": {
                "description": "Values of $1 or ?, in order, or of :name, by name. A crystal is JSON of pymatgen.",
                "type": ["array", "object", "null"],
            },
            "format": { "type": "string", "enum": FORMATS.map(|(name, ..)| name) },
            "snapshot": { "type": "integer", "description": "An older snapshot." },
            "options": { "type": "object", "properties": options, "additionalProperties": false },
            "rows": { "type": "integer", "minimum": 0, "description": "Most rows; an answer with more is refused." },
        },
    })
}

/// What an option takes, by its default.
fn kind_of(option: &str) -> Value {
    let entries = HollanditeOptions::default().entries();
    let default =
        entries.into_iter().find(|entry| entry.key.ends_with(&format!(".{option}"))).and_then(|entry| entry.value);
    match default.unwrap_or_default() {
        value if value.parse::<bool>().is_ok() => json!({ "type": "boolean" }),
        value if value.parse::<f64>().is_ok() => json!({ "type": "number" }),
        _ => json!({ "type": "string" }),
    }
}

pub(super) async fn answer(asked: Asked) -> Response {
    let Asked { door, request, visit } = asked;
    let read = async {
        let (head, statement) = posted::read::<Statement>(door.gate(), request).await?;
        let format = format_of(statement.format.as_deref(), &head.headers)?;
        Ok((statement, format))
    };
    let (statement, (_, kind, format)) = match read.await {
        Ok(read) => read,
        Err(refusal) => return end(visit, &refusal),
    };
    let most = statement.rows.unwrap_or(door.gate().limits().rows);
    let visit = visit.said(&statement.query);
    let answer = async { door.gate().ask(statement.question(&door)?).await };
    match answer.await {
        Ok(answer) => body::of(answer.at_most(most), format, kind, visit).await,
        Err(refusal) => end(visit, &refusal),
    }
}

/// `POST /v1/funnel`: how many rows each step of a statement leaves.
pub(super) async fn funnel(asked: Asked) -> Response {
    let Asked { door, request, mut visit } = asked;
    let statement = match posted::read::<Statement>(door.gate(), request).await {
        Ok((_, statement)) => statement,
        Err(refusal) => return end(visit, &refusal),
    };
    visit = visit.said(&statement.query);
    let counted = async { door.gate().steps(statement.question(&door)?).await };
    match counted.await {
        Ok((snapshot, steps)) => {
            visit.snapshot = Some(snapshot);
            visit.end(None);
            let step = |(what, rows)| json!({ "what": what, "rows": rows });
            let steps: Option<Vec<Value>> = steps.map(|steps| steps.into_iter().map(step).collect());
            of_json(StatusCode::OK, &json!({ "snapshot": snapshot, "steps": steps }))
        }
        Err(refusal) => end(visit, &refusal),
    }
}

impl Statement {
    /// What the gate is asked; of a stored query its text.
    fn question(self, door: &Door) -> Result<Question, Refusal> {
        let stored = door.queries().iter().find(|query| query.name == self.query.trim());
        Ok(Question {
            text: stored.map_or(self.query, |query| query.sql.to_owned()),
            values: parameters::values(&self.params)?,
            snapshot: self.snapshot,
            options: parameters::options(&self.options)?,
        })
    }
}

/// The format that is named, else that which Accept would rather have; of equals the first.
fn format_of(named: Option<&str>, headers: &HeaderMap) -> Result<(&'static str, &'static str, Format), Refusal> {
    let names = || FORMATS.map(|(name, ..)| name).join(", ");
    if let Some(named) = named {
        let found = FORMATS.into_iter().find(|(name, ..)| *name == named);
        return found.ok_or_else(|| Refusal::bad(format!("{named} is no format; there are {}", names())));
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let mut kinds: Vec<(f32, &str)> = accept.split(',').map(|kind| (quality(kind), essence(kind))).collect();
    kinds.retain(|(quality, _)| *quality > 0.0);
    kinds.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    for (_, kind) in kinds {
        let known = FORMATS.into_iter().find(|(_, own, _)| own.eq_ignore_ascii_case(kind));
        let known = known.or_else(|| match kind {
            "*/*" | "application/*" => Some(FORMATS[0]),
            "application/x-ndjson" => Some(FORMATS[1]),
            "text/*" => Some(FORMATS[2]),
            _ => None,
        });
        if let Some(known) = known {
            return Ok(known);
        }
    }
    Err(Refusal::bad(format!("Accept names no format that is written here: {}", TYPES.join(", "))))
}

/// How much a type is wanted: `q` among its parameters, 1 where there is none, and 0 for not at all.
fn quality(kind: &str) -> f32 {
    let given = kind.split(';').skip(1).find_map(|parameter| parameter.trim().strip_prefix("q=")?.trim().parse().ok());
    given.unwrap_or(1.0)
}
