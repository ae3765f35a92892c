use std::io::Cursor;

use report::Written;

use super::*;

/// The answers to messages, by their ids.
async fn spoken(messages: &[Value]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::init(&folder.path().join("store")).await.unwrap();
    crate::testing::fill(&store).await;
    let stored = |name, sql| StoredQuery { name, answers: format!("What is {name}?"), sql };
    let queries = vec![stored("dense", "SELECT id FROM crystals"), stored("gone", "DROP TABLE crystals")];
    let input: String = messages.iter().map(|message| format!("{message}\n")).collect();
    let output = Written::default();
    let input = Cursor::new(format!("{input}no json\n[{}]\n", messages[0]).into_bytes());
    mcp(&store, Limits::default(), Allowed::default(), queries, input, output.clone()).await.unwrap();
    let said = String::from_utf8(output.take()).unwrap();
    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for code in [-32700, -32600] {
        assert!(said.iter().any(|answer| answer["error"]["code"] == code && answer["id"].is_null()), "{said:?}");
    }
    let of = |id: &Value| said.iter().find(|answer| answer.get("id") == Some(id)).cloned().unwrap_or_default();
    messages.iter().map(|message| message.get("id").map(of).unwrap_or_default()).collect()
}

fn call(id: i64, name: &str, arguments: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": name, "arguments": arguments } })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_finds_its_way_and_changes_nothing() {
    let answers = spoken(&[
        json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": { "protocolVersion": "2025-06-18" } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
        call(
            2,
            "query",
            json!({ "sql": "SELECT id, density(structure) AS d FROM crystals WHERE id = $1", "params": ["rutile"] }),
        ),
        call(3, "query", json!({ "sql": "SELECT value FROM generate_series(1, 100)", "max_rows": 3 })),
        call(4, "query", json!({ "sql": "DROP TABLE crystals" })),
        call(5, "tables", json!({})),
        call(6, "describe", json!({ "table": "crystals" })),
        call(7, "functions", json!({ "name": "density" })),
        call(8, "structure", json!({ "id": "rutile", "table": "crystals", "format": "poscar" })),
        call(9, "stored_queries", json!({ "name": "dense" })),
        call(10, "query", json!({ "sql": "dense" })),
        call(11, "query", json!({ "sql": 1 })),
        call(12, "query", json!({})),
        call(13, "nothing", json!({})),
        json!({ "jsonrpc": "2.0", "id": 14, "method": "resources/list" }),
        call(15, "query", json!({ "sql": "SELECT * FROM read_csv('/etc/passwd')" })),
        call(16, "structure", json!({ "id": "none", "table": "crystals" })),
        call(17, "functions", json!({ "name": "read_csv" })),
        call(18, "query", json!({ "sql": "gone" })),
        call(19, "stored_queries", json!({})),
    ])
    .await;
    let result = |i: usize| &answers[i]["result"];
    assert_eq!(result(0)["protocolVersion"], "2025-06-18");
    assert_eq!(result(2)["tools"].as_array().unwrap().len(), 6);
    let rutile = result(3);
    assert_eq!(rutile["structuredContent"]["rows"][0]["id"], "rutile");
    assert_eq!(rutile["structuredContent"]["columns"][1]["unit"], "g/cm³");
    assert!(rutile["content"][0]["text"].as_str().unwrap().contains("1 rows, at snapshot"));
    assert_eq!(
        (&result(4)["structuredContent"]["truncated"], result(4)["structuredContent"]["rows"][2]["value"].as_i64()),
        (&json!(true), Some(3))
    );
    for (i, word) in [
        (5, "forbidden"),
        // A stored query goes through the gate as any other.
        (19, "forbidden"),
        (12, "bad: sql is of the type"),
        (13, "bad: query needs sql"),
        (16, "bad"),
        (17, "missing"),
        (18, "missing"),
    ] {
        assert_eq!(result(i)["isError"], true, "{}", answers[i]);
        assert!(result(i)["content"][0]["text"].as_str().unwrap().starts_with(word), "{}", answers[i]);
    }
    assert!(result(6)["structuredContent"]["tables"].as_array().unwrap().contains(&json!("crystals")));
    assert_eq!(result(7)["structuredContent"]["table"]["columns"][0]["name"], "id");
    assert!(result(8)["content"][0]["text"].as_str().unwrap().contains("g/cm³"));
    assert!(result(9)["content"][0]["text"].as_str().unwrap().contains("Direct"));
    assert_eq!(result(10)["structuredContent"]["sql"], "SELECT id FROM crystals");
    assert_eq!(result(11)["structuredContent"]["rows"][0]["id"], "rutile");
    assert_eq!(result(20)["structuredContent"]["queries"], json!(["dense", "gone"]));
    assert_eq!((&answers[14]["error"]["code"], &answers[15]["error"]["code"]), (&json!(-32602), &json!(-32601)));
}

#[test]
fn a_line_that_is_too_long_is_read_over() {
    let mut input = Cursor::new(format!("{}\n{{}}\nlast", "x".repeat(LONGEST + 1)).into_bytes());
    assert!(next_line(&mut input).unwrap().is_err());
    assert_eq!(next_line(&mut input).unwrap().unwrap(), "{}\n");
    assert_eq!(next_line(&mut input).unwrap().unwrap(), "last");
    assert!(next_line(&mut input).is_none());
}
