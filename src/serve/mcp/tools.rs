//! The tools: each asks the gate, and answers with text for the assistant and with the same as JSON.

use arrow::array::RecordBatch;
use futures::FutureExt;
use futures::future::BoxFuture;
use report::{Format, Sink, Written, stream_exporter};
use serde_json::{Map, Value, json};
use sql::sql_type;

use crate::door::Door;
use crate::error::{Kind, Refusal};
use crate::gate::Question;
use crate::http::body::units;
use crate::{catalog, crystals, parameters};

/// Rows of an answer where none are named, and most.
const ROWS: usize = 50;
const MOST: usize = 1000;
/// Longest answer, bytes: an assistant reads all of it.
const LONGEST: usize = 200_000;

type Called<'a> = BoxFuture<'a, Result<(String, Value), Refusal>>;

struct Tool {
    name: &'static str,
    text: &'static str,
    /// Name, type, whether it must be given, and meaning.
    arguments: &'static [(&'static str, &'static str, bool, &'static str)],
    call: for<'a> fn(&'a Door, &'a Map<String, Value>) -> Called<'a>,
}

static TOOLS: [Tool; 6] = [
    Tool {
        name: "query",
        text: "Run one statement of SQL that only reads. Crystals are columns of the type STRUCTURE; functions compute on them, and ask \
               models, inside the query.",
        arguments: &[
            ("sql", "string", true, "The statement, or the name of a stored query."),
            ("params", "array", false, "Values of $1, $2 .. or of each ?."),
            ("max_rows", "integer", false, "Most rows, 50 where it is not given, up to 1000."),
            ("snapshot", "integer", false, "An older snapshot of the store."),
        ],
        call: |door, given| query(door, given).boxed(),
    },
    Tool {
        name: "tables",
        text: "The tables and views of the store.",
        arguments: &[],
        call: |door, given| tables(door, given).boxed(),
    },
    Tool {
        name: "describe",
        text: "The columns of a table: type, unit and meaning.",
        arguments: &[("table", "string", true, "Name of the table.")],
        call: |door, given| describe(door, given).boxed(),
    },
    Tool {
        name: "functions",
        text: "The functions of crystals, or one of them in full.",
        arguments: &[("name", "string", false, "Name of the function.")],
        call: |door, given| functions(door, given).boxed(),
    },
    Tool {
        name: "structure",
        text: "A crystal as CIF, POSCAR or JSON of pymatgen.",
        arguments: &[
            ("id", "string", true, "Its id."),
            ("format", "string", false, "cif, poscar or json; cif where it is not given."),
            ("table", "string", false, "Its table; tmo where it is not given."),
        ],
        call: |door, given| structure(door, given).boxed(),
    },
    Tool {
        name: "stored_queries",
        text: "The stored queries, or the text of one.",
        arguments: &[("name", "string", false, "Name of the query.")],
        call: |door, given| stored(door, given).boxed(),
    },
];

/// As the protocol lists them.
pub(super) fn list() -> Vec<Value> {
    let schema = |tool: &Tool| {
        let properties: Map<String, Value> = tool
            .arguments
            .iter()
            .map(|(name, kind, _, text)| ((*name).to_owned(), json!({ "type": kind, "description": text })))
            .collect();
        let required: Vec<&str> = tool.arguments.iter().filter(|a| a.2).map(|a| a.0).collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    };
    let one = |tool: &Tool| {
        json!({
            "name": tool.name,
            "description": tool.text,
            "inputSchema": schema(tool),
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        })
    };
    TOOLS.iter().map(one).collect()
}

/// What a tool answers; `None` where there is no such tool. A refusal is an answer, for the assistant to read.
pub(super) async fn call(door: &Door, params: &Value) -> Option<Value> {
    let tool = TOOLS.iter().find(|tool| params["name"] == tool.name)?;
    let none = Map::new();
    let given = params["arguments"].as_object().unwrap_or(&none);
    let visit = door.begin("mcp", tool.name);
    let answer = match check(tool, given) {
        Ok(()) => (tool.call)(door, given).await,
        Err(refusal) => Err(refusal),
    };
    let fits = answer.and_then(|(text, value)| match text.len() <= LONGEST {
        true => Ok((text, value)),
        false => Err(Refusal::new(
            Kind::TooMuch,
            format!("the answer has {} bytes, more than {LONGEST}: ask for fewer rows or columns", text.len()),
        )),
    });
    let content = |text: String| json!([{ "type": "text", "text": text }]);
    Some(match fits {
        Ok((text, value)) => {
            visit.end(None);
            json!({ "content": content(text), "structuredContent": value, "isError": false })
        }
        Err(refusal) => {
            visit.end(Some(refusal.kind));
            json!({ "content": content(format!("{}: {}", refusal.kind.word(), refusal.message)), "isError": true })
        }
    })
}

/// # Errors
/// An argument that is missing, unknown, or of another type.
fn check(tool: &Tool, given: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in given {
        let known = tool.arguments.iter().find(|(known, ..)| known == name);
        let Some((_, kind, ..)) = known else {
            return Err(Refusal::bad(format!("{} has no argument {name}", tool.name)));
        };
        let fits = match *kind {
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            _ => value.is_array(),
        };
        if !fits && !value.is_null() {
            return Err(Refusal::bad(format!("{name} is of the type {kind}")));
        }
    }
    match tool.arguments.iter().find(|(name, _, required, _)| *required && !given.contains_key(*name)) {
        Some((name, ..)) => Err(Refusal::bad(format!("{} needs {name}", tool.name))),
        None => Ok(()),
    }
}

fn text<'a>(given: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    given.get(name).and_then(Value::as_str)
}

async fn query(door: &Door, given: &Map<String, Value>) -> Result<(String, Value), Refusal> {
    let asked = text(given, "sql").unwrap_or_default();
    let stored = door.queries().iter().find(|query| query.name == asked.trim());
    let most = given.get("max_rows").and_then(Value::as_i64).map_or(ROWS, |n| n.clamp(0, MOST as i64) as usize);
    let question = Question {
        values: parameters::values(given.get("params").unwrap_or(&Value::Null))?,
        snapshot: given.get("snapshot").and_then(Value::as_i64),
        ..Question::from(stored.map_or(asked, |query| query.sql))
    };
    let mut answer = door.gate().ask(question).await?;
    let mut batches = Vec::new();
    let mut rows = 0;
    let mut more = false;
    while !more && let Some(batch) = answer.next().await {
        let batch = batch?;
        let taken = batch.num_rows().min(most - rows);
        more = taken < batch.num_rows();
        rows += taken;
        batches.push(batch.slice(0, taken));
    }
    let schema = answer.schema();
    let units = units(schema, &answer.planned().units);
    let columns: Vec<Value> = schema
        .fields()
        .iter()
        .map(|field| json!({ "name": field.name(), "type": sql_type(field.data_type()), "unit": units.get(field.name()) }))
        .collect();
    let snapshot = answer.snapshot();
    let table = written(Format::Csv, schema, &batches)?;
    let values = written(Format::Json, schema, &batches)?;
    let values: Value = serde_json::from_str(&values).map_err(|e| Refusal::new(Kind::Fault, e.to_string()))?;
    let said = if more { format!("the first {rows} rows of more") } else { format!("{rows} rows") };
    let warnings = answer.planned().warnings();
    let models = Value::Object(answer.planned().models());
    let warned: String = warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    let text =
        format!("{table}\n{said}, at snapshot {snapshot}; units: {}; models: {models}\n{warned}", Value::Object(units));
    let value = json!({ "snapshot": snapshot, "columns": columns, "rows": values, "truncated": more, "models": models, "warnings": warnings });
    Ok((text, value))
}

fn written(format: Format, schema: &arrow::datatypes::SchemaRef, batches: &[RecordBatch]) -> Result<String, Refusal> {
    let written = Written::default();
    let said = |error: report::ReportError| Refusal::bad(error.to_string());
    let mut exporter = stream_exporter(format, schema, Sink::Stream(Box::new(written.clone()))).map_err(said)?;
    batches.iter().try_for_each(|batch| exporter.write(batch)).map_err(said)?;
    exporter.finish().map_err(said)?;
    String::from_utf8(written.take()).map_err(|e| Refusal::new(Kind::Fault, e.to_string()))
}

async fn tables(door: &Door, _: &Map<String, Value>) -> Result<(String, Value), Refusal> {
    let (snapshot, names) = catalog::names(door.gate()).await?;
    let text = names.iter().map(|(name, _)| format!("{name}\n")).collect();
    let names: Vec<&String> = names.iter().map(|(name, _)| name).collect();
    Ok((text, json!({ "snapshot": snapshot, "tables": names })))
}

async fn describe(door: &Door, given: &Map<String, Value>) -> Result<(String, Value), Refusal> {
    let name = text(given, "table").unwrap_or_default();
    let (snapshot, names) = catalog::names(door.gate()).await?;
    let kind = names.iter().find(|(known, _)| known == name).map(|(_, kind)| kind);
    let kind = kind.ok_or_else(|| catalog::no_table(name))?;
    let table = catalog::table(door.gate(), name, kind).await?;
    let line = |column: &catalog::Column| {
        let unit = column.unit.as_ref().map(|unit| format!(", {unit}")).unwrap_or_default();
        format!("{} {}{unit}: {}\n", column.name, column.sql_type, column.meaning.unwrap_or_default())
    };
    Ok((table.columns.iter().map(line).collect(), json!({ "snapshot": snapshot, "table": table })))
}

async fn functions(_: &Door, given: &Map<String, Value>) -> Result<(String, Value), Refusal> {
    let all = catalog::functions();
    let Some(name) = text(given, "name") else {
        let lines = all.iter().map(|f| format!("{}{}: {}\n", f.signature, f.in_unit(), f.summary())).collect();
        let names: Vec<&String> = all.iter().map(|f| &f.name).collect();
        return Ok((lines, json!({ "functions": names })));
    };
    let found = all.into_iter().find(|f| f.name.eq_ignore_ascii_case(name.trim_end_matches(['(', ')'])));
    let found = found.ok_or_else(|| Refusal::new(Kind::Missing, format!("there is no function {name} of crystals")))?;
    let arguments: String = found.arguments.iter().map(|(name, text)| format!("  {name}: {text}\n")).collect();
    let text = format!(
        "{}\n{}\nReturns {}{}.\n{arguments}Example: {}\n",
        found.signature,
        found.description,
        found.returns,
        found.in_unit(),
        found.example
    );
    Ok((text, json!({ "function": found })))
}

async fn structure(door: &Door, given: &Map<String, Value>) -> Result<(String, Value), Refusal> {
    let (id, format) = (text(given, "id").unwrap_or_default(), text(given, "format").unwrap_or("cif"));
    let table = text(given, "table").unwrap_or("tmo");
    let found = crystals::one(door.gate(), table, id, format, None).await?;
    let value = json!({ "id": id, "table": table, "snapshot": found.snapshot, "format": format, "text": found.text });
    Ok((found.text, value))
}

async fn stored(door: &Door, given: &Map<String, Value>) -> Result<(String, Value), Refusal> {
    let Some(name) = text(given, "name") else {
        let lines = door.queries().iter().map(|query| format!("{}: {}\n", query.name, query.answers)).collect();
        let names: Vec<&str> = door.queries().iter().map(|query| query.name).collect();
        return Ok((lines, json!({ "queries": names })));
    };
    let found = door.queries().iter().find(|query| query.name == name);
    let found = found.ok_or_else(|| Refusal::new(Kind::Missing, format!("there is no stored query {name}")))?;
    Ok((found.sql.to_owned(), json!(found)))
}
