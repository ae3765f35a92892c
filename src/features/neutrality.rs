//! Whether the charges of a composition sum to zero, and whether its anions are more electronegative than its cations.
//!
//! Each element takes one of the states of `schema/elements/oxidation.csv`. Where no choice is neutral one element may be of mixed
//! valence, its atoms divided between two of its states of one sign (Fe₃O₄: Fe³⁺ and Fe²⁺, 8/3 on average). Of the neutral choices, those
//! of one valence go before two, then the commoner states. That the states of the cations lie on elements of lower electronegativity is the
//! test of Pauling's scale in SMACT (D. W. Davies *et al.*, Chem 1 (2016) 617).
//!
//! Both need the composition alone: cheap enough for millions of candidates, and no proof that a compound exists.

use super::ionic::{oxidation_states, ranks, states};
use crystal::{Composition, Element};

/// Charges nearer to zero than this, e per formula, are neutral: amounts may be fractions.
const NEUTRAL: f64 = 1e-6;
/// A formula with more choices of states than this is not searched.
const MAX_CHOICES: usize = 1 << 16;

/// The average state of each element with which `composition` is neutral, in its order; `None` where there is none, or where an
/// element has no state in the table (the light noble gases and the heaviest actinides).
pub fn neutral_states(composition: &Composition) -> Option<Vec<(Element, f64)>> {
    let elements: Vec<(Element, f64, &[i8])> = composition.iter().map(|(e, n)| (e, n, states(e))).collect();
    let choices = elements.iter().try_fold(1_usize, |all, (_, _, states)| all.checked_mul(states.len()))?;
    if !(1..=MAX_CHOICES).contains(&choices) {
        return None;
    }
    let single: Vec<_> = oxidation_states(composition).into_iter().map(|(e, q)| (e, f64::from(q))).collect();
    let charge: f64 = single.iter().map(|&(e, q)| q * composition.amount(e)).sum();
    if charge.abs() < NEUTRAL {
        return Some(single);
    }
    let mixed = (0..elements.len()).flat_map(|k| (0..choices).map(move |choice| (k, choice)));
    let best = mixed.filter_map(|(k, choice)| of_mixed_valence(&elements, k, choice)).min_by_key(|(ranks, _)| *ranks);
    best.map(|(_, states)| states)
}

/// The neutral states in which element `k` takes the charge that the `choice` of the others leaves, with the sum of the ranks of all.
fn of_mixed_valence(
    elements: &[(Element, f64, &[i8])],
    k: usize,
    choice: usize,
) -> Option<(usize, Vec<(Element, f64)>)> {
    let (mut sum, mut charge) = (0, 0.0);
    let mut found: Vec<(Element, f64)> = Vec::with_capacity(elements.len());
    for (i, (&(element, amount, states), rank)) in elements.iter().zip(ranks(elements, choice)).enumerate() {
        if i == k {
            // Its own state is not used: one choice is enough.
            if rank > 0 {
                return None;
            }
            found.push((element, 0.0));
            continue;
        }
        sum += rank;
        charge += f64::from(states[rank]) * amount;
        found.push((element, f64::from(states[rank])));
    }
    let (_, amount, states) = elements[k];
    let wanted = -charge / amount;
    let same = || states.iter().enumerate().filter(|(_, q)| f64::from(**q) * wanted > 0.0);
    let below = same().filter(|(_, q)| f64::from(**q) < wanted).max_by_key(|(_, q)| **q)?;
    let above = same().filter(|(_, q)| f64::from(**q) > wanted).min_by_key(|(_, q)| **q)?;
    found[k].1 = wanted;
    Some((sum + below.0 + above.0, found))
}

/// Whether `composition` is neutral with every cation less electronegative (Pauling) than every anion. An element without a
/// published electronegativity does not pass.
pub fn electronegativity_balanced(composition: &Composition) -> bool {
    let Some(states) = neutral_states(composition) else { return false };
    let chi = |(element, _): &(Element, f64)| element.electronegativity();
    let (cations, anions): (Vec<_>, Vec<_>) = states.iter().filter(|(_, q)| *q != 0.0).partition(|(_, q)| *q > 0.0);
    let highest = cations.iter().map(&chi).try_fold(0.0, |most, x| Some(f64::max(most, x?)));
    let lowest = anions.iter().map(chi).try_fold(f64::INFINITY, |least, x| Some(f64::min(least, x?)));
    highest.zip(lowest).is_some_and(|(highest, lowest)| highest < lowest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(formula: &str) -> Option<String> {
        let states = neutral_states(&Composition::parse(formula).unwrap())?;
        let mut words: Vec<String> = states.iter().map(|(e, q)| format!("{e}{q:+.2}")).collect();
        words.sort();
        Some(words.join(" "))
    }

    #[test]
    fn charges_sum_to_zero() {
        for (formula, want) in [
            ("TiO2", "O-2.00 Ti+4.00"),
            ("Fe3O4", "Fe+2.67 O-2.00"),
            ("KMn8O16", "K+1.00 Mn+3.88 O-2.00"),
            ("LiV3O8", "Li+1.00 O-2.00 V+5.00"),
            ("Nb12WO33", "Nb+5.00 O-2.00 W+6.00"),
            ("Mn0.5Fe0.5O", "Fe+2.00 Mn+2.00 O-2.00"),
        ] {
            assert_eq!(of(formula).as_deref(), Some(want), "{formula}");
        }
        for formula in ["TiO3", "NaCl2", "CaAl", "ArO3", "O2", "Ti"] {
            assert_eq!(of(formula), None, "{formula}");
        }
    }

    #[test]
    fn states_are_neutral_whatever_the_amounts() {
        for n in 1..12 {
            for formula in [format!("Mn{n}O{}", n + 3), format!("LiW{n}O12"), format!("CuMo{n}V2O{}", 3 * n + 2)] {
                let composition = Composition::parse(&formula).unwrap();
                let Some(states) = neutral_states(&composition) else { continue };
                let charge: f64 = states.iter().map(|&(e, q)| q * composition.amount(e)).sum();
                assert!(charge.abs() < 1e-9, "{formula}: {states:?}");
            }
        }
    }

    #[test]
    fn anions_pull_harder() {
        let balanced = |formula| electronegativity_balanced(&Composition::parse(formula).unwrap());
        assert!(balanced("TiO2") && balanced("NaCl") && balanced("La2O2S"));
        // Carbon is a cation here, and more electronegative than phosphorus.
        assert!(!balanced("Ca3C2P4") && !balanced("TiO3") && !balanced("Fe"));
    }
}
