//! The door for assistants: the Model Context Protocol over standard input and output, a message of JSON-RPC a line.
//!
//! See <https://modelcontextprotocol.io/specification>. Of it there are tools alone, which ask the gate. `rmcp` would take the place of
//! some sixty lines here and brings seven crates: versions, cancelling and the bound of a message are little beside them.

mod tools;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::task::AbortHandle;

use crate::door::{Door, StoredQuery};
use crate::error::ServeError;
use crate::gate::{Allowed, Gate, Limits};
use store::Store;

/// Supported versions of the protocol, the newest first.
const VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// Longest message, bytes.
const LONGEST: usize = 1 << 20;

/// Serves one client until its messages end.
///
/// # Errors
/// A store that cannot be read, or a client that goes away in the middle of a message.
pub async fn mcp(
    store: &Store,
    limits: Limits,
    allowed: Allowed,
    queries: Vec<StoredQuery>,
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
) -> Result<(), ServeError> {
    let gate = Gate::open(store, limits, allowed).await?;
    let door = Door::new(gate, None, true, false, queries, false);
    let (line, mut lines) = tokio::sync::mpsc::channel(16);
    // Standard input is waited for on a thread of its own, which the end of the program does not wait for.
    std::thread::spawn(move || {
        let mut input = input;
        while let Some(read) = next_line(&mut input) {
            if line.blocking_send(read).is_err() {
                return;
            }
        }
    });
    let output = Arc::new(Mutex::new(output));
    let mut running: HashMap<String, AbortHandle> = HashMap::new();
    let mut tasks = tokio::task::JoinSet::new();
    while let Some(read) = lines.recv().await {
        running.retain(|_, task| !task.is_finished());
        let message = match read.and_then(|line| serde_json::from_str::<Value>(&line).map_err(|e| e.to_string())) {
            Ok(message) if message.is_object() => message,
            // One version of the protocol knows lists of messages, and clients may well never send one.
            Ok(_) => {
                say(&output, &failure(&Value::Null, -32600, "a line is one message, an object"))?;
                continue;
            }
            Err(reason) => {
                say(&output, &failure(&Value::Null, -32700, &reason))?;
                continue;
            }
        };
        let id = message.get("id").cloned();
        if message["method"] == "notifications/cancelled" {
            if let Some(task) = running.remove(&message["params"]["requestId"].to_string()) {
                task.abort();
            }
            continue;
        }
        let (door, output) = (door.clone(), Arc::clone(&output));
        let task = tasks.spawn(async move {
            match answer(&door, &message).await {
                Some(answer) => say(&output, &answer),
                None => Ok(()),
            }
        });
        if let Some(id) = id {
            running.insert(id.to_string(), task);
        }
    }
    while let Some(done) = tasks.join_next().await {
        if let Ok(said) = done {
            said?;
        }
    }
    Ok(())
}

/// The next line, `None` at the end; a line that is too long is read over.
fn next_line(input: &mut impl BufRead) -> Option<Result<String, String>> {
    let mut line = Vec::new();
    let mut long = false;
    loop {
        let bytes = input.fill_buf().ok()?;
        if bytes.is_empty() {
            return (!line.is_empty()).then(|| String::from_utf8(line).map_err(|e| e.to_string()));
        }
        let end = bytes.iter().position(|b| *b == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        long |= line.len() + taken > LONGEST;
        if !long {
            line.extend_from_slice(&bytes[..taken]);
        }
        input.consume(taken);
        if end.is_some() {
            return Some(match long {
                true => Err(format!("the message is longer than {LONGEST} bytes")),
                false => String::from_utf8(line).map_err(|e| e.to_string()),
            });
        }
    }
}

fn say(output: &Mutex<impl Write>, message: &Value) -> Result<(), ServeError> {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    let said = writeln!(output, "{message}").and_then(|()| output.flush());
    said.map_err(|source| ServeError::Net { what: "answering".into(), source })
}

fn failure(id: &Value, code: i32, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

/// The answer to a message; none to a notification.
async fn answer(door: &Door, message: &Value) -> Option<Value> {
    let id = message.get("id")?;
    let params = &message["params"];
    let result = match message["method"].as_str() {
        Some("initialize") => {
            let asked = params["protocolVersion"].as_str().unwrap_or_default();
            let version = VERSIONS.into_iter().find(|known| *known == asked).unwrap_or(VERSIONS[0]);
            json!({
                "protocolVersion": version,
                "capabilities": { "tools": { "listChanged": false } },
                "serverInfo": { "name": "hollandite", "version": env!("CARGO_PKG_VERSION") },
                "instructions": "A store of crystals, read by SQL. Ask tables and functions first; every answer names the snapshot \
                                 that it was read at and the units of its columns.",
            })
        }
        Some("ping") => json!({}),
        Some("tools/list") => json!({ "tools": tools::list() }),
        Some("tools/call") => match tools::call(door, params).await {
            Some(result) => result,
            None => return Some(failure(id, -32602, &format!("there is no tool {}", params["name"]))),
        },
        Some(other) => return Some(failure(id, -32601, &format!("there is no method {other}"))),
        None => return Some(failure(id, -32600, "the message has no method")),
    };
    Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

#[cfg(test)]
mod tests;
