//! Requests as they come over the wire, to a server that listens.

use std::collections::BTreeSet;
use std::io::Cursor;

use arrow::ipc::reader::StreamReader;
use serde_json::{Value, json};

use super::routes::ROUTES;
use crate::testing::{Server, TOKEN, limits, rutile};

const JSON: &str = "Content-Type: application/json";

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_answered_in_every_format_with_snapshot_and_units() {
    let server = Server::start(limits(), false).await;
    let query = "SELECT id, round(density(structure), 2) AS density, NULL AS nothing, 'a,b' AS text FROM crystals WHERE id = $1";
    let ask = async |format: &str| server.sql(json!({ "query": query, "params": ["rutile"], "format": format })).await;
    let as_json = ask("json").await;
    assert_eq!(as_json.status, 200, "{}", as_json.text());
    assert_eq!(as_json.json(), json!([{ "id": "rutile", "density": 4.25, "nothing": null, "text": "a,b" }]));
    assert_eq!(as_json.header("content-type"), Some("application/json"));
    assert_eq!(as_json.header("x-units"), Some(r#"{"density":"g/cm\u00b3"}"#));
    let snapshot = server.store.newest_snapshot().unwrap().to_string();
    assert_eq!(as_json.header("x-snapshot"), Some(snapshot.as_str()));
    assert_eq!(ask("jsonl").await.text(), "{\"id\":\"rutile\",\"density\":4.25,\"nothing\":null,\"text\":\"a,b\"}\n");
    assert_eq!(ask("csv").await.text(), "id,density,nothing,text\nrutile,4.25,,\"a,b\"\n");
    let arrow = ask("arrow").await;
    let mut reader = StreamReader::try_new(Cursor::new(arrow.body), None).unwrap();
    assert_eq!(reader.schema().field(1).metadata().get("unit").map(String::as_str), Some("g/cm³"));
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 1);
    assert!(ask("parquet").await.body.starts_with(b"PAR1"));
    assert_eq!(as_json.header("x-models"), None, "no model is asked");
    let predicted = server.sql(json!({ "query": "SELECT predict_ef(structure, 'cgcnn') AS ef FROM crystals" })).await;
    let models: Value = serde_json::from_str(predicted.header("x-models").unwrap()).unwrap();
    assert!(models.as_object().unwrap().len() == 1 && models["cgcnn"].is_string(), "{models}");
    assert_eq!(ask("xml").await.status, 400);
    // By Accept, the one that is wanted most, and of equals the first that is known.
    for (accept, kind) in [
        ("text/csv", "text/csv"),
        ("application/xml, application/x-ndjson;q=0.5", "application/jsonl"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("text/csv;q=0.2, application/vnd.apache.parquet;q=0.9", "application/vnd.apache.parquet"),
        ("application/json; q=0, text/csv;q=0.1", "text/csv"),
        ("*/*", "application/json"),
    ] {
        let accept = format!("Accept: {accept}");
        let reply = server.http("POST", "/v1/sql", &[JSON, &accept], br#"{"query":"SELECT 1 AS a"}"#).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{accept}");
    }
    let reply = server.http("POST", "/v1/sql", &[JSON, "Accept: image/png"], br#"{"query":"SELECT 1"}"#).await;
    assert_eq!(reply.status, 400);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_names_options_and_snapshots() {
    let server = Server::start(limits(), false).await;
    let rows = async |body| {
        let reply = server.sql(body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let values = json!({ "query": "SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d", "params": [true, 2.5, null, "it's"] });
    assert_eq!(rows(values).await, json!([{ "a": true, "b": 2.5, "c": null, "d": "it's" }]));
    let named = json!({ "query": "SELECT :x + 1 AS y", "params": { "x": 41 } });
    assert_eq!(rows(named).await, json!([{ "y": 42 }]));
    // A crystal goes out as JSON and comes back in as one.
    let crystal = server.http("GET", "/v1/structures/rutile.json?table=crystals", &[], b"").await.json();
    let back = json!({ "query": "SELECT reduced_formula($1) AS f", "params": [crystal] });
    assert_eq!(rows(back).await, json!([{ "f": "TiO2" }]));
    assert_eq!(rows(json!({ "query": "all" })).await, json!([{ "id": "rutile" }]));
    let option = json!({ "query": "SHOW hollandite.coverage", "options": { "coverage": 0.5 } });
    assert_eq!(rows(option).await[0]["value"], "0.5");
    let old = server.store.newest_snapshot().unwrap() - 1;
    let reply = server.sql(json!({ "query": "SELECT 1 AS a", "snapshot": old })).await;
    assert_eq!((reply.status, reply.header("x-snapshot")), (200, Some(old.to_string().as_str())), "{}", reply.text());
    let reply = server.sql(json!({ "query": "SELECT id FROM crystals", "snapshot": old })).await;
    assert_eq!(reply.status, 400, "it was made later");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_functions_crystals_health_and_numbers() {
    let server = Server::start(limits(), false).await;
    let get = async |path: &str| server.http("GET", path, &[], b"").await;
    let tables = get("/v1/tables").await.json();
    let of = |name: &str| tables["tables"].as_array().unwrap().iter().find(|table| table["name"] == name).cloned();
    let tmo = of("tmo").unwrap();
    let volume = tmo["columns"].as_array().unwrap().iter().find(|column| column["name"] == "volume").cloned().unwrap();
    assert_eq!((&volume["type"], &volume["unit"]), (&json!("DOUBLE"), &json!("Å³")), "{volume}");
    assert!(volume["meaning"].is_string() && of("crystals").is_some() && tables["snapshot"].is_i64());
    let functions = get("/v1/functions").await.json();
    let names: Vec<&str> =
        functions["functions"].as_array().unwrap().iter().filter_map(|f| f["name"].as_str()).collect();
    assert!(names.contains(&"predict_ef") && !names.contains(&"read_csv") && names.len() > 60, "{names:?}");
    let poscar = get("/v1/structures/rutile.poscar?table=crystals").await;
    assert_eq!(formats::parse_structure(poscar.text()).unwrap(), formats::parse_structure(&rutile()).unwrap());
    let cif = get("/v1/structures/rutile.cif?table=crystals").await;
    assert_eq!(cif.header("content-type"), Some("chemical/x-cif"));
    assert_eq!(formats::parse_structure(cif.text()).unwrap().len(), 6);
    for (path, status) in [
        ("/v1/structures/none.cif?table=crystals", 404),
        ("/v1/structures/rutile.cif", 404),
        ("/v1/structures/rutile.xyz", 400),
        ("/v1/structures/x.cif?table=none", 404),
        ("/v1/structures/x.cif?table=features", 400),
        ("/v1/structures/x.cif?table=a%22%3B%20DROP%20TABLE%20crystals", 404),
        ("/v1/structures/x.cif?table=..%2F..%2Fmodels", 404),
        ("/v1/structures/x.cif?table=%00", 404),
        ("/v1/structures/x.cif?table=crystals&snapshot=9223372036854775808", 400),
        ("/v1/structures/x.cif?table=crystals&snapshot=-1", 400),
        ("/v1/structures/..%2F..%2Fetc%2Fpasswd.cif", 404),
        ("/v1/structures/../../etc/passwd", 400),
        ("/v1/nothing", 404),
        ("/none", 404),
    ] {
        let reply = get(path).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert!(reply.json()["error"]["message"].is_string(), "{path}");
    }
    let health = get("/health").await.json();
    assert_eq!((&health["status"], health["running"].as_u64()), (&json!("ok"), Some(0)));
    assert_eq!(get("/version").await.json()["version"], env!("CARGO_PKG_VERSION"));
    let numbers = get("/metrics").await;
    assert_eq!(numbers.header("content-type"), Some("text/plain; version=0.0.4"));
    assert!(
        numbers.text().contains("hollandite_requests_total{door=\"http\",outcome=\"missing\"} "),
        "{}",
        numbers.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_that_of_the_routes() {
    let server = Server::start(limits(), false).await;
    let described = server.http("GET", "/openapi.json", &[], b"").await.json();
    let paths: BTreeSet<&str> = described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(paths, ROUTES.iter().map(|route| route.path).collect());
    for route in &ROUTES {
        let operation = &described["paths"][route.path][route.method.as_str().to_lowercase()];
        let path = route.path.replace("{id}", "rutile").replace("{format}", "cif").replace("{path}", "versions");
        let path = path.replace("{name}", "main.js");
        let path = if path.contains("structures") { format!("{path}?table=crystals") } else { path };
        let reply = server.http(route.method.as_str(), &path, &[JSON], br#"{"query":"SELECT 1 AS a"}"#).await;
        if route.path == "/v1/train" {
            assert_eq!(reply.status, 403, "nobody has allowed it");
            continue;
        }
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let kind = reply.header("content-type").unwrap().split(';').next().unwrap();
        assert!(!operation["responses"]["200"]["content"][kind].is_null(), "{path} answers {kind}: {operation}");
        // No method but the one that is described.
        let other = if route.method == "GET" { "POST" } else { "GET" };
        let reply = server.http(other, &path, &[JSON], b"{}").await;
        assert_eq!((reply.status, reply.header("allow").is_some()), (405, true), "{other} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_are_refused() {
    let server = Server::start(limits(), true).await;
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let own = format!("Host: {}", server.at.http.unwrap());
    let other_origin = format!("Origin: http://{}", "evil.example");
    let own_origin = format!("Origin: http://{}", server.at.http.unwrap());
    let long = format!("{{\"query\":\"SELECT '{}'\"}}", "x".repeat(2 << 20));
    let text = format!("{{\"query\":\"SELECT '{}'\"}}", "x".repeat(100 << 10));
    let nested = format!("{{\"query\":\"SELECT 1\",\"params\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let fine = r#"{"query":"SELECT 1 AS a"}"#;
    let amplified =
        format!("{{\"query\":\"SELECT {}$1\",\"params\":[\"{}\"]}}", "$1, ".repeat(999), "x".repeat(900_000));
    let ask = |head: &[&str]| head.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let requests: Vec<(&str, &str, Vec<String>, &str, u16)> = vec![
        // Tokens.
        ("POST", "/v1/sql", ask(&[JSON]), fine, 401),
        ("POST", "/v1/sql", ask(&[JSON, "Authorization: Bearer wrong-wrong-wrong-wrong"]), fine, 401),
        ("POST", "/v1/sql", ask(&[JSON, "Authorization: Bearer"]), fine, 401),
        ("POST", "/v1/sql", ask(&[JSON, "Authorization: Basic dTphLXRva2VuLW9mLXRoZS10ZXN0cw=="]), fine, 401),
        ("GET", "/v1/tables", ask(&[]), "", 401),
        ("GET", "/metrics", ask(&[]), "", 401),
        ("GET", "/v1/queries", ask(&[]), "", 401),
        ("POST", "/v1/funnel", ask(&[JSON]), fine, 401),
        ("GET", "/v1/structures/rutile.cif?table=crystals", ask(&[]), "", 401),
        // Pages of other sites.
        ("POST", "/v1/sql", ask(&[JSON, &bearer, "Host: evil.example"]), fine, 403),
        ("GET", "/health", ask(&["Host: evil.example"]), "", 403),
        ("GET", "/health", ask(&["Host: localhost.evil.example"]), "", 403),
        ("GET", "/health", ask(&["Host: 127.0.0.1.nip.io"]), "", 403),
        ("POST", "/v1/sql", ask(&[JSON, &bearer, &own, &other_origin]), fine, 403),
        ("POST", "/v1/sql", ask(&[JSON, &bearer, &own, "Origin: null"]), fine, 403),
        ("POST", "/v1/sql", ask(&["Content-Type: text/plain", &bearer]), fine, 400),
        ("POST", "/v1/sql", ask(&["Content-Type: application/x-www-form-urlencoded", &bearer]), fine, 400),
        ("POST", "/v1/sql", ask(&[&bearer]), fine, 400),
        ("POST", "/v1/funnel", ask(&["Content-Type: text/plain", &bearer]), fine, 400),
        ("OPTIONS", "/v1/sql", ask(&[&other_origin, "Access-Control-Request-Method: POST"]), "", 405),
        // Bodies.
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), &long, 413),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), &text, 413),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), &nested, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), "", 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), "[]", 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), "{\"query\":", 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":1}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT 1","what":1}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT $1","params":1}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT $1","params":[{"a":1}]}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT 1","params":[1]}"#, 400),
        (
            "POST",
            "/v1/sql",
            ask(&[JSON, &bearer]),
            r#"{"query":"SELECT 1","options":{"model":"/etc/passwd","x":1}}"#,
            400,
        ),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT 1","options":{"coverage":{}}}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT 1","snapshot":-1}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT 1","rows":-1}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT 1","rows":1e300}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT $1","params":[18446744073709551615]}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT $1","params":[1e400]}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT $0","params":[1]}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT $99999999999999999999","params":[1]}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), &amplified, 413),
        ("POST", "/v1/sql", ask(&[JSON, &bearer, "Content-Encoding: gzip"]), fine, 400),
        ("POST", "/v1/funnel", ask(&[JSON, &bearer, "Content-Encoding: deflate, br"]), fine, 400),
        ("POST", "/v1/train", ask(&[JSON]), "{}", 401),
        ("POST", "/v1/train", ask(&[JSON, &bearer]), "{}", 403),
        ("GET", "/page/..%2F..%2Fmod.rs", ask(&[]), "", 404),
        ("GET", "/page/vendor%2FREADME.md", ask(&[]), "", 404),
        ("GET", "/v1/structures/rutile.html?table=..%2Fcrystals", ask(&[&bearer]), "", 404),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"DROP TABLE crystals"}"#, 403),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT * FROM '/etc/passwd.csv'"}"#, 400),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT value FROM generate_series(1, 20001)"}"#, 413),
        ("POST", "/v1/sql", ask(&[JSON, &bearer]), r#"{"query":"SELECT 1 AS a UNION ALL SELECT 2","rows":1}"#, 413),
        ("PUT", "/v1/sql", ask(&[JSON, &bearer]), fine, 405),
        ("DELETE", "/v1/tables", ask(&[&bearer]), "", 405),
        ("TRACE", "/health", ask(&[]), "", 405),
        // And what is meant well.
        ("POST", "/v1/sql", ask(&[JSON, &bearer, &own, &own_origin]), fine, 200),
        ("POST", "/v1/sql", ask(&["Content-Type: application/json; charset=utf-8", &bearer]), fine, 200),
        ("GET", "/health", ask(&["Host: localhost"]), "", 200),
    ];
    let store = server.folder.path().display().to_string();
    for (method, path, head, body, status) in &requests {
        let lines: Vec<&str> = head.iter().map(String::as_str).collect();
        let reply = server.http(method, path, &lines, body.as_bytes()).await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!(reply.status, *status, "{method} {path} {lines:?} {shown}: {}", reply.text());
        assert!(reply.header("access-control-allow-origin").is_none(), "{method} {path}");
        assert!(!reply.text().contains(&store) && !reply.text().contains("/etc/"), "{}", reply.text());
    }
    assert_eq!(server.store.snapshots().unwrap().len(), server.store.newest_snapshot().unwrap() as usize + 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_streamed_and_break_off_where_they_fail() {
    let server = Server::start(crate::Limits { rows: 300_000, ..limits() }, false).await;
    let series = |n: usize, x: &str| json!({ "query": format!("SELECT value, {x} AS x FROM generate_series(1, {n})"), "format": "csv" });
    let long = server.sql(series(200_000, "'some more text to fill the lines'")).await;
    assert_eq!((long.status, long.whole), (200, true));
    assert!(long.head.to_lowercase().contains("transfer-encoding: chunked"), "{}", long.head);
    assert_eq!(long.text().lines().count(), 200_001);
    let failing = server.sql(series(200_000, "'some more text to fill the lines' || (1 / (199990 - value))")).await;
    assert_eq!((failing.status, failing.whole), (200, false), "half an answer passes for a whole one");
    // What is short has its status.
    let failing = server.sql(series(100, "1 / (50 - value)")).await;
    assert_eq!(failing.status, 400, "{}", failing.text());
    let too_many = server.sql(series(300_001, "'some more text to fill the lines'")).await;
    assert_eq!((too_many.status, too_many.whole), (200, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_bounded_and_the_end_is_clean() {
    let server = Server::start(crate::Limits { queries: 1, waiting: 1, ..limits() }, false).await;
    let slow = json!({ "query": "SELECT count(*) FROM generate_series(1, 10000) a JOIN generate_series(1, 10000) b ON a.value < b.value" });
    let all = futures::future::join_all((0..6).map(|_| server.sql(slow.clone()))).await;
    let of = |status| all.iter().filter(|reply| reply.status == status).count();
    assert!(
        of(200) >= 1 && of(429) >= 1 && of(200) + of(429) == 6,
        "{:?}",
        all.iter().map(|r| r.status).collect::<Vec<_>>()
    );
    assert!(all.iter().filter(|reply| reply.status == 429).all(|reply| reply.header("retry-after") == Some("1")));
    // An answer that is under way when the server is asked to end is given.
    let under_way = server.sql(slow.clone());
    let at = server.at.http.unwrap();
    let (reply, ()) = tokio::join!(under_way, tokio::time::sleep(std::time::Duration::from_millis(20)));
    assert_eq!(reply.status, 200);
    server.stop().await.unwrap();
    assert!(std::net::TcpStream::connect(at).is_err(), "it still listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_reach_the_client_and_no_other() {
    let server = Server::start(limits(), false).await;
    let text = |n: usize| format!("SELECT natoms('{n} Å' || id) AS n FROM crystals");
    let asked: Vec<Value> =
        (0..8).map(|n| json!({ "query": if n % 2 == 0 { text(n) } else { "SELECT 1 AS n".into() } })).collect();
    let replies = futures::future::join_all(asked.into_iter().map(|body| server.sql(body))).await;
    for (n, reply) in replies.iter().enumerate() {
        assert_eq!(reply.status, 200, "{}", reply.text());
        let warned: Option<Vec<String>> = reply.header("x-warnings").map(|text| serde_json::from_str(text).unwrap());
        match warned {
            None => assert_eq!(n % 2, 1, "{}", reply.head),
            Some(warned) => assert!(
                n % 2 == 0 && warned.len() == 1 && warned[0].starts_with("natoms is NULL for 1 row"),
                "{warned:?}"
            ),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_this_server_alone_and_runs_no_other_script() {
    let server = Server::start(limits(), true).await;
    let page = server.http("GET", "/", &[], b"").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self' 'sha256-") && policy.contains("connect-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("http") && !policy.split("style-src").next().unwrap().contains("unsafe"), "{policy}");
    // No script stands in the page itself.
    assert_eq!(page.text().matches("<script").count(), page.text().matches("<script src=\"page/").count() + 1);
    assert!(page.text().contains("<script type=\"module\" src=\"page/main.js\"></script>"));
    for foreign in ["http:", "https:", "//cdn", "@import"] {
        assert!(!page.text().contains(foreign), "{foreign}");
    }
    let script = server.http("GET", "/page/main.js", &[], b"").await;
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
    for missing in ["/page/none.js", "/page/..%2Fmod.rs", "/page/mod.rs", "/page/"] {
        assert_eq!(server.http("GET", missing, &[], b"").await.status, 404, "{missing}");
    }
    // The scripts that turn a crystal are among those that may run in a frame of the page.
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let crystal = server.http("GET", "/v1/structures/rutile.html?table=crystals", &[&bearer], b"").await;
    let own = crystal.text().split("script-src ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    assert!(own.split(' ').count() == 2 && own.split(' ').all(|hash| policy.contains(hash)), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_a_screening_are_counted() {
    let server = Server::start(limits(), false).await;
    let post = async |body: Value| server.http("POST", "/v1/funnel", &[JSON], body.to_string().as_bytes()).await;
    let funnel = post(
        json!({ "query": "SELECT id FROM crystals WHERE natoms(structure) = 6 AND id <> $1", "params": ["rutile"] }),
    )
    .await;
    let snapshot = server.store.newest_snapshot().unwrap();
    let steps = json!([
        { "what": "all of crystals", "rows": 1 },
        { "what": "natoms(structure) = 6", "rows": 1 },
        { "what": "id <> 'rutile'", "rows": 0 },
    ]);
    assert_eq!(funnel.json(), json!({ "snapshot": snapshot, "steps": steps }), "{}", funnel.text());
    // What is no list of conditions on one table has no such steps.
    for other in ["SELECT count(*) AS n FROM crystals WHERE id = 'rutile'", "EXPLAIN SELECT id FROM crystals", "all"] {
        let funnel = post(json!({ "query": other })).await;
        assert_eq!((funnel.status, &funnel.json()["steps"]), (200, &Value::Null), "{other}: {}", funnel.text());
    }
    for (body, status) in [
        (json!({ "query": "DROP TABLE crystals" }), 403),
        (json!({ "query": "SELECT id FROM none WHERE 1 = 1" }), 400),
        (json!({ "query": "SELECT id FROM crystals WHERE id = repeat('x', 1000000000)" }), 403),
        (json!({ "query": "SELECT id FROM crystals WHERE 1 / (natoms(structure) - 6) = 1" }), 400),
        (json!({ "query": "SELECT 1", "what": 1 }), 400),
    ] {
        let reply = post(body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_queries_and_crystals_of_older_snapshots() {
    let server = Server::start(limits(), false).await;
    let get = async |path: &str| server.http("GET", path, &[], b"").await;
    let stored = json!({ "name": "all", "answers": "What is there?", "sql": "SELECT id FROM crystals" });
    assert_eq!(get("/v1/queries").await.json(), json!({ "queries": [stored] }));
    // By its name it is asked as its text is.
    for asked in ["all", " all\n", "SELECT id FROM crystals"] {
        let reply = server.sql(json!({ "query": asked })).await;
        assert_eq!((reply.status, reply.json()), (200, json!([{ "id": "rutile" }])), "{asked}");
    }
    assert_eq!(server.sql(json!({ "query": "none_of_that_name" })).await.status, 400);
    let newest = server.store.newest_snapshot().unwrap();
    let at = |snapshot: i64| format!("/v1/structures/rutile.cif?table=crystals&snapshot={snapshot}");
    let crystal = get(&at(newest)).await;
    assert_eq!((crystal.status, crystal.header("x-snapshot")), (200, Some(newest.to_string().as_str())));
    assert_eq!(get(&at(newest - 1)).await.status, 400, "it was made later");
}
