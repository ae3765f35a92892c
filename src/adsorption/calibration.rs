//! The errors of voltages that are computed end to end against DFT, and the intervals that follow for others.
//!
//! The errors are those of `queries/voltages_inserted.sql` on electrodes whose voltage is known (`schema/voltage_errors.csv`): the empty
//! host relaxed, the ions inserted where our own search puts them, the best of several starts. Of n errors like the one to come, the
//! ⌈(n + 1) c⌉-th smallest is exceeded with a probability of at most 1 - c (split conformal prediction: Vovk, Gammerman & Shafer,
//! *Algorithmic Learning in a Random World*, 2005; Lei *et al.*, J. Am. Stat. Assoc. **113** (2018) 1094), whatever the
//! distribution of errors. "Like" is the assumption: a host that the errors do not cover gets no interval, and the reason.

use std::sync::LazyLock;

use crate::insert::MIN_ION_DISTANCE;
use crystal::{Composition, Element};
use features::oxidation_states;

const TABLE: &str = include_str!("../../schema/voltage_errors.csv");

const UNKNOWN: &str = "the errors of this model on electrodes of known voltage are not known";

/// An electrode whose voltage is known, and ours.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    /// Identity of the weights.
    model: &'static str,
    ion: &'static str,
    valence: f64,
    /// V.
    error: f64,
    spacing: f64,
    volume_change: f64,
    atoms: f64,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|line| read(line).unwrap_or_else(|| panic!("schema/voltage_errors.csv: {line}"))).collect()
});

fn read(line: &'static str) -> Option<Known> {
    let [model, _, ion, numbers @ ..] = &line.split(',').collect::<Vec<_>>()[..] else { return None };
    let numbers: Vec<f64> = numbers.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
    let [valence, label, prediction, spacing, volume_change, atoms] = numbers[..] else { return None };
    Some(Known { model, ion, valence, error: prediction - label, spacing, volume_change, atoms })
}

/// Half the width of an interval of voltages.
#[derive(Debug, Clone, PartialEq)]
pub struct Radius {
    /// V.
    pub voltage: f64,
    /// Of which errors, in words: `18 electrodes of Ca`.
    pub of: String,
}

/// What is known of a filled host that decides whether the errors cover it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The empty cell.
    pub host: &'a Composition,
    /// Shortest distance between two ions, Å.
    pub spacing: f64,
    /// Relative change of volume by the ions.
    pub volume_change: f64,
    /// Whether the host is recovered once the ions are out; `None` where that was not computed.
    pub kept: Option<bool>,
}

/// Half the width of the interval that holds the DFT voltage of an electrode of `ion` with probability `coverage`: by electrodes of the
/// ion where they are enough, else of ions of one charge or of several, else of all.
///
/// # Errors
/// A model without known errors, too few of them for that coverage.
pub fn voltage_radius(model: &str, ion: Element, valence: i8, coverage: f64) -> Result<Radius, String> {
    let all: Vec<&Known> = KNOWN.iter().filter(|known| known.model == model).collect();
    if all.is_empty() {
        return Err(UNKNOWN.into());
    }
    let few = || format!("{} electrodes of known voltage do not support a coverage of {coverage}", all.len());
    radius_among(&all, ion.symbol(), valence, coverage).ok_or_else(few)
}

/// The interval that `known` electrodes give for one of `ion`; `None` where they are too few.
fn radius_among(known: &[&Known], ion: &str, valence: i8, coverage: f64) -> Option<Radius> {
    let class = if valence > 1 { "multivalent ions" } else { "monovalent ions" };
    let same_class = |known: &Known| (known.valence > 1.0) == (valence > 1);
    type Belongs<'a> = &'a dyn Fn(&Known) -> bool;
    let groups: [(&str, Belongs<'_>); 3] =
        [(ion, &|known| known.ion == ion), (class, &same_class), ("all ions", &|_| true)];
    groups.into_iter().find_map(|(name, belongs)| {
        let errors: Vec<f64> = known.iter().filter(|known| belongs(known)).map(|known| known.error.abs()).collect();
        let of = format!("{} electrodes of {name}", errors.len());
        Some(Radius { voltage: quantile(errors, coverage)?, of })
    })
}

/// The conformal quantile of errors; `None` where they are too few.
fn quantile(mut errors: Vec<f64>, coverage: f64) -> Option<f64> {
    errors.sort_by(f64::total_cmp);
    let rank = ((errors.len() as f64 + 1.0) * coverage - 1e-9).ceil() as usize;
    errors.get(rank.checked_sub(1)?).copied()
}

/// Why the known errors of `model` do not cover a case; `None` where they do.
pub fn outside(model: &str, case: &Case<'_>) -> Option<String> {
    let of = || KNOWN.iter().filter(|known| known.model == model);
    if of().next().is_none() {
        return Some(UNKNOWN.into());
    }
    let most = |f: fn(&Known) -> f64| of().map(f).fold(f64::NEG_INFINITY, f64::max);
    let (atoms, largest) = (case.host.natoms(), most(|known| known.atoms));
    let least = of().map(|known| known.volume_change).fold(f64::INFINITY, f64::min);
    let percent = |x: f64| 100.0 * x;
    if case.kept == Some(false) {
        return Some(
            "the host is not the same again without the ions: what was gained is partly a change of the host, by another phase, by \
             displacement or by decomposition"
                .into(),
        );
    }
    if case.volume_change < least || case.volume_change > most(|known| known.volume_change) {
        let (low, high) = (percent(least), percent(most(|known| known.volume_change)));
        let found = percent(case.volume_change);
        return Some(format!(
            "the volume changes by {found:+.0} %, that of the electrodes of known voltage by {low:+.0} to {high:+.0} %"
        ));
    }
    if case.spacing < MIN_ION_DISTANCE {
        return Some(format!(
            "ions {:.1} Å apart, below the least distance of insertion: the energy model has no repulsion there, so its energy is meaningless",
            case.spacing
        ));
    }
    if atoms > largest && is_d0(case.host) {
        return Some(format!(
            "a host of {atoms} atoms whose cations have no d electrons: dilute electrons in such a host are outside the training \
             and the electrodes of known voltage, which have at most {largest} atoms"
        ));
    }
    if atoms > largest {
        return Some(format!("a host of {atoms} atoms; the electrodes of known voltage have at most {largest}"));
    }
    let widest = most(|known| known.spacing);
    (case.spacing > widest).then(|| {
        format!(
            "ions {:.1} Å apart; those of the electrodes of known voltage are at most {widest:.1} Å apart",
            case.spacing
        )
    })
}

/// Whether every transition metal of a compound has lost all its valence electrons.
fn is_d0(composition: &Composition) -> bool {
    const EMPTY: [(&str, i8); 13] = [
        ("Sc", 3),
        ("Ti", 4),
        ("V", 5),
        ("Cr", 6),
        ("Mn", 7),
        ("Y", 3),
        ("Zr", 4),
        ("Nb", 5),
        ("Mo", 6),
        ("Hf", 4),
        ("Ta", 5),
        ("W", 6),
        ("Re", 7),
    ];
    let states = oxidation_states(composition);
    let found = states
        .iter()
        .filter_map(|(e, state)| Some((EMPTY.iter().find(|(symbol, _)| *symbol == e.symbol())?.1, *state)));
    let found: Vec<(i8, i8)> = found.collect();
    !found.is_empty() && found.iter().all(|(empty, state)| empty == state)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const CHGNET: &str = "e1f3675b76572e18";

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    #[test]
    fn the_quantile_is_the_conformal_one() {
        let errors: Vec<f64> = (1..=19).rev().map(f64::from).collect();
        // 20 · 0.9 is 18 to the letter.
        assert_eq!(quantile(errors.clone(), 0.9), Some(18.0));
        assert_eq!(quantile(errors.clone(), 0.95), Some(19.0));
        assert_eq!(quantile(errors, 0.96), None, "the largest of 19 holds 95 % and no more");
        assert_eq!(quantile(vec![1.0; 8], 0.9), None);
        assert_eq!(quantile(vec![1.0; 9], 0.9), Some(1.0));
    }

    #[test]
    fn an_interval_holds_what_it_promises_on_halves_of_the_known_errors() {
        // Calibrated on every second electrode and tested on the others, and the other way round.
        let errors: Vec<f64> = KNOWN.iter().filter(|k| k.model == CHGNET).map(|k| k.error.abs()).collect();
        assert!(errors.len() >= 20, "{}", errors.len());
        let half = |odd: usize| errors.iter().skip(odd).step_by(2).copied().collect::<Vec<f64>>();
        let mut held = 0;
        for odd in [0, 1] {
            let radius = quantile(half(odd), 0.9).unwrap();
            held += half(1 - odd).iter().filter(|error| **error <= radius).count();
        }
        let coverage = held as f64 / errors.len() as f64;
        assert!((0.8..=1.0).contains(&coverage), "{coverage}");
    }

    /// The table of the guide (queries/ions.md): each electrode against an interval that all others calibrate.
    #[test]
    fn electrodes_that_were_held_out_lie_in_their_intervals() {
        let models: BTreeSet<&str> = KNOWN.iter().map(|known| known.model).collect();
        for model in models {
            let all: Vec<&Known> = KNOWN.iter().filter(|known| known.model == model).collect();
            let mut by_ion: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
            for (i, known) in all.iter().enumerate() {
                let others: Vec<&Known> = all.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, k)| *k).collect();
                let radius = radius_among(&others, known.ion, known.valence as i8, 0.9).unwrap();
                let (held, of) = by_ion.entry(known.ion).or_default();
                *of += 1;
                *held += usize::from(known.error.abs() <= radius.voltage);
            }
            for (ion, (held, of)) in &by_ion {
                let valence = all.iter().find(|known| known.ion == *ion).unwrap().valence as i8;
                let Radius { voltage, of: calibrated } = voltage_radius(model, element(ion), valence, 0.9).unwrap();
                println!("{model} {ion}: {held} of {of} held, half-width {voltage:.2} V by {calibrated}");
            }
            let (held, of) = by_ion.values().fold((0, 0), |(h, o), (held, of)| (h + held, o + of));
            println!("{model}: {held} of {of} held");
            // The expected 0.9, less two standard deviations of so few electrodes.
            let least = 0.9 - 2.0 * (0.9 * 0.1 / of as f64).sqrt();
            assert!(of >= 20 && held as f64 / of as f64 >= least, "{model}: {held} of {of}");
        }
    }

    #[test]
    fn few_electrodes_of_an_ion_give_way_to_those_of_its_class() {
        let of = |symbol: &str, valence, coverage| voltage_radius(CHGNET, element(symbol), valence, coverage);
        let calcium = of("Ca", 2, 0.9).unwrap();
        assert!(calcium.voltage > 0.02 && calcium.voltage < 1.0, "{calcium:?}");
        assert!(of("Sc", 3, 0.9).unwrap().of.contains("multivalent"), "{:?}", of("Sc", 3, 0.9));
        assert!(of("Ca", 2, 0.999_9).unwrap_err().contains("do not support"));
        assert!(voltage_radius("another", element("Ca"), 2, 0.9).unwrap_err().contains("not known"));
    }

    #[test]
    fn what_the_electrodes_do_not_cover_is_reported() {
        let host = |text: &str| Composition::parse(text).unwrap();
        let (small, large, late) = (host("V2O5"), host("Nb12WO33"), host("Fe30O45"));
        let case = |host, spacing, volume_change, kept| outside(CHGNET, &Case { host, spacing, volume_change, kept });
        assert_eq!(case(&small, 3.6, 0.02, Some(true)), None);
        for (found, part) in [
            (case(&small, 3.6, 0.02, Some(false)), "not the same again"),
            (case(&small, 3.6, -0.6, Some(true)), "volume changes by -60 %"),
            (case(&large, 3.87, 0.01, Some(true)), "no d electrons"),
            (case(&late, 3.87, 0.01, Some(true)), "a host of 75 atoms"),
            (case(&small, 40.0, 0.01, Some(true)), "40.0 Å apart"),
            (case(&small, 1.9, 0.01, Some(true)), "below the least distance"),
        ] {
            assert!(found.as_ref().is_some_and(|reason| reason.contains(part)), "{part}: {found:?}");
        }
        let other = outside("another", &Case { host: &small, spacing: 3.6, volume_change: 0.02, kept: Some(true) });
        assert!(other.is_some_and(|reason| reason.contains("not known")));
        assert!(is_d0(&host("TiO2")) && !is_d0(&host("Ti2O3")) && !is_d0(&host("FeO")));
    }
}
