//! Settings that no network has: a card or a tensor that announces them would cost memory or time without end.

use crate::models::chgnet::{ChgnetConfig, WIDTH};
use crate::models::cnn::CnnConfig;
use crate::models::graph::Neighborhood;
use crate::models::network::Config;

use super::checkpoint::MOST_VALUES;

/// Longest bond, Å, and most neighbours of an atom.
const FARTHEST: f64 = 20.0;
const MOST_NEIGHBOURS: usize = 64;

/// Whether a network of these settings may be built and asked.
///
/// # Errors
/// What is out of all proportion.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let values = values(config);
    if values > MOST_VALUES {
        return Err(format!("its settings ask for {values} values or more; no network of this kind is that large"));
    }
    let (edges, bases) = match config {
        Config::Megnet(c) => (Neighborhood::Within { cutoff: c.cutoff }, vec![c.basis]),
        Config::Alignn(c) => (c.edges, vec![c.bonds, c.angles]),
        Config::DeeperGatgnn(c) => (c.edges, vec![c.bonds]),
        Config::Gatgnn(c) => (c.edges, vec![c.bonds]),
        Config::Cgcnn(c) => (c.edges, vec![c.bonds]),
        Config::Chgnet(c) => return chgnet(c),
        Config::Cnn(c) => return vector(c),
    };
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

fn chgnet(c: &ChgnetConfig) -> Result<(), String> {
    let radii =
        0.0 < c.bond_graph_cutoff && c.bond_graph_cutoff <= c.atom_graph_cutoff && c.atom_graph_cutoff <= FARTHEST;
    let counts = c.convolutions > 0 && c.radial > 0 && c.angular % 2 == 1 && (1..=32).contains(&c.cutoff_exponent);
    if radii && counts { Ok(()) } else { Err(format!("its settings are those of no energy model: {c:?}")) }
}

fn vector(config: &CnnConfig) -> Result<(), String> {
    match config.inputs.len() == config.descriptor.length()
        && config.inputs.iter().all(|(m, s)| m.is_finite() && *s > 0.0)
    {
        true => Ok(()),
        false => Err(format!("means and deviations of {} numbers", config.inputs.len())),
    }
}

/// Values of the network's largest layers; all of them are no more than a few times as many.
fn values(config: &Config) -> usize {
    let sum = |parts: &[(usize, &[usize])]| {
        let product = |(n, widths): &(usize, &[usize])| widths.iter().fold(*n, |p, &w| p.saturating_mul(w));
        parts.iter().map(product).fold(0, usize::saturating_add)
    };
    match config {
        Config::Megnet(c) => sum(&[(c.blocks, &[64, 512]), (c.embedding_rows, &[16]), (c.basis.count, &[64])]),
        Config::Alignn(c) => {
            let layers = c.alignn_layers.saturating_mul(2).saturating_add(c.gcn_layers);
            let bases = c.bonds.count.saturating_add(c.angles.count);
            sum(&[(layers, &[5, c.hidden, c.hidden]), (2, &[c.embedding, c.hidden]), (bases, &[c.embedding])])
        }
        Config::DeeperGatgnn(c) => sum(&[(c.layers, &[8, c.hidden, c.hidden]), (c.bonds.count, &[c.hidden])]),
        Config::Gatgnn(c) => {
            sum(&[(c.layers, &[8, c.hidden, c.hidden]), (c.bonds.count, &[c.hidden]), (c.weigher, &[c.hidden])])
        }
        Config::Cgcnn(c) => {
            let joined = c.atom.saturating_mul(2).saturating_add(c.bonds.count);
            sum(&[(c.convolutions, &[joined, 2, c.atom]), (c.atom, &[c.crystal])])
        }
        Config::Chgnet(c) => {
            let bases = c.radial.saturating_mul(3).saturating_add(c.angular);
            sum(&[(c.convolutions, &[30, WIDTH, WIDTH]), (bases, &[WIDTH])])
        }
        Config::Cnn(c) => {
            let filters = |k: usize| c.convolutions.get(k).map_or(1, |l| l.filters);
            let convolutions = c.convolutions.iter().enumerate().map(|(k, l)| match k {
                0 => sum(&[(l.filters, &[l.kernel])]),
                k => sum(&[(l.filters, &[l.kernel, filters(k - 1)])]),
            });
            let mut width = filters(c.convolutions.len().wrapping_sub(1)).saturating_mul(c.descriptor.length());
            let dense = c.dense.iter().map(|l| std::mem::replace(&mut width, l.units).saturating_mul(l.units));
            let dense: Vec<usize> = dense.collect();
            convolutions.chain(dense).fold(0, usize::saturating_add)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::alignn::{AlignnConfig, Normalisation};
    use crate::models::cnn::Descriptor;
    use crate::models::megnet::MegnetConfig;
    use crate::models::network::ARCHITECTURES;

    #[test]
    fn every_usual_network_passes_and_absurd_ones_do_not() {
        for (name, config) in ARCHITECTURES {
            check(&config()).unwrap_or_else(|e| panic!("{name}: {e}"));
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
            assert!(check(&config).is_err(), "{config:?}");
        }
    }
}
