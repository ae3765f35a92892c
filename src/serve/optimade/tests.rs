//! Requests as clients of OPTIMADE send them, to a server that listens.

use serde_json::{Value, json};
use sql::Session;

use crate::testing::{Reply, Server, limits};

/// Hosts in the table `hosts`, with a column of ours that is unknown of one of them.
async fn server() -> (Server, usize) {
    let server = Server::start(limits(), false).await;
    let session = Session::open(&server.store, None).await.unwrap();
    let hosts = formats::hosts::embedded();
    let row = |host: &formats::hosts::Host| {
        let tag = if host.id == "rutile" { "NULL".to_owned() } else { sql::quoted_text(&format!("100%_{}", host.id)) };
        format!("('{}', structure('{}'), {tag}, {})", host.id, formats::to_poscar(&host.structure, "x"), host.id.len())
    };
    let rows: Vec<String> = hosts.iter().map(row).collect();
    let table =
        format!("CREATE TABLE hosts AS SELECT * FROM (VALUES {}) AS t (id, structure, tag, n)", rows.join(", "));
    session.sql(&table).await.unwrap().collect().await.unwrap();
    (server, hosts.len())
}

async fn get(server: &Server, page: &str) -> Reply {
    server.http("GET", &format!("/optimade/hosts/v1/{page}"), &[], b"").await
}

/// A text as part of an address.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn filtered(server: &Server, filter: &str) -> Value {
    let reply =
        get(server, &format!("structures?page_limit=1000&response_fields=elements&filter={}", encoded(filter))).await;
    assert_eq!(reply.status, 200, "{filter}: {}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/vnd.api+json"));
    reply.json()
}

fn ids(document: &Value) -> Vec<&str> {
    document["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_what_the_crystals_say() {
    let (server, n) = server().await;
    let hosts = formats::hosts::embedded();
    let of = |holds: &dyn Fn(&formats::hosts::Host) -> bool| {
        let mut ids: Vec<&str> = hosts.iter().filter(|host| holds(host)).map(|host| host.id.as_str()).collect();
        ids.sort_unstable();
        ids
    };
    let has = |host: &formats::hosts::Host, symbol: &str| host.structure.species().iter().any(|e| e.symbol() == symbol);
    let all = of(&|_| true);
    assert!(n > 10 && all.contains(&"rutile"));
    let ti = of(&|host| has(host, "Ti"));
    for (filter, expected) in [
        ("", all.clone()),
        ("elements HAS \"Ti\"", ti.clone()),
        ("NOT elements HAS \"Ti\"", of(&|host| !has(host, "Ti"))),
        ("elements HAS ALL \"Ti\",\"O\"", of(&|host| has(host, "Ti") && has(host, "O"))),
        ("elements HAS ANY \"Ti\",\"Mn\"", of(&|host| has(host, "Ti") || has(host, "Mn"))),
        (
            "elements HAS ONLY \"Ti\",\"O\"",
            of(&|h| h.structure.species().iter().all(|e| ["Ti", "O"].contains(&e.symbol()))),
        ),
        ("elements LENGTH 2", of(&|host| host.structure.composition().iter().count() == 2)),
        ("nelements = 2", of(&|host| host.structure.composition().iter().count() == 2)),
        ("2 <= nsites AND nsites < 7", of(&|host| (2..7).contains(&host.structure.len()))),
        ("id = \"rutile\"", vec!["rutile"]),
        ("id STARTS WITH \"rut\" OR id ENDS \"tile\"", of(&|h| h.id.starts_with("rut") || h.id.ends_with("tile"))),
        (
            "chemical_formula_reduced = \"O2Ti\" AND elements HAS \"Ti\"",
            of(&|h| h.structure.composition().reduced_formula() == "TiO2"),
        ),
        ("chemical_formula_anonymous CONTAINS \"A2\" AND id=\"rutile\"", vec!["rutile"]),
        ("_hollandite_tag IS UNKNOWN", vec!["rutile"]),
        ("NOT _hollandite_tag IS KNOWN", vec!["rutile"]),
        // What is unknown meets no comparison, nor its contrary.
        ("_hollandite_tag = \"x\" OR NOT _hollandite_tag = \"x\"", of(&|host| host.id != "rutile")),
        // Signs of patterns and quotes stand for themselves.
        ("_hollandite_tag STARTS WITH \"100%_r\"", of(&|h| h.id != "rutile" && h.id.starts_with('r'))),
        ("_hollandite_tag CONTAINS \"%a\"", vec![]),
        ("id = \"' OR 1=1 --\"", vec![]),
        ("id = \"\\\"; DROP TABLE hosts; --\"", vec![]),
        ("_hollandite_n >= 0 AND type = \"structures\"", all.clone()),
        ("_hollandite_n < _hollandite_n", vec![]),
        ("structure_features LENGTH 0", all.clone()),
        ("structure_features HAS \"disorder\"", vec![]),
        ("last_modified IS KNOWN", vec![]),
        ("space_group_it_number = 136 AND id = \"rutile\"", vec!["rutile"]),
        ("space_group_symbol_hermann_mauguin_extended IS KNOWN OR chemical_formula_hill = \"O2Ti\"", vec![]),
        ("lattice_vectors IS KNOWN", all.clone()),
        ("_hollandite_spacegroup = 136 AND id = \"rutile\"", vec!["rutile"]),
    ] {
        let found = filtered(&server, filter).await;
        assert_eq!(ids(&found), expected, "{filter}");
        assert_eq!(found["meta"]["data_available"], json!(n), "{filter}");
        let calls = filter.contains("spacegroup") || filter.contains("it_number");
        assert_eq!(found["meta"]["data_returned"], if calls { Value::Null } else { json!(expected.len()) }, "{filter}");
    }
    assert_eq!(server.store.newest_snapshot().unwrap(), server.store.snapshots().unwrap().len() as i64 - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_of_other_providers_are_unknown_and_other_names_refused() {
    let (server, n) = server().await;
    let found = filtered(&server, "_exmpl_gap > 1 OR _other_x HAS \"y\" OR NOT _exmpl_gap < 2").await;
    assert_eq!((ids(&found).len(), found["meta"]["warnings"].as_array().unwrap().len()), (0, 2), "{found}");
    assert_eq!(found["meta"]["warnings"][0]["type"], "warning");
    assert_eq!(ids(&filtered(&server, "_exmpl_gap IS UNKNOWN").await).len(), n);
    let other = get(&server, "structures?response_fields=_exmpl_gap,nsites&page_limit=1&_exmpl_key=1").await.json();
    assert_eq!(other["data"][0]["attributes"].as_object().unwrap().len(), 2);
    assert_eq!(other["data"][0]["attributes"]["_exmpl_gap"], Value::Null);
    assert_eq!(other["meta"]["warnings"].as_array().unwrap().len(), 2, "{other}");
    let chain = |n| format!("filter={}", vec!["nsites=1"; n].join("+OR+"));
    let (wide, long) = (chain(600), chain(700));
    let named = |what: &str, n: usize| format!("{what}={}", (0..n).map(|i| format!("_x_{i},")).collect::<String>());
    let (few, many_fields, many_keys) =
        (named("response_fields", 16), named("response_fields", 1000), named("sort", 1000));
    let twice = format!("sort={}&response_fields={}", "nsites,-nsites,".repeat(1000), "nsites,".repeat(1000));
    let deep = format!("filter={}nsites=1{}", "(".repeat(4000), ")".repeat(4000));
    for (query, status) in [
        ("filter=crazyfield%20%3D%202", 400),
        ("filter=_hollandite_crazy%3D2", 400),
        ("filter=nsites%3D%22two%22", 400),
        ("filter=id%3D5", 400),
        ("filter=id%20HAS%20%22x%22", 400),
        ("filter=nsites%20CONTAINS%20%221%22", 400),
        ("filter=elements%20HAS%201", 400),
        ("filter=nsites%3D1%3B%20DROP%20TABLE%20hosts", 400),
        ("filter=%FF%FE", 400),
        ("filter=%zz", 400),
        ("filter=nsites%3D1&filter=nsites%3D2", 400),
        ("filter=nsites%3D99999999999999999999999", 200),
        ("filter=elements%20%3D%20%22Ti%22", 501),
        ("filter=species.name%20HAS%20%22Ti%22", 501),
        ("filter=species%20HAS%20%22Ti%22", 501),
        ("filter=elements:elements_ratios%20HAS%20%22Ti%22:1", 501),
        (&deep, 400),
        (&wide, 200),
        (&long, 413),
        ("filter=space_group_symbol_hall%3D%22-P%204n%202n%22", 501),
        ("filter=space_group_symmetry_operations_xyz%20HAS%20%22x%22", 501),
        ("sort=space_group_symbol_hermann_mauguin", 501),
        ("sort=elements", 400),
        ("sort=nothing", 400),
        ("response_fields=nothing", 400),
        ("response_fields=_hollandite_relax", 400),
        (&few, 200),
        (&many_fields, 400),
        (&many_keys, 400),
        (&twice, 200),
        ("response_format=xml", 400),
        ("include=calculations", 400),
        ("page_limit=0", 400),
        ("page_limit=-1", 400),
        ("page_limit=1001", 403),
        ("page_limit=99999999999999999999999", 400),
        ("page_offset=99999999999", 400),
        ("page_offset=999999999", 200),
        ("page_number=99999999999999999", 400),
        ("page_cursor=x", 501),
        ("_hollandite_snapshot=99999", 400),
        ("what=1", 400),
    ] {
        let reply = get(&server, &format!("structures?{query}")).await;
        let shown: String = query.chars().take(60).collect();
        assert_eq!(reply.status, status, "{shown}: {}", reply.text());
        let document = reply.json();
        assert_eq!(document["meta"]["api_version"], "1.2.0");
        if status != 200 {
            assert_eq!(document["errors"][0]["status"], json!(status.to_string()), "{shown}");
        }
    }
    assert_eq!(ids(&filtered(&server, "").await).len(), n);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_at_one_snapshot() {
    let (server, n) = server().await;
    let mut seen: Vec<String> = Vec::new();
    let mut at = "/optimade/hosts/v1/structures?page_limit=40&sort=-nsites&response_fields=nsites".to_owned();
    loop {
        let page = server.http("GET", &at, &[], b"").await.json();
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["links"]["next"].as_str() else {
            assert_eq!(page["meta"]["more_data_available"], false);
            break;
        };
        assert!(next.contains("_hollandite_snapshot=") && page["data"].as_array().unwrap().len() == 40, "{next}");
        at = next.strip_prefix(&format!("http://{}", server.at.http.unwrap())).unwrap().to_owned();
        if seen.len() == 40 {
            // What is deleted meanwhile is still on the pages that follow.
            let session = Session::open(&server.store, None).await.unwrap();
            session.sql("DELETE FROM hosts WHERE n > 0 AND id <> 'x'").await.unwrap().collect().await.unwrap();
        }
    }
    let mut expected: Vec<(usize, String)> =
        formats::hosts::embedded().into_iter().map(|host| (host.structure.len(), host.id)).collect();
    expected.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    assert_eq!((seen.len(), seen), (n, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>()));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_hold_what_is_asked_for_and_our_reader_gets_the_crystal_back() {
    let (server, _) = server().await;
    let all = get(&server, "structures/rutile").await.json();
    let attributes = &all["data"]["attributes"];
    assert_eq!((&attributes["chemical_formula_reduced"], &attributes["nsites"]), (&json!("O2Ti"), &json!(6)));
    assert_eq!((&attributes["_hollandite_n"], &attributes["_hollandite_tag"]), (&json!(6), &Value::Null));
    // What is computed is not computed unasked.
    assert!(attributes.get("_hollandite_predict_ef").is_none() && attributes.get("_hollandite_tag").is_some());
    let read = formats::parse_structure(&all["data"].to_string()).unwrap();
    assert_eq!(crystal::content_hash(&read), crystal::content_hash(&formats::hosts::host("rutile").unwrap()));
    let page =
        "structures/rutile?response_fields=_hollandite_predict_ef,_hollandite_void,_hollandite_spacegroup,elements";
    let some = get(&server, page).await.json();
    let attributes = some["data"]["attributes"].as_object().unwrap();
    assert_eq!(attributes.len(), 4);
    assert!(attributes["_hollandite_predict_ef"].as_f64().unwrap() < -2.0, "{some}");
    assert_eq!((&attributes["_hollandite_spacegroup"], &attributes["elements"]), (&json!(136), &json!(["O", "Ti"])));
    // The space group likewise: as the tolerance of the column spacegroup has it, for this very cell.
    assert!(!all["data"]["attributes"].as_object().unwrap().keys().any(|name| name.starts_with("space_group_")));
    let group = formats::optimade_space_group(&formats::hosts::host("rutile").unwrap(), crystal::DEFAULT_SYMPREC);
    let page = format!("structures/rutile?response_fields={}", formats::OPTIMADE_SPACE_GROUP.join(","));
    assert_eq!(get(&server, &page).await.json()["data"]["attributes"], Value::Object(group.clone()));
    assert_eq!((&group["space_group_it_number"], &group["space_group_symbol_hall"]), (&json!(136), &json!("-P 4n 2n")));
    let none = get(&server, "structures/no%2Fsuch%20id").await;
    assert_eq!((none.status, &none.json()["data"]), (200, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_describes_itself() {
    let (server, _) = server().await;
    let versions = server.http("GET", "/optimade/versions", &[], b"").await;
    assert_eq!((versions.text(), versions.header("content-type")), ("version\n1\n", Some("text/csv; header=present")));
    let info = get(&server, "info").await.json();
    let base = format!("http://{}/optimade/hosts/v1", server.at.http.unwrap());
    assert_eq!(info["data"]["attributes"]["available_api_versions"][0]["url"], base);
    let structures = get(&server, "info/structures").await.json();
    let properties = &structures["data"]["properties"];
    assert_eq!(properties["_hollandite_predict_ef"]["unit"], "eV/{atom}");
    for (name, kind, sortable) in [
        ("space_group_it_number", "integer", true),
        ("space_group_symbol_hermann_mauguin", "string", false),
        ("space_group_symbol_hall", "string", false),
        ("space_group_symmetry_operations_xyz", "list", false),
    ] {
        let said = &properties[name];
        assert_eq!((&said["type"], &said["sortable"]), (&json!(kind), &json!(sortable)), "{name}");
    }
    assert_eq!(
        properties["elements"],
        json!({ "type": "list", "unit": null, "sortable": false,
        "description": "Symbols of the elements, alphabetical." })
    );
    let links = get(&server, "links").await.json();
    let kinds: Vec<(&str, &str)> = links["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| (link["id"].as_str().unwrap(), link["attributes"]["link_type"].as_str().unwrap()))
        .collect();
    assert!(kinds.contains(&("hosts", "root")) && kinds.contains(&("tmo", "child")), "{kinds:?}");
    for (path, status) in [
        ("/optimade/v1.2.0/info", 200),
        ("/optimade/v1/links/", 200),
        ("/optimade/v2/info", 553),
        ("/optimade/v1.3/structures", 553),
        ("/optimade/v1/versions", 404),
        ("/optimade/v1/references", 404),
        ("/optimade/v1", 404),
        ("/optimade/hosts/structures", 404),
        ("/optimade/adsorption/v1/structures", 404),
        ("/optimade/v1/info/references", 404),
        ("/optimade/hosts/v1/info", 200),
        ("/optimade/none/v1/info", 404),
        ("/optimade/none/v1/info/structures", 404),
        ("/optimade/none/v1/links", 404),
        ("/optimade/none/v1/structures", 404),
        ("/optimade/none/v1/structures/x", 404),
        ("/optimade/%22%3B%20DROP%20TABLE%20hosts/v1/structures", 404),
        ("/optimade/none/v1/structures?what=1", 404),
        ("/optimade/hosts/v1/structures?what=1", 400),
        ("/optimade/%FF/v1/structures", 400),
    ] {
        let reply = server.http("GET", path, &[], b"").await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert!(status == 200 || reply.json()["errors"][0]["detail"].is_string(), "{path}");
    }
}
