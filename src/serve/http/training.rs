//! `POST /v1/train`: a network fitted to labels, where that is allowed. The answer is a line of JSON for each epoch, and at last one for
//! the model; it breaks off where the training fails, and the training ends where the client goes away.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::stream;
use serde_json::Value;

use super::{Asked, end, posted};
use crate::door::Visit;
use crate::error::Refusal;
use crate::gate::{Course, Training};

/// The type of the answer.
pub(super) const TYPE: &str = "application/jsonl";

/// A training, with its message that is not sent yet.
struct Lines {
    course: Course,
    message: Option<Result<Value, Refusal>>,
    visit: Visit,
}

pub(super) async fn answer(asked: Asked) -> Response {
    let Asked { door, request, mut visit } = asked;
    let begun = async {
        door.gate().check_training()?;
        let (_, asked) = posted::read::<Training>(door.gate(), request).await?;
        let mut course = door.gate().train(asked).await?;
        // What cannot be trained is refused with its status.
        match course.next().await {
            Some(Err(refusal)) => Err(refusal),
            message => Ok((course, message)),
        }
    };
    let (course, message) = match begun.await {
        Ok(begun) => begun,
        Err(refusal) => return end(visit, &refusal),
    };
    visit.snapshot = Some(course.snapshot);
    let snapshot = course.snapshot;
    let lines = stream::unfold(Some(Lines { course, message, visit }), next);
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(TYPE));
    response.headers_mut().insert(super::body::SNAPSHOT, HeaderValue::from(snapshot));
    response
}

async fn next(lines: Option<Lines>) -> Option<(std::io::Result<Bytes>, Option<Lines>)> {
    let mut lines = lines?;
    let message = match lines.message.take() {
        Some(message) => Some(message),
        None => lines.course.next().await,
    };
    match message {
        Some(Ok(line)) => {
            lines.visit.rows += 1;
            Some((Ok(Bytes::from(format!("{line}\n"))), Some(lines)))
        }
        Some(Err(refusal)) => {
            lines.visit.end(Some(refusal.kind));
            Some((Err(std::io::Error::other(refusal.message)), None))
        }
        None => {
            lines.visit.end(None);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use crate::testing::{REFUSED, Reply, Server, fill_labelled, limits};
    use crate::{Allowed, Kind};

    /// A server before labelled crystals that allows trainings or not.
    async fn server(train: bool) -> Server {
        let server = Server::start_allowing(limits(), Allowed { train, ..Allowed::default() }).await;
        fill_labelled(&server.store).await;
        server
    }

    async fn train(server: &Server, changes: Value) -> Reply {
        let mut body = json!({ "network": "trees-magpie", "table": "hosts", "target": "density", "name": "ours" });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        server.http("POST", "/v1/train", &["Content-Type: application/json"], body.to_string().as_bytes()).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_model_is_trained_and_answers_where_that_is_allowed() {
        let server = server(true).await;
        let reply = train(&server, json!({ "epochs": 20 })).await;
        assert_eq!((reply.status, reply.whole), (200, true), "{}", reply.text());
        assert!(reply.header("x-snapshot").is_some());
        let lines: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (last, epochs) = lines.split_last().unwrap();
        assert!(epochs.iter().any(|line| line["epoch"] == 1 && line["validation_mae"].is_number()), "{lines:?}");
        assert_eq!((&last["model"], &last["predicts"]), (&json!("ours"), &json!("density")));
        assert!(last["metrics"]["test"]["rmse"].is_number(), "{last}");
        // Some of the sixty have elements that are in no crystal of the training part.
        let query = "SELECT count(predict(structure, 'ours')['value']) > 40 AS most FROM hosts";
        assert_eq!(server.sql(json!({ "query": query })).await.json(), json!([{ "most": true }]));
        let again = train(&server, json!({ "epochs": 2 })).await;
        assert_eq!(again.status, 400, "its name is taken: {}", again.text());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_no_training_is_refused_and_leaves_nothing() {
        let closed = server(false).await;
        let reply = train(&closed, json!({})).await;
        assert_eq!((reply.status, &reply.json()["error"]["kind"]), (403, &json!(Kind::Forbidden.word())));
        let server = server(true).await;
        for (changes, statuses) in [
            (json!({ "network": "none" }), [400, 400]),
            (json!({ "network": "../../etc/passwd" }), [400, 400]),
            (json!({ "table": "none" }), [400, 400]),
            (json!({ "table": "hosts\"; DROP TABLE hosts; --" }), [400, 400]),
            (json!({ "target": "none" }), [400, 400]),
            (json!({ "target": "id" }), [400, 400]),
            (json!({ "where": "1 = 1); DROP TABLE hosts; --" }), [400, 403]),
            (json!({ "where": "id IN (SELECT a FROM read_csv('/etc/passwd'))" }), [400, 403]),
            (json!({ "where": "false" }), [400, 400]),
            (json!({ "where": "relax(structure)['converged']" }), [403, 403]),
            (json!({ "name": "../ours" }), [400, 400]),
            (json!({ "name": "/tmp/ours" }), [400, 400]),
            (json!({ "name": "cgcnn" }), [400, 400]),
            (json!({ "name": "" }), [400, 400]),
            (json!({ "name": "." }), [400, 400]),
            (json!({ "name": ".." }), [400, 400]),
            (json!({ "name": ".begun" }), [400, 400]),
            (json!({ "name": "ours/../../ours" }), [400, 400]),
            (json!({ "name": "ours\u{0}" }), [400, 400]),
            (json!({ "name": "ours\n" }), [400, 400]),
            (json!({ "name": "C:\\ours" }), [400, 400]),
            (json!({ "name": "x".repeat(300) }), [400, 400]),
            (json!({ "name": ["ours"] }), [400, 400]),
            (json!({ "table": "../../etc/passwd" }), [400, 400]),
            (json!({ "table": "read_csv('/etc/passwd')" }), [400, 400]),
            (json!({ "table": "hosts\u{0}" }), [400, 400]),
            (json!({ "target": "density, (SELECT 1)" }), [400, 400]),
            (json!({ "target": "structure" }), [400, 400]),
            (json!({ "where": "true UNION SELECT * FROM '/etc/passwd'" }), [400, 403]),
            (json!({ "where": "predict_ef(structure, '/etc/passwd') < 0" }), [400, 403]),
            (json!({ "where": "repeat(id, 1000000000) = 'x'" }), [403, 403]),
            (json!({ "where": "x".repeat(100_000) }), [413, 413]),
            (json!({ "batch": 1_000_000_000 }), [400, 400]),
            (json!({ "batch_size": 1_000_000_000 }), [400, 400]),
            (json!({ "threads": 1000 }), [400, 400]),
            (json!({ "epochs": -1 }), [400, 400]),
            (json!({ "epochs": 1e30 }), [400, 400]),
            (json!({ "seconds": 1e308 }), [400, 400]),
            (json!({ "seconds": "1" }), [400, 400]),
            (json!({ "seed": -1 }), [400, 400]),
            (json!({ "snapshot": i64::MIN }), [400, 400]),
            (json!({ "epochs": 0 }), [400, 400]),
            (json!({ "epochs": 1_000_000 }), [400, 400]),
            (json!({ "seconds": -1 }), [400, 400]),
            (json!({ "split": "none" }), [400, 400]),
            (json!({ "snapshot": 99_999 }), [400, 400]),
            (json!({ "out": "/tmp" }), [400, 400]),
        ] {
            let reply = train(&server, changes.clone()).await;
            assert!(statuses.contains(&reply.status), "{changes}: {} {}", reply.status, reply.text());
            assert!(!reply.text().contains("root:") && !reply.text().contains(server.folder.path().to_str().unwrap()));
        }
        for statement in REFUSED {
            let condition = format!("id IN ({statement})").replace("{folder}", server.folder.path().to_str().unwrap());
            let reply = train(&server, json!({ "where": condition })).await;
            assert!([400, 403].contains(&reply.status), "{condition}: {} {}", reply.status, reply.text());
        }
        for server in [closed, server] {
            let left = std::fs::read_dir(server.store.models_folder()).into_iter().flatten().count();
            assert_eq!(left, 0, "a folder is left");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_training_ends_with_the_server_and_leaves_nothing() {
        let server = server(true).await;
        let models = server.store.models_folder();
        let asked = json!({ "network": "cgcnn", "table": "hosts", "target": "density", "epochs": 10_000 }).to_string();
        let at = server.at.http.unwrap();
        let head = format!(
            "POST /v1/train HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            asked.len()
        );
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(format!("{head}{asked}").as_bytes()).await.unwrap();
        let mut piece = vec![0; 1 << 16];
        let mut said = String::new();
        while !said.contains("validation_mae") {
            let more = stream.read(&mut piece).await.unwrap();
            assert!(more > 0, "{said}");
            said.push_str(&String::from_utf8_lossy(&piece[..more]));
        }
        assert_eq!(std::fs::read_dir(&models).unwrap().count(), 1);
        let (_folder, ended) = server.stop_beside().await;
        ended.unwrap();
        assert_eq!(std::fs::read_dir(&models).unwrap().count(), 0, "a folder is left");
        // What was said breaks off, and is no whole answer.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&rest));
    }
}
