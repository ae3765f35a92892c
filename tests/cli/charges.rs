//! Densities and charges from outside: malformed files are refused where and why a table says, and the program's numbers for
//! densities that are known exactly are those numbers.

use std::path::{Path, PathBuf};

use crate::common::program::{Store, hollandite, stdout};
use hollandite::adsorption::charge::{DEFAULT_REACH, DEFAULT_VACUUM, charges, valence_electrons};
use hollandite::formats::{read_valences, read_volumetric};
use predicates::str::contains;
use serde_json::Value;

const CELLS: &str = "fixtures/vasp/liwo3";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

#[test]
fn every_malformed_density_is_refused_where_and_why_its_table_says() {
    let folder = fixture("malformed/volumetric");
    let table = std::fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(2).map(|row| row.split('\t').collect()).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        match read_volumetric(&folder.join(row[0])) {
            Err(r) if r.line.to_string() == row[1] && r.reason.contains(row[2]) && r.path.ends_with(row[0]) => {}
            other => wrong.push(format!("{row:?}: {:?}", other.map(|v| v.shape).map_err(|r| r.to_string()))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), rows.len() + 1, "the table names every file");
}

/// A density cut anywhere is refused, but where a whole block ends: what follows it is optional.
#[test]
fn a_density_cut_anywhere_never_passes_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("x\n1.0\n2 0 0\n0 2 0\n0 0 2\nLi H\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n\n");
    for _ in 0..2 {
        text += " 2 1 3\n 0.1E+01 0.2E+01 0.3E+01 -.4E+01\n 0.5E+01 0.6E+01\n";
        text += "augmentation occupancies   1   2\n 0.1 0.2\naugmentation occupancies   2   1\n -.3\n";
    }
    let path = folder.path().join("CHGCAR");
    std::fs::write(&path, &text).unwrap();
    let whole = read_volumetric(&path).unwrap();
    let mut passed = Vec::new();
    for end in 0..text.len() {
        std::fs::write(&path, &text[..end]).unwrap();
        if let Ok(read) = read_volumetric(&path) {
            assert_eq!(read.total(), whole.total());
            passed.push(end);
        }
    }
    // Behind a field and behind all its occupancies, with blanks or without.
    assert!(passed.iter().all(|&end| text[..end].trim_end_matches(' ').ends_with('\n')), "{passed:?}");
    assert!(passed.len() <= 4, "{passed:?}");
}

#[test]
fn the_fixture_has_the_electrons_that_it_says() {
    let folder = fixture("vasp/liwo3/inserted");
    let read = |name: &str| read_volumetric(&folder.join(name)).unwrap();
    let valence = read("CHGCAR.gz");
    let z = valence_electrons(&valence.structure, &read_valences(&folder.join("POTCAR")).unwrap()).unwrap();
    let reference = [read("AECCAR0.gz"), read("AECCAR2.gz")];
    let found = charges(&valence, &reference, &z, DEFAULT_VACUUM, DEFAULT_REACH).unwrap();
    assert!((found.electrons - 27.0).abs() < 1e-3 && found.cell_charge.abs() < 1e-3);
    let assigned: f64 = found.sites.iter().map(|s| s.electrons).sum();
    assert!((assigned + found.unassigned_electrons() - 27.0).abs() < 1e-3);
    // The three oxygens are one by symmetry.
    let o: Vec<f64> = found.sites[2..].iter().map(|s| s.net_charge).collect();
    assert!(o.iter().all(|q| (q - o[0]).abs() < 1e-9 && *q < -0.5), "{o:?}");
    assert!(found.sites[0].net_charge > 0.5 && found.sites[1].net_charge > 0.5);
}

#[test]
fn charges_are_printed_and_kept() {
    let inserted = format!("{CELLS}/inserted");
    let host = format!("{CELLS}/host");
    let json = stdout(&["charges", &inserted, "--host", &host, "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&json).unwrap();
    let column = |name: &str| -> Vec<f64> { rows.iter().map(|r| r[name].as_f64().unwrap()).collect() };
    assert_eq!(rows.iter().map(|r| r["element"].as_str().unwrap()).collect::<Vec<_>>(), ["Li", "W", "O", "O", "O"]);
    assert!((column("electrons").iter().sum::<f64>() - 27.0).abs() < 1e-3);
    // What lithium gave, the host took.
    let gave = column("charge_transfer");
    assert!((gave[0] - column("net_charge")[0]).abs() < 1e-12 && gave.iter().sum::<f64>().abs() < 1e-3, "{gave:?}");
    assert!(gave[1..].iter().all(|x| *x < 0.0), "{gave:?}");

    let store = Store::new();
    let args = ["charges", &inserted, "--host", &host, "--keep", "wo3", "--channel", "cage", "--functional", "PBE"];
    store.run(&args).assert().success().stdout(contains("added 5 rows to charges")).stderr(contains(
        "27.0000 electrons: 27.0000 in 5 atoms, 0.0000 in 0.00 Å³ of vacuum, 0.0000 out of reach; charge of the cell",
    ));
    store.run(&args).assert().success().stdout(contains("added 0 rows to charges; 5 already there"));
    store.run(&["charges", &host, "--keep", "wo3"]).assert().success().stdout(contains("added 4 rows"));
    let query = "SELECT host_formula, ion, n, channel, site, element, round(net_charge, 2) > 0.5 AS cation, method, run \
                 FROM charges WHERE host = 'wo3' AND structure_hash IS NOT NULL ORDER BY ion NULLS LAST, site LIMIT 1";
    let row: Vec<Value> = serde_json::from_str(&store.stdout(&["sql", query, "--format", "json"])).unwrap();
    let expected = serde_json::json!([{
        "host_formula": "WO3", "ion": "Li", "n": 1, "channel": "cage", "site": 1, "element": "Li", "cation": true,
        "method": "Bader, weight method, basins of AECCAR0.gz + AECCAR2.gz", "run": "inserted"
    }]);
    assert_eq!(Value::Array(row), expected);
    let count = "SELECT count(*) AS n, count(charge_transfer) AS given FROM charges WHERE host = 'wo3'";
    assert_eq!(store.stdout(&["sql", count, "--format", "csv"]), "n,given\n9,5\n");
}

#[test]
fn what_is_missing_or_does_not_fit_is_said() {
    let chgcar = format!("{CELLS}/ion/CHGCAR.gz");
    let fail = |args: &[&str], code: i32, said: &str| {
        hollandite(args).assert().code(code).stderr(contains(said.to_owned()));
    };
    fail(&["charges", &chgcar], 1, "--valence Li=N");
    fail(&["charges", &chgcar, "--valence", "Li"], 2, "as in Mn=7");
    fail(&["charges", &chgcar, "--valence", "Li=3", "--ion", "Ca"], 2, "there is no Ca in");
    fail(&["charges", "fixtures/hosts"], 1, "there is no CHGCAR in fixtures/hosts");
    fail(
        &["charges", "fixtures/malformed/volumetric/CHGCAR.cut", "--valence", "Li=3,H=1"],
        1,
        "CHGCAR.cut:13: the file ends",
    );
    fail(&["charges", &chgcar, "--minus", &chgcar], 2, "--average");
    let whole = format!("{CELLS}/inserted");
    fail(&["charges", &whole, "--average", "c", "--minus", &chgcar], 1, "is in no part");
    // Without the host, the ion's own charge is what it gave, and of the others nothing is known.
    let json = stdout(&["charges", &whole, "--ion", "Li", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert!(
        rows[0]["charge_transfer"].as_f64() == rows[0]["net_charge"].as_f64() && rows[1]["charge_transfer"].is_null()
    );
}

#[test]
fn differences_are_averaged_over_planes() {
    let [whole, host, ion] = ["inserted", "host", "ion"].map(|name| format!("{CELLS}/{name}"));
    let args = ["charges", &whole, "--minus", &host, "--minus", &ion, "--average", "c", "--format", "csv"];
    let output = hollandite(&args).output().unwrap();
    assert!(output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("electrons moved") && error.contains("integral of Δρ +0.0000"), "{error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let means: Vec<f64> = text.lines().skip(1).map(|l| l.split_once(',').unwrap().1.parse().unwrap()).collect();
    assert_eq!((text.lines().next(), means.len()), (Some("height,mean"), 12));
    // Electrons leave the plane of lithium.
    assert!(means.iter().sum::<f64>().abs() < 1e-9 && means[1] < 0.0 && means[6] > 0.0, "{means:?}");
}
