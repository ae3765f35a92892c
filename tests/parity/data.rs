//! The places of the numbers of other programs. Small ones are part of the project, in fixtures/golden, and always
//! compared: a test whose golden is missing fails. Larger sets lie in a folder `shared` beside the repository; where it
//! is, they are compared too.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use hollandite::crystal::{Element, Lattice, Structure};
use hollandite::formats::read_file;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A file of fixtures/golden.
pub fn golden(name: &str) -> Value {
    json(&root().join("fixtures/golden").join(name))
}

/// A file or folder of `shared`, where that lies beside the repository.
pub fn beside(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(name);
    path.exists().then_some(path)
}

/// The same for a test that compares nothing else: it says that it is skipped.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = beside(name);
    if path.is_none() {
        crate::common::skip(format_args!("../shared/{name} is not here"));
    }
    path
}

/// What a peer says of the crystals of the larger set, where it lies beside the repository.
pub fn larger(name: &str) -> Option<Value> {
    beside(&format!("reference/{name}")).map(|path| json(&path))
}

/// A crystal in JSON: lattice, species, frac_coords.
pub fn structure(v: &Value) -> Structure {
    let rows: [[f64; 3]; 3] = serde_json::from_value(v["lattice"].clone()).unwrap();
    let symbols: Vec<String> = serde_json::from_value(v["species"].clone()).unwrap();
    let species = symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect();
    let coords = serde_json::from_value(v["frac_coords"].clone()).unwrap();
    Structure::new(Lattice::new(rows).unwrap(), species, coords).unwrap()
}

pub fn numbers(v: &Value) -> Vec<f64> {
    serde_json::from_value(v.clone()).unwrap()
}

/// The crystals of a golden that holds them: name, crystal, the peer's numbers.
pub fn golden_crystals(name: &str) -> Vec<(String, Structure, Value)> {
    let file = golden(name);
    let crystal = |v: &Value| structure(v.get("structure").unwrap_or(v));
    file["values"].as_object().unwrap().iter().map(|(k, v)| (k.clone(), crystal(v), v.clone())).collect()
}

/// The labelled sample that comes with the program: id, crystal, formation energy in eV/atom.
pub fn labelled() -> Vec<(String, Structure, f64)> {
    let file = std::fs::File::open(root().join("fixtures/sample/materials_project.jsonl.gz")).unwrap();
    let lines = BufReader::new(flate2::read::MultiGzDecoder::new(file)).lines().map(Result::unwrap);
    let row = |line: String| {
        let row: Value = serde_json::from_str(&line).unwrap();
        let energy = row["formation_energy_per_atom"].as_f64().unwrap();
        (row["id"].as_str().unwrap().to_owned(), structure(&row), energy)
    };
    lines.filter(|line| !line.starts_with('#')).map(row).collect()
}

/// Its crystals.
pub fn sample() -> HashMap<String, Structure> {
    labelled().into_iter().map(|(id, structure, _)| (id, structure)).collect()
}

/// The sixty oxides of the larger set, where it lies beside the repository.
pub fn sixty() -> Vec<(String, Structure)> {
    let Some(file) = beside("reference/structures60.jsonl") else { return Vec::new() };
    let crystals: Vec<_> = read_file(&file).map(Result::unwrap).map(|r| (r.id, r.structure)).collect();
    assert_eq!(crystals.len(), 60);
    crystals
}

/// A crystal, what a peer says of it, and the head of the file that says so.
pub struct Case {
    pub id: String,
    pub structure: Structure,
    pub want: Value,
    pub meta: Value,
}

/// Part `part` of sample.json, and the file `part`.json of the larger set.
pub fn cases(part: &str) -> Vec<Case> {
    let (small, sample) = (golden("sample.json"), sample());
    let of_sample = small["values"].as_object().unwrap().iter();
    let mut cases: Vec<Case> = of_sample
        .map(|(id, v)| {
            let (structure, want) = (sample[id].clone(), v[part].clone());
            Case { id: id.clone(), structure, want, meta: small["meta"].clone() }
        })
        .collect();
    assert!(cases.len() >= 20 && cases.iter().all(|case| !case.want.is_null()), "{part} of sample.json");
    if let Some(large) = larger(&format!("{part}.json")) {
        let of_sixty = sixty().into_iter().map(|(id, structure)| {
            let want = large["values"][&id].clone();
            Case { id, structure, want, meta: large["meta"].clone() }
        });
        cases.extend(of_sixty);
    }
    cases
}

/// Who made a golden, with what version, and by which script, stands in its head.
#[test]
fn every_golden_says_whose_numbers_it_holds() {
    let mut files = 0;
    for entry in std::fs::read_dir(root().join("fixtures/golden")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue; // The scripts.
        }
        let text = read(&path);
        let head = text.lines().take(12).collect::<Vec<_>>().join(" ");
        let version =
            head.split_whitespace().any(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
        assert!(version, "{}: no version of a program in its head", path.display());
        let scripts = head.split(['"', ' ', ',', ';', '(', ')']).filter(|word| word.ends_with(".py"));
        let known = scripts.filter(|script| root().join(script).is_file()).count();
        assert!(known > 0, "{}: no script of this repository in its head", path.display());
        files += 1;
    }
    assert!(files >= 15, "{files}");
}
