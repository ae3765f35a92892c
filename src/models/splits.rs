//! Dividing labelled crystals into train, validation and test.
//!
//! A random split lets polymorphs of one compound stand on both sides, and flatters a model; a split by formula does not.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::train::Sample;

/// How to divide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitKind {
    /// Each crystal by a hash of its id: the paper's 80/20 random split.
    Random,
    /// All crystals of one reduced formula on the same side.
    Formula,
    /// By the table's `split` column: `test` is the test set; other held-out marks (`test_probable`) are left out; what is
    /// not marked, or marked `train`, is trained on.
    Column,
}

impl SplitKind {
    /// Every kind with its name on the command line.
    pub const NAMES: [(&'static str, Self); 3] =
        [("random", Self::Random), ("formula", Self::Formula), ("column", Self::Column)];

    /// Name on the command line and in model cards.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// Indices into the samples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Split {
    /// Fitted.
    pub train: Vec<usize>,
    /// Chooses the best epoch.
    pub validation: Vec<usize>,
    /// Untouched until the end.
    pub test: Vec<usize>,
}

/// Divides `samples`: `test_fraction` held out (ignored by [`SplitKind::Column`]), then `validation_fraction` of the rest.
/// The same seed gives the same division whatever the order of the rows. A crystal with the content hash of a test crystal
/// is never trained on, whatever its id.
pub fn split(samples: &[Sample], kind: SplitKind, test_fraction: f64, validation_fraction: f64, seed: u64) -> Split {
    let key = |sample: &Sample| match kind {
        SplitKind::Random | SplitKind::Column => sample.id.clone(),
        SplitKind::Formula => sample.formula.clone(),
    };
    let mut test = Vec::new();
    let mut rest = Vec::new();
    for (i, sample) in samples.iter().enumerate() {
        match (kind, sample.split.as_deref()) {
            (SplitKind::Column, Some("test")) => test.push(i),
            (SplitKind::Column, Some("train") | None) => rest.push(i),
            (SplitKind::Column, Some(_)) => {}
            _ if draw(seed, "test", &key(sample)) < test_fraction => test.push(i),
            _ => rest.push(i),
        }
    }
    let held_out: std::collections::HashSet<_> = test.iter().map(|&i| samples[i].hash).collect();
    rest.retain(|&i| !held_out.contains(&samples[i].hash));
    let (validation, train) =
        rest.into_iter().partition(|&i| draw(seed, "validation", &key(&samples[i])) < validation_fraction);
    Split { train, validation, test }
}

/// Number of crystals of each element among `indices`.
pub fn element_counts(samples: &[Sample], indices: &[usize]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for &i in indices {
        for (element, _) in samples[i].structure.composition().iter() {
            *counts.entry(element.symbol().to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

/// A number in [0, 1) that depends only on its arguments.
fn draw(seed: u64, purpose: &str, key: &str) -> f64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose).chain_update(key).finalize();
    let bits = u64::from_le_bytes(std::array::from_fn(|k| digest[k]));
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crystal::{Element, Lattice, Structure, content_hash};

    fn samples() -> Vec<Sample> {
        (0..2000)
            .map(|k| {
                let a = 4.0 + k as f64 * 0.01;
                let lattice = Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
                let structure = Structure::new(lattice, vec![Element::O], vec![[0.0; 3]]).unwrap();
                Sample {
                    id: format!("x-{k}"),
                    formula: format!("F{}", k / 4),
                    hash: content_hash(&structure),
                    structure,
                    target: 0.0,
                    split: ["train", "test", "test_probable"].get(k % 4).map(|s| (*s).to_owned()),
                }
            })
            .collect()
    }

    #[test]
    fn fractions_hold_and_every_sample_is_somewhere_once() {
        let s = samples();
        let division = split(&s, SplitKind::Random, 0.2, 0.2, 7);
        let mut all = [division.train.clone(), division.validation.clone(), division.test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..s.len()).collect::<Vec<_>>());
        assert!((division.test.len() as f64 / 2000.0 - 0.2).abs() < 0.03);
        assert!((division.validation.len() as f64 / 1600.0 - 0.2).abs() < 0.04);
        assert_eq!(division, split(&s, SplitKind::Random, 0.2, 0.2, 7));
        assert_ne!(division, split(&s, SplitKind::Random, 0.2, 0.2, 8));
    }

    #[test]
    fn formula_split_keeps_polymorphs_together() {
        let s = samples();
        let division = split(&s, SplitKind::Formula, 0.2, 0.2, 7);
        let formulas =
            |set: &[usize]| set.iter().map(|&i| s[i].formula.clone()).collect::<std::collections::HashSet<_>>();
        let (train, test) = (formulas(&division.train), formulas(&division.test));
        assert!(!test.is_empty() && train.is_disjoint(&test));
        assert!(formulas(&division.validation).is_disjoint(&train));
    }

    #[test]
    fn column_split_follows_the_table_and_never_trains_on_a_test_crystal() {
        let mut s = samples();
        s[3].hash = s[1].hash; // unmarked, but the same crystal as the test row 1
        let division = split(&s, SplitKind::Column, 0.2, 0.1, 7);
        assert_eq!(division.test, (0..2000).filter(|k| k % 4 == 1).collect::<Vec<_>>());
        let trained = [division.train, division.validation].concat();
        assert!(trained.iter().all(|k| matches!(k % 4, 0 | 3)) && !trained.contains(&3));
    }
}
