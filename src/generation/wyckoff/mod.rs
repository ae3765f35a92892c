//! A network that writes crystals in tokens: a transformer over Wyckoff positions, after N. Kazeev *et al.* (arXiv:2503.02407).
//!
//! Its input is what the crystal is to be ([`Conditions`], elements, composition). It draws a space group, and then one orbit after
//! another: species with oxidation state, site symmetry, number among the positions of that symmetry. Orbits have no order: it learns from
//! every order, has no positions, and reads after each orbit the state of the crystal so far. What can no longer become charge-neutral, or
//! of the requested composition, is never drawn.
//!
//! ```text
//! places.rs vocabulary.rs   the words            conditions.rs written.rs   input of the network, before and on the way
//! read.rs example.rs batch.rs  known crystals     network.rs train.rs        the network in burn, and how it learns
//! reach.rs amounts.rs       what may still come  forward.rs sampler.rs      the same on plain numbers, and drawing
//! weights.rs find.rs        on disk, and by name
//! ```

mod amounts;
mod batch;
mod conditions;
mod example;
mod find;
mod forward;
mod network;
mod places;
mod reach;
mod read;
mod sampler;
mod train;
mod vocabulary;
mod weights;
mod written;

use std::path::Path;
use std::sync::{Arc, OnceLock};

pub use conditions::{Bins, Condition, Conditions};
pub use example::Example;
pub use network::WyckoffConfig;
pub use read::examples;
pub use sampler::WyckoffSampler;
pub use train::{WyckoffEpoch, WyckoffObserver, WyckoffOptions, WyckoffTrained, train};
pub use weights::WyckoffCard;

use crystal::Element;

use crate::GenerationError;
use forward::Forward;
use vocabulary::Vocabulary;
use weights::{Weights, check, from_bytes};

/// Weights that ship with the program.
const EMBEDDED: &[u8] = include_bytes!("../../../fixtures/generators/wyckoff.safetensors");

/// A network that writes crystals, with its card.
#[derive(Debug, Clone)]
pub struct WyckoffModel {
    card: WyckoffCard,
    vocabulary: Vocabulary,
    forward: Forward,
}

impl WyckoffModel {
    /// Of weights that were read or trained.
    fn of(weights: &Weights, card: WyckoffCard) -> Result<Self, GenerationError> {
        let vocabulary = card.vocabulary()?;
        check(weights, &card, &vocabulary)?;
        let forward = Forward::new(weights, card.config);
        Ok(Self { card, vocabulary, forward })
    }

    /// The network that ships with the program.
    ///
    /// # Errors
    /// Weights of another version of the program, which a test excludes.
    pub fn embedded() -> Result<Arc<Self>, GenerationError> {
        static READ: OnceLock<Arc<WyckoffModel>> = OnceLock::new();
        match READ.get() {
            Some(model) => Ok(Arc::clone(model)),
            None => {
                let model = Arc::new(Self::from_bytes(EMBEDDED)?);
                Ok(Arc::clone(READ.get_or_init(|| model)))
            }
        }
    }

    /// Out of the bytes of a weights file.
    ///
    /// # Errors
    /// Bytes that are no such file, or weights of another size than their card says.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GenerationError> {
        let (weights, card) = from_bytes(bytes)?;
        Self::of(&weights, card)
    }

    /// Out of a weights file.
    ///
    /// # Errors
    /// As [`WyckoffModel::from_bytes`], or a file that cannot be read.
    pub fn load(path: &Path) -> Result<Self, GenerationError> {
        Self::from_bytes(&std::fs::read(path).map_err(GenerationError::io(path))?)
    }

    /// What a reader needs to judge it.
    pub fn card(&self) -> &WyckoffCard {
        &self.card
    }

    /// The elements that it writes, by atomic number.
    pub fn elements(&self) -> &[Element] {
        self.vocabulary.elements()
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn forward(&self) -> &Forward {
        &self.forward
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use burn::prelude::Device;
    use crystal::Composition;

    use super::*;
    use crate::{Request, Sampler};
    use network::{Net, Shape};

    /// A network that has learned nothing, with the words of the published crystals.
    pub fn untrained() -> Arc<WyckoffModel> {
        static MADE: OnceLock<Arc<WyckoffModel>> = OnceLock::new();
        Arc::clone(MADE.get_or_init(|| {
            let (_, vocabulary) = example::tests::published();
            let config = WyckoffConfig { species: 16, symmetry: 12, number: 4, layers: 1, heads: 2, hidden: 32 };
            let net = Net::new(&Shape::of(config, &vocabulary), 1, &Device::flex());
            Arc::new(WyckoffModel::of(&weights::of_net(&net), card(config, &vocabulary)).unwrap())
        }))
    }

    fn card(config: WyckoffConfig, vocabulary: &Vocabulary) -> WyckoffCard {
        let species = vocabulary.species().iter().map(|s| (s.element.z(), s.charge.low, s.charge.high)).collect();
        WyckoffCard {
            name: "untrained".into(),
            config,
            parameters: 0,
            data: "published oxides".into(),
            crystals: 0,
            held_out: 0,
            without_tokens: 0,
            too_long: 0,
            conditions: [0; 5],
            seed: 1,
            epochs: 0,
            best_epoch: 0,
            batch: 8,
            learning_rate: 1e-3,
            loss: 0.0,
            held_out_loss: 0.0,
            seconds: 0.0,
            species,
            bins: vocabulary.bins().clone(),
        }
    }

    #[test]
    fn the_network_that_ships_has_learned_what_oxides_are_made_of() {
        let model = WyckoffModel::embedded().unwrap();
        let card = model.card();
        assert!(card.crystals > 40_000 && card.parameters < 1_000_000, "{card:?}");
        // Its card was written before there were other bins.
        assert_eq!(card.bins, Bins::first());
        let request =
            |formula| Request { sites: Some(60), ..Request::of_composition(Composition::parse(formula).unwrap()) };
        let drawn = |model: Arc<WyckoffModel>| -> BTreeSet<String> {
            let sampler = WyckoffSampler::new(model, &request("TiO2"));
            (0..1000).filter_map(|seed| sampler.sample(seed)).map(|sample| sample.tokens.to_string()).collect()
        };
        // One in a hundred that it writes of TiO2 is rutile, of those that chance writes none.
        let rutile = "136 Ti4+:2a O2-:4f";
        assert!(drawn(Arc::clone(&model)).contains(rutile) && !drawn(untrained()).contains(rutile));
    }

    #[test]
    fn a_weights_file_is_read_back_and_a_damaged_one_refused() {
        let (_, vocabulary) = example::tests::published();
        let config = WyckoffConfig { species: 8, symmetry: 4, number: 4, layers: 1, heads: 2, hidden: 8 };
        let all = weights::of_net(&Net::new(&Shape::of(config, &vocabulary), 1, &Device::flex()));
        let bytes = weights::to_bytes(&all, &card(config, &vocabulary)).unwrap();
        let (read, _) = from_bytes(&bytes).unwrap();
        assert_eq!(read, all);
        let model = WyckoffModel::from_bytes(&bytes).unwrap();
        assert_eq!((model.card().config, model.vocabulary()), (config, &vocabulary));
        for n in (0..bytes.len()).step_by(997) {
            assert!(WyckoffModel::from_bytes(&bytes[..n]).is_err(), "{n}");
        }
        let wider = WyckoffConfig { hidden: 9, ..config };
        let bytes = weights::to_bytes(&all, &card(wider, &vocabulary)).unwrap();
        assert!(WyckoffModel::from_bytes(&bytes).unwrap_err().to_string().contains("layers.0.dense"));
        let message = from_bytes(&[0; 20]).unwrap_err().to_string();
        assert!(message.starts_with("weights of a generator"), "{message}");
    }
}
