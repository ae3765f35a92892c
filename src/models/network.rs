//! Any of the networks behind one face: what training, weights files and predictions need of an architecture.

use std::sync::{Mutex, PoisonError};

use burn::prelude::*;
use burn::tensor::TensorData;

use super::{
    alignn::{Alignn, AlignnConfig, Normalisation},
    atoms,
    batch::GraphBatch,
    bond_graph::BondGraph,
    cgcnn::{Cgcnn, CgcnnConfig},
    chgnet::{Chgnet, ChgnetConfig, ELEMENTS},
    cnn::{Cnn, CnnConfig, Descriptor},
    deeper_gatgnn::{DeeperGatgnn, DeeperGatgnnConfig},
    gatgnn::{Gatgnn, GatgnnConfig},
    graph::{Graph, Neighborhood},
    line_graph::LineGraph,
    megnet::{Megnet, MegnetConfig},
};
use crate::{
    crystal::{Element, Structure},
    error::ModelError,
};

/// An architecture's settings: with the weights, all that its numbers depend on.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Config {
    /// MEGNet.
    Megnet(MegnetConfig),
    /// ALIGNN, both kinds.
    Alignn(AlignnConfig),
    /// DeeperGATGNN.
    DeeperGatgnn(DeeperGatgnnConfig),
    /// GATGNN.
    Gatgnn(GatgnnConfig),
    /// CGCNN.
    Cgcnn(CgcnnConfig),
    /// CHGNet, an energy model.
    Chgnet(ChgnetConfig),
    /// A convolutional network over a descriptor.
    Cnn(CnnConfig),
}

/// The usual settings of an architecture.
pub type Usual = fn() -> Config;

/// The architectures that `train` knows, by name, with their usual settings.
pub const ARCHITECTURES: [(&str, Usual); 8] = [
    ("megnet", || Config::Megnet(MegnetConfig::original())),
    ("alignn", || Config::Alignn(AlignnConfig::published(Normalisation::Batch))),
    ("alignn-atomwise", || Config::Alignn(AlignnConfig::published(Normalisation::Layer))),
    ("deeper-gatgnn", || Config::DeeperGatgnn(DeeperGatgnnConfig::periodic())),
    ("gatgnn", || Config::Gatgnn(GatgnnConfig::periodic())),
    ("cgcnn", || Config::Cgcnn(CgcnnConfig::published())),
    ("cnn-magpie", || Config::Cnn(CnnConfig::usual(Descriptor::Magpie))),
    ("cnn-xrd", || Config::Cnn(CnnConfig::usual(Descriptor::Xrd))),
];

/// What a network reads of one crystal.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The crystal graph.
    Graph(Graph),
    /// The crystal graph and its line graph.
    Lines(Graph, LineGraph),
    /// The graphs of bonds and of angles.
    Bonds(BondGraph),
    /// A vector of descriptors.
    Vector(Vec<f32>),
}

impl Input {
    /// What a forward pass over it costs, in rows of its largest tensors: bonds, angles, or one.
    pub fn rows(&self) -> usize {
        match self {
            Self::Graph(graph) => graph.edges(),
            Self::Lines(_, line) => line.len(),
            Self::Bonds(graph) => graph.neighbor.len() + graph.angles(),
            Self::Vector(_) => 1,
        }
    }
}

impl Config {
    /// Takes the mean and standard deviation of each number of a descriptor over the training set into the configuration,
    /// and standardises the inputs, which were not so far.
    pub(super) fn standardise(&mut self, inputs: &mut [Option<Input>], training: &[usize]) {
        let Self::Cnn(config) = self else { return };
        let vector = |i: usize| match &inputs[i] {
            Some(Input::Vector(vector)) => Some(vector),
            _ => None,
        };
        let rows: Vec<&Vec<f32>> = training.iter().filter_map(|&i| vector(i)).collect();
        let n = rows.len().max(1) as f64;
        let statistics = |k: usize| {
            let mean = rows.iter().map(|row| f64::from(row[k])).sum::<f64>() / n;
            let variance = rows.iter().map(|row| (f64::from(row[k]) - mean).powi(2)).sum::<f64>() / n;
            (mean as f32, variance.sqrt() as f32)
        };
        config.inputs = (0..config.descriptor.length()).map(statistics).collect();
        // A number that hardly varies says little: divided by its own deviation, a rare value would drown all others.
        if config.descriptor == Descriptor::Xrd {
            let widest = config.inputs.iter().map(|(_, scale)| *scale).fold(f32::MIN_POSITIVE, f32::max);
            config.inputs.iter_mut().for_each(|(_, scale)| *scale = widest);
        }
        for (_, scale) in &mut config.inputs {
            if *scale < 1e-6 {
                *scale = 1.0;
            }
        }
        for input in inputs.iter_mut().flatten() {
            if let Input::Vector(vector) = input {
                vector.iter_mut().zip(&config.inputs).for_each(|(x, (mean, scale))| *x = (*x - mean) / scale);
            }
        }
    }

    /// Name of the architecture.
    pub fn architecture(&self) -> &'static str {
        match self {
            Self::Megnet(_) => "megnet",
            Self::Alignn(AlignnConfig { normalisation: Normalisation::Batch, .. }) => "alignn",
            Self::Alignn(_) => "alignn-atomwise",
            Self::DeeperGatgnn(_) => "deeper-gatgnn",
            Self::Gatgnn(_) => "gatgnn",
            Self::Cgcnn(_) => "cgcnn",
            Self::Chgnet(_) => "chgnet",
            Self::Cnn(CnnConfig { descriptor: Descriptor::Magpie, .. }) => "cnn-magpie",
            Self::Cnn(_) => "cnn-xrd",
        }
    }

    /// What the network reads of a crystal.
    ///
    /// # Errors
    /// No bond within the cutoff, an element that the encoding does not know, or a descriptor that is not defined.
    pub fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        if let Some(element) = structure.species().iter().find(|e| !self.encodes(**e)) {
            return Err(ModelError::Coverage { element: element.symbol(), model: self.architecture().to_owned() });
        }
        match self {
            Self::Megnet(config) => {
                Graph::new(structure, Neighborhood::Within { cutoff: config.cutoff }).map(Input::Graph)
            }
            Self::Alignn(config) => {
                let graph = Graph::new(structure, config.edges)?;
                let line = LineGraph::new(&graph);
                Ok(Input::Lines(graph, line))
            }
            Self::DeeperGatgnn(config) => Graph::new(structure, config.edges).map(Input::Graph),
            Self::Gatgnn(config) => Graph::new(structure, config.edges).map(Input::Graph),
            Self::Cgcnn(config) => Graph::new(structure, config.edges).map(Input::Graph),
            Self::Chgnet(config) => {
                BondGraph::new(structure, config.atom_graph_cutoff, config.bond_graph_cutoff).map(Input::Bonds)
            }
            Self::Cnn(config) => Ok(Input::Vector(config.vector(structure)?)),
        }
    }

    /// Whether the network's encoding of atoms has a place for the element, seen in training or not.
    fn encodes(&self, element: Element) -> bool {
        match self {
            Self::Megnet(config) => usize::from(element.z()) < config.embedding_rows,
            Self::Alignn(_) | Self::Cgcnn(_) | Self::DeeperGatgnn(_) | Self::Gatgnn(_) => atoms::is_encoded(element),
            Self::Chgnet(_) => usize::from(element.z()) <= ELEMENTS,
            Self::Cnn(_) => true,
        }
    }

    /// Rows of the largest tensors of one pass where many crystals are at hand: they stay within a few MB of cache.
    pub(super) fn rows_per_pass(&self) -> usize {
        match self {
            Self::Megnet(_) | Self::Cgcnn(_) => 6_000,
            Self::DeeperGatgnn(_) | Self::Gatgnn(_) | Self::Chgnet(_) => 3_000,
            Self::Alignn(config) => 1_500_000 / config.hidden,
            Self::Cnn(_) => 256,
        }
    }
}

/// Weights of any architecture.
// One lives as long as its model, and burn's modules are not boxed.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum Net {
    /// MEGNet.
    Megnet(Megnet),
    /// ALIGNN, both kinds.
    Alignn(Alignn),
    /// DeeperGATGNN.
    DeeperGatgnn(DeeperGatgnn),
    /// GATGNN.
    Gatgnn(Gatgnn),
    /// CGCNN.
    Cgcnn(Cgcnn),
    /// CHGNet, an energy model.
    Chgnet(Chgnet),
    /// A convolutional network over a descriptor.
    Cnn(Cnn),
}

/// burn has one generator of random numbers for the whole process, and draws a weight when a net is made or when the weight is first read,
/// even one that a file then replaces. Whoever makes a net does so alone, so that seeds decide, whatever else the process does.
pub(super) fn alone<T>(make: impl FnOnce() -> T) -> T {
    static DRAWING: Mutex<()> = Mutex::new(());
    let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
    make()
}

impl Net {
    /// Random weights on `device`.
    pub fn new(config: &Config, device: &Device) -> Self {
        match config {
            Config::Megnet(config) => Self::Megnet(Megnet::new(config, device)),
            Config::Alignn(config) => Self::Alignn(Alignn::new(config, device)),
            Config::DeeperGatgnn(config) => Self::DeeperGatgnn(DeeperGatgnn::new(config, device)),
            Config::Gatgnn(config) => Self::Gatgnn(Gatgnn::new(config, device)),
            Config::Cgcnn(config) => Self::Cgcnn(Cgcnn::new(config, device)),
            Config::Chgnet(config) => Self::Chgnet(Chgnet::new(config, device)),
            Config::Cnn(config) => Self::Cnn(Cnn::new(config, device)),
        }
    }

    /// One number for each input, `[B]`, in the units the weights were trained in.
    ///
    /// # Panics
    /// Where weights, configuration and inputs are of different architectures: a fault of the caller, not of data.
    pub fn forward<'a>(&self, config: &Config, inputs: &[&'a Input], device: &Device) -> Tensor<1> {
        let graphs = || -> Vec<&'a Graph> {
            let graph = |input: &&'a Input| match input {
                Input::Graph(graph) | Input::Lines(graph, _) => graph,
                _ => panic!("the network reads another kind of input"),
            };
            inputs.iter().map(graph).collect()
        };
        match (self, config) {
            (Self::Megnet(net), Config::Megnet(config)) => {
                net.forward(config, &GraphBatch::new(&graphs(), &config.basis, device))
            }
            (Self::Alignn(net), Config::Alignn(config)) => {
                let lines: Vec<(&Graph, &LineGraph)> = inputs
                    .iter()
                    .map(|input| match input {
                        Input::Lines(graph, line) => (graph, line),
                        _ => panic!("ALIGNN was given no line graph"),
                    })
                    .collect();
                let batch = GraphBatch::new(&graphs(), &config.bonds, device);
                net.forward(&batch.with_lines(&lines, &config.angles, device))
            }
            (Self::DeeperGatgnn(net), Config::DeeperGatgnn(config)) => {
                net.forward(config, &GraphBatch::new(&graphs(), &config.bonds, device))
            }
            (Self::Gatgnn(net), Config::Gatgnn(config)) => {
                net.forward(&GraphBatch::new(&graphs(), &config.bonds, device))
            }
            (Self::Cgcnn(net), Config::Cgcnn(config)) => {
                net.forward(&GraphBatch::new(&graphs(), &config.bonds, device))
            }
            (Self::Chgnet(net), Config::Chgnet(config)) => {
                let energy = |input: &&Input| match input {
                    Input::Bonds(graph) => net.forward(config, graph, device),
                    _ => panic!("CHGNet was given no graph of bonds"),
                };
                Tensor::cat(inputs.iter().map(energy).collect(), 0)
            }
            (Self::Cnn(net), Config::Cnn(config)) => {
                let length = config.descriptor.length();
                let values: Vec<f32> = inputs
                    .iter()
                    .flat_map(|input| match input {
                        Input::Vector(vector) => vector.iter().copied(),
                        _ => panic!("a descriptor network was given a graph"),
                    })
                    .collect();
                net.forward(Tensor::from_data(TensorData::new(values, [inputs.len(), length]), device))
            }
            _ => panic!("weights and configuration are of different architectures"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crystal::Lattice;

    /// The crystal told in another way, and its supercell.
    fn retold() -> (Structure, Vec<Structure>) {
        let symbols = ["Sr", "Ti", "O", "O", "O"].map(|s| Element::from_symbol(s).unwrap());
        let sites = [[0.52, 0.5, 0.49], [0.0; 3], [0.5, 0.03, 0.0], [0.0, 0.5, 0.06], [0.0, 0.02, 0.47]];
        let rows = [[3.9, 0.0, 0.0], [0.2, 4.1, 0.0], [0.0, 0.3, 4.3]];
        let build = |rows: [[f64; 3]; 3], order: [usize; 5], sites: [[f64; 3]; 5]| {
            let species = order.iter().map(|&i| symbols[i]).collect();
            Structure::new(Lattice::new(rows).unwrap(), species, order.iter().map(|&i| sites[i]).collect()).unwrap()
        };
        let plain = build(rows, [0, 1, 2, 3, 4], sites);
        let (s, c) = 0.7_f64.sin_cos();
        let turned = rows.map(|[x, y, z]| [c * x - s * y, s * x + c * y, z]);
        let sum = std::array::from_fn(|k| rows[0][k] + rows[1][k]);
        let others = vec![
            build(rows, [4, 2, 0, 3, 1], sites),
            build(rows, [0, 1, 2, 3, 4], sites.map(|x| x.map(|x| x + 0.3))),
            build(turned, [0, 1, 2, 3, 4], sites),
            build([rows[0], sum, rows[2]], [0, 1, 2, 3, 4], sites.map(|[x, y, z]| [x - y, y, z])),
            plain.supercell([2, 1, 1]).unwrap(),
        ];
        (plain, others)
    }

    fn values(config: &Config, net: &Net, structures: &[Structure]) -> Vec<f32> {
        let inputs: Vec<Input> = structures.iter().map(|s| config.input(s).unwrap()).collect();
        let inputs: Vec<&Input> = inputs.iter().collect();
        net.forward(config, &inputs, &Device::flex()).into_data().try_to_vec().unwrap()
    }

    /// Every architecture, narrow where it may be.
    fn configs() -> Vec<Config> {
        let narrow = |config| match config {
            Config::Alignn(c) => Config::Alignn(AlignnConfig { hidden: 32, alignn_layers: 2, gcn_layers: 2, ..c }),
            other => other,
        };
        ARCHITECTURES.iter().map(|(_, config)| narrow(config())).collect()
    }

    #[test]
    fn values_do_not_depend_on_how_a_crystal_is_told_or_on_its_company() {
        let (plain, others) = retold();
        for config in configs() {
            let name = config.architecture();
            let net = Net::new(&config, &Device::flex());
            let alone = values(&config, &net, std::slice::from_ref(&plain))[0];
            for (k, value) in values(&config, &net, &others).into_iter().enumerate() {
                assert!((value - alone).abs() < 5e-5 * alone.abs().max(1.0), "{name}, telling {k}: {value}, {alone}");
            }
            let wider = Lattice::new(plain.lattice().rows().map(|row| row.map(|x| 1.1 * x))).unwrap();
            let wider = Structure::new(wider, plain.species().to_vec(), plain.frac_coords().to_vec()).unwrap();
            let other = values(&config, &net, &[wider])[0];
            assert_eq!((other - alone).abs() > 1e-7, name != "cnn-magpie", "{name}: {other}, {alone}");
        }
    }

    #[test]
    fn the_published_graph_of_deeper_gatgnn_depends_on_the_cell() {
        let (plain, others) = retold();
        let config = Config::DeeperGatgnn(DeeperGatgnnConfig::published(8.0));
        let net = Net::new(&config, &Device::flex());
        let [alone, double] = [&plain, &others[4]].map(|s| values(&config, &net, std::slice::from_ref(s))[0]);
        assert!((alone - double).abs() > 1e-6, "{alone} {double}");
    }

    #[test]
    fn configurations_are_told_apart_in_a_card() {
        for config in configs() {
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config, "{text}");
        }
    }
}
