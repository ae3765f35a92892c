//! Corrections of DFT energies against pymatgen's `MaterialsProject2020Compatibility`.
//!
//! Textbook structures, one for each rule, with pymatgen's own oxidation states and with ours; and real crystals: of
//! the labelled sample, and of the real set where it lies beside the repository. These goldens were written by
//! `fixtures/golden/make/corrections.py`, and the frames by `frames.py` there. Then raw energies of the Materials Project, which
//! become the formation energies that it published, and outputs of VASP as they come in.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use hollandite::crystal::{Element, Lattice, Structure};
use hollandite::formats::{Record, read_file};
use hollandite::sql::Session;
use hollandite::stability::{Computed, Scheme, correction, elemental_references, formation_energy};
use hollandite::store::{DftOptions, Store};
use serde::Deserialize;
use serde_json::Value;

use crate::data::{beside, golden, golden_crystals, read, sample};

fn crystal(lattice: &[f64], species: &[String], coords: &[f64]) -> Structure {
    let rows = std::array::from_fn(|r| std::array::from_fn(|c| lattice[3 * r + c]));
    let species = species.iter().map(|s| Element::from_symbol(s).unwrap()).collect();
    Structure::new(Lattice::new(rows).unwrap(), species, coords.as_chunks::<3>().0.to_vec()).unwrap()
}

fn states_of(states: &BTreeMap<String, f64>) -> Vec<(Element, f64)> {
    states.iter().map(|(symbol, q)| (Element::from_symbol(symbol).unwrap(), *q)).collect()
}

fn computed(run_type: &str) -> Computed<'static> {
    let known = |(name, _): &&(&str, _)| *name == run_type;
    Computed::NAMES.iter().find(known).unwrap().1
}

#[derive(Deserialize)]
struct Golden {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry(
    String,
    Vec<f64>,
    Vec<String>,
    Vec<f64>,
    String,
    f64,
    f64,
    String,
    Vec<(String, f64)>,
    BTreeMap<String, f64>,
);

#[test]
fn textbook_structures() {
    let golden: Golden = serde_json::from_value(golden("corrections.json")).unwrap();
    assert!(golden.entries.len() >= 50);
    for Entry(name, lattice, species, coords, run_type, total, uncertainty, oxide, parts, states) in golden.entries {
        let structure = crystal(&lattice, &species, &coords);
        let given = states_of(&states);
        for states in [Some(given.as_slice()), None] {
            let ours = correction(Scheme::Mp2020, &structure, computed(&run_type), states).unwrap();
            assert!((ours.per_atom - total).abs() < 1e-8, "{name}: {} eV/atom, pymatgen {total}", ours.per_atom);
            assert!((ours.uncertainty - uncertainty).abs() < 1e-8, "{name}: ± {}", ours.uncertainty);
            assert_eq!(ours.oxide_type.map_or("None", |kind| kind.name()), oxide, "{name}");
            let mut found: Vec<_> = ours.parts.iter().map(|p| (p.species.to_owned(), p.count)).collect();
            found.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(found, parts, "{name}");
        }
        // PBE where the scheme takes PBE + U is refused, as pymatgen does; elsewhere it is the same.
        assert_eq!(correction(Scheme::Mp2020, &structure, Computed::Gga, None).is_ok(), run_type == "GGA", "{name}");
    }
}

/// Compares the crystals that the golden table `name` has: how many, and those that come out otherwise by states of our
/// own.
fn compare(name: &str, crystals: impl Iterator<Item = (String, Structure)>) -> (usize, Vec<(String, String, f64)>) {
    let text = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden").join(name));
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let golden: HashMap<&str, Vec<&str>> =
        rows.map(|line| line.split('\t').collect::<Vec<_>>()).map(|fields| (fields[0], fields)).collect();
    let (mut compared, mut by_own_states) = (0, Vec::new());
    for (id, structure) in crystals {
        let Some(golden) = golden.get(id.as_str()) else { continue };
        let [_, run_type, total, oxide, states] = golden[..] else { panic!("{golden:?}") };
        let state = |word: &str| {
            let (symbol, q) = word.split_at(word.find(['+', '-']).unwrap());
            (Element::from_symbol(symbol).unwrap(), q.parse().unwrap())
        };
        let states: Vec<(Element, f64)> = states.split_whitespace().map(state).collect();
        let total: f64 = total.parse().unwrap();
        let ours = correction(Scheme::Mp2020, &structure, computed(run_type), Some(&states)).unwrap();
        assert!((ours.per_atom - total).abs() < 1e-8, "{id}: {} eV/atom, pymatgen {total}", ours.per_atom);
        assert_eq!(ours.oxide_type.map_or("None", |kind| kind.name()), oxide, "{id}");
        let own = correction(Scheme::Mp2020, &structure, computed(run_type), None).unwrap();
        if (own.per_atom - total).abs() > 1e-8 {
            by_own_states.push((id, structure.composition().reduced_formula(), own.per_atom - total));
        }
        compared += 1;
    }
    println!("{compared} crystals as pymatgen; by states of our own {} differ: {by_own_states:?}", by_own_states.len());
    (compared, by_own_states)
}

/// The records of a file of the larger set.
fn records(path: &Path) -> impl Iterator<Item = Record> {
    read_file(path).map(Result::unwrap)
}

/// By the states of pymatgen nothing differs. By ours some anions are none, and others are.
#[test]
fn real_crystals() {
    let (compared, by_own_states) = compare("corrections_sample.tsv", sample().into_iter());
    assert!(compared >= 100 && by_own_states.len() * 20 < compared, "{compared} {by_own_states:?}");
    let (Some(oxides), Some(others)) = (beside("data/tmo.jsonl.gz"), beside("data/other.jsonl.gz")) else { return };
    let real = records(&oxides).chain(records(&others));
    let (compared, by_own_states) = compare("corrections.tsv", real.map(|record| (record.id, record.structure)));
    // Azides, silicides of noble metals, organic salts: what is an anion there is a matter of opinion.
    assert!(compared >= 1000 && by_own_states.len() * 20 < compared, "{compared} {by_own_states:?}");
}

/// A crystal, its total energy as VASP gave it, eV, and the formation energy that was published of the material, eV/atom.
type Frame = (Structure, f64, f64);

/// Raw energies lie far from the published formation energies, and corrected ones near them, in the median of the frames.
fn become_published(frames: &[Frame]) {
    let references = elemental_references("MP2020").unwrap();
    let (mut raw, mut corrected) = (Vec::new(), Vec::new());
    for (structure, energy, published) in frames {
        let energy = energy / structure.len() as f64;
        let added = correction(Scheme::Mp2020, structure, Computed::GgaU, None).unwrap().per_atom;
        let of = |energy| formation_energy(&structure.composition(), energy, |e| references.energy(e)).unwrap();
        raw.push((of(energy) - published).abs());
        corrected.push((of(energy + added) - published).abs());
    }
    let median = |differences: &mut Vec<f64>| {
        differences.sort_by(f64::total_cmp);
        differences[differences.len() / 2]
    };
    let (n, raw, corrected) = (frames.len(), median(&mut raw), median(&mut corrected));
    println!(
        "{n} frames: {raw:.4} eV/atom from the published formation energy as they are, {corrected:.4} corrected (medians)"
    );
    assert!(corrected < 0.01 && raw > 0.1, "{raw} {corrected}");
}

/// Frames of relaxations (MPtrj: total energies as VASP gave them) against the formation energies of 2021 of the same
/// materials. A frame need not be the last, so its energy may lie above; the labels of 2018 have other corrections and
/// are left out.
#[test]
fn raw_energies_become_published_formation_energies() {
    let number = |v: &Value, name: &str| v[name].as_f64().unwrap();
    let of_golden = golden_crystals("frames.json").into_iter();
    let small: Vec<Frame> = of_golden
        .map(|(_, structure, v)| (structure, number(&v, "energy"), number(&v, "formation_energy_per_atom")))
        .collect();
    assert!(small.len() >= 15, "{}", small.len());
    become_published(&small);
    let Some(data) = beside("data") else { return };
    let mut labels = HashMap::new();
    for name in ["tmo.jsonl.gz", "other.jsonl.gz"] {
        for record in records(&data.join(name)) {
            let source = record.properties.extra.get("e_form_source").and_then(Value::as_str).unwrap_or_default();
            if let Some(label) = record.properties.formation_energy_per_atom.filter(|_| source.starts_with("mp2021")) {
                labels.insert(record.id, label);
            }
        }
    }
    let labelled = |Record { structure, properties, .. }: Record| {
        let label = *labels.get(properties.extra["mptrj_traj_id"].as_str()?)?;
        Some((structure, properties.extra["energy"].as_f64().unwrap(), label))
    };
    let large: Vec<Frame> = records(&data.join("mptrj-random-1k.xyz.gz")).filter_map(labelled).collect();
    assert!(large.len() >= 50, "{}", large.len());
    become_published(&large);
}

/// Names and corrections of the calculations of a folder as they come in, eV/atom; what is refused is NULL, with a
/// note.
async fn come_in(folder: &Path) -> BTreeMap<String, Option<f64>> {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::init(&dir.path().join("s")).await.unwrap();
    store.import_dft(&[folder.to_owned()], &DftOptions::default(), &()).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();
    let sql = "SELECT name, correction_per_atom, correction_note IS NULL FROM dft_runs";
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    let mut found = BTreeMap::new();
    for batch in &batches {
        let names = cast(batch.column(0), &DataType::Utf8).unwrap();
        let corrections = batch.column(1).as_primitive::<Float64Type>();
        for (i, name) in names.as_string::<i32>().iter().flatten().enumerate() {
            let ours = corrections.is_valid(i).then(|| corrections.value(i));
            assert_eq!(ours.is_some(), batch.column(2).as_boolean().value(i), "{name}: a reason where there is none");
            found.insert(name.to_owned(), ours);
        }
    }
    found
}

fn same(name: &str, ours: Option<f64>, want: Option<f64>) {
    let same = ours.zip(want).map_or(ours == want, |(ours, want)| (ours - want).abs() < 1e-9);
    assert!(same, "{name}: {ours:?} eV/atom, pymatgen {want:?}");
}

/// What pymatgen's `Vasprun.get_computed_entry` and the scheme make of each file: of the larger set with the scheme's
/// checks of U and pseudopotentials, which the hand-written calculations of fixtures/vasp do not name.
#[tokio::test(flavor = "multi_thread")]
async fn calculations_are_corrected_as_they_come_in() {
    let ours = come_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vasp/insertion")).await;
    let golden = golden("vasp.json");
    let runs = golden["values"].as_object().unwrap().iter().filter(|(name, _)| name.contains("vasprun"));
    let mut compared = 0;
    for (file, want) in runs {
        let name = Path::new(file.strip_prefix("insertion/").unwrap()).parent().unwrap().to_str().unwrap();
        same(name, ours[name], want["correction"].as_f64());
        compared += 1;
    }
    assert!(compared >= 6);
    let Some(folder) = beside("vasp") else { return };
    let want = BTreeMap::from([
        ("chgnet/parse-vasp-no-magmoms", None),
        ("chgnet/parse-vasp-with-magmoms", None),
        ("pymatgen-core", None),
        ("pymatgen-core/Al", None),
        ("pymatgen-core/LiF", None),
        ("pymatgen-core/Si_bands", Some(0.0)),
        ("pymatgen-core/ediffg_set_to_0", None),
        ("pymatgen-core/etest1", None),
        ("pymatgen-core/hse06", None),
        ("pymatgen-core/lifepo4", None),
        ("pymatgen-core/magmom_ldau", Some(-1.3146)),
        ("pymatgen-core/md", Some(0.0)),
        ("pymatgen-core/r2scan", None),
        ("pymatgen-core/scan", None),
        ("pymatgen-core/unconverged", None),
        ("pymatgen-core/uniform", Some(0.0)),
        ("pymatgen-core/xe", None),
        // pymatgen gives its atoms 0; the energy of a charged cell is that of no compound.
        ("pymatgen-core/charged", None),
    ]);
    let ours = come_in(&folder).await;
    for (name, want) in want {
        same(name, ours[name], want);
    }
}
