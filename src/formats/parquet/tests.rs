use arrow::array::{ArrayRef, Float64Array, Float64Builder, ListBuilder, StringArray, StringBuilder};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::super::{Reading, read, to_cif, to_json};
use super::*;
use crystal::{Element, Lattice, Structure};

fn mgo(a: f64) -> Structure {
    let lattice = Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
    Structure::new(lattice, vec![Element::from_z(12).unwrap(), Element::O], vec![[0.0; 3], [0.5; 3]]).unwrap()
}

fn crystals(n: usize) -> Vec<Structure> {
    (0..n).map(|i| mgo(4.2 + 1e-4 * i as f64)).collect()
}

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Rows of numbers as LIST<LIST<DOUBLE>>.
fn nested(rows: impl Iterator<Item = Vec<[f64; 3]>>) -> ArrayRef {
    let mut builder = ListBuilder::new(ListBuilder::new(Float64Builder::new()));
    for row in rows {
        for x in row {
            builder.values().append_value(x.map(Some));
        }
        builder.append(true);
    }
    Arc::new(builder.finish())
}

fn symbols(crystals: &[Structure]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for crystal in crystals {
        builder.append_value(crystal.species().iter().map(|e| Some(e.symbol())));
    }
    Arc::new(builder.finish())
}

fn ids(n: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..n).map(|i| format!("x{i}"))))
}

/// The columns of LeMat-Bulk, by the names given for lattice, positions, species and id.
fn lematerial<'a>(crystals: &[Structure], names: [&'a str; 4]) -> Vec<(&'a str, ArrayRef)> {
    vec![
        (names[3], ids(crystals.len())),
        (names[0], nested(crystals.iter().map(|s| s.lattice().rows().to_vec()))),
        (names[1], nested(crystals.iter().map(Structure::cart_coords))),
        (names[2], symbols(crystals)),
        ("energy", Arc::new(Float64Array::from_iter_values((0..crystals.len()).map(|i| -12.0 - i as f64)))),
        ("forces", nested(crystals.iter().map(Structure::cart_coords))),
    ]
}

const NAMES: [&str; 4] = ["lattice_vectors", "cartesian_site_positions", "species_at_sites", "immutable_id"];

fn read_all(path: &Path, mapping: &str) -> Vec<Result<Record, Rejection>> {
    let reading = Reading { mapping: mapping.parse().unwrap(), ..Reading::default() };
    read(&Input::new(path), &reading).collect()
}

fn path() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    (dir, path)
}

#[test]
fn lematerial_columns_are_recognised_and_stream() {
    let (_dir, path) = path();
    let crystals = crystals(700);
    write(&path, lematerial(&crystals, NAMES));
    let records: Vec<Record> = read_all(&path, "").into_iter().map(Result::unwrap).collect();
    assert_eq!(records.len(), 700);
    assert_eq!((records[699].id.as_str(), records[699].line), ("x699", 700));
    assert_eq!(serde_json::Value::Object(records[1].properties.extra.clone()), serde_json::json!({"energy": -13.0}));
    assert!(records.iter().zip(&crystals).all(|(r, s)| r.structure.lattice() == s.lattice()));
}

#[test]
fn a_column_of_text_of_any_format() {
    let (_dir, path) = path();
    let texts = [to_cif(&mgo(4.2), "a"), to_json(&mgo(4.2)).to_string(), "prose".into()];
    write(&path, vec![("material", ids(3)), ("text", Arc::new(StringArray::from_iter_values(texts)))]);
    let read = read_all(&path, "cif=text, id=material");
    assert_eq!(read[0].as_ref().unwrap().id, "x0");
    assert_eq!(read[1].as_ref().unwrap().structure, mgo(4.2));
    let rejection = read[2].as_ref().unwrap_err();
    assert!(rejection.line == 3 && rejection.reason.contains("in the text of the structure"), "{rejection}");
    assert_eq!(rejection.id.as_deref(), Some("x2"));
}

#[test]
fn other_names_are_mapped() {
    let (_dir, path) = path();
    let crystals = crystals(2);
    write(&path, lematerial(&crystals, ["cell", "xyz", "symbols", "name"]));
    let message = read_all(&path, "")[0].as_ref().unwrap_err().to_string();
    assert!(
        message.contains("among the columns: name, cell, xyz, symbols, energy") && message.contains("--map lattice="),
        "{message}"
    );
    let read = read_all(&path, "lattice=cell,positions=xyz,species=symbols,id=name,formation_energy_per_atom=energy");
    let record = read[1].as_ref().unwrap();
    assert_eq!((record.id.as_str(), record.properties.formation_energy_per_atom), ("x1", Some(-13.0)));
    assert_eq!(record.structure.lattice(), crystals[1].lattice());
    let message = read_all(&path, "lattice=box")[0].as_ref().unwrap_err().to_string();
    assert!(message.contains("no column 'box' to map among: name, cell"), "{message}");
    let message = read_all(&path, "lattice=energy")[0].as_ref().unwrap_err().to_string();
    assert!(message.contains("column 'energy' is Float64, expected lists of numbers"), "{message}");
    // A column of another kind that is not mapped is ignored, unless it is the only one.
    let mut columns = lematerial(&crystals, NAMES);
    columns.push(("lattice", ids(2)));
    write(&path, columns.clone());
    assert!(read_all(&path, "")[1].is_ok());
    columns.remove(1);
    write(&path, columns);
    let message = read_all(&path, "")[0].as_ref().unwrap_err().to_string();
    assert!(message.contains("column 'lattice' is text, expected lists of numbers"), "{message}");
    assert!("cell=lattice".parse::<Mapping>().unwrap_err().contains("nothing is called 'cell'; a column may hold id"));
    assert!("lattice".parse::<Mapping>().unwrap_err().contains("WHAT=COLUMN"));
}

#[test]
fn bad_rows_are_refused_by_number_and_the_others_are_read() {
    let (_dir, path) = path();
    let crystals = crystals(3);
    let mut columns = lematerial(&crystals, NAMES);
    let mut cells: Vec<Vec<[f64; 3]>> = crystals.iter().map(|s| s.lattice().rows().to_vec()).collect();
    cells[0][2] = [0.0; 3];
    cells[1].pop();
    columns[1].1 = nested(cells.into_iter());
    write(&path, columns);
    let read = read_all(&path, "");
    for (row, said) in [(0, "lattice"), (1, "a lattice has 9 numbers, found 6")] {
        let rejection = read[row].as_ref().unwrap_err();
        assert!(rejection.line == row + 1 && rejection.reason.contains(said), "{rejection}");
    }
    assert!(read.len() == 3 && read[2].is_ok());
}

#[test]
fn truncated_and_damaged_files_say_so_and_never_panic() {
    let (_dir, path) = path();
    write(&path, lematerial(&crystals(300), NAMES));
    let whole = std::fs::read(&path).unwrap();
    for cut in [&whole[..whole.len() / 2], &whole[..3], b"PAR1 no such PAR1", b""] {
        std::fs::write(&path, cut).unwrap();
        let read = read_all(&path, "");
        let reason = &read[0].as_ref().unwrap_err().reason;
        assert!(read.len() == 1 && (reason.contains("truncated or damaged") || reason.contains("empty")), "{reason}");
    }
    // A byte changed anywhere: rows or refusals, and an end.
    for at in (4..whole.len()).step_by(whole.len() / 60) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(&path, bytes).unwrap();
        assert!(read_all(&path, "").len() <= 301);
    }
}
