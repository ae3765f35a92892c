//! Dividing labelled crystals into train, validation and test.
//!
//! A random split puts polymorphs of one compound on both sides, and makes the errors too small. A split by formula, by structure type or
//! by chemical system does not: they test the model on compounds, structures or chemistries that it has not seen. Every crystal is put
//! where a hash of its group falls, so that a group is never cut, and the division depends neither on the order of the rows nor on what
//! other rows there are.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    str::FromStr,
};

use sha2::{Digest, Sha256};

use super::{sample::Sample, threads::on_threads};
use crate::ModelError;
use crystal::{DEFAULT_SYMPREC, Symmetry};

/// What must not be cut by a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// One crystal.
    Id,
    /// All crystals of one reduced formula.
    Formula,
    /// All crystals of one structure type, whatever the elements.
    Prototype,
    /// All crystals of the same set of elements.
    System,
}

/// How to divide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitKind {
    /// Each crystal by a hash of its id: the paper's 80/20 random split.
    Random,
    /// All crystals of one reduced formula on the same side.
    Formula,
    /// All crystals of one structure type on the same side.
    Prototype,
    /// All crystals of one chemical system on the same side.
    System,
    /// By the table's `split` column: `test` is the test set; other held-out marks (`test_probable`) are left out; what is
    /// not marked, or marked `train`, is trained on. Validation rows are drawn from those marked `train`, where there are any: they are
    /// of the same origin as the test rows, and the rows that calibrate an interval should resemble those it is used for.
    Column,
    /// One of `folds` parts is the test set; each group is in exactly one.
    KFold {
        /// Parts, at least 2.
        folds: usize,
        /// The part held out, from 0.
        fold: usize,
        /// What the parts must not cut.
        by: Group,
    },
}

impl SplitKind {
    /// What it does not cut.
    pub fn group(self) -> Group {
        match self {
            Self::Random | Self::Column => Group::Id,
            Self::Formula => Group::Formula,
            Self::Prototype => Group::Prototype,
            Self::System => Group::System,
            Self::KFold { by, .. } => by,
        }
    }
}

const GROUPS: [(&str, Group); 4] =
    [("id", Group::Id), ("formula", Group::Formula), ("prototype", Group::Prototype), ("system", Group::System)];

/// As on the command line and in cards: `formula`, `kfold:5:0`, `kfold:5:0:formula`.
impl fmt::Display for SplitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => write!(f, "random"),
            Self::Formula => write!(f, "formula"),
            Self::Prototype => write!(f, "prototype"),
            Self::System => write!(f, "system"),
            Self::Column => write!(f, "column"),
            Self::KFold { folds, fold, by } => {
                write!(f, "kfold:{folds}:{fold}")?;
                let name = GROUPS.iter().find(|(_, group)| group == by && *by != Group::Id);
                name.map_or(Ok(()), |(name, _)| write!(f, ":{name}"))
            }
        }
    }
}

impl FromStr for SplitKind {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let wrong = || {
            ModelError::Training(format!(
                "split '{text}': expected random, formula, prototype, system, column, kfold:FOLDS:FOLD or \
                 kfold:FOLDS:FOLD:GROUP with FOLD from 0 to FOLDS - 1 and GROUP one of formula, prototype, system"
            ))
        };
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["random"] => Ok(Self::Random),
            ["formula"] => Ok(Self::Formula),
            ["prototype"] => Ok(Self::Prototype),
            ["system"] => Ok(Self::System),
            ["column"] => Ok(Self::Column),
            ["kfold", folds, fold, ref by @ ..] if by.len() <= 1 => {
                let by = by.first().copied().unwrap_or("id");
                let by = GROUPS.iter().find(|(name, _)| *name == by).ok_or_else(wrong)?.1;
                let (folds, fold) = (folds.parse().map_err(|_| wrong())?, fold.parse().map_err(|_| wrong())?);
                if folds >= 2 && fold < folds { Ok(Self::KFold { folds, fold, by }) } else { Err(wrong()) }
            }
            _ => Err(wrong()),
        }
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

/// Divides `samples`: `test_fraction` held out (ignored by [`SplitKind::Column`] and [`SplitKind::KFold`]), then
/// `validation_fraction` of the rest. The same seed gives the same division whatever the order of the rows. A crystal with
/// the content hash of a test or validation crystal is never trained on, whatever its id.
pub fn split(samples: &[Sample], kind: SplitKind, test_fraction: f64, validation_fraction: f64, seed: u64) -> Split {
    let keys = keys(samples, kind.group());
    let mut test = Vec::new();
    let mut rest = Vec::new();
    for (i, sample) in samples.iter().enumerate() {
        match (kind, sample.split.as_deref()) {
            (SplitKind::Column, Some("test")) => test.push(i),
            (SplitKind::Column, Some("train") | None) => rest.push(i),
            (SplitKind::Column, Some(_)) => {}
            (SplitKind::KFold { folds, fold, .. }, _) => {
                let part = (draw(seed, "fold", &keys[i]) * folds as f64) as usize;
                if part == fold { test.push(i) } else { rest.push(i) }
            }
            _ if draw(seed, "test", &keys[i]) < test_fraction => test.push(i),
            _ => rest.push(i),
        }
    }
    let held_out: HashSet<_> = test.iter().map(|&i| samples[i].hash).collect();
    rest.retain(|&i| !held_out.contains(&samples[i].hash));
    let marked = |i: usize| samples[i].split.as_deref() == Some("train");
    let by_mark = kind == SplitKind::Column && rest.iter().any(|&i| marked(i));
    let validates = |i: usize| (!by_mark || marked(i)) && draw(seed, "validation", &keys[i]) < validation_fraction;
    let (validation, mut train): (Vec<usize>, Vec<usize>) = rest.into_iter().partition(|&i| validates(i));
    let held_out: HashSet<_> = validation.iter().map(|&i| samples[i].hash).collect();
    train.retain(|&i| !held_out.contains(&samples[i].hash));
    Split { train, validation, test }
}

/// Those of `more` that may be trained on beside a division of `samples`: no crystal, id or group of validation or test, and
/// nothing that the table itself marks as held out.
pub fn trainable(samples: &[Sample], division: &Split, more: &[Sample], kind: SplitKind) -> Vec<usize> {
    let keys_of_samples = keys(samples, kind.group());
    let held_out = || division.validation.iter().chain(&division.test).copied();
    // Rows that a column holds out without making them a test set stay out here too.
    let divided: HashSet<usize> = held_out().chain(division.train.iter().copied()).collect();
    let barred = || held_out().chain((0..samples.len()).filter(|i| !divided.contains(i)));
    let hashes: HashSet<_> = barred().map(|i| samples[i].hash).collect();
    let ids: HashSet<&str> = barred().map(|i| samples[i].id.as_str()).collect();
    let groups: HashSet<&str> = barred().map(|i| keys_of_samples[i].as_str()).collect();
    // What is trained on already is not trained on twice.
    let known: HashSet<_> = division.train.iter().map(|&i| samples[i].hash).collect();
    let keys = keys(more, kind.group());
    let allowed = |i: &usize| {
        let sample = &more[*i];
        matches!(sample.split.as_deref(), None | Some("train"))
            && !hashes.contains(&sample.hash)
            && !known.contains(&sample.hash)
            && !ids.contains(sample.id.as_str())
            && !groups.contains(keys[*i].as_str())
    };
    (0..more.len()).filter(allowed).collect()
}

/// The group of each sample.
fn keys(samples: &[Sample], group: Group) -> Vec<String> {
    match group {
        Group::Id => samples.iter().map(|s| s.id.clone()).collect(),
        Group::Formula => samples.iter().map(|s| s.formula.clone()).collect(),
        Group::System => samples.iter().map(system).collect(),
        Group::Prototype => {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            on_threads(threads, samples.len(), |i| {
                let structure = &samples[i].structure;
                let symmetry = Symmetry::of(structure, DEFAULT_SYMPREC);
                // A crystal without a symmetry is a structure type of its own.
                symmetry.map_or_else(|_| format!("alone {:?}", samples[i].hash), |s| s.prototype(structure))
            })
        }
    }
}

/// Symbols of the elements, in the order of the alphabet: `Mn-O-Ti`.
fn system(sample: &Sample) -> String {
    let composition = sample.structure.composition();
    let mut symbols: Vec<&str> = composition.iter().map(|(element, _)| element.symbol()).collect();
    symbols.sort_unstable();
    symbols.join("-")
}

/// Number of crystals of each element among `indices`.
pub fn element_counts<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for sample in samples {
        for (element, _) in sample.structure.composition().iter() {
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
    use proptest::prelude::*;

    use super::*;
    use crystal::{Element, Lattice, Structure, content_hash};

    fn sample(k: usize, metal: &str, a: f64, caesium_chloride: bool) -> Sample {
        let h = a / 2.0;
        let lattice = if caesium_chloride {
            Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0)
        } else {
            Lattice::new([[0.0, h, h], [h, 0.0, h], [h, h, 0.0]])
        };
        let species = vec![Element::from_symbol(metal).unwrap(), Element::O];
        let structure = Structure::new(lattice.unwrap(), species, vec![[0.0; 3], [0.5; 3]]).unwrap();
        Sample {
            id: format!("x-{k}"),
            formula: format!("F{}", k / 4),
            hash: content_hash(&structure),
            structure,
            target: 0.0,
            split: ["train", "test", "test_probable"].get(k % 4).map(|s| (*s).to_owned()),
        }
    }

    fn samples(n: usize) -> Vec<Sample> {
        let metals = ["Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni"];
        (0..n).map(|k| sample(k, metals[k % 7], 4.0 + k as f64 * 0.01, k % 5 == 0)).collect()
    }

    #[test]
    fn fractions_hold_and_every_sample_is_somewhere_once() {
        let s = samples(2000);
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
    fn column_split_follows_the_table_and_never_trains_on_a_test_crystal() {
        let mut s = samples(200);
        s[3].hash = s[1].hash; // unmarked, but the same crystal as the test row 1
        let division = split(&s, SplitKind::Column, 0.2, 0.1, 7);
        assert_eq!(division.test, (0..200).filter(|k| k % 4 == 1).collect::<Vec<_>>());
        // Validation rows are of the kind of the test rows; with none marked, any serve.
        assert!(!division.validation.is_empty() && division.validation.iter().all(|k| k % 4 == 0));
        s.iter_mut().filter(|s| s.split.as_deref() == Some("train")).for_each(|s| s.split = None);
        assert!(split(&s, SplitKind::Column, 0.2, 0.1, 7).validation.iter().any(|k| k % 4 == 3));
        let trained = [division.train, division.validation].concat();
        assert!(trained.iter().all(|k| matches!(k % 4, 0 | 3)) && !trained.contains(&3));
    }

    #[test]
    fn systems_and_prototypes_are_what_they_say() {
        let s = [
            sample(0, "Ti", 4.2, false),
            sample(1, "Ti", 4.3, false),
            sample(2, "V", 4.2, false),
            sample(3, "V", 2.6, true),
        ];
        assert_eq!(keys(&s, Group::System), ["O-Ti", "O-Ti", "O-V", "O-V"]);
        let prototypes = keys(&s, Group::Prototype);
        assert!(prototypes[0] == prototypes[1] && prototypes[1] == prototypes[2] && prototypes[2] != prototypes[3]);
    }

    #[test]
    fn folds_are_a_partition_of_about_equal_parts() {
        let s = samples(1000);
        for by in [Group::Id, Group::Formula] {
            let tests: Vec<Vec<usize>> =
                (0..5).map(|fold| split(&s, SplitKind::KFold { folds: 5, fold, by }, 0.9, 0.1, 3).test).collect();
            let mut all = tests.concat();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<_>>());
            assert!(
                tests.iter().all(|t| (120..280).contains(&t.len())),
                "{:?}",
                tests.iter().map(Vec::len).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn more_training_data_brings_nothing_that_is_held_out() {
        let s = samples(400);
        let (mut more, kind) = (samples(800), SplitKind::Formula);
        more.iter_mut().for_each(|s| s.split = None);
        let division = split(&s, kind, 0.2, 0.2, 7);
        let brought = trainable(&s, &division, &more, kind);
        // The first 400 are held out or known already; the formulas of the others are new.
        assert_eq!(brought, (400..800).collect::<Vec<_>>());
        let formula = |k: usize| s[division.test[k]].formula.clone();
        (more[401].formula, more[402].id, more[403].hash) =
            (formula(0), s[division.test[1]].id.clone(), s[division.validation[0]].hash);
        more[404].split = Some("test_probable".into());
        assert_eq!(trainable(&s, &division, &more, kind), [vec![400], (405..800).collect()].concat());
        // What the column leaves out is not brought back by another table.
        let division = split(&s, SplitKind::Column, 0.0, 0.2, 7);
        assert!(trainable(&s, &division, &more, SplitKind::Column).iter().all(|&i| i >= 400));
    }

    #[test]
    fn names_are_read_back() {
        let fold = |by| SplitKind::KFold { folds: 5, fold: 4, by };
        let kinds = [SplitKind::Random, SplitKind::Formula, SplitKind::Prototype, SplitKind::System, SplitKind::Column];
        for kind in kinds.into_iter().chain([fold(Group::Id), fold(Group::System)]) {
            assert_eq!(kind.to_string().parse::<SplitKind>().unwrap(), kind);
        }
        for wrong in ["", "ids", "kfold", "kfold:5", "kfold:5:5", "kfold:1:0", "kfold:5:0:id:x", "kfold:5:0:colour"] {
            assert!(wrong.parse::<SplitKind>().unwrap_err().to_string().contains("kfold:FOLDS"), "{wrong}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// No group stands on two sides, whatever the seed, the shares, and the groups.
        #[test]
        fn groups_are_never_cut(
            seed in any::<u64>(),
            shares in (0.05..0.6_f64, 0.05..0.6_f64),
            formulas in prop::collection::vec(0..12_u8, 60),
            kind in prop::sample::select(vec![
                SplitKind::Formula,
                SplitKind::System,
                SplitKind::Prototype,
                SplitKind::KFold { folds: 3, fold: 1, by: Group::Formula },
                SplitKind::KFold { folds: 3, fold: 2, by: Group::System },
                SplitKind::KFold { folds: 4, fold: 0, by: Group::Prototype },
            ]),
        ) {
            let mut s = samples(60);
            s.iter_mut().zip(formulas).for_each(|(s, f)| s.formula = format!("F{f}"));
            let division = split(&s, kind, shares.0, shares.1, seed);
            let keys = keys(&s, kind.group());
            let groups = |set: &[usize]| set.iter().map(|&i| keys[i].as_str()).collect::<HashSet<_>>();
            let (train, validation, test) = (groups(&division.train), groups(&division.validation), groups(&division.test));
            prop_assert!(train.is_disjoint(&validation) && train.is_disjoint(&test) && validation.is_disjoint(&test));
            prop_assert_eq!(division.train.len() + division.validation.len() + division.test.len(), 60);
        }
    }
}
