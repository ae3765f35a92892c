//! What the settings that a search chose mean to a training.

use super::super::{loss::Loss, network::Config, train::TrainOptions};
use super::space::{Settings, Value, number, whole};

/// The settings of a training; those not chosen are as in `usual`.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The architecture's settings.
    pub config: Config,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Batch size in crystals.
    pub batch: usize,
    /// The loss.
    pub loss: Loss,
}

impl Choice {
    /// The defaults of a training.
    pub fn usual(options: &TrainOptions) -> Self {
        let TrainOptions { config, learning_rate, batch, loss, .. } = options.clone();
        Self { config, learning_rate, batch, loss }
    }

    /// What `settings` make of the usual choice; `None` where one is missing that the architecture needs.
    pub fn of(settings: &Settings, usual: &Self) -> Option<Self> {
        Some(Self {
            config: usual.config.chosen(settings)?,
            learning_rate: number(settings, "learning_rate").unwrap_or(usual.learning_rate),
            batch: whole(settings, "batch").unwrap_or(usual.batch),
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
    use crate::network::{Net, architectures};

    fn usual(config: Config) -> Choice {
        Choice { config, learning_rate: 1e-3, batch: 32, loss: Loss::Mse }
    }

    fn of(architecture: &str) -> Choice {
        usual(architectures().into_iter().find(|(name, _)| *name == architecture).unwrap().1)
    }

    #[test]
    fn every_corner_and_proposal_of_every_space_is_a_network() {
        for (name, config) in architectures() {
            let usual = usual(config);
            for (label, space) in usual.config.spaces() {
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
        let usual = of("cnn-magpie");
        let (_, space) = usual.config.spaces().remove(0);
        assert_eq!(space.dimensions(), 2 + 2 * 3 + 3 * 2 + 1);
        let choice = Choice::of(&space.settings(&[1.0; 15]), &usual).unwrap();
        let net = Net::new(&choice.config, 1, &burn::prelude::Device::flex());
        let convolutions = (9 * 256 + 256) + (256 * 9 * 256 + 256);
        let dense = (33 * 256 * 512 + 512) + 2 * (512 * 512 + 512) + 513;
        assert_eq!(burn::module::Module::num_params(&net), convolutions + dense);
        assert_eq!((choice.learning_rate, choice.batch), (0.1, 32));
        // And the smallest: one convolution, one dense layer.
        let smallest = Choice::of(&space.settings(&[0.0; 15]), &usual).unwrap();
        let net = Net::new(&smallest.config, 1, &burn::prelude::Device::flex());
        assert_eq!(burn::module::Module::num_params(&net), (3 * 32 + 32) + (66 * 32 * 32 + 32) + 33);
    }

    #[test]
    fn settings_of_another_architecture_are_refused() {
        let [megnet, cnn] = ["megnet", "cnn-xrd"].map(of);
        let (_, space) = megnet.config.spaces().remove(0);
        let settings = space.settings(&vec![0.5; space.dimensions()]);
        assert!(Choice::of(&settings, &megnet).is_some() && Choice::of(&settings, &cnn).is_none());
    }
}
