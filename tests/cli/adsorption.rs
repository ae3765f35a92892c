//! The paper's figures and tables of ions in tunnels as stored queries: its numbers, and computed ones beside them.

use crate::common::program::{Store, stdout};
use hollandite::store::{AdsorptionRow, ChargeRow};

/// The rows of a stored query on a store, cells by column.
fn rows(dir: &std::path::Path, query: &str) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let text = stdout(&["--store", dir.to_str().unwrap(), "sql", query, "--format", "jsonl"]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_papers_numbers_stand_beside_computed_ones() {
    let store = Store::new();
    let dir = store.path();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = hollandite::Store::open(&dir).await.unwrap();
        let row = |host: &str, formula: &str, ion: &str, channel: &str, potential| AdsorptionRow {
            host: host.into(),
            host_formula: Some(formula.into()),
            ion: ion.into(),
            n: 1,
            channel: Some(channel.into()),
            adsorption_potential: Some(potential),
            source: "test".into(),
            ..AdsorptionRow::default()
        };
        let computed = [
            row("trigonal MoVO", "V3MoO6", "Li", "heptagonal", 4.0),
            // The same formula is that of a dense oxide, which is another host.
            row("mp-1216518", "V3MoO6", "Li", "heptagonal", 9.0),
            row("nb12wo33", "Nb12WO33", "Ca", "2", 3.0),
            row("nb12wo33", "Nb12WO33", "Ca", "1", 2.0),
        ];
        store.append(&computed, "test").await.unwrap();
        let atom = |site, element: &str, charge_transfer| ChargeRow {
            host: "nb12wo33".into(),
            host_formula: Some("Nb12WO33".into()),
            ion: Some("Ca".into()),
            n: Some(1),
            site: Some(site),
            element: Some(element.into()),
            charge_transfer: Some(charge_transfer),
            source: "test".into(),
            ..ChargeRow::default()
        };
        store.append(&[atom(1, "Ca", 1.5), atom(2, "O", -0.5)], "test").await.unwrap();
    });

    let number = |row: &serde_json::Map<String, serde_json::Value>, key: &str| row.get(key).and_then(|v| v.as_f64());
    let fig4 = rows(&dir, "fig4");
    assert_eq!(fig4.len(), 15);
    assert_eq!((fig4[0]["ion"].as_str(), fig4[0]["channel"].as_str()), (Some("Li"), Some("heptagonal")));
    assert_eq!([number(&fig4[0], "paper"), number(&fig4[0], "computed")], [Some(4.73), Some(4.0)]);
    assert_eq!(
        (fig4.iter().filter_map(|r| number(r, "computed")).count(), number(&fig4[1], "voltage")),
        (1, Some(2.0))
    );

    let fig5 = rows(&dir, "fig5");
    assert_eq!(fig5.len(), 6);
    let second: Vec<_> = fig5.iter().filter_map(|r| number(r, "second")).map(|x| (x * 100.0).round() / 100.0).collect();
    assert_eq!(second, [2.48, -5.04, -1.42], "2 P(2) - P(1)");
    assert_eq!(
        fig5.iter().filter_map(|r| number(r, "computed")).collect::<Vec<_>>(),
        [3.0],
        "the best of both channels"
    );

    let table1 = rows(&dir, "table1");
    let keys = ["heptagonal_1", "hexagonal_1", "triangular_1", "heptagonal_2", "hexagonal_2"];
    assert_eq!(table1.iter().map(|r| r["ion"].as_str().unwrap()).collect::<Vec<_>>(), ["Al", "Ca", "Li"]);
    assert_eq!(keys.map(|key| number(&table1[2], key).unwrap()), [0.55, 0.69, 0.63, 0.38, 0.46]);
    let table2 = rows(&dir, "table2");
    assert_eq!(table2.len(), 4, "a row for the paper and one for each other source");
    assert_eq!(
        [number(&table2[1], "one_ion"), number(&table2[2], "one_ion")],
        [Some(1.36), Some(1.5)],
        "the ion, not O"
    );

    // Of each host and ion that the paper names: 12 and 6 points, and the sign that it states for charge transfer in Nb12WO33.
    let trends = rows(&dir, "trends");
    let find = |quantity: &str, host: &str| {
        let of = |r: &&serde_json::Map<String, serde_json::Value>| {
            r["quantity"].as_str().unwrap().starts_with(quantity)
                && r["host"] == host
                && r["source"].as_str().unwrap().starts_with("Datta")
        };
        trends.iter().find(of).unwrap_or_else(|| panic!("{quantity} {host}"))
    };
    let transfer = find("charge transfer", "Nb12WO33");
    assert!(number(transfer, "points") == Some(6.0) && number(transfer, "correlation").unwrap() < -0.4, "{transfer:?}");
    let area = find("channel area", "all");
    assert!(number(area, "points") == Some(16.0) && number(area, "slope").unwrap() > 0.05, "{area:?}");
    assert!(number(find("charge density", "trigonal MoVO"), "correlation").unwrap() < -0.4);
    let points = rows(&dir, "trend_points");
    assert_eq!(points.iter().filter(|r| r["source"] != "test").count(), 18);
    assert!(
        points.iter().all(|r| number(r, "ion_radius").unwrap() > 0.5 && number(r, "charge_density").unwrap() < 4.8)
    );
}
