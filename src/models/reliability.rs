//! What a card has beside the weights, to judge a prediction: intervals, limits, and which crystals the model has seen.

use serde::{Deserialize, Serialize};

use super::{conformal::Calibration, domain::Domain, sample::Sample};
use crystal::ContentHash;

/// Written by training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Residuals on the validation set. They chose the epoch, which makes them slightly too small.
    pub calibration: Option<Calibration>,
    /// Sizes seen in training.
    pub domain: Option<Domain>,
    /// The crystals of the run.
    pub crystals: Division,
}

impl Reliability {
    /// Of a run that fitted `train`, chose the epoch by `validation` and held out `test`; `residuals`: (prediction, label) of
    /// the validation set, eV/atom.
    pub fn of(train: &[&Sample], validation: &[&Sample], test: &[&Sample], residuals: &[(f64, f64)]) -> Self {
        let hashes = |set: &[&Sample]| Hashes::of(set.iter().map(|sample| sample.hash));
        Self {
            calibration: Calibration::of(residuals.iter().map(|(predicted, label)| label - predicted)),
            domain: Domain::of(train.iter().map(|sample| &sample.structure)),
            crystals: Division { train: hashes(train), validation: hashes(validation), test: hashes(test) },
        }
    }

    /// The same, of a run that began with the weights of another: what those were trained on counts as seen too.
    pub fn after(mut self, start: &Self) -> Self {
        self.domain = self.domain.map(|domain| start.domain.map_or(domain, |other| domain.and(&other)));
        self.crystals.train = self.crystals.train.and(&start.crystals.train);
        self
    }
}

/// The part of a training run that a crystal belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The weights were fitted to it.
    Train,
    /// It chose the epoch, and calibrates the intervals.
    Validation,
    /// Held out.
    Test,
    /// Not part of the run.
    Unseen,
}

impl Part {
    /// As the column `split` of `predictions` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Unseen => "unseen",
        }
    }
}

/// Which crystals were where, by content: a crystal is recognised in any table and under any id.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Division {
    train: Hashes,
    validation: Hashes,
    test: Hashes,
}

impl Division {
    /// Where the crystal was; the first of train, validation and test where it was in several.
    pub fn part(&self, hash: ContentHash) -> Part {
        let sets = [(&self.train, Part::Train), (&self.validation, Part::Validation), (&self.test, Part::Test)];
        sets.into_iter().find(|(set, _)| set.contains(hash)).map_or(Part::Unseen, |(_, part)| part)
    }
}

/// A set of crystals as the first 32 bits of their content hashes, ascending: of a million other crystals, four would be
/// taken for one of a set of 16 000. On disk as the differences, which are short.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<u32>", into = "Vec<u32>")]
struct Hashes(Vec<u32>);

impl Hashes {
    fn of(hashes: impl Iterator<Item = ContentHash>) -> Self {
        let mut short: Vec<u32> = hashes.map(shortened).collect();
        short.sort_unstable();
        short.dedup();
        Self(short)
    }

    fn and(mut self, others: &Self) -> Self {
        self.0.extend(&others.0);
        self.0.sort_unstable();
        self.0.dedup();
        self
    }

    fn contains(&self, hash: ContentHash) -> bool {
        self.0.binary_search(&shortened(hash)).is_ok()
    }
}

fn shortened(hash: ContentHash) -> u32 {
    (hash.0 >> 96) as u32
}

impl From<Vec<u32>> for Hashes {
    fn from(differences: Vec<u32>) -> Self {
        let sum = |sum: &mut u32, step: u32| {
            *sum = sum.wrapping_add(step);
            Some(*sum)
        };
        Self(differences.into_iter().scan(0, sum).collect())
    }
}

impl From<Hashes> for Vec<u32> {
    fn from(hashes: Hashes) -> Self {
        let before = std::iter::once(0).chain(hashes.0.iter().copied());
        hashes.0.iter().zip(before).map(|(hash, before)| hash - before).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        random::Stream,
        splits::{SplitKind, split},
    };
    use crystal::{Element, Lattice, Structure, content_hash};

    /// One oxygen atom in a cube of this edge, Å.
    fn sample(k: usize, a: f64) -> Sample {
        let lattice = Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
        let structure = Structure::new(lattice, vec![Element::O], vec![[0.0; 3]]).unwrap();
        let hash = content_hash(&structure);
        Sample { id: k.to_string(), formula: "O".into(), hash, structure, target: -1.0, split: None }
    }

    /// Two populations: those marked, of which the test rows are, err three times as much as the others.
    #[test]
    fn intervals_that_are_calibrated_on_the_like_of_the_test_rows_hold_where_pooled_ones_do_not() {
        let marks = [Some("train"), Some("test"), None];
        let samples: Vec<Sample> = (0..6000)
            .map(|k| Sample { split: marks[k % 3].map(str::to_owned), ..sample(k, 3.0 + 1e-3 * k as f64) })
            .collect();
        let mut stream = Stream::new(17);
        let answers: Vec<f64> = samples
            .iter()
            .map(|s| s.target + f64::from(2.0 * stream.uniform() - 1.0) * if s.split.is_some() { 0.3 } else { 0.1 })
            .collect();
        let (test, rest): (Vec<usize>, Vec<usize>) = (0..samples.len()).partition(|k| k % 3 == 1);
        let calibrated = |kind: SplitKind, among: &[usize]| {
            let among: Vec<Sample> = among.iter().map(|&k| samples[k].clone()).collect();
            let chosen = split(&among, kind, 0.0, 0.4, 5).validation;
            let validation: Vec<&Sample> = chosen.iter().map(|&i| &among[i]).collect();
            let pair = |s: &&Sample| (answers[s.id.parse::<usize>().unwrap()], s.target);
            let pairs: Vec<(f64, f64)> = validation.iter().map(pair).collect();
            Reliability::of(&[], &validation, &[], &pairs).calibration.unwrap()
        };
        let all: Vec<usize> = (0..samples.len()).collect();
        let (own, pooled) = (calibrated(SplitKind::Column, &all), calibrated(SplitKind::Random, &rest));
        for coverage in [0.5, 0.8, 0.9, 0.95] {
            let held = |calibration: &Calibration| {
                let radius = calibration.radius(coverage, 0.0).unwrap();
                let held = test.iter().filter(|&&k| (answers[k] - samples[k].target).abs() <= radius).count();
                held as f64 / test.len() as f64
            };
            let draws = 1.0 / test.len() as f64 + 1.0 / own.count as f64;
            let deviation = (coverage * (1.0 - coverage) * draws).sqrt();
            assert!((held(&own) - coverage).abs() < 3.0 * deviation, "{coverage}: {}", held(&own));
            assert!(held(&pooled) < coverage - 4.0 * deviation, "{coverage}, pooled: {}", held(&pooled));
        }
    }

    #[test]
    fn every_crystal_of_a_run_is_found_where_it_was() {
        let samples: Vec<Sample> = (0..40).map(|k| sample(k, 4.0 + 0.1 * k as f64)).collect();
        let set = |range: std::ops::Range<usize>| samples[range].iter().collect::<Vec<_>>();
        let pairs: Vec<(f64, f64)> = (0..8).map(|k| (-1.0 + 0.1 * f64::from(k), -1.0)).collect();
        let reliability = Reliability::of(&set(0..20), &set(20..28), &set(28..35), &pairs);
        let text = serde_json::to_string(&reliability).unwrap();
        let read: Reliability = serde_json::from_str(&text).unwrap();
        assert_eq!(read, reliability);
        let parts = |of: &Reliability| samples.iter().map(|s| of.crystals.part(s.hash)).collect::<Vec<Part>>();
        let expected = |counts: [(usize, Part); 4]| counts.map(|(n, part)| vec![part; n]).concat();
        let own = [(20, Part::Train), (8, Part::Validation), (7, Part::Test), (5, Part::Unseen)];
        assert_eq!(parts(&read), expected(own));
        // A run that began with weights fitted to the last twelve: seven test crystals are none any more.
        let before = Reliability::of(&set(28..40), &[], &[], &[]);
        let fine = read.clone().after(&before);
        let seen = [(20, Part::Train), (8, Part::Validation), (12, Part::Train), (0, Part::Unseen)];
        assert_eq!(parts(&fine), expected(seen));
        assert_eq!(fine.domain.unwrap().outside(&samples[39].structure), None);
        assert!(read.domain.unwrap().outside(&samples[39].structure).is_some());
        // ⌈9 · 0.8⌉ = 8th of the 8 residuals.
        let radius = read.calibration.unwrap().radius(0.8, 0.0).unwrap();
        assert!((radius - 0.7).abs() < 2e-6, "{radius}");
    }
}
