//! Our networks against the peers', on the weights and crystals of their own runs.
//!
//! The reference values are not part of this project; where they are absent the test says so and passes.

use std::path::{Path, PathBuf};

use burn::prelude::Device;
use hollandite::{
    crystal::{Element, Lattice, Structure},
    models::{
        alignn::{AlignnConfig, Normalisation},
        batch::GraphBatch,
        graph::{Graph, Neighborhood},
        line_graph::LineGraph,
        megnet::MegnetConfig,
        weights,
    },
};
use serde_json::Value;

/// f32 through some 30 layers: matgl's own f32 and f64 results differ by up to 1e-6 of the value.
const RELATIVE: f64 = 1e-5;

fn reference(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(name);
    path.exists().then_some(path)
}

fn vector(v: &Value) -> [f64; 3] {
    std::array::from_fn(|k| v[k].as_f64().expect("a number"))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn crystal(row: &Value) -> Structure {
    let lattice = Lattice::new(std::array::from_fn(|k| vector(&row["lattice"][k]))).unwrap();
    let species = row["species"].as_array().unwrap().iter();
    let species = species.map(|s| Element::from_symbol(s.as_str().unwrap()).unwrap()).collect();
    let coords = row["frac_coords"].as_array().unwrap().iter().map(vector).collect();
    Structure::new(lattice, species, coords).unwrap()
}

#[test]
fn megnet_equals_matgl() {
    let (Some(weights_file), Some(values), Some(crystals)) =
        (reference("megnet_random.safetensors"), reference("megnet_random.json"), reference("structures60.jsonl"))
    else {
        println!("skipped: ../shared/reference is not here");
        return;
    };
    let values = json(&values);
    let order: Vec<&str> =
        values["meta"]["element_types"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let config = MegnetConfig::matgl();
    let device = Device::flex();
    let net = weights::load_matgl(std::fs::read(weights_file).unwrap(), &config, &device).unwrap();

    let mut compared = 0;
    for line in std::fs::read_to_string(crystals).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let expected = &values["values"][row["id"].as_str().unwrap()];
        let Some(want) = expected["out64"].as_f64() else { continue };
        let structure = crystal(&row);
        let mut graph = Graph::new(&structure, Neighborhood::Within { cutoff: config.cutoff }).unwrap();
        assert_eq!(graph.edges() as u64, expected["edges"].as_u64().unwrap(), "{}", row["id"]);
        // matgl numbers the rows of its embedding by its own list of elements.
        let place = |e: &Element| order.iter().position(|s| *s == e.symbol()).unwrap() as u8;
        graph.numbers = structure.species().iter().map(place).collect();
        let batch = GraphBatch::new(&[&graph], &config.basis, &device);
        let got = f64::from(net.forward(&config, &batch).into_scalar::<f32>());
        assert!((got - want).abs() <= RELATIVE * want.abs().max(1.0), "{}: {got} against {want}", row["id"]);
        let readout: Vec<f32> = net.readout(&config, &batch).into_data().try_to_vec().unwrap();
        for (got, want) in readout.iter().zip(expected["readout"].as_array().unwrap()) {
            let want = want.as_f64().unwrap();
            assert!(
                (f64::from(*got) - want).abs() <= RELATIVE * want.abs().max(1.0),
                "readout {}: {got} {want}",
                row["id"]
            );
        }
        compared += 1;
    }
    assert!(compared >= 50, "only {compared} crystals were compared");
}

#[test]
fn alignn_atomwise_equals_alignn() {
    let (Some(weights_file), Some(values), Some(crystals)) = (
        reference("alignn_random_h64.safetensors"),
        reference("alignn_random_h64_radius4.json"),
        reference("structures60.jsonl"),
    ) else {
        println!("skipped: ../shared/reference is not here");
        return;
    };
    let values = json(&values);
    // The peer's graph of this run: all pairs within 4 Å.
    let config = AlignnConfig {
        edges: Neighborhood::Within { cutoff: 4.0 },
        hidden: 64,
        ..AlignnConfig::published(Normalisation::Layer)
    };
    let device = Device::flex();
    let net = weights::load_alignn(std::fs::read(weights_file).unwrap(), &config, &device).unwrap();
    let (mut compared, mut worst) = (0, 0.0_f64);
    for line in std::fs::read_to_string(crystals).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let expected = &values["values"][row["id"].as_str().unwrap()];
        let Some(want) = expected["out"].as_f64() else { continue };
        let graph = Graph::new(&crystal(&row), config.edges).unwrap();
        let lines = LineGraph::new(&graph);
        assert_eq!(graph.edges() as u64, expected["edges"].as_u64().unwrap(), "{}", row["id"]);
        assert_eq!(lines.len() as u64, expected["line_edges"].as_u64().unwrap(), "{}", row["id"]);
        let batch =
            GraphBatch::new(&[&graph], &config.bonds, &device).with_lines(&[(&graph, &lines)], &config.angles, &device);
        let got = f64::from(net.forward(&batch).into_scalar::<f32>());
        worst = worst.max((got - want).abs() / want.abs().max(1.0));
        compared += 1;
    }
    println!("{compared} crystals, largest difference {worst:.1e}");
    assert!(compared >= 50 && worst < 1e-5, "{compared} crystals, {worst}");
}
