//! The door for clients of the databases of materials: [OPTIMADE](https://www.optimade.org) 1.2.
//!
//! Below `/optimade` is the table `tmo`, below `/optimade/TABLE` any other table of crystals, each a database of its own. A filter
//! becomes a condition of a plan that goes through the gate as any other; what a property costs to compute is paid only where it is
//! asked for, and for the entries of the page.

mod attribute;
mod entries;
mod filter;
mod info;
mod lower;
mod properties;
mod query;

#[cfg(test)]
mod tests;

use arrow::array::temporal_conversions::as_datetime;
use arrow::datatypes::TimestampSecondType;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::catalog;
use crate::error::{Kind, Refusal};
use crate::gate::Gate;
use crate::http::structures::decoded;
use crate::http::{Asked, host, of_text, with_headers};
use filter::{Comparison, Filter};
use query::Query;

/// The version that is served.
const VERSION: &str = "1.2.0";

/// The table that is meant where none is named.
const TABLE: &str = "tmo";

/// The type of the answers.
pub(crate) const JSON_API: &str = "application/vnd.api+json";

/// The answer to a version that is not served.
pub(crate) const OTHER_VERSION: u16 = 553;

/// A request, taken apart.
struct Page<'a> {
    gate: &'a Gate,
    table: String,
    /// The base URL of the server, and that of the table.
    server: String,
    base: String,
    /// The path below the version, and what is behind the `?`.
    path: &'a str,
    query: &'a str,
}

/// What goes out.
#[derive(Default)]
struct Said {
    data: Value,
    next: Option<String>,
    found: Option<i64>,
    available: Option<i64>,
    warnings: Vec<String>,
    snapshot: Option<i64>,
    rows: usize,
}

/// Any page below `/optimade/`.
pub(crate) async fn answer(asked: Asked) -> Response {
    let Asked { door, request, mut visit } = asked;
    let server = format!("{}://{}/optimade", door.scheme(), host(&request).unwrap_or_default());
    let uri = request.into_parts().0.uri;
    let path = uri.path().trim_start_matches("/optimade/").trim_end_matches('/');
    let (table, path) = match path.split_once('/') {
        Some((table, rest)) if !is_version(table) => (decoded(table, false), rest),
        _ => (Ok(TABLE.to_owned()), path),
    };
    if path == "versions" {
        visit.end(None);
        return of_text("text/csv; header=present", "version\n1\n".into());
    }
    let (version, path) = path.split_once('/').unwrap_or((path, ""));
    let page = table.map(|table| {
        let base = info::base_url(&server, &table);
        Page { gate: door.gate(), table, server, base, path, query: uri.query().unwrap_or_default() }
    });
    let said = match &page {
        _ if is_version(version) && !["v1", "v1.2", "v1.2.0"].contains(&version) => Err(other_version()),
        Ok(page) if is_version(version) => page.said().await,
        Ok(_) => Err(missing()),
        Err(refusal) => Err(refusal.clone()),
    };
    let representation = format!("/{path}{}", uri.query().map(|query| format!("?{query}")).unwrap_or_default());
    match said {
        Ok(said) => {
            (visit.snapshot, visit.rows) = (said.snapshot, said.rows);
            visit.end(None);
            let links = json!({ "next": said.next });
            let document = json!({ "data": said.data, "links": links, "meta": meta(&representation, &said) });
            of_text(JSON_API, format!("{document}\n"))
        }
        Err(refusal) => {
            visit.end(Some(refusal.kind));
            refused(&refusal, &representation)
        }
    }
}

fn refused(refusal: &Refusal, representation: &str) -> Response {
    let status = match *refusal == other_version() {
        true => StatusCode::from_u16(OTHER_VERSION).unwrap_or(StatusCode::NOT_FOUND),
        false => refusal.kind.status(),
    };
    let error = json!({ "status": status.as_str(), "title": refusal.kind.word(), "detail": refusal.message });
    let document = json!({ "errors": [error], "meta": meta(representation, &Said::default()) });
    let mut response = of_text(JSON_API, format!("{document}\n"));
    *response.status_mut() = status;
    with_headers(refusal.kind, response)
}

fn other_version() -> Refusal {
    Refusal::new(Kind::Missing, "this server speaks version 1 of OPTIMADE, up to 1.2.0, below /v1")
}

fn missing() -> Refusal {
    Refusal::new(
        Kind::Missing,
        "there is no such page; there are /v1/info, /v1/structures and /v1/links, and /versions",
    )
}

/// `v1`, `v1.2`, but no table that only begins with a v.
fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

impl Page<'_> {
    /// A base URL that is that of no table has no pages.
    async fn said(&self) -> Result<Said, Refusal> {
        let said = self.found().await;
        let doubtful = match &said {
            Ok(_) => self.table != TABLE && ["info", "links"].contains(&self.path),
            Err(refusal) => refusal.kind == Kind::Bad,
        };
        match doubtful && !catalog::is_there(self.gate, &self.table).await? {
            true => Err(Refusal::new(
                Kind::Missing,
                format!("there is no table {}; /v1/links lists those that are", self.table),
            )),
            false => said,
        }
    }

    async fn found(&self) -> Result<Said, Refusal> {
        let said = |data| Said { data, ..Said::default() };
        match self.path.split_once('/') {
            Some(("info", "structures")) => Ok(said(info::structures(self.gate, &self.table).await?)),
            Some(("structures", id)) => self.entry(decoded(id, false)?).await,
            None if self.path == "info" => Ok(said(info::base(&self.base))),
            None if self.path == "links" => Ok(said(info::links(self.gate, &self.table, &self.server).await?)),
            None if self.path == "structures" => self.listing().await,
            _ => Err(missing()),
        }
    }

    async fn listing(&self) -> Result<Said, Refusal> {
        let query = Query::parse(self.gate, self.query, false)?;
        let after = query.offset + query.limit;
        let page = entries::page(self.gate, &self.table, query, true).await?;
        let next = page.more.then(|| query::next(self.query, after, page.snapshot));
        Ok(Said {
            rows: page.entries.len(),
            data: Value::Array(page.entries),
            next: next.map(|query| format!("{}/v1/structures?{query}", self.base)),
            found: page.found,
            available: page.available,
            warnings: page.warnings,
            snapshot: Some(page.snapshot),
        })
    }

    async fn entry(&self, id: String) -> Result<Said, Refusal> {
        let mut query = Query::parse(self.gate, self.query, true)?;
        let property = "id".to_owned();
        query.filter = Some(Filter::Compare { property, operator: Comparison::Equal, value: filter::Value::Text(id) });
        query.limit = 1;
        let mut page = entries::page(self.gate, &self.table, query, false).await?;
        Ok(Said {
            rows: page.entries.len(),
            found: Some(page.entries.len() as i64),
            data: page.entries.pop().unwrap_or_default(),
            warnings: page.warnings,
            snapshot: Some(page.snapshot),
            ..Said::default()
        })
    }
}

/// What every answer says of itself.
fn meta(representation: &str, said: &Said) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = as_datetime::<TimestampSecondType>(now.as_secs() as i64).map(|now| format!("{now:?}Z"));
    let mut meta = json!({
        "query": { "representation": representation },
        "api_version": VERSION,
        "more_data_available": said.next.is_some(),
        "schema": "https://schemas.optimade.org/openapi/v1.2/optimade.json",
        "time_stamp": now,
        "provider": { "name": "hollandite", "description": "A store of crystals.", "prefix": "hollandite" },
        "implementation": { "name": "hollandite", "version": env!("CARGO_PKG_VERSION") },
    });
    let optional = [
        ("data_returned", said.found.map(Value::from)),
        ("data_available", said.available.map(Value::from)),
        ("_hollandite_snapshot", said.snapshot.map(Value::from)),
        ("warnings", (!said.warnings.is_empty()).then(|| said.warnings.iter().map(|text| warning(text)).collect())),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            meta[name] = value;
        }
    }
    meta
}

fn warning(text: &str) -> Value {
    json!({ "type": "warning", "detail": text })
}
