//! Our side of benches/peers: a process that the scripts ask, line by line, between turns of the peers.
//!
//! `peers parse` answers a JSON list of paths with the crystals and atoms in them. `peers megnet CRYSTALS WEIGHTS` answers
//! a batch size with times and predictions. `peers features CRYSTALS` answers the name of a feature with the time that all
//! crystals took. `peers networks NAME CRYSTALS MATGL FOLDER` answers a batch size with the time and predictions of a network.
//! `peers potential WEIGHTS CRYSTALS` answers `energies`, `forces`, `relax STEPS` or `band FMAX STEPS` with the time and energies
//! of an energy model. `peers hull SYSTEMS` answers `build` or `ask` with the time, and energies and products of phase diagrams.
//! `peers unpack MODEL FOLDER` answers once a model's file is written for the peer. Without arguments, as `cargo bench` calls it,
//! it points to the scripts.

mod hull;
mod networks;
mod potential;

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, Write},
    path::Path,
    time::Instant,
};

use burn::prelude::Device;
use hollandite::{
    crystal::{Composition, DEFAULT_SYMPREC, Element, Lattice, Structure, Symmetry},
    features, formats,
    models::{
        batch::GraphBatch,
        graph::{Graph, Neighborhood},
        megnet::MegnetConfig,
        network::{Config, Net},
        weights::{Claims, import},
    },
};
use serde_json::{Value, json};

type Fault = Box<dyn std::error::Error>;

// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["parse"] => answer(|line| parse(serde_json::from_str(line)?)),
        ["megnet", crystals, weights] => {
            let megnet = Megnet::load(Path::new(crystals), Path::new(weights))?;
            answer(|line| megnet.turn(line.parse()?))
        }
        ["networks", name, crystals, matgl, folder] => {
            let [crystals, matgl, folder] = [crystals, matgl, folder].map(Path::new);
            let networks = networks::Networks::load(name, crystals, matgl, folder)?;
            answer(|line| networks.turn(line))
        }
        ["potential", weights, crystals] => {
            let energies = potential::Energies::load(Path::new(weights), Path::new(crystals))?;
            answer(|line| energies.turn(line))
        }
        ["hull", systems] => {
            let mut hulls = hull::Hulls::load(Path::new(systems))?;
            answer(|line| hulls.turn(line))
        }
        ["unpack", model, folder] => answer(|_| networks::unpack(Path::new(model), Path::new(folder))),
        ["features", crystals] => {
            let mut features = Features::load(Path::new(crystals))?;
            answer(|line| features.turn(line))
        }
        _ => {
            println!("peers: run by benches/peers/*.py");
            Ok(())
        }
    }
}

/// A line of JSON for every line of standard input.
fn answer(mut turn: impl FnMut(&str) -> Result<Value, Fault>) -> Result<(), Fault> {
    for line in std::io::stdin().lock().lines() {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", turn(&line?)?)?;
        out.flush()?;
    }
    Ok(())
}

fn parse(paths: Vec<String>) -> Result<Value, Fault> {
    let (mut crystals, mut atoms, mut refused) = (0, 0, 0);
    for record in paths.iter().flat_map(|path| formats::read_file(Path::new(path))) {
        match record {
            Ok(record) => (crystals, atoms) = (crystals + 1, atoms + record.structure.len()),
            Err(_) => refused += 1,
        }
    }
    Ok(json!({ "crystals": crystals, "atoms": atoms, "refused": refused }))
}

/// matgl's network with matgl's weights, and what it is asked about.
struct Megnet {
    config: MegnetConfig,
    net: hollandite::models::megnet::Megnet,
    crystals: Vec<Structure>,
}

impl Megnet {
    fn load(crystals: &Path, weights: &Path) -> Result<Self, Fault> {
        let (Net::Megnet(net), Config::Megnet(config)) = matgl(weights)? else { return Err("not MEGNet".into()) };
        let text = std::fs::read_to_string(crystals)?;
        let crystals = text.lines().map(|line| structure(&serde_json::from_str(line)?)).collect::<Result<_, _>>()?;
        Ok(Self { config, net, crystals })
    }

    /// Graphs of all crystals, then forward passes over `size` of them at a time, as `Model::predict` goes about it.
    fn turn(&self, size: usize) -> Result<Value, Fault> {
        let start = Instant::now();
        let mut graphs = Vec::with_capacity(self.crystals.len());
        for structure in &self.crystals {
            graphs.push(Graph::new(structure, Neighborhood::Within { cutoff: self.config.cutoff })?);
        }
        let built = start.elapsed();
        let mut values: Vec<f32> = Vec::with_capacity(graphs.len());
        for lot in graphs.chunks(size) {
            let lot = GraphBatch::new(&lot.iter().collect::<Vec<_>>(), &self.config.basis, &Device::flex());
            values.extend(self.net.forward(&self.config, &lot).into_data().iter::<f32>());
        }
        let forward = start.elapsed() - built;
        let edges: usize = graphs.iter().map(Graph::edges).sum();
        Ok(json!({
            "graphs_s": built.as_secs_f64(), "forward_s": forward.as_secs_f64(), "edges": edges, "values": values,
        }))
    }
}

/// Crystals by id, with Zeo++'s radii, and which of them each feature is asked of.
struct Features {
    crystals: Vec<(String, Structure, Composition, Vec<f64>)>,
    chosen: HashMap<String, Vec<usize>>,
}

impl Features {
    fn load(path: &Path) -> Result<Self, Fault> {
        let text = std::fs::read_to_string(path)?;
        let crystal = |line: &str| -> Result<_, Fault> {
            let row: Value = serde_json::from_str(line)?;
            let structure = structure(&row)?;
            let composition = structure.composition();
            let id = row["id"].as_str().unwrap_or_default().to_owned();
            Ok((id, structure, composition, serde_json::from_value(row["radii"].clone())?))
        };
        Ok(Self { crystals: text.lines().map(crystal).collect::<Result<_, _>>()?, chosen: HashMap::new() })
    }

    /// "FEATURE ID ID ..." chooses crystals; "FEATURE" answers with seconds and a sum over them.
    fn turn(&mut self, line: &str) -> Result<Value, Fault> {
        let (name, ids) = line.split_once(' ').unwrap_or((line, ""));
        if !ids.is_empty() {
            let ids: HashSet<&str> = ids.split(' ').collect();
            let all = self.crystals.iter().enumerate();
            let chosen: Vec<usize> = all.filter(|(_, c)| ids.contains(c.0.as_str())).map(|(k, _)| k).collect();
            let count = chosen.len();
            self.chosen.insert(name.to_owned(), chosen);
            return Ok(json!({ "crystals": count }));
        }
        let chosen = self.chosen.get(name).ok_or("first name the crystals")?;
        let start = Instant::now();
        let mut sum = 0.0;
        for &k in chosen {
            let (_, structure, composition, radii) = &self.crystals[k];
            sum += match name {
                "magpie" => features::magpie(composition).iter().flatten().sum::<f64>(),
                "xrd" => features::xrd_peaks(structure, features::CU_KA, (0.0, 90.0))?.len() as f64,
                "voronoi" => {
                    let cells = features::tessellate(structure, &vec![0.0; structure.len()])?.cells;
                    cells.iter().map(|cell| cell.volume).sum()
                }
                "spheres" => features::spheres(structure, radii)?.df,
                "spacegroup" => f64::from(Symmetry::of(structure, DEFAULT_SYMPREC)?.number),
                "soap" => features::soap(structure, &features::SoapOptions::default())?.values.iter().sum(),
                other => return Err(format!("no feature '{other}'").into()),
            };
        }
        Ok(json!({ "seconds": start.elapsed().as_secs_f64(), "sum": sum }))
    }
}

/// A MEGNet of matgl.
fn matgl(weights: &Path) -> Result<(Net, Config), Fault> {
    let stated = |text: &str| Some(text.to_owned());
    let (property, unit, elements) = (stated("formation_energy_per_atom"), stated("eV/atom"), stated("mp"));
    let read = import(weights, &Claims { property, unit, elements, ..Claims::default() })?;
    Ok((read.net, read.card.config))
}

fn structure(row: &Value) -> Result<Structure, Fault> {
    let lattice: [[f64; 3]; 3] = serde_json::from_value(row["lattice"].clone())?;
    let symbols: Vec<String> = serde_json::from_value(row["species"].clone())?;
    let species = symbols.iter().map(|s| Element::from_symbol(s)).collect::<Result<_, _>>()?;
    Ok(Structure::new(Lattice::new(lattice)?, species, serde_json::from_value(row["frac_coords"].clone())?)?)
}
