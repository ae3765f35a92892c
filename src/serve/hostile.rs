//! What is tried at the doors rather than at the gate: the same statements at each of them, and requests that are none.

use std::io::Cursor;

use arrow_flight::sql::client::FlightSqlServiceClient;
use report::Written;
use serde_json::{Value, json};
use tonic::Code;
use tonic::transport::Endpoint;

use crate::testing::{REFUSED, Server, TOKEN, limits};
use crate::{Allowed, Limits};

#[tokio::test(flavor = "multi_thread")]
async fn no_door_lets_through_what_another_refuses() {
    let server = Server::start(limits(), true).await;
    let (folder, snapshots) = (server.folder.path().display().to_string(), server.store.snapshots().unwrap());
    let statements: Vec<String> = REFUSED.iter().map(|text| text.replace("{folder}", &folder)).collect();
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let address = format!("http://{}", server.at.flight.unwrap());
    let mut flight = FlightSqlServiceClient::new(Endpoint::from_shared(address).unwrap().connect().await.unwrap());
    flight.set_token(TOKEN.to_owned());
    for statement in &statements {
        for path in ["/v1/sql", "/v1/funnel"] {
            let body = json!({ "query": statement }).to_string();
            let head = ["Content-Type: application/json", &bearer];
            let reply = server.http("POST", path, &head, body.as_bytes()).await;
            assert!([400, 403].contains(&reply.status), "{path}, {statement}: {} {}", reply.status, reply.text());
            assert!(!reply.text().contains(&folder) && !reply.text().contains(TOKEN), "{statement}: {}", reply.text());
        }
        let refused = [
            flight.execute(statement.clone(), None).await.map(drop),
            flight.prepare(statement.clone(), None).await.map(drop),
            flight.execute_update(statement.clone(), None).await.map(drop),
        ];
        for refused in refused {
            let arrow_flight::error::FlightError::Tonic(status) = refused.unwrap_err() else { panic!("{statement}") };
            assert!([Code::InvalidArgument, Code::PermissionDenied].contains(&status.code()), "{statement}: {status}");
            assert!(!status.message().contains(&folder) && !status.message().contains(TOKEN), "{status}");
        }
    }
    for (statement, answer) in statements.iter().zip(told_to_an_assistant(&server, &statements).await) {
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(answer["result"]["isError"], true, "{statement}: {text}");
        assert!(text.starts_with("bad: ") || text.starts_with("forbidden: "), "{statement}: {text}");
        assert!(!text.contains(&folder) && !text.contains(TOKEN), "{statement}: {text}");
    }
    assert_eq!(server.store.snapshots().unwrap(), snapshots);
    assert!(!server.folder.path().join("out.csv").exists());
    server.stop().await.unwrap();
}

/// What an assistant is answered to each statement.
async fn told_to_an_assistant(server: &Server, statements: &[String]) -> Vec<Value> {
    let call = |(id, statement): (usize, &String)| {
        let params = json!({ "name": "query", "arguments": { "sql": statement } });
        format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }))
    };
    let input: String = statements.iter().enumerate().map(call).collect();
    let output = Written::default();
    let limits = Limits { queries: 1, waiting: 100, ..limits() };
    let input = Cursor::new(input.into_bytes());
    crate::mcp(&server.store, limits, Allowed::default(), Vec::new(), input, output.clone()).await.unwrap();
    let said = String::from_utf8(output.take()).unwrap();
    let mut said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    said.sort_by_key(|answer| answer["id"].as_u64());
    assert_eq!(said.len(), statements.len());
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_none_or_hide_another_are_not_answered() {
    let server = Server::start(limits(), true).await;
    let at = server.at.http.unwrap();
    let post = |head: &str, body: &str| {
        format!(
            "POST /v1/sql HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nAuthorization: Bearer {TOKEN}\r\n{head}\r\n{body}"
        )
    };
    let fine = r#"{"query":"SELECT 1 AS a"}"#;
    let hidden = format!("GET /health HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    let long = |n: usize| "x".repeat(n);
    let piece = format!("200000\r\n{}", long(2 << 20));
    for (what, request, status) in [
        ("two lengths", post("Content-Length: 25\r\nContent-Length: 5\r\n", fine), "400"),
        ("a length that is none", post("Content-Length: -1\r\n", fine), "400"),
        ("a length beyond numbers", post("Content-Length: 99999999999999999999999\r\n", fine), "400"),
        ("a piece that is longer than the bound", post("Transfer-Encoding: chunked\r\n", &piece), "413"),
        ("a piece of no length", post("Transfer-Encoding: chunked\r\n", "zz\r\n"), "413"),
        ("an unknown encoding", post("Transfer-Encoding: gzip\r\n", fine), "400"),
        ("a long line of the head", post(&format!("A: {}\r\n", long(2 << 20)), ""), "431"),
        ("many lines of the head", post(&"A: b\r\n".repeat(1000), ""), "431"),
        ("a long address", format!("GET /{} HTTP/1.1\r\nHost: {at}\r\n\r\n", long(100_000)), "414"),
        ("no host", "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n".into(), "400"),
        ("no HTTP", "SELECT 1;\r\n\r\n".into(), "400"),
        ("another version", format!("GET /health HTTP/9.9\r\nHost: {at}\r\n\r\n"), "400"),
    ] {
        let said = server.raw(request.into_bytes()).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {said:.300}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{what}: {said:.300}");
    }
    // Where the end of a body is given in two ways, nothing behind the nearer one is taken for a request.
    let both = format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", 5 + hidden.len());
    let said = server.raw(post(&both, &format!("0\r\n\r\n{hidden}")).into_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 400 ") && !said.contains("\"status\""), "{said}");
    // Requests behind one another are answered in order, each by its own token.
    let length = format!("Content-Length: {}\r\n", fine.len());
    let stranger = format!("GET /v1/tables HTTP/1.1\r\nHost: {at}\r\n\r\n");
    let said = server.raw([post(&length, fine), stranger, hidden].concat().into_bytes()).await;
    let statuses: Vec<&str> = said.match_indices("HTTP/1.1 ").map(|(at, _)| &said[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "401", "200"], "{said}");
    server.stop().await.unwrap();
}
