//! Our networks against the peers', on weights by a formula and crystals of our own, and on the weights and crystals of
//! their own runs.
//!
//! Published weights are not part of this project: where they do not lie beside it, the tests that need them say that
//! they are skipped.

use std::path::{Path, PathBuf};

use burn::prelude::Device;
use hollandite::{
    crystal::Structure,
    models::{
        Model, ModelPotential,
        batch::GraphBatch,
        bond_graph::BondGraph,
        graph::{Graph, Neighborhood},
        network::{Config, Net},
        potential::{GPA_PER_EV_PER_CUBIC_ANGSTROM, Potential, SinglePoint},
        weights::{self, Imported},
    },
};
use serde_json::Value;

use crate::data::{self, json, numbers, structure};

/// f32 through some 30 layers: matgl's own f32 and f64 results differ by up to 1e-6 of the value.
const RELATIVE: f64 = 1e-5;

fn reference(name: &str) -> Option<PathBuf> {
    data::beside(&format!("reference/{name}"))
}

/// A network of the peer's own run, `settings` beside its weights, on the crystals of that run; `key` names the prediction.
fn equals_its_run(weights: &str, settings: &str, values: &str, key: &str) {
    let (Some(weights), Some(values), Some(crystals)) =
        (reference(weights), reference(values), reference("structures60.jsonl"))
    else {
        crate::common::skip("../shared/reference is not here");
        return;
    };
    let values = json(&values);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eform.safetensors");
    std::fs::copy(weights, &path).unwrap();
    std::fs::write(folder.path().join("config.json"), settings).unwrap();
    let (mut compared, mut worst) = (0, 0.0_f64);
    for line in std::fs::read_to_string(crystals).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let Some(want) = values["values"][row["id"].as_str().unwrap()][key].as_f64() else { continue };
        worst = worst.max((answer(&path, &structure(&row)) - want).abs() / want.abs().max(1.0));
        compared += 1;
    }
    println!("{compared} crystals, largest difference {worst:.1e}");
    assert!(compared >= 50 && worst < RELATIVE, "{compared} crystals, {worst}");
}

#[test]
fn megnet_equals_matgl() {
    equals_its_run("megnet_random.safetensors", "{}", "megnet_random.json", "out64");
}

#[test]
fn alignn_atomwise_equals_alignn() {
    // The peer's graph of this run: all pairs within 4 Å.
    let settings = r#"{"neighbor_strategy": "radius_graph", "cutoff": 4.0, "target": "formation_energy_peratom"}"#;
    equals_its_run("alignn_random_h64.safetensors", settings, "alignn_random_h64_radius4.json", "out");
}

/// Peers' values on our own four crystals, kept with the project; what the peers are stands in its header.
fn golden() -> Value {
    data::golden("models.json")["values"].take()
}

fn golden_crystals(golden: &Value) -> Vec<(String, Structure)> {
    golden["crystals"].as_object().unwrap().iter().map(|(name, row)| (name.clone(), structure(row))).collect()
}

/// Weights that need no file: value k of the t-th tensor by name, from a hash of both. As in the peers' run.
fn formula(t: usize, name: &str, shape: &[usize]) -> Vec<f32> {
    let norm = name.ends_with("weight") && shape.len() == 1;
    let value = |k: u64| {
        let mut s = (t as u64).wrapping_mul(1_000_003).wrapping_add(k);
        s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        s ^= s >> 29;
        s = s.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (s >> 40) as f32 / (1 << 24) as f32;
        match shape {
            _ if name.ends_with("frequencies") => k as f32 + 1.0 + x,
            _ if norm || name.ends_with("running_var") => 0.5 + x,
            [_, .., last] => (x - 0.5) * (2.0 * (3.0 / *last as f64).sqrt()) as f32,
            _ => (x - 0.5) * 0.5,
        }
    };
    (0..shape.iter().product::<usize>() as u64).map(value).collect()
}

/// A safetensors file of the tensors of a peer, by the formula; `keep` cuts layers off.
fn checkpoint(folder: &Path, shapes: &Value, counters: &[&str], keep: impl Fn(&str) -> bool) -> PathBuf {
    let mut names: Vec<String> = shapes.as_object().unwrap().keys().cloned().collect();
    // torch counts batches beside the running means, and numbers tensors with them.
    names.extend(counters.iter().map(|s| s.to_string()));
    names.sort();
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = names
        .into_iter()
        .enumerate()
        .filter(|(_, name)| shapes.get(name).is_some() && keep(name))
        .map(|(t, name)| {
            let shape: Vec<usize> = serde_json::from_value(shapes[&name].clone()).unwrap();
            let bytes = formula(t, &name, &shape).iter().flat_map(|v| v.to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name, safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).unwrap())
    });
    let path = folder.join("eform.safetensors");
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    path
}

fn claims() -> weights::Claims {
    weights::Claims { elements: Some("mp".into()), longest_bond: Some(8.0), ..weights::Claims::default() }
}

/// What the imported network answers.
fn answer(path: &Path, structure: &Structure) -> f64 {
    let imported = weights::import(path, &claims()).unwrap();
    let input = imported.card.config.input(structure).unwrap();
    let value = imported.net.forward(&imported.card.config, &[&input], &Device::flex()).into_scalar::<f32>();
    // The form that answers queries, where the architecture has one, is held to the same.
    if let Some(fused) = imported.net.fused(&imported.card.config) {
        let packed = fused.forward(&[&input])[0];
        assert!((packed - value).abs() <= 1e-5 * value.abs().max(1.0), "{}: {packed}, {value}", path.display());
    }
    f64::from(value) * imported.card.scale + imported.card.mean
}

/// Whether tensor `name` lies in the first `depth` layers of each list.
fn within(name: &str, lists: &[(&str, usize)]) -> bool {
    lists.iter().all(|(prefix, depth)| match name.strip_prefix(prefix) {
        Some(rest) => rest.split('.').next().unwrap().parse::<usize>().unwrap() < *depth,
        None => true,
    })
}

/// Networks of `depths` layers, all by the formula, against the peer's: layer after layer.
fn layer_by_layer(peer: &str, depths: &[Vec<(&str, usize)>]) {
    let golden = golden();
    let network = &golden["networks"][peer];
    let counters: Vec<&str> = network["counters"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut worst = 0.0_f64;
    for (k, depth) in depths.iter().enumerate() {
        let path = checkpoint(folder.path(), &network["shapes"], &counters, |name| within(name, depth));
        for (name, structure) in golden_crystals(&golden) {
            let want = network["values"][&name][k].as_f64().unwrap();
            let got = answer(&path, &structure);
            assert!((got - want).abs() <= 1e-5 * want.abs().max(1.0), "{peer}, {depth:?}, {name}: {got}, want {want}");
            worst = worst.max((got - want).abs() / want.abs().max(1.0));
        }
    }
    println!("{peer}: largest difference {worst:.1e}");
}

#[test]
fn gatgnn_equals_its_published_code_layer_by_layer() {
    let depths: Vec<_> = (1..=3).map(|n| vec![("node_att.", n), ("batch_norm.", n)]).collect();
    layer_by_layer("gatgnn", &depths);
}

#[test]
fn deeper_gatgnn_equals_its_published_code_layer_by_layer() {
    let depths: Vec<_> = (1..=4).map(|n| vec![("conv_list.", n), ("bn_list.", n)]).collect();
    layer_by_layer("deeper-gatgnn", &depths);
}

#[test]
fn alignn_equals_its_published_code_layer_by_layer() {
    let golden = golden();
    let network = &golden["networks"]["alignn"];
    let counters: Vec<&str> = network["counters"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("config.json"),
        r#"{"neighbor_strategy": "radius_graph", "cutoff": 4.5, "target": "formation_energy_peratom"}"#,
    )
    .unwrap();
    for (k, (lines, plain)) in [(1, 0), (2, 0), (2, 1), (2, 2)].into_iter().enumerate() {
        let lists = [("alignn_layers.", lines), ("gcn_layers.", plain)];
        let path = checkpoint(folder.path(), &network["shapes"], &counters, |name| within(name, &lists));
        for (name, structure) in golden_crystals(&golden) {
            let want = network["values"][&name][k].as_f64().unwrap();
            let got = answer(&path, &structure);
            assert!((got - want).abs() <= 1e-5 * want.abs().max(1.0), "{lists:?}, {name}: {got}, want {want}");
        }
    }
}

/// The networks whose published weights are no part of the project, on weights by the formula, against their layers
/// written out in numpy: fixtures/golden/make/networks.py holds these to what the programs themselves answered.
#[test]
fn networks_equal_their_layers_in_numpy() {
    let (networks, crystals) = (data::golden("networks.json"), golden_crystals(&golden()));
    let settings = r#"{"neighbor_strategy": "radius_graph", "cutoff": 4.0, "target": "formation_energy_peratom"}"#;
    let convolutions: Vec<_> = (1..=4).map(|n| vec![("convs.", n)]).collect();
    for (peer, depths, settings) in [
        ("cgcnn", convolutions, None),
        ("matgl", vec![vec![]], None),
        ("alignn-atomwise", vec![vec![]], Some(settings)),
    ] {
        let network = &networks["values"][peer];
        let folder = tempfile::tempdir().unwrap();
        if let Some(settings) = settings {
            std::fs::write(folder.path().join("config.json"), settings).unwrap();
        }
        for (k, depth) in depths.iter().enumerate() {
            let path = checkpoint(folder.path(), &network["shapes"], &[], |name| within(name, depth));
            for (name, structure) in &crystals {
                let want = network["values"][name][k].as_f64().unwrap();
                let got = answer(&path, structure);
                assert!(
                    (got - want).abs() <= RELATIVE * want.abs().max(1.0),
                    "{peer}, {depth:?}, {name}: {got}, want {want}"
                );
            }
        }
    }
}

/// Energy, forces, stress and moments of CHGNet's layers in numpy, its gradients by differences.
#[test]
fn chgnet_equals_its_layers_in_numpy() {
    let (networks, crystals) = (data::golden("networks.json"), golden_crystals(&golden()));
    let network = &networks["values"]["chgnet"];
    let folder = tempfile::tempdir().unwrap();
    let (_, model) = potential_by_formula(folder.path(), network);
    for (name, structure) in &crystals {
        assert_single_point(
            name,
            &model.single_points(&[structure]).remove(0).unwrap(),
            &network["values"][name],
            RELATIVE,
        );
    }
}

/// Energy, forces, stress and moments, where the peer has them, within `relative` of the largest, of gradients ten times that.
fn assert_single_point(name: &str, got: &SinglePoint, want: &Value, relative: f64) {
    let rows = |key: &str| want[key].as_array().unwrap().iter().flat_map(numbers).collect::<Vec<_>>();
    let energy = vec![want["energy_per_atom"].as_f64().unwrap()];
    let moments = want["moments"].as_array().map(|moments| moments.iter().map(|m| m.as_f64().unwrap()).collect());
    let per_atom = vec![got.energy / got.forces.len() as f64];
    let mut compared = vec![
        ("energy", per_atom, energy, relative),
        ("forces", got.forces.as_flattened().to_vec(), rows("forces"), 10.0 * relative),
        ("stress", got.stress.as_flattened().to_vec(), rows("stress"), 10.0 * relative),
    ];
    assert_eq!(got.magmoms.is_some(), moments.is_some(), "{name}");
    compared.extend(got.magmoms.clone().zip(moments).map(|(got, want)| ("moments", got, want, relative)));
    for (what, got, want, relative) in compared {
        let size = want.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
        assert_eq!(got.len(), want.len(), "{name}: {what}");
        let apart = got.iter().zip(&want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
        println!("{name}: {what}: {:.1e} of the largest", apart / size);
        assert!(apart <= relative * size, "{name}: {what}: {got:?}, want {want:?}");
    }
}

/// Energy, forces and stress of matgl's TensorNet in double precision, on weights by the formula.
#[test]
fn tensornet_equals_matgl() {
    let (golden, crystals) = (data::golden("tensornet.json"), golden_crystals(&golden()));
    let network = &golden["values"]["formula"];
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = potential_by_formula(folder.path(), network);
    for (name, structure) in &crystals {
        assert_single_point(
            name,
            &model.single_points(&[structure]).remove(0).unwrap(),
            &network["values"][name],
            RELATIVE,
        );
        let want = network["values"][name]["energy_per_atom"].as_f64().unwrap();
        assert!((answer(&path, structure) - want).abs() <= RELATIVE * want.abs().max(1.0), "{name}");
    }
}

/// The published potentials of MatPES: energies within 1e-5 eV/atom, forces within 1e-4 eV/Å; and what their cards say.
#[test]
fn tensornet_of_matpes_equals_matgl() {
    let (golden, crystals) = (data::golden("tensornet_matpes.json"), golden_crystals(&golden()));
    for (functional, name) in [("PBE", "tensornet-matpes-pbe"), ("r2SCAN", "tensornet-matpes-r2scan")] {
        let want = &golden["values"][functional];
        let folder = format!("tensornet/{}", want["weights"].as_str().unwrap());
        let Some(path) = published(&folder) else { return };
        let Imported { net, card, remarks } = weights::import(&path, &weights::Claims::default()).unwrap();
        assert_eq!((card.name.as_str(), card.elements.len(), remarks.len()), (name, 89, 0));
        assert!(!card.elements.contains_key("Po") && card.elements.contains_key("Pu"));
        let scheme = card.correction_scheme.clone().unwrap();
        assert!(scheme.starts_with(functional) && scheme.contains("not comparable with MP2020"), "{scheme}");
        let model = Model::new(net, card).potential().unwrap();
        for (name, structure) in &crystals {
            let (got, want) = (model.single_points(&[structure]).remove(0).unwrap(), &want["values"][name]);
            assert_single_point(name, &got, want, RELATIVE);
            assert_as_published(&format!("{functional}, {name}"), &got, want);
        }
    }
}

/// Energies within 1e-5 eV/atom, forces within 1e-4 eV/Å.
fn assert_as_published(name: &str, got: &SinglePoint, want: &Value) {
    let energy = got.energy / got.forces.len() as f64 - want["energy_per_atom"].as_f64().unwrap();
    let forces = want["forces"].as_array().unwrap().iter().flat_map(numbers);
    let worst = got.forces.iter().flatten().zip(forces).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
    assert!(energy.abs() <= 1e-5 && worst <= 1e-4, "{name}: {energy:e} {worst:e}");
}

/// Energy, forces and stress of the package nequix in double precision, on weights by the formula, layer by layer.
#[test]
fn nequix_equals_its_package_layer_by_layer() {
    let (golden, crystals) = (data::golden("nequix.json"), golden_crystals(&golden()));
    for layers in 1..=3 {
        let network = &golden["values"][format!("formula, {layers}")];
        let folder = tempfile::tempdir().unwrap();
        let path = nqx(folder.path(), network);
        let imported = weights::import(&path, &claims()).unwrap();
        let model = Model::new(imported.net, imported.card).potential().unwrap();
        for (name, structure) in &crystals {
            let (got, want) = (model.single_points(&[structure]).remove(0).unwrap(), &network["values"][name]);
            assert_single_point(&format!("{layers}, {name}"), &got, want, RELATIVE);
            let want = want["energy_per_atom"].as_f64().unwrap();
            assert!((answer(&path, structure) - want).abs() <= RELATIVE * want.abs().max(1.0), "{layers}, {name}");
        }
    }
}

/// The published potentials: energies within 1e-5 eV/atom, forces within 1e-4 eV/Å; and what their cards say.
#[test]
fn published_nequix_equals_its_package() {
    let (golden, crystals) = (data::golden("nequix.json"), golden_crystals(&golden()));
    for name in ["nequix-oam-1", "nequix-mp-1"] {
        let want = &golden["values"][name];
        let Some(path) = published(&format!("nequix/{}", want["weights"].as_str().unwrap())) else { return };
        let Imported { net, card, remarks } = weights::import(&path, &weights::Claims::default()).unwrap();
        assert_eq!((card.name.as_str(), card.elements.len(), remarks.len()), (name, 89, 0));
        assert!(!card.elements.contains_key("Po") && card.elements.contains_key("Pu"));
        assert!(card.correction_scheme.as_ref().unwrap().contains("once MP2020 is applied"));
        assert_eq!(card.data.contains("OMat24"), name.contains("oam"));
        let model = Model::new(net, card).potential().unwrap();
        for (crystal, structure) in &crystals {
            let (got, want) = (model.single_points(&[structure]).remove(0).unwrap(), &want["values"][crystal]);
            assert_single_point(crystal, &got, want, RELATIVE);
            assert_as_published(&format!("{name}, {crystal}"), &got, want);
        }
    }
}

/// A file of the package nequix below `folder`: the settings of a golden, and arrays by the formula.
fn nqx(folder: &Path, network: &Value) -> PathBuf {
    let mut bytes = format!("{}\n", network["config"]).into_bytes();
    for (t, (name, shape)) in network["shapes"].as_object().unwrap().iter().enumerate() {
        let shape: Vec<usize> = serde_json::from_value(shape.clone()).unwrap();
        let lengths: String = shape.iter().map(|n| format!("{n}, ")).collect();
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({lengths}), }}\n");
        bytes.extend(b"\x93NUMPY\x01\x00");
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(formula(t, name, &shape).iter().flat_map(|v| v.to_le_bytes()));
    }
    let path = folder.join("nequix.nqx");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Energies within 1e-5 eV/atom, forces within 1e-4 eV/Å.
#[test]
fn chgnet_equals_chgnet() {
    let weights_file = published("chgnet/chgnet_0.3.0_e29f68s314m37.pth.tar");
    let (Some(weights_file), Some(values), Some(crystals)) =
        (weights_file, reference("chgnet_0.3.0.json"), reference("structures60.jsonl"))
    else {
        crate::common::skip("../shared is not here");
        return;
    };
    let values = json(&values);
    // Where the peer's single precision is not enough for its own forces.
    let precise = data::golden("chgnet_forces.json");
    let imported = weights::import(&weights_file, &weights::Claims::default()).unwrap();
    assert_eq!(imported.card.parameters, 412_525);
    let model = Model::new(imported.net, imported.card).potential().unwrap();
    let (mut compared, mut worst) = (0, [0.0_f64; 4]);
    for line in std::fs::read_to_string(crystals).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let want = &values["values"][row["id"].as_str().unwrap()];
        if want["e_per_atom"].is_null() {
            continue;
        }
        let structure = structure(&row);
        let graph = BondGraph::new(&structure, 6.0, 3.0).unwrap();
        assert_eq!(graph.neighbor.len() as u64, want["n_directed_edges"].as_u64().unwrap(), "{}", row["id"]);
        assert_eq!(graph.angles() as u64, want["n_angles"].as_u64().unwrap(), "{}", row["id"]);
        let got = model.single_points(&[&structure]).remove(0).unwrap();
        let energy = model.energies(&[&structure]).remove(0).unwrap();
        assert!((energy - got.energy).abs() < 1e-9 * energy.abs(), "{energy} {}", got.energy);
        let number = |v: &Value| v.as_f64().unwrap();
        let mut note = |k: usize, error: f64| worst[k] = worst[k].max(error.abs());
        note(0, got.energy / structure.len() as f64 - number(&want["e_per_atom"]));
        let forces = precise["values"].get(row["id"].as_str().unwrap()).unwrap_or(&want["forces"]);
        for (i, force) in got.forces.iter().enumerate() {
            (0..3).for_each(|k| note(1, force[k] - number(&forces[i][k])));
            note(3, got.magmoms.as_ref().unwrap()[i] - number(&want["magmoms"][i]));
        }
        for (r, row) in got.stress.iter().enumerate() {
            let gpa = |k: usize| row[k] * GPA_PER_EV_PER_CUBIC_ANGSTROM;
            (0..3).for_each(|k| note(2, gpa(k) - number(&want["stress_GPa"][r][k])));
        }
        compared += 1;
    }
    println!("{compared} crystals; worst: {worst:?} eV/atom, eV/Å, GPa, μB");
    assert!(compared >= 50, "only {compared} crystals were compared");
    assert!(worst[0] <= 1e-5 && worst[1] <= 1e-4 && worst[2] <= 2e-3 && worst[3] <= 1e-4, "{worst:?}");
}

/// A file of published weights; they are not part of this project.
fn published(name: &str) -> Option<PathBuf> {
    crate::data::shared(&format!("weights/{name}"))
}

/// The network of a golden file as a potential, and its checkpoint below `folder`, whose weights are by the formula.
fn potential_by_formula(folder: &Path, network: &Value) -> (PathBuf, ModelPotential) {
    let path = checkpoint(folder, &network["shapes"], &[], |_| true);
    let imported = weights::import(&path, &claims()).unwrap();
    (path, Model::new(imported.net, imported.card).potential().unwrap())
}

/// The file itself, or what the script in the guide makes of one in HDF5.
fn readable(path: &Path) -> Option<PathBuf> {
    let Some(stem) = path.to_str().unwrap().strip_suffix(".hdf5") else { return Some(path.to_owned()) };
    let Some(python) = std::env::var_os("HOLLANDITE_PYTHON") else {
        crate::common::skip("HOLLANDITE_PYTHON is not set");
        return None;
    };
    let (name, test) = (stem.replace(['/', '.'], "-"), std::thread::current().name().unwrap().replace("::", "-"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let copy = folder.join(path.file_name().unwrap());
    for end in ["", ".json"] {
        std::fs::copy(format!("{}{end}", path.display()), format!("{}{end}", copy.display())).unwrap();
    }
    let guide = include_str!("../../queries/models.md");
    let script = guide.split("```python").nth(1).unwrap().split("```").next().unwrap();
    let output = std::process::Command::new(python).args(["-c", script]).arg(&copy).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("No module named") {
        crate::common::skip("h5py or safetensors is not installed");
        return None;
    }
    assert!(output.status.success(), "{told}");
    Some(copy.with_extension("safetensors"))
}

/// eV/atom.
const AT_THE_END: f64 = 1e-4;

#[test]
fn published_weights_answer_as_in_their_own_programs() {
    let golden = golden();
    for (peer, file) in [
        ("cgcnn", "cgcnn/formation-energy-per-atom.pth.tar"),
        ("megnet mp-2018.6.1", "megnet/mp-2018.6.1/formation_energy.hdf5"),
        ("megnet mp-2019.4.1", "megnet/mp-2019.4.1/formation_energy.hdf5"),
        ("matgl", "matgl/MEGNet-MP-2018.6.1-Eform"),
    ] {
        let Some(path) = published(file).and_then(|path| readable(&path)) else { continue };
        let mut worst = 0.0_f64;
        for (name, structure) in golden_crystals(&golden) {
            let want = golden["networks"][peer]["values"][&name].as_array().unwrap().last().unwrap().as_f64().unwrap();
            worst = worst.max((answer(&path, &structure) - want).abs());
        }
        println!("{peer}: largest difference {worst:.1e} eV/atom");
        assert!(worst < AT_THE_END, "{peer}: {worst}");
    }
}

#[test]
fn published_cards_say_what_they_predict_and_for_which_elements() {
    let card = |file: &str| {
        let path = readable(&published(file)?)?;
        Some(weights::import(&path, &weights::Claims::default()).unwrap().card)
    };
    for (file, parameters, elements) in [
        ("cgcnn/formation-energy-per-atom.pth.tar", 96_641, 89),
        ("megnet/mp-2018.6.1/formation_energy.hdf5", 167_761, 85),
        ("megnet/mp-2019.4.1/formation_energy.hdf5", 167_761, 85),
        ("matgl/MEGNet-MP-2018.6.1-Eform", 189_617, 89),
    ] {
        let Some(card) = card(file) else { continue };
        assert_eq!((card.target.as_str(), card.unit.as_str()), ("formation_energy_per_atom", "eV/atom"), "{file}");
        assert!(card.correction_scheme.as_ref().unwrap().contains("legacy GGA/GGA+U"), "{file}: {card:?}");
        // Of the original MEGNet the rows of the embedding tell which elements some crystal had.
        assert_eq!(card.parameters, parameters, "{file}");
        assert!((elements..=89).contains(&card.elements.len()), "{file}: {:?}", card.elements.keys());
    }
    for (file, reason) in [
        ("matgl/M3GNet-MP-2018.6.1-Eform", "no architecture that is read"),
        // Neither its JSON nor its authors state a unit.
        ("megnet/mp-2018.6.1/band_gap_regression.hdf5", "add --units"),
    ] {
        let Some(path) = published(file).and_then(|path| readable(&path)) else { continue };
        let message = weights::import(&path, &claims()).unwrap_err().to_string();
        assert!(message.contains(reason), "{file}: {message}");
    }
}

#[test]
fn the_original_megnet_equals_its_layers_in_numpy_at_the_readout() {
    let golden = golden();
    let path = published("megnet/mp-2018.6.1/formation_energy.hdf5").and_then(|path| readable(&path));
    let Some(path) = path else { return };
    let imported = weights::import(&path, &claims()).unwrap();
    let (Net::Megnet(net), Config::Megnet(config)) = (&imported.net, &imported.card.config) else {
        panic!("no MEGNet")
    };
    let (name, want) = golden["networks"]["megnet mp-2018.6.1"]["readout"].as_object().unwrap().iter().next().unwrap();
    let graph =
        Graph::new(&structure(&golden["crystals"][name]), Neighborhood::Within { cutoff: config.cutoff }).unwrap();
    let batch = GraphBatch::new(&[&graph], &config.basis, &Device::flex());
    let got: Vec<f32> = net.readout(config, &batch).into_data().try_to_vec().unwrap();
    let want: Vec<f64> = serde_json::from_value(want.clone()).unwrap();
    assert_eq!(got.len(), want.len());
    for (k, (got, want)) in got.iter().zip(&want).enumerate() {
        assert!((f64::from(*got) - want).abs() <= 1e-5 * want.abs().max(1.0), "value {k}: {got}, want {want}");
    }
}
