//! The settings that each architecture may be tuned over, and what they mean to it.
//!
//! The seed paper tuned its convolutional networks with Keras Tuner (Bayesian optimisation, 75 trials of 500 epochs); `paper` is
//! that space. Its dropout of 0.3 at least costs a regression much: `wide` lets it be 0, and lets rate, batch and loss vary. The
//! paper took its graph networks as they were published; theirs is `usual`, around the published values.

use super::super::{
    alignn::AlignnConfig,
    batch::GaussianBasis,
    cgcnn::CgcnnConfig,
    cnn::{CnnConfig, ConvolutionConfig, DenseConfig},
    deeper_gatgnn::DeeperGatgnnConfig,
    gatgnn::GatgnnConfig,
    graph::Neighborhood,
    loss::Loss,
    megnet::MegnetConfig,
    network::Config,
    train::TrainOptions,
};
use super::space::{Domain, Settings, Space, Value};

/// Most convolutions and dense layers of a descriptor network.
const CONVOLUTIONS: i64 = 2;
const DENSE: i64 = 3;

/// The spaces of an architecture by name, the usual one first; none where it cannot be tuned.
pub fn spaces(config: &Config) -> Vec<(&'static str, Space)> {
    let steps = |low, high, step| Domain::Steps { low, high, step };
    let fitted = |space: Space| {
        let rate = Domain::Log { low: 1e-4, high: 1e-2 };
        let space = space.with("learning_rate", rate).with("batch", Domain::Levels(vec![16.0, 32.0, 64.0, 128.0]));
        space.with("loss", Domain::Names(vec!["mse", "mae", "huber"]))
    };
    let usual = |space: Space| vec![("usual", fitted(space))];
    match config {
        // An energy model is read, not trained.
        Config::Chgnet(_) => Vec::new(),
        Config::Cnn(_) => {
            let paper = layers(0.3).with("learning_rate", Domain::Levels(vec![1e-4, 1e-3, 1e-2, 1e-1]));
            vec![("paper", paper), ("wide", fitted(layers(0.0)))]
        }
        Config::Megnet(_) => {
            usual(Space::default().with("blocks", steps(1, 5, 1)).with("cutoff", Domain::Real { low: 3.5, high: 7.0 }))
        }
        Config::Alignn(_) => usual(
            Space::default()
                .with("alignn_layers", steps(1, 4, 1))
                .with("gcn_layers", steps(1, 4, 1))
                .with("hidden", steps(64, 256, 32))
                .with("neighbors", steps(8, 16, 2)),
        ),
        Config::DeeperGatgnn(_) => usual(
            Space::default()
                .with("layers", steps(4, 20, 2))
                .with("hidden", steps(32, 128, 16))
                .with("neighbors", steps(8, 16, 2)),
        ),
        Config::Gatgnn(_) => usual(
            Space::default()
                .with("layers", steps(1, 5, 1))
                .with("hidden", steps(32, 128, 16))
                .with("neighbors", steps(8, 16, 2)),
        ),
        Config::Cgcnn(_) => usual(
            Space::default()
                .with("convolutions", steps(2, 6, 1))
                .with("atom", steps(32, 128, 16))
                .with("crystal", steps(32, 256, 32))
                .with("neighbors", steps(8, 16, 2)),
        ),
    }
}

/// One or two convolutions and one to three dense layers, with no less dropout than this.
fn layers(dropout: f64) -> Space {
    let steps = |low, high, step| Domain::Steps { low, high, step };
    let dropout = Domain::Real { low: dropout, high: 0.5 };
    let mut space = Space::default().with("convolutions", steps(1, CONVOLUTIONS, 1));
    for k in 1..=CONVOLUTIONS {
        space = space
            .with_where(("convolutions", k), format!("filters_{k}"), steps(32, 256, 32))
            .with_where(("convolutions", k), format!("kernel_{k}"), steps(3, 9, 1))
            .with_where(("convolutions", k), format!("convolution_dropout_{k}"), dropout.clone());
    }
    space = space.with("dense", steps(1, DENSE, 1));
    for k in 1..=DENSE {
        space = space.with_where(("dense", k), format!("units_{k}"), steps(32, 512, 32)).with_where(
            ("dense", k),
            format!("dense_dropout_{k}"),
            dropout.clone(),
        );
    }
    space
}

/// What settings say of a training; what they do not say is as in `usual`.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The architecture's settings.
    pub config: Config,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Crystals in one step.
    pub batch: usize,
    /// What is minimised.
    pub loss: Loss,
}

impl Choice {
    /// What a training does whose settings nobody chose.
    pub fn usual(options: &TrainOptions) -> Self {
        let TrainOptions { config, learning_rate, batch, loss, .. } = options.clone();
        Self { config, learning_rate, batch, loss }
    }

    /// What `settings` make of the usual choice; `None` where one is missing that the architecture needs.
    pub fn of(settings: &Settings, usual: &Self) -> Option<Self> {
        let number = |name: &str| settings.get(name).and_then(Value::number);
        let whole = |name: &str| number(name).map(|x| x as usize);
        let nearest = |edges: Neighborhood| {
            whole("neighbors").map_or(edges, |count| match edges {
                Neighborhood::Nearest { cutoff, .. } => Neighborhood::Nearest { count, cutoff },
                Neighborhood::Exactly { cutoff, .. } => Neighborhood::Exactly { count, cutoff },
                Neighborhood::MinimumImage { cutoff, .. } => Neighborhood::MinimumImage { count, cutoff },
                within @ Neighborhood::Within { .. } => within,
            })
        };
        let config = match &usual.config {
            Config::Chgnet(_) => return None,
            Config::Cnn(usual) => {
                let convolution = |k: usize| {
                    Some(ConvolutionConfig {
                        filters: whole(&format!("filters_{k}"))?,
                        kernel: whole(&format!("kernel_{k}"))?,
                        dropout: number(&format!("convolution_dropout_{k}"))?,
                    })
                };
                let dense = |k: usize| {
                    Some(DenseConfig {
                        units: whole(&format!("units_{k}"))?,
                        dropout: number(&format!("dense_dropout_{k}"))?,
                    })
                };
                Config::Cnn(CnnConfig {
                    convolutions: (1..=whole("convolutions")?).map(convolution).collect::<Option<_>>()?,
                    dense: (1..=whole("dense")?).map(dense).collect::<Option<_>>()?,
                    ..usual.clone()
                })
            }
            Config::Megnet(usual) => {
                let cutoff = number("cutoff")?;
                // The published basis ends an ångström beyond the cutoff.
                let basis = GaussianBasis { last: cutoff as f32 + 1.0, ..usual.basis };
                Config::Megnet(MegnetConfig { cutoff, basis, blocks: whole("blocks")?, ..usual.clone() })
            }
            Config::Alignn(usual) => Config::Alignn(AlignnConfig {
                edges: nearest(usual.edges),
                alignn_layers: whole("alignn_layers")?,
                gcn_layers: whole("gcn_layers")?,
                hidden: whole("hidden")?,
                ..usual.clone()
            }),
            Config::DeeperGatgnn(usual) => Config::DeeperGatgnn(DeeperGatgnnConfig {
                edges: nearest(usual.edges),
                layers: whole("layers")?,
                hidden: whole("hidden")?,
                ..usual.clone()
            }),
            Config::Gatgnn(usual) => Config::Gatgnn(GatgnnConfig {
                edges: nearest(usual.edges),
                layers: whole("layers")?,
                hidden: whole("hidden")?,
                ..usual.clone()
            }),
            Config::Cgcnn(usual) => Config::Cgcnn(CgcnnConfig {
                edges: nearest(usual.edges),
                convolutions: whole("convolutions")?,
                atom: whole("atom")?,
                crystal: whole("crystal")?,
                ..usual.clone()
            }),
        };
        Some(Self {
            config,
            learning_rate: number("learning_rate").unwrap_or(usual.learning_rate),
            batch: whole("batch").unwrap_or(usual.batch),
            loss: match settings.get("loss") {
                Some(Value::Name(name)) => name.parse().ok()?,
                _ => usual.loss,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::search::propose;
    use super::*;
    use crate::models::network::{ARCHITECTURES, Net};

    fn usual(config: Config) -> Choice {
        Choice { config, learning_rate: 1e-3, batch: 32, loss: Loss::Mse }
    }

    #[test]
    fn every_corner_and_proposal_of_every_space_is_a_network() {
        for (name, config) in ARCHITECTURES {
            let usual = usual(config());
            for (label, space) in spaces(&usual.config) {
                let corners = [0.0, 0.5, 1.0].map(|at| space.settings(&vec![at; space.dimensions()]));
                let proposals = (0..4).map(|seed| propose(&space, seed, &[]).unwrap());
                for settings in corners.into_iter().chain(proposals) {
                    let choice =
                        Choice::of(&settings, &usual).unwrap_or_else(|| panic!("{name} {label}: {settings:?}"));
                    assert_eq!(choice.config.architecture(), name);
                    assert!(settings.contains_key("learning_rate") && choice.learning_rate >= 1e-4);
                    let text = serde_json::to_string(&choice.config).unwrap();
                    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), choice.config);
                }
            }
        }
    }

    #[test]
    fn the_largest_network_of_the_paper_has_the_parameters_of_its_layers() {
        let usual = usual(ARCHITECTURES.iter().find(|(name, _)| *name == "cnn-magpie").unwrap().1());
        let (_, space) = spaces(&usual.config).remove(0);
        assert_eq!(space.dimensions(), 2 + 2 * 3 + 3 * 2 + 1);
        let choice = Choice::of(&space.settings(&[1.0; 15]), &usual).unwrap();
        let net = Net::new(&choice.config, &burn::prelude::Device::flex());
        let convolutions = (9 * 256 + 256) + (256 * 9 * 256 + 256);
        let dense = (33 * 256 * 512 + 512) + 2 * (512 * 512 + 512) + 513;
        assert_eq!(burn::module::Module::num_params(&net), convolutions + dense);
        assert_eq!((choice.learning_rate, choice.batch), (0.1, 32));
        // And the smallest: one convolution, one dense layer.
        let smallest = Choice::of(&space.settings(&[0.0; 15]), &usual).unwrap();
        let net = Net::new(&smallest.config, &burn::prelude::Device::flex());
        assert_eq!(burn::module::Module::num_params(&net), (3 * 32 + 32) + (66 * 32 * 32 + 32) + 33);
    }

    #[test]
    fn settings_of_another_architecture_are_refused() {
        let [megnet, cnn] =
            ["megnet", "cnn-xrd"].map(|n| usual(ARCHITECTURES.iter().find(|(name, _)| *name == n).unwrap().1()));
        let (_, space) = spaces(&megnet.config).remove(0);
        let settings = space.settings(&vec![0.5; space.dimensions()]);
        assert!(Choice::of(&settings, &megnet).is_some() && Choice::of(&settings, &cnn).is_none());
    }
}
