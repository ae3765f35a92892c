//! Our side of models.py: one network with its weights, and the graphs of some crystals.
//!
//! Graphs and weights are written for the peer, so that both compute the same: `graphs.safetensors` has the graphs end to end
//! with the numbers of their atoms, bonds and pairs of bonds, `weights.safetensors` the tensors by their names.

use std::{
    cell::Cell,
    collections::HashMap,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Instant,
};

use burn::prelude::Device;
use burn_store::{ModuleSnapshot, SafetensorsStore};
use hollandite::{
    crystal::{Element, content_hash},
    models::{
        alignn::{AlignnConfig, Normalisation},
        cgcnn::CgcnnConfig,
        deeper_gatgnn::DeeperGatgnnConfig,
        fused::Fused,
        graph::Graph,
        network::{Config, Input, Net},
        train::{Epoch, Observer, Sample, TrainOptions, train},
        weights,
    },
};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};

use super::{Fault, structure};

/// A network and what it is asked about.
pub struct Networks {
    config: Config,
    fused: Fused,
    inputs: Vec<Input>,
    samples: Vec<Sample>,
    folder: PathBuf,
}

impl Networks {
    /// `name` may end in the width and number of layers of an ALIGNN: `alignn-256-4`.
    pub fn load(name: &str, crystals: &Path, matgl: &Path, folder: &Path) -> Result<Self, Fault> {
        let (net, config) = match name {
            "megnet" => super::matgl(matgl)?,
            _ => config(name).map(|config| (Net::new(&config, 1, &Device::flex()), config))?,
        };
        let (mut inputs, mut samples) = (Vec::new(), Vec::new());
        for line in std::fs::read_to_string(crystals)?.lines() {
            let row: Value = serde_json::from_str(line)?;
            let structure = structure(&row)?;
            inputs.push(config.input(&structure)?);
            samples.push(Sample {
                id: row["id"].as_str().unwrap_or_default().to_owned(),
                formula: structure.composition().reduced_formula(),
                hash: content_hash(&structure),
                target: row["target"].as_f64().ok_or("a crystal without a label")?,
                structure,
                split: None,
            });
        }
        write_weights(&net, folder)?;
        write_graphs(&inputs, &folder.join("graphs.safetensors"))?;
        let fused = net.fused(&config).ok_or("no fused form")?;
        Ok(Self { config, fused, inputs, samples, folder: folder.to_owned() })
    }

    /// A batch size asks for forward passes over all graphs, "train" for an epoch of a training.
    pub fn turn(&self, line: &str) -> Result<Value, Fault> {
        if line == "train" {
            return self.train();
        }
        let size: usize = line.parse()?;
        let inputs: Vec<&Input> = self.inputs.iter().collect();
        let start = Instant::now();
        let values: Vec<f32> = inputs.chunks(size).flat_map(|lot| self.fused.forward(lot)).collect();
        Ok(json!({ "seconds": start.elapsed().as_secs_f64(), "values": values }))
    }

    /// Seconds for the steps of the second of two epochs, for each crystal fitted.
    fn train(&self) -> Result<Value, Fault> {
        let folder = self.folder.join("training");
        std::fs::remove_dir_all(&folder).or_else(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(e),
        })?;
        let threads = std::env::var("RAYON_NUM_THREADS")?.parse()?;
        let options = TrainOptions {
            epochs: 2,
            batch: 32,
            test_fraction: 0.02,
            validation_fraction: 0.05,
            threads,
            ..TrainOptions::new(self.config.clone(), &folder)
        };
        let clock = Clock::default();
        train(&self.samples, &options, &clock)?;
        let (seconds, crystals) = clock.0.into_inner().map_err(|e| e.to_string())?.ok_or("no second epoch")?;
        Ok(json!({ "seconds": seconds, "crystals": crystals }))
    }
}

/// Times the steps of the second epoch.
#[derive(Default)]
struct Clock(Mutex<Option<(f64, usize)>>);

thread_local! {
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl Observer for Clock {
    fn step(&self, epoch: usize, done: usize, total: usize, _: f64) {
        if let Some(begun) = BEGUN.get().filter(|_| epoch == 2 && done == total)
            && let Ok(mut result) = self.0.lock()
        {
            *result = Some((begun.elapsed().as_secs_f64(), total));
        }
    }

    fn epoch(&self, _: &Epoch) -> ControlFlow<()> {
        BEGUN.set(Some(Instant::now()));
        ControlFlow::Continue(())
    }

    fn note(&self, _: &str) {}
}

/// Writes the weights and the card of a model file for the peer; where there is no such file, it is made first: an ALIGNN of
/// width 64 with 2 + 2 layers and random weights.
pub fn unpack(model: &Path, folder: &Path) -> Result<Value, Fault> {
    let device = Device::flex();
    if !model.exists() {
        let config = config("alignn-64-2")?;
        let net = Net::new(&config, 1, &device);
        let elements: HashMap<&str, usize> =
            (1..=100).map(|z| Ok((Element::from_z(z)?.symbol(), 1))).collect::<Result<_, Fault>>()?;
        let card = json!({
            "name": "random", "architecture": config.architecture(), "config": config, "mean": -2.0, "scale": 1.0,
            "id": weights::weights_id(&net, &config, -2.0, 1.0), "parameters": weights::fitted_parameters(&net),
            "target": "formation_energy_per_atom", "unit": "eV/atom", "data": "none", "elements": elements, "metrics": {},
            "split": { "kind": "random", "seed": 0, "train": 0, "validation": 0, "test": 0 },
            "training": {
                "epochs": 0, "best_epoch": 0, "batch": 0, "learning_rate": 0.0, "loss": "none", "seconds": 0.0,
            },
        });
        weights::save(model, &net, &serde_json::from_value(card)?)?;
    }
    let (net, card) = weights::load(&std::fs::read(model)?, &model.display().to_string(), &device)?;
    write_weights(&net, folder)?;
    std::fs::write(folder.join("card.json"), serde_json::to_vec(&card)?)?;
    Ok(json!({ "model": card.name, "architecture": card.architecture, "parameters": card.parameters }))
}

fn write_weights(net: &Net, folder: &Path) -> Result<(), Fault> {
    let mut store = SafetensorsStore::from_bytes(None).skip_enum_variants(true);
    net.save_into(&mut store)?;
    std::fs::write(folder.join("weights.safetensors"), store.get_bytes()?)?;
    Ok(())
}

fn config(name: &str) -> Result<Config, Fault> {
    let mut parts = name.rsplitn(3, '-');
    let size = match (parts.next(), parts.next(), parts.next()) {
        (Some(layers), Some(hidden), Some(name)) => layers.parse().ok().zip(hidden.parse().ok()).map(|s| (name, s)),
        _ => None,
    };
    let (name, size) = size.map_or((name, None), |(name, size)| (name, Some(size)));
    let alignn = |normalisation| {
        let published = AlignnConfig::published(normalisation);
        let (layers, hidden) = size.unwrap_or((published.gcn_layers, published.hidden));
        Config::Alignn(AlignnConfig { hidden, alignn_layers: layers, gcn_layers: layers, ..published })
    };
    Ok(match name {
        "alignn" => alignn(Normalisation::Batch),
        "alignn-atomwise" => alignn(Normalisation::Layer),
        "deeper-gatgnn" => Config::DeeperGatgnn(DeeperGatgnnConfig::periodic()),
        "cgcnn" => Config::Cgcnn(CgcnnConfig::published()),
        other => return Err(format!("no network '{other}'").into()),
    })
}

/// The graphs end to end.
fn write_graphs(inputs: &[Input], path: &Path) -> Result<(), Fault> {
    let mut ints: HashMap<&str, Vec<i32>> = HashMap::new();
    let mut floats: HashMap<&str, Vec<f32>> = HashMap::new();
    for input in inputs {
        let (graph, line): (&Graph, _) = match input {
            Input::Graph(graph) => (graph, None),
            Input::Lines(graph, line) => (graph, Some(line)),
            Input::Vector(_) | Input::Bonds(_) => {
                return Err("only networks on graphs of neighbours are compared here".into());
            }
        };
        let mut put = |name, values: Vec<i32>| ints.entry(name).or_default().extend(values);
        let signed = |values: &[u32]| values.iter().map(|&i| i as i32).collect::<Vec<_>>();
        put("atoms", vec![graph.nodes() as i32]);
        put("bonds", vec![graph.edges() as i32]);
        put("numbers", graph.numbers.iter().map(|&z| i32::from(z)).collect());
        put("center", signed(&graph.center));
        put("neighbor", signed(&graph.neighbor));
        floats.entry("distance").or_default().extend(&graph.distance);
        floats.entry("displacement").or_default().extend(graph.displacement.as_flattened());
        if let Some(line) = line {
            put("pairs", vec![line.len() as i32]);
            put("gathering", signed(&line.center));
            put("gathered", signed(&line.neighbor));
            floats.entry("cosine").or_default().extend(&line.cosine);
        }
    }
    let bytes = |name: &str, values: Vec<[u8; 4]>, kind| (name.to_owned(), values.concat(), kind, values.len());
    let ints = ints.into_iter().map(|(n, v)| bytes(n, v.into_iter().map(i32::to_le_bytes).collect(), Dtype::I32));
    let floats = floats.into_iter().map(|(n, v)| bytes(n, v.into_iter().map(f32::to_le_bytes).collect(), Dtype::F32));
    let all: Vec<_> = ints.chain(floats).collect();
    let views = all.iter().map(|(n, bytes, kind, len)| Ok((n, TensorView::new(*kind, vec![*len], bytes)?)));
    safetensors::serialize_to_file(views.collect::<Result<Vec<_>, Fault>>()?, None, path)?;
    Ok(())
}
