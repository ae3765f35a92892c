//! Rows as the body of an answer. What is short is sent whole, so that an error has its status; what is long is sent as it
//! is computed, and breaks off where something goes wrong.

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use futures::stream;
use report::{Exporter, Format, Sink, Written, stream_exporter};
use serde_json::{Map, Value};
use sql::ColumnUnits;

use super::end;
use crate::door::Visit;
use crate::error::Refusal;
use crate::gate::Answer;

/// Bytes up to which an answer is sent whole.
const WHOLE: usize = 1 << 20;

/// The snapshot that was read.
pub(super) const SNAPSHOT: HeaderName = HeaderName::from_static("x-snapshot");
/// The units of the columns that have one, as a JSON object.
const UNITS: HeaderName = HeaderName::from_static("x-units");

/// The models that the statement uses, with the hash of each, as a JSON object.
const MODELS: HeaderName = HeaderName::from_static("x-models");

/// What single rows complained of, as a JSON list; of answers that are sent whole.
const WARNINGS: HeaderName = HeaderName::from_static("x-warnings");

/// Rows on their way.
struct Sent {
    answer: Answer,
    exporter: Option<Box<dyn Exporter>>,
    /// What was written and not yet sent.
    written: Written,
    visit: Visit,
}

/// The answer, in a format of the type `kind`.
pub(super) async fn of(answer: Answer, format: Format, kind: &'static str, mut visit: Visit) -> Response {
    visit.snapshot = Some(answer.snapshot());
    let (snapshot, units) = (answer.snapshot(), units(answer.schema(), &answer.planned().units));
    let written = Written::default();
    let sink = Sink::Stream(Box::new(written.clone()));
    let exporter = match stream_exporter(format, answer.schema(), sink) {
        Ok(exporter) => exporter,
        Err(error) => return end(visit, &Refusal::bad(error.to_string())),
    };
    let mut sent = Sent { answer, exporter: Some(exporter), written, visit };
    let whole = loop {
        match sent.step().await {
            Ok(true) if sent.written.len() > WHOLE => break false,
            Ok(true) => {}
            Ok(false) => break true,
            Err(refusal) => return end(sent.visit, &refusal),
        }
    };
    let warnings = if whole { sent.answer.planned().warnings() } else { Vec::new() };
    let models = sent.answer.planned().models();
    let body = if whole {
        let bytes = sent.written.take();
        sent.visit.end(None);
        Body::from(bytes)
    } else {
        Body::from_stream(stream::unfold(Some(sent), next))
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(SNAPSHOT, HeaderValue::from(snapshot));
    // What is not ASCII, as Å, is escaped as JSON escapes it.
    let mut say = |name: HeaderName, value: Value| {
        if let Ok(value) = HeaderValue::from_str(&ascii(&value.to_string())) {
            headers.insert(name, value);
        }
    };
    say(UNITS, Value::Object(units));
    if !models.is_empty() {
        say(MODELS, Value::Object(models));
    }
    if !warnings.is_empty() {
        say(WARNINGS, Value::from(warnings));
    }
    response
}

impl Sent {
    /// Writes the next rows, or what closes the document; whether there may be more.
    async fn step(&mut self) -> Result<bool, Refusal> {
        let next = self.answer.next().await;
        self.visit.rows = self.answer.given();
        let done = match (next, &mut self.exporter) {
            (Some(batch), Some(exporter)) => exporter.write(&batch?).map(|()| true),
            (None, exporter) => exporter.take().map_or(Ok(()), |exporter| exporter.finish()).map(|()| false),
            (Some(_), None) => return Ok(false),
        };
        done.map_err(|error| Refusal::bad(error.to_string()))
    }
}

/// The next piece of a long answer. An error breaks the body off, so that half of it is not taken for the whole.
async fn next(sent: Option<Sent>) -> Option<(std::io::Result<Bytes>, Option<Sent>)> {
    let mut sent = sent?;
    let mut waiting = sent.written.take();
    while waiting.is_empty() {
        match sent.step().await {
            Ok(more) => {
                waiting.extend(sent.written.take());
                if !more {
                    sent.visit.end(None);
                    return (!waiting.is_empty()).then(|| (Ok(Bytes::from(waiting)), None));
                }
            }
            Err(refusal) => {
                let broken = std::io::Error::other(refusal.message.clone());
                sent.visit.end(Some(refusal.kind));
                return Some((Err(broken), None));
            }
        }
    }
    Some((Ok(Bytes::from(waiting)), Some(sent)))
}

/// The units of the columns that have one, by name; of structs an object.
pub(crate) fn units(schema: &arrow::datatypes::Schema, units: &[ColumnUnits]) -> Map<String, Value> {
    let named = schema.fields().iter().map(|field| field.name().clone()).zip(units);
    named.filter_map(|(name, units)| Some((name, unit(units)?))).collect()
}

fn unit(units: &ColumnUnits) -> Option<Value> {
    let fields: Map<String, Value> =
        units.fields.iter().filter_map(|(name, units)| Some((name.clone(), unit(units)?))).collect();
    match &units.unit {
        Some(unit) => Some(Value::from(unit.to_string())),
        None => (!fields.is_empty()).then_some(Value::Object(fields)),
    }
}

fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c.is_ascii() {
            true => text.push(c),
            false => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text
}
