//! The list of architectures, and any of them behind one interface: what training, weights files and predictions need of a network.

use std::sync::{Mutex, PoisonError};

use burn::prelude::*;

pub use super::input::Input;
use super::{
    alignn,
    architecture::{Architecture, Growth, Variant},
    cgcnn, chgnet, cnn, deeper_gatgnn,
    fused::Fused,
    gatgnn,
    loss::Loss,
    megnet, nequix, schnet,
    step::Step,
    tensornet, trees,
    tune::space::{Settings, Space},
    weights::{
        checkpoint::Checkpoint,
        found::{Claims, Found},
        limits,
    },
};
use crate::ModelError;
use crystal::{Element, Structure};

/// From the list of architectures: one enum of their settings, one of their weights, and their methods.
macro_rules! architectures {
    ($($(#[$about:meta])* $name:ident: $folder:ident::$config:ident,)*) => {
        /// An architecture's settings: with the weights, all that its numbers depend on.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(untagged)]
        pub enum Config {
            $($(#[$about])* $name($folder::$config),)*
        }

        /// Weights of any architecture.
        // One lives as long as its model, and burn's modules are not boxed.
        #[allow(clippy::large_enum_variant)]
        #[derive(Module, Debug)]
        pub enum Net {
            $($(#[$about])* $name($folder::$name),)*
        }

        /// Names of the list.
        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// The architectures that `train` and `tune` know, by name, with their usual settings.
        pub fn architectures() -> Vec<(&'static str, Config)> {
            let mut all = Vec::new();
            $(all.extend($folder::$config::VARIANTS.iter().map(|v| (v.name, Config::$name((v.usual)())))); )*
            all
        }

        /// The error that the seed paper gives for an architecture: see [`Variant::published_rmse`].
        pub fn published_rmse(architecture: &str) -> Option<f64> {
            fn of<C>(variants: &[Variant<C>], name: &str) -> Option<f64> {
                variants.iter().find(|variant| variant.name == name)?.published_rmse
            }
            None$(.or_else(|| of($folder::$config::VARIANTS, architecture)))*
        }

        /// The network that a checkpoint of another program is.
        ///
        /// # Errors
        /// Tensors of no architecture that is read, or what the architecture's reader says.
        pub(super) fn convert(
            checkpoint: Checkpoint,
            claims: &Claims,
            device: &Device,
        ) -> Result<Found<Config, Net>, String> {
            let mut read = Vec::new();
            $(
                let readers = $folder::$config::READERS;
                if let Some(reader) = readers.iter().find(|reader| (reader.recognises)(&checkpoint)) {
                    return (reader.convert)(checkpoint, claims, device).map(|found| found.map(Config::$name, Net::$name));
                }
                read.extend((!readers.is_empty()).then_some($folder::$config::TITLE));
            )*
            let names: Vec<&str> = checkpoint.arrays.keys().map(String::as_str).take(3).collect();
            Err(format!(
                "its {} tensors ({}, ...) are of no architecture that is read: {}",
                checkpoint.arrays.len(),
                names.join(", "),
                read.join(", ")
            ))
        }

        impl Config {
            /// Name of the architecture.
            pub fn architecture(&self) -> &'static str {
                match self { $(Self::$name(config) => config.name(),)* }
            }

            /// Whether the network's encoding of atoms has a place for the element, seen in training or not.
            fn encodes(&self, element: Element) -> bool {
                match self { $(Self::$name(config) => config.encodes(element),)* }
            }

            fn read(&self, structure: &Structure) -> Result<Input, ModelError> {
                match self { $(Self::$name(config) => config.input(structure),)* }
            }

            /// Takes the mean and standard deviation of each number of a descriptor over the training set into the
            /// configuration, and standardises the inputs.
            pub(super) fn standardise(&mut self, inputs: &mut [Option<Input>], training: &[usize]) {
                match self { $(Self::$name(config) => config.standardise(inputs, training),)* }
            }

            /// Rows of the largest tensors of one pass where many crystals are at hand: they stay within a few MB of cache.
            pub(super) fn rows_per_pass(&self) -> usize {
                match self { $(Self::$name(config) => config.rows_per_pass(),)* }
            }

            /// What `tune` may choose, by name, the usual space first; nothing where the network is not trained.
            pub fn spaces(&self) -> Vec<(&'static str, Space)> {
                match self { $(Self::$name(config) => config.spaces(),)* }
            }

            /// This configuration with the settings that a search chose; `None` where one is missing.
            pub(super) fn chosen(&self, settings: &Settings) -> Option<Self> {
                match self { $(Self::$name(config) => config.chosen(settings).map(Self::$name),)* }
            }

            /// Whether a network of these settings may be built and used.
            ///
            /// # Errors
            /// Settings that are too large.
            pub(super) fn check(&self) -> Result<(), String> {
                match self { $(Self::$name(config) => limits::check(config),)* }
            }
        }

        impl Net {
            /// Random weights on `device`, a function of `seed` alone: whatever else the process does, and in whatever order.
            pub fn new(config: &Config, seed: u64, device: &Device) -> Self {
                // burn has one generator of random numbers for the whole process, and draws a weight when it is first read.
                static DRAWING: Mutex<()> = Mutex::new(());
                let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
                device.seed(seed);
                Self::to_be_read(config, device).materialize()
            }

            /// A network for the weights of a file. Each of them must be put in: one that is not is drawn where it is first
            /// read, and changes what [`Self::new`] draws meanwhile.
            pub(super) fn to_be_read(config: &Config, device: &Device) -> Self {
                match config { $(Config::$name(config) => Self::$name(config.net(device)),)* }
            }

            /// One number for each input, `[B]`, in the units the weights were trained in.
            ///
            /// # Panics
            /// Where weights, configuration and inputs are of different architectures: a fault of the caller, not of data.
            pub fn forward(&self, config: &Config, inputs: &[&Input], device: &Device) -> Tensor<1> {
                match (self, config) {
                    $((Self::$name(net), Config::$name(config)) => config.forward(net, inputs, device),)*
                    _ => panic!("weights and configuration are of different architectures"),
                }
            }

            /// A training step without tensors; `None` of an architecture that has no such form.
            pub(super) fn step(
                &self,
                config: &Config,
                items: &[(&Input, f32)],
                loss: Loss,
                threads: usize,
            ) -> Option<Step> {
                match (self, config) {
                    $((Self::$name(net), Config::$name(config)) => config.step(net, items, loss, threads),)*
                    _ => None,
                }
            }

            /// One more epoch of what grows, with the sum of its losses; `None` where weights have gradients.
            pub(super) fn grown(
                &self,
                config: &Config,
                items: &[(&Input, f32)],
                growth: &Growth,
            ) -> Option<(Self, f64)> {
                match (self, config) {
                    $((Self::$name(net), Config::$name(config)) => {
                        config.grown(net, items, growth).map(|(net, loss)| (Self::$name(net), loss))
                    })*
                    _ => None,
                }
            }

            /// The weights packed for inference; `None` of an architecture that has no such form.
            pub fn fused(&self, config: &Config) -> Option<Fused> {
                match (self, config) {
                    $((Self::$name(net), Config::$name(config)) => config.fused(net),)*
                    _ => None,
                }
            }
        }
    };
}

// The list. A card holds the settings without a name, so they are read as the first architecture whose settings they can be: a new
// one comes last.
architectures! {
    /// MEGNet.
    Megnet: megnet::MegnetConfig,
    /// ALIGNN, both kinds.
    Alignn: alignn::AlignnConfig,
    /// DeeperGATGNN.
    DeeperGatgnn: deeper_gatgnn::DeeperGatgnnConfig,
    /// GATGNN.
    Gatgnn: gatgnn::GatgnnConfig,
    /// CGCNN.
    Cgcnn: cgcnn::CgcnnConfig,
    /// CHGNet, an energy model.
    Chgnet: chgnet::ChgnetConfig,
    /// A convolutional network over a descriptor.
    Cnn: cnn::CnnConfig,
    /// TensorNet, an energy model.
    Tensornet: tensornet::TensornetConfig,
    /// SchNet.
    Schnet: schnet::SchnetConfig,
    /// Gradient-boosted trees.
    Trees: trees::TreesConfig,
    /// Nequix, an energy model.
    Nequix: nequix::NequixConfig,
}

impl Config {
    /// What the network reads of a crystal.
    ///
    /// # Errors
    /// No bond within the cutoff, an element that the encoding does not know, or a descriptor that is not defined.
    pub fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        match structure.species().iter().find(|e| !self.encodes(**e)) {
            Some(e) => Err(ModelError::Coverage { element: e.symbol(), model: self.architecture().to_owned() }),
            None => self.read(structure),
        }
    }

    /// Whether networks of this architecture are trained here, and not only read.
    ///
    /// # Errors
    /// An energy model, with the names of those that are.
    pub fn can_be_trained(&self) -> Result<(), ModelError> {
        let name = self.architecture();
        match architectures().iter().any(|(trained, _)| *trained == name) {
            true => Ok(()),
            false => Err(ModelError::Training(format!(
                "{name} is an energy model, and fitting one to forces and stresses is not supported; train {}",
                names()
            ))),
        }
    }
}

/// The names of [`architectures`] in a sentence: `megnet, alignn, ... or cnn-xrd`.
pub fn names() -> String {
    let all: Vec<&str> = architectures().iter().map(|(name, _)| *name).collect();
    match all.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alignn::AlignnConfig, deeper_gatgnn::DeeperGatgnnConfig};
    use crystal::Lattice;

    /// The crystal described in another way, and its supercell.
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
        architectures().into_iter().map(|(_, config)| narrow(config)).collect()
    }

    #[test]
    fn values_do_not_depend_on_how_a_crystal_is_described_or_on_its_batch() {
        let (plain, others) = retold();
        for config in configs() {
            let name = config.architecture();
            let net = Net::new(&config, 1, &Device::flex());
            let alone = values(&config, &net, std::slice::from_ref(&plain))[0];
            for (k, value) in values(&config, &net, &others).into_iter().enumerate() {
                assert!((value - alone).abs() < 5e-5 * alone.abs().max(1.0), "{name}, telling {k}: {value}, {alone}");
            }
            let wider = Lattice::new(plain.lattice().rows().map(|row| row.map(|x| 1.1 * x))).unwrap();
            let wider = Structure::new(wider, plain.species().to_vec(), plain.frac_coords().to_vec()).unwrap();
            let other = values(&config, &net, &[wider])[0];
            assert_eq!((other - alone).abs() > 1e-7, !name.ends_with("-magpie"), "{name}: {other}, {alone}");
        }
    }

    #[test]
    fn the_published_graph_of_deeper_gatgnn_depends_on_the_cell() {
        let (plain, others) = retold();
        let config = Config::DeeperGatgnn(DeeperGatgnnConfig::published(8.0));
        let net = Net::new(&config, 1, &Device::flex());
        let [alone, double] = [&plain, &others[4]].map(|s| values(&config, &net, std::slice::from_ref(s))[0]);
        assert!((alone - double).abs() > 1e-6, "{alone} {double}");
    }

    #[test]
    fn names_are_those_of_the_settings_and_chgnet_is_not_trained() {
        for (name, config) in architectures() {
            assert_eq!(config.architecture(), name);
            assert!(config.can_be_trained().is_ok() && !config.spaces().is_empty(), "{name}");
        }
        let chgnet = Config::Chgnet(crate::chgnet::ChgnetConfig::published());
        assert!(chgnet.can_be_trained().is_err() && chgnet.spaces().is_empty());
    }

    #[test]
    fn configurations_are_distinguished_in_a_card() {
        for config in configs() {
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config, "{text}");
        }
    }
}
