//! Bad input: every file of `fixtures/malformed` is refused at the line and for the reason that its `expected.tsv` states, and
//! the good rows beside the fault are read. Valid files changed at random never make a reader panic.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use hollandite::columns;
use hollandite::crystal::Structure;
use hollandite::formats::{
    self, Input, Reading, Rejection, expand, parse_structure, read_file, to_cif, to_json, to_poscar, vasp,
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::common::ask;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/malformed")
}

/// What the table expects of one file: its faults in order as (line, part of the reason), and the number of good rows.
type Expected = BTreeMap<String, (Vec<(usize, String)>, usize)>;

fn expected() -> Expected {
    let table = fs::read_to_string(folder().join("expected.tsv")).unwrap();
    let mut files = Expected::new();
    for row in table.lines().filter(|l| !l.starts_with('#')).skip(1) {
        let [file, line, reason, good] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("four columns: {row}") };
        let entry = files.entry(file.to_owned()).or_insert((Vec::new(), good.parse().unwrap()));
        entry.0.push((line.parse().unwrap(), reason.to_owned()));
    }
    files
}

#[test]
fn every_malformed_file_is_refused_where_and_why_the_table_says() {
    let expected = expected();
    let mut wrong = Vec::new();
    for (file, (faults, good)) in &expected {
        let input = Input::new(folder().join(file));
        let read: Vec<_> = formats::read(&input, &Reading::default()).collect();
        let rejections: Vec<&Rejection> = read.iter().filter_map(|r| r.as_ref().err()).collect();
        let records = read.len() - rejections.len();
        let agree = rejections.len() == faults.len()
            && rejections.iter().zip(faults).all(|(r, (line, reason))| r.line == *line && r.reason.contains(reason));
        if records != *good || !agree {
            let found: Vec<_> = rejections.iter().map(|r| format!("{r}")).collect();
            wrong.push(format!("{file}: expected {good} good and {faults:?}, found {records} good and {found:#?}"));
        }
        assert!(rejections.iter().all(|r| r.path.ends_with(file) && !r.reason.is_empty()), "{file}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_names_every_file_and_at_least_forty_kinds() {
    let expected = expected();
    let listed = |input: &Input| expected.contains_key(&*input.path.file_name().unwrap().to_string_lossy());
    let files = expand(&[folder()]).unwrap();
    assert!(files.iter().all(listed), "{:?}", files.iter().find(|f| !listed(f)));
    assert_eq!(files.len(), expected.len());
    assert!(files.len() >= 40);
}

#[test]
fn every_malformed_calculation_is_refused_where_and_why_its_table_says() {
    let folder = folder().join("vasp");
    let table = fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(2).map(|row| row.split('\t').collect()).collect();
    let found = vasp::calculations(&folder).unwrap();
    assert_eq!(found.iter().flat_map(vasp::Calculation::files).count(), rows.len());
    let mut wrong = Vec::new();
    for calculation in found {
        // Each by itself: a file that is refused has no other beside it here.
        for path in calculation.files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            let alone = vasp::Calculation {
                vasprun: calculation.vasprun.clone().filter(|p| p == path),
                outcar: calculation.outcar.clone().filter(|p| p == path),
                ..calculation.clone()
            };
            let row = rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{name} is not in the table"));
            let vasp::Reading { run, refused } = vasp::read_calculation(&alone);
            let good = run.is_none() && refused.len() == 1;
            if !good || refused[0].line.to_string() != row[1] || !refused[0].reason.contains(row[2]) {
                wrong.push(format!("{row:?}: found {refused:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_change_of_the_schema_in_a_parquet_footer_makes_the_reader_panic() {
    let good = parquet();
    let key = b"ARROW:schema";
    let at = good.windows(key.len()).rposition(|w| w == key).expect("arrow's writer keeps its schema") + key.len();
    let path = std::env::temp_dir().join(format!("hollandite-schema-{}.parquet", std::process::id()));
    let mut refused = 0;
    for k in at..good.len() - 8 {
        let mut bytes = good.clone();
        bytes[k] = if bytes[k] == b'A' { b'z' } else { b'A' };
        fs::write(&path, bytes).unwrap();
        let read: Vec<_> = formats::read(&Input::new(&path), &Reading::default()).collect();
        refused += usize::from(read.iter().any(Result::is_err));
        assert!(!read.is_empty(), "byte {k}: nothing is said");
    }
    fs::remove_file(path).unwrap();
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_file_that_is_not_there_is_one_rejection() {
    let read: Vec<_> = read_file(&folder().join("missing.cif")).collect();
    assert!(matches!(&read[..], [Err(Rejection { line: 0, .. })]), "{read:?}");
}

/// Valid files of every format, one crystal or two each.
static VALID: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(|| {
    let texts = texts().into_iter().map(|(name, text)| (name, text.into_bytes()));
    texts.chain([("x.parquet", parquet()), ("x.db", ase_db())]).collect()
});

fn texts() -> Vec<(&'static str, String)> {
    let rutile = "rutile\n1.0\n4.594 0 0\n0 4.594 0\n0 0 2.959\nTi O\n2 4\nDirect\n0 0 0\n0.5 0.5 0.5\n\
        0.305 0.305 0\n0.695 0.695 0\n0.195 0.805 0.5\n0.805 0.195 0.5\n";
    let structure = parse_structure(rutile).unwrap();
    let symmetric = "data_x\n_cell_length_a 4.594(1)\n_cell_length_b 4.594\n_cell_length_c 2.959\n_chemical_formula_sum\n;\nO2 Ti\n;\n\
        _symmetry_space_group_name_H-M 'P 42/m n m' # rutile\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n\
        _atom_site_fract_z\nTi1 0 0 0\nO1 .305 .305 0\n";
    let json = to_json(&structure).to_string();
    let cif = to_cif(&structure, "rutile");
    vec![
        ("x.vasp", rutile.to_owned()),
        ("x.vasp", to_poscar(&structure, "rutile")),
        ("x.cif", symmetric.to_owned()),
        ("x.csv", format!("id,band_gap,cif\na,1.5,\"{}\"\n", cif.replace('"', "\"\""))),
        ("x.cif", cif),
        ("x.jsonl", format!("{{\"id\":\"a\",\"structure\":{json}}}\n{json}\n")),
        ("x.json", json),
        ("x.xyz", extxyz(&structure).repeat(2)),
        ("x.json", format!("{{\"data\": [{}], \"meta\": {{}}}}", optimade(&structure))),
        ("x.axsf", axsf(&structure)),
        ("XDATCAR", xdatcar(&structure)),
    ]
}

/// Two rutiles in Parquet, as an export writes them.
fn parquet() -> Vec<u8> {
    let structure = parse_structure(&texts()[0].1).unwrap();
    let column: ArrayRef = Arc::new(columns::structures([Some(&structure), Some(&structure)].into_iter()));
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let batch = RecordBatch::try_from_iter([("id", ids), ("structure", column)]).unwrap();
    // Plain pages: a flipped byte reaches a number, and not only the checks of a codec.
    let plain = WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(plain)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// A database of ASE with one rutile.
fn ase_db() -> Vec<u8> {
    let structure = parse_structure(&texts()[0].1).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    let floats = |x: &[f64]| x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let numbers: Vec<u8> = structure.species().iter().flat_map(|e| i32::from(e.z()).to_le_bytes()).collect();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE systems (id INTEGER PRIMARY KEY AUTOINCREMENT, unique_id TEXT UNIQUE, numbers BLOB, positions BLOB,
             cell BLOB, pbc INTEGER, calculator TEXT, energy REAL, free_energy REAL, magmom REAL, key_value_pairs TEXT,
             fmax REAL, charge REAL);
             CREATE TABLE information (name TEXT, value TEXT); INSERT INTO information VALUES ('version', '9');",
        )
        .unwrap();
    let cell = floats(structure.lattice().rows().as_flattened());
    let positions = floats(structure.cart_coords().as_flattened());
    let insert = "INSERT INTO systems (unique_id, numbers, positions, cell, pbc, key_value_pairs) VALUES ('a', ?, ?, ?, 7, '{}')";
    connection.execute(insert, rusqlite::params![numbers, positions, cell]).unwrap();
    drop(connection);
    fs::read(&path).unwrap()
}

/// A frame of extended XYZ.
fn extxyz(structure: &Structure) -> String {
    let cell: Vec<String> = structure.lattice().rows().as_flattened().iter().map(f64::to_string).collect();
    let mut text = format!("{}\nLattice=\"{}\" band_gap=1.5 pbc=\"T T T\"\n", structure.len(), cell.join(" "));
    for (element, [x, y, z]) in structure.species().iter().zip(structure.cart_coords()) {
        text += &format!("{element} {x} {y} {z}\n");
    }
    text
}

/// Two steps of XSF.
fn axsf(structure: &Structure) -> String {
    let row = |x: &[f64]| x.iter().map(f64::to_string).collect::<Vec<_>>().join(" ") + "\n";
    let cell: String = structure.lattice().rows().iter().map(|r| row(r)).collect();
    let atoms = structure.species().iter().zip(structure.cart_coords());
    let atoms: String = atoms.map(|(element, x)| format!("{} {}", element.z(), row(&x))).collect();
    let step = |k: usize| format!("PRIMVEC {k}\n{cell}PRIMCOORD {k}\n{} 1\n{atoms}", structure.len());
    format!("ANIMSTEPS 2\nCRYSTAL\n{}{}", step(1), step(2))
}

/// Two frames of a run of VASP.
fn xdatcar(structure: &Structure) -> String {
    let poscar = to_poscar(structure, "run");
    let (head, sites) = poscar.split_once("irect\n").unwrap();
    let head = head.trim_end_matches(['d', 'D']);
    format!("{head}Direct configuration=     1\n{sites}Direct configuration=     2\n{sites}")
}

/// An entry of OPTIMADE.
fn optimade(structure: &Structure) -> serde_json::Value {
    let symbols: Vec<&str> = structure.species().iter().map(|e| e.symbol()).collect();
    let species = |s| serde_json::json!({"name": s, "chemical_symbols": [s], "concentration": [1.0]});
    serde_json::json!({"id": "a", "type": "structures", "attributes": {
        "lattice_vectors": structure.lattice().rows(), "cartesian_site_positions": structure.cart_coords(),
        "species_at_sites": symbols, "species": [species("Ti"), species("O")], "dimension_types": [1, 1, 1]
    }})
}

/// A change of a file: where, of which kind, and with what.
type Edit = (prop::sample::Index, u8, u8, &'static str, &'static str);

fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    let edit = (
        any::<prop::sample::Index>(),
        0..6_u8,
        any::<u8>(),
        prop::sample::select(PIECES),
        prop::sample::select(NUMBERS),
    );
    prop::collection::vec(edit, 1..most)
}

fn edit(bytes: &mut Vec<u8>, edits: Vec<Edit>) {
    for (at, kind, byte, piece, number) in edits {
        let at = at.index(bytes.len() + 1);
        match kind {
            0 if byte < 64 => bytes.truncate(at.max(1)),
            1 if at < bytes.len() => bytes[at] = byte,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => drop(bytes.splice(at..at, piece.bytes())),
            // The number there, or the next one, becomes another.
            _ => {
                let digit = |b: &u8| b.is_ascii_digit() || b"+-.".contains(b);
                let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|k| at + k) else { continue };
                let start = bytes[..start].iter().rposition(|b| !digit(b)).map_or(0, |k| k + 1);
                let end = bytes[start..].iter().position(|b| !digit(b)).map_or(bytes.len(), |k| start + k);
                bytes.splice(start..end, number.bytes());
            }
        }
    }
}

/// No function that an import or a query calls on every crystal may panic, or take long.
fn ask_everything(structure: &Structure) {
    let begun = Instant::now();
    ask::everything(structure);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?} for {}", begun.elapsed(), to_poscar(structure, "slow"));
}

/// The same mutants each time, so that a build that passed passes again; HOLLANDITE_SEED asks for others.
fn mutants(cases: u32) -> ProptestConfig {
    let seed = std::env::var("HOLLANDITE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    ProptestConfig { rng_seed: RngSeed::Fixed(seed), ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(mutants(2000))]

    #[test]
    fn mutations_of_valid_files_never_panic(which in 0..VALID.len(), edits in edits(6)) {
        let (name, mut bytes) = VALID[which].clone();
        edit(&mut bytes, edits);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, &bytes).unwrap();
        let begun = Instant::now();
        for read in formats::read(&Input::new(&path), &Reading::default()) {
            match read {
                // What is accepted is a crystal: printing and reading it keeps its atoms.
                Ok(record) => {
                    let again = parse_structure(&to_poscar(&record.structure, "again"));
                    prop_assert_eq!(again.unwrap(), record.structure.clone());
                    ask_everything(&record.structure);
                }
                Err(rejection) => prop_assert!(!rejection.reason.is_empty()),
            }
        }
        prop_assert!(begun.elapsed() < Duration::from_secs(60));
        let _ = parse_structure(&String::from_utf8_lossy(&bytes));
    }
}

proptest! {
    #![proptest_config(mutants(200))]

    #[test]
    fn mutations_of_a_calculation_never_panic_and_never_pass_for_another_crystal(
        outcar in any::<bool>(),
        edits in edits(4),
    ) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vasp/insertion/mno2");
        let name = if outcar { "OUTCAR" } else { "vasprun.xml" };
        let mut bytes = fs::read(folder.join(name)).unwrap();
        edit(&mut bytes, edits.into_iter().map(|(at, kind, byte, p, n)| (at, kind.max(1), byte, p, n)).collect());
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), &bytes).unwrap();
        let found = vasp::calculations(dir.path()).unwrap();
        let vasp::Reading { run, refused } = vasp::read_calculation(&found[0]);
        prop_assert_eq!(run.is_some(), refused.is_empty());
        if let Some(run) = run {
            prop_assert_eq!(run.structure.len(), 6);
            prop_assert!(run.energy.is_finite() && run.forces.is_none_or(|f| f.len() == 6));
        }
    }
}

/// Numbers that hardly any reader expects.
const NUMBERS: &[&str] = &[
    "1e999",
    "-1e300",
    "1e-300",
    "3e9",
    "-2147483649",
    "4294967295.5",
    "99999",
    "1000.5",
    "-999.99",
    "0.0001",
    "0.49999999999",
    "1e-9",
    "0",
    "-0",
    "7",
    "180",
    "179.99",
    "NaN",
];

/// Pieces that mean something to one reader or another.
const PIECES: &[&str] = &[
    "\n",
    "\n;",
    "2\n",
    "Lattice=\"",
    "Properties=species:S:1:pos:R:3",
    "'",
    "\"",
    "#",
    "loop_\n",
    "data_",
    "_cell_length_a 1",
    "é",
    "\u{feff}",
    "1e999",
    "-1",
    "nan",
    "0.0",
    ",",
    "[",
    "]",
    "{",
    "}",
    "\\",
    "\\u12",
    "x,y,z",
    "(",
    ")",
    "?",
    " . ",
    "\t",
    "\r",
    "\0",
    "99999999999999999999",
    "Xx",
    "1/0",
    "𝛼",
];
