//! Settings that no network has: a card or a tensor that announces them would cost memory or time without end.

use super::checkpoint::MOST_VALUES;
use crate::{architecture::Architecture, batch::GaussianBasis, graph::Neighborhood};

/// Longest bond, Å, and most neighbours of an atom.
pub(crate) const FARTHEST: f64 = 20.0;
const MOST_NEIGHBOURS: usize = 64;

/// Whether a network of these settings may be built and used.
///
/// # Errors
/// What is out of all proportion.
pub(crate) fn check(config: &impl Architecture) -> Result<(), String> {
    let values = config.values();
    if values > MOST_VALUES {
        return Err(format!("its settings ask for {values} values or more; no network of this kind is that large"));
    }
    config.check()
}

/// Whether a graph of these edges, whose lengths and angles are expanded in these bases, is one that a network reads.
///
/// # Errors
/// What is out of all proportion.
pub(crate) fn graph(edges: Neighborhood, bases: &[GaussianBasis]) -> Result<(), String> {
    let (cutoff, count) = match edges {
        Neighborhood::Within { cutoff } => (cutoff, 1),
        Neighborhood::Nearest { count, cutoff }
        | Neighborhood::Exactly { count, cutoff }
        | Neighborhood::MinimumImage { count, cutoff } => (cutoff, count),
    };
    if !(cutoff > 0.0 && cutoff <= FARTHEST) || count == 0 || count > MOST_NEIGHBOURS {
        return Err(format!(
            "its graph reaches {cutoff} Å and {count} neighbours; up to {FARTHEST} Å and {MOST_NEIGHBOURS} are read"
        ));
    }
    match bases.iter().find(|b| b.count < 2 || !(b.last > b.first && b.gamma > 0.0 && b.gamma.is_finite())) {
        Some(basis) => Err(format!("a basis of {basis:?}")),
        None => Ok(()),
    }
}

/// Values of so many layers of these widths, of several kinds.
pub(crate) fn sum(layers: &[(usize, &[usize])]) -> usize {
    let product = |(n, widths): &(usize, &[usize])| widths.iter().fold(*n, |p, &w| p.saturating_mul(w));
    layers.iter().map(product).fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use crate::{
        alignn::{AlignnConfig, Normalisation},
        cnn::{CnnConfig, Descriptor},
        graph::Neighborhood,
        megnet::MegnetConfig,
        network::{Config, architectures},
    };

    #[test]
    fn every_usual_network_passes_and_absurd_ones_do_not() {
        for (name, config) in architectures() {
            config.check().unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        let alignn = AlignnConfig::published(Normalisation::Batch);
        let absurd = [
            Config::Megnet(MegnetConfig { blocks: usize::MAX, ..MegnetConfig::original() }),
            Config::Megnet(MegnetConfig { cutoff: 1e9, ..MegnetConfig::original() }),
            Config::Megnet(MegnetConfig { cutoff: f64::NAN, ..MegnetConfig::original() }),
            Config::Alignn(AlignnConfig { hidden: 1 << 20, ..alignn.clone() }),
            Config::Alignn(AlignnConfig { edges: Neighborhood::Nearest { count: 1 << 30, cutoff: 8.0 }, ..alignn }),
            Config::Cnn(CnnConfig { inputs: Vec::new(), ..CnnConfig::usual(Descriptor::Xrd) }),
        ];
        for config in absurd {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
