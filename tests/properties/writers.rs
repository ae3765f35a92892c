//! What is exported as crystals is read back as it was, by our own readers; tests/store/interop.rs asks pymatgen and ASE.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use hollandite::columns::structures;
use hollandite::crystal::{Symmetry, content_hash};
use hollandite::features::{Tolerances, same_structure};
use hollandite::formats::{Record, hosts, read_file, to_symmetrised_cif};
use hollandite::report::{Exporter, Format, exporter};
use serde_json::json;

/// The embedded hosts, each with columns of every kind, the last without a crystal.
fn batch() -> RecordBatch {
    let hosts = hosts::embedded();
    let n = hosts.len() + 1;
    let text = |of: &dyn Fn(usize) -> Option<String>| Arc::new((0..n).map(of).collect::<StringArray>()) as ArrayRef;
    let crystals = hosts.iter().map(|host| Some(&host.structure)).chain([None]).collect::<Vec<_>>();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>((0..n).map(|i| Some(vec![Some(i as i32), None])));
    RecordBatch::try_from_iter_with_nullable([
        ("id", text(&|i| Some(hosts.get(i).map_or("none".into(), |host| host.id.clone()))), true),
        ("structure", Arc::new(structures(crystals.into_iter())) as ArrayRef, true),
        ("energy", Arc::new(Float64Array::from_iter((0..n).map(|i| Some(-1.0 / (i as f64 + 3.0))))), true),
        ("band_gap", Arc::new(Float64Array::from_iter((0..n).map(|i| (i > 0).then_some(0.1 + 0.2)))), true),
        ("count", Arc::new(Int32Array::from_iter_values(0..n as i32)), true),
        ("flag", Arc::new(BooleanArray::from_iter((0..n).map(|i| Some(i % 2 == 0)))), true),
        ("note", text(&|_| Some("a \"b\" \\ {c}\n[d] = 'e'".into())), true),
        ("code", text(&|i| Some(format!("00{i}"))), true),
        ("lists", Arc::new(lists), true),
        ("extra", text(&|i| Some(json!({"spread": i, "count": -1}).to_string())), true),
    ])
    .unwrap()
}

fn written(dir: &Path, name: &str, format: Format, symprec: Option<f64>) -> PathBuf {
    let (path, batch) = (dir.join(name), batch());
    let mut exporter: Box<dyn Exporter> = exporter(format, symprec, &batch.schema(), &path).unwrap();
    exporter.write(&batch.slice(0, 7)).unwrap();
    exporter.write(&batch.slice(7, batch.num_rows() - 7)).unwrap();
    exporter.finish().unwrap();
    path
}

fn read(path: &Path) -> Vec<Record> {
    read_file(path).map(Result::unwrap).collect()
}

#[test]
fn what_stands_beside_a_crystal_comes_back_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let hosts = hosts::embedded();
    for (name, format) in [
        ("a.xyz", Format::ExtXyz),
        ("a.extxyz.gz", Format::ExtXyz),
        ("a.db", Format::AseDb),
        ("p.json", Format::Pymatgen),
        ("p.json.gz", Format::Pymatgen),
        ("o.jsonl", Format::Optimade),
        ("o.jsonl.gz", Format::Optimade),
    ] {
        let records = read(&written(dir.path(), name, format, None));
        assert_eq!(records.len(), hosts.len(), "{name}");
        for (i, (record, host)) in records.iter().zip(&hosts).enumerate() {
            assert_eq!(record.id, host.id, "{name}");
            assert_eq!(record.structure.species(), host.structure.species());
            assert_eq!(content_hash(&record.structure), content_hash(&host.structure), "{name}: {}", host.id);
            let said = &record.properties;
            assert_eq!(said.band_gap, (i > 0).then_some(0.1 + 0.2), "{name}");
            let extra = |key: &str| said.extra.get(key).cloned().unwrap_or_default();
            assert_eq!(extra("energy"), json!(-1.0 / (i as f64 + 3.0)), "{name}");
            assert_eq!((extra("count"), extra("spread")), (json!(i), json!(i)), "{name}: a column goes before extra");
            assert_eq!(extra("flag"), json!(i % 2 == 0), "{name}");
            assert_eq!(extra("note"), json!("a \"b\" \\ {c}\n[d] = 'e'"), "{name}");
            assert_eq!(extra("code"), json!(format!("00{i}")), "{name}");
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 7, "nothing is left over");
}

#[test]
fn an_archive_of_optimade_states_the_space_group_where_it_is_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    let plain = std::fs::read_to_string(written(dir.path(), "plain.jsonl", Format::Optimade, None)).unwrap();
    assert!(!plain.contains("space_group_"));
    let path = written(dir.path(), "grouped.jsonl", Format::Optimade, Some(0.1));
    let text = std::fs::read_to_string(&path).unwrap();
    let entries = text.lines().skip(2).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let rutile = entries.clone().find(|entry| entry["id"] == "rutile").unwrap();
    assert_eq!(rutile["attributes"]["space_group_it_number"], 136);
    assert_eq!(rutile["attributes"]["space_group_symbol_hall"], "-P 4n 2n");
    let (records, hosts) = (read(&path), hosts::embedded());
    assert_eq!((records.len(), entries.count()), (hosts.len(), hosts.len()));
    for (record, host) in records.iter().zip(&hosts) {
        assert_eq!(content_hash(&record.structure), content_hash(&host.structure), "{}", host.id);
    }
}

#[test]
fn a_folder_has_a_file_for_each_crystal() {
    let dir = tempfile::tempdir().unwrap();
    for (format, symprec, extension) in
        [(Format::Poscar, None, "vasp"), (Format::Cif, None, "cif"), (Format::Cif, Some(0.01), "cif")]
    {
        let folder = written(dir.path(), &format!("{format:?}{}/", symprec.is_some()), format, symprec);
        for host in hosts::embedded() {
            let [record] = &read(&folder.join(format!("{}.{extension}", host.id)))[..] else { panic!("{}", host.id) };
            match symprec {
                None => assert_eq!(content_hash(&record.structure), content_hash(&host.structure), "{}", host.id),
                Some(_) => assert_eq!(
                    record.structure.composition().reduced_formula(),
                    host.structure.composition().reduced_formula()
                ),
            }
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), hosts::embedded().len());
    }
}

#[test]
fn an_asymmetric_unit_with_its_operations_is_the_crystal_that_it_came_from() {
    let mut kept = [0, 0];
    for host in hosts::embedded() {
        // From a cell without symmetry of its own: the operations are found, not copied.
        let doubled = host.structure.supercell([1, 1, 2]).unwrap();
        let text = to_symmetrised_cif(&doubled, &host.id, 0.01).unwrap();
        let read = hollandite::formats::parse_structure(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", host.id));
        let [number, again] = [&host.structure, &read].map(|s| Symmetry::of(s, 0.01).unwrap().number);
        assert_eq!(number, again, "{}", host.id);
        assert!(text.contains(&format!("_space_group_IT_number {number}\n")), "{}", host.id);
        assert!(same_structure(&host.structure, &read, &Tolerances::default()), "{}", host.id);
        let ratio = (read.volume() / read.len() as f64) / (host.structure.volume() / host.structure.len() as f64);
        assert!((ratio - 1.0).abs() < 1e-3, "{}: {ratio}", host.id);
        let listed = text.lines().filter(|line| line.ends_with(" 1")).count();
        kept = [kept[0] + listed, kept[1] + read.len()];
    }
    assert!(kept[0] * 3 < kept[1], "{kept:?}: the asymmetric units are small");
}

#[test]
fn a_screw_keeps_its_hand() {
    // Quartz-like: P3_1 2 1 and P3_2 2 1 are mirror images. A left-handed basis of one crystal is that crystal still.
    let text = "data_q\n_cell_length_a 4.91\n_cell_length_b 4.91\n_cell_length_c 5.40\n_cell_angle_gamma 120\n\
        _space_group_name_H-M_alt 'P 31 2 1'\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
        Ti1 0.47 0 0.3333333333\nO1 0.414 0.268 0.4525\n";
    let quartz = hollandite::formats::parse_structure(text).unwrap();
    let lattice = hollandite::crystal::Lattice::new(quartz.lattice().rows().map(|row| row.map(|x| -x))).unwrap();
    let coords = quartz.frac_coords().iter().map(|x| x.map(|x| -x)).collect();
    let turned = hollandite::crystal::Structure::new(lattice, quartz.species().to_vec(), coords).unwrap();
    for crystal in [quartz, turned] {
        let text = to_symmetrised_cif(&crystal, "q", 0.01).unwrap();
        assert!(text.contains("_space_group_IT_number 152\n"), "{text}");
        let read = hollandite::formats::parse_structure(&text).unwrap();
        assert_eq!(Symmetry::of(&read, 0.01).unwrap().number, 152);
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let batch = RecordBatch::try_from_iter([("id", Arc::new(StringArray::from(vec!["a"])) as ArrayRef)]).unwrap();
    for format in [Format::ExtXyz, Format::AseDb, Format::Pymatgen, Format::Poscar] {
        let error = exporter(format, None, &batch.schema(), &dir.path().join("x")).err().unwrap().to_string();
        assert!(error.contains("select one"), "{error}");
    }
    let error = exporter(Format::Csv, Some(0.1), &batch.schema(), &dir.path().join("x")).err().unwrap().to_string();
    assert!(error.contains("CIFs and OPTIMADE alone"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
