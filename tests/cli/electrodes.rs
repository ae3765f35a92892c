//! Insertion electrodes from outside: a list and its crystals come in, once, and what is no electrode is refused with the reason.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use crate::common::program::Store;

const CELL: &str = r#""lattice": [[4,0,0],[0,4,0],[0,0,4]]"#;

fn crystal(id: &str, species: &str, coords: &str) -> String {
    format!(r#"{{"id": "{id}", {CELL}, "species": [{species}], "frac_coords": [{coords}]}}"#) + "\n"
}

#[test]
fn a_list_comes_in_with_its_crystals() {
    let store = Store::new();
    let host = "[0,0,0],[0.5,0,0],[0,0.5,0],[0,0,0.5]";
    let empty = crystal("empty", r#""W","O","O","O""#, host);
    let full = crystal("full", r#""W","O","O","O","Li""#, &format!("{host},[0.5,0.5,0.5]"));
    let crystals = store.file("crystals.jsonl", &(empty + &full));
    let list = store.file(
        "list.csv",
        "battery_id,working_ion,id_charge,id_discharge,average_voltage,max_delta_volume\na,Li,empty,full,2.5,0.1\nb,Li,empty,lost,1.0,0.1\nc,Li,full,empty,1.0,0.1\n",
    );
    let import = ["import", &list, &crystals, "--into", "electrodes", "--source", "a list"];
    let said = store.run(&import).assert().success().stderr(contains("list.csv:4").and(contains("not one host")));
    let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
    assert!(said.contains("added 1 rows to electrodes; 1 left out") && said.contains("1 refused"), "{said}");
    let again = store.run(&import).assert().success();
    assert!(
        String::from_utf8_lossy(&again.get_output().stdout).contains("added 0 rows to electrodes; 1 already there")
    );
    let rows = store.stdout(&[
        "sql",
        "SELECT battery_id, ion, n, cells, voltage, source, natoms(discharged) AS natoms FROM electrodes WHERE method = 'DFT'",
        "--format",
        "csv",
    ]);
    assert_eq!(rows, "battery_id,ion,n,cells,voltage,source,natoms\na,Li,1.0,1.0,2.5,a list,5\n");
    // Ten electrodes by experiment are in every store.
    let measured =
        store.stdout(&["sql", "SELECT count(*) AS n FROM electrodes WHERE method = 'experiment'", "--format", "csv"]);
    assert_eq!(measured, "n\n10\n");
    store.run(&["import", &crystals, "--into", "electrodes"]).assert().failure().stderr(contains("battery_id"));
    store.run(&["import", &list, "--into", "electrodes", "--dedupe"]).assert().code(2).stderr(contains("--dedupe"));
    // Without an energy model the query says how to get one.
    store.run(&["sql", "voltages"]).assert().failure().stderr(contains("models add"));
}
