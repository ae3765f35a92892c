//! The description of the pages, of the list that they are made of.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::routes::{ROUTES, Route};
use super::{essence, sql};
use crate::error::Kind;
use crate::gate::Training;
use crate::optimade::{JSON_API, OTHER_VERSION};

/// OpenAPI 3.1.
pub(super) fn description() -> Value {
    let mut paths = Map::new();
    for route in &ROUTES {
        let method = route.method.as_str().to_lowercase();
        paths.insert(route.path.to_owned(), json!({ method: operation(route) }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "hollandite",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One store of crystals, read by SQL.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Error": error(), "Statement": sql::schema(), "Training": Training::schema() },
        },
    })
}

fn operation(route: &Route) -> Value {
    let content: Map<String, Value> =
        route.answers.iter().map(|kind| (essence(kind).to_owned(), json!({ "schema": schema_of(kind) }))).collect();
    let mut responses =
        Map::from_iter([("200".to_owned(), json!({ "description": "The answer.", "content": content }))]);
    for kind in Kind::ALL {
        let mut content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
        if route.answers.contains(&JSON_API) {
            content[JSON_API] = json!({ "schema": {} });
        }
        let refused = json!({ "description": format!("Refused: {}.", kind.word()), "content": content });
        responses.insert(kind.status().as_str().to_owned(), refused);
    }
    if route.answers.contains(&JSON_API) {
        let other = json!({ "description": "Refused: a version that is not spoken.", "content": { JSON_API: { "schema": {} } } });
        responses.insert(OTHER_VERSION.to_string(), other);
    }
    let parameters: Vec<Value> = route
        .parameters
        .iter()
        .map(|parameter| {
            let mut schema = json!({ "type": parameter.kind });
            if !parameter.values.is_empty() {
                schema["enum"] = json!(parameter.values);
            } else if parameter.kind == "string" {
                schema["minLength"] = json!(1);
            }
            json!({
                "name": parameter.name,
                "in": parameter.place,
                "required": parameter.place == "path",
                "description": parameter.summary,
                "schema": schema,
            })
        })
        .collect();
    let mut operation = json!({ "summary": route.summary, "parameters": parameters, "responses": responses });
    if route.method == Method::POST {
        let body = if route.path == "/v1/train" { "Training" } else { "Statement" };
        let body = json!({ "$ref": format!("#/components/schemas/{body}") });
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": body } },
        });
    }
    operation["security"] = if route.open { json!([]) } else { json!([{ "token": [] }, {}]) };
    operation
}

fn schema_of(kind: &str) -> Value {
    match kind {
        "application/json" => json!({}),
        _ => json!({ "type": "string" }),
    }
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["kind", "message"],
            "properties": {
                "kind": { "type": "string", "enum": Kind::ALL.map(Kind::word) },
                "message": { "type": "string" },
            },
        } },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use crate::testing::{Server, fill_labelled, limits};
    use crate::{Allowed, skip};

    #[tokio::test(flavor = "multi_thread")]
    async fn pages_answer_as_they_are_described() {
        let Some(python) = std::env::var_os("HOLLANDITE_PYTHON") else {
            return skip::skip("HOLLANDITE_PYTHON names no Python with tests/interop/requirements.txt");
        };
        let server = Server::start_allowing(limits(), Allowed { train: true, ..Allowed::default() }).await;
        fill_labelled(&server.store).await;
        let (snapshots, folder) = (server.store.snapshots().unwrap(), server.folder.path().to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/openapi.py");
        let described = format!("http://{}/openapi.json", server.at.http.unwrap());
        let asked = move || Command::new(python).arg(script).arg(described).current_dir(folder).output().unwrap();
        let asked = tokio::task::spawn_blocking(asked).await.unwrap();
        let said = [asked.stdout, asked.stderr].concat();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&said));
        assert_eq!(server.store.snapshots().unwrap(), snapshots);
        server.stop().await.unwrap();
    }
}
