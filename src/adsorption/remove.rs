//! Ions taken out of a crystal: all of an element, or some of them.
//!
//! Which of the ions go is decided by those that stay: they keep the sites at which their energy in the rigid framework of formal
//! charges, and of one another with all their images, is least ([`insert`](super::insert()) puts them in by the same energy). The
//! charges of the framework are those that it has without any of the ions.

use super::{insert::Search, rigid::Field};
use crate::AdsorptionError;
use crystal::{Radii, Structure};
use features::{Ion, site_radii};

/// The crystal without `n` of the ions, all of them where `n` is `None`; the other atoms keep order and place. Also how many went.
///
/// # Errors
/// No or fewer such ions, `n` = 0, or nothing left; for some of the ions also an element without a radius.
pub fn remove(structure: &Structure, ion: &Ion, n: Option<usize>) -> Result<(Structure, usize), AdsorptionError> {
    let symbol = ion.element.symbol();
    let (sites, frame): (Vec<usize>, Vec<usize>) =
        (0..structure.len()).partition(|&i| structure.species()[i] == ion.element);
    let undefined = |message: String| Err(AdsorptionError::Undefined(message));
    match n.unwrap_or(sites.len()) {
        _ if sites.is_empty() => undefined(format!("there is no {symbol} in the crystal to take out")),
        _ if frame.is_empty() => undefined(format!("the crystal is nothing but {symbol}")),
        0 => undefined(format!("0 ions of {symbol}: nothing to take out")),
        n if n > sites.len() => undefined(format!(
            "{n} ions of {symbol} are not in a cell that has {}; give a number up to that",
            sites.len()
        )),
        n if n == sites.len() => Ok((part(structure, &frame)?, n)),
        n => {
            let host = part(structure, &frame)?;
            let points: Vec<[f64; 3]> = sites.iter().map(|&i| structure.frac_coords()[i]).collect();
            let field = Field::new(&host, &site_radii(&host, Radii::Shannon)?, ion, &points)?;
            let search = Search::new(field.energy, &field.between);
            let Some((stay, _)) = search.best(sites.len() - n) else {
                return undefined(format!("{n} ions of {symbol} leave no ordering of the others"));
            };
            let mut kept: Vec<usize> = frame.into_iter().chain(stay.into_iter().map(|k| sites[k])).collect();
            kept.sort_unstable();
            Ok((part(structure, &kept)?, n))
        }
    }
}

/// The crystal of these of its sites.
fn part(structure: &Structure, sites: &[usize]) -> Result<Structure, AdsorptionError> {
    let species = sites.iter().map(|&i| structure.species()[i]).collect();
    let frac = sites.iter().map(|&i| structure.frac_coords()[i]).collect();
    Ok(Structure::with_overlaps(*structure.lattice(), species, frac)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Within;
    use formats::hosts::host;

    fn ion(symbol: &str) -> Ion {
        Ion::parse(symbol).unwrap()
    }

    /// The spinel LiMn2O4: λ-MnO2 with all eight tetrahedral sites filled.
    fn spinel() -> Structure {
        super::super::insert(&host("lambda-mno2").unwrap(), &ion("Li"), 8, Within::Everywhere).unwrap().structure
    }

    #[test]
    fn all_ions_leave_the_host_as_it_was() {
        let (empty, n) = remove(&spinel(), &ion("Li"), None).unwrap();
        assert_eq!((empty, n), (host("lambda-mno2").unwrap(), 8));
        assert_eq!(remove(&spinel(), &ion("Li"), Some(8)).unwrap().0, host("lambda-mno2").unwrap());
    }

    #[test]
    fn half_of_the_ions_leave_the_ordering_that_keeps_the_others_apart() {
        // The eight tetrahedral sites are a diamond lattice: half filled, one of its two face-centred lattices stays, in which the
        // nearest neighbours are a/√2 apart and not √3a/4.
        let (half, _) = remove(&spinel(), &ion("Li"), Some(4)).unwrap();
        let a = half.lattice().parameters()[0];
        let li: Vec<usize> = (0..half.len()).filter(|&i| half.species()[i].symbol() == "Li").collect();
        let lithium = part(&half, &li).unwrap();
        assert_eq!(li.len(), 4);
        assert!((lithium.distance_min() - a / 2.0_f64.sqrt()).abs() < 1e-3, "{}", lithium.distance_min());
        assert_eq!(half.composition().reduced_formula(), "LiMn4O8");
    }

    #[test]
    fn what_cannot_go_is_said() {
        for (crystal, symbol, n, part) in [
            (spinel(), "Na", None, "no Na in the crystal"),
            (spinel(), "Li", Some(0), "nothing to take out"),
            (spinel(), "Li", Some(9), "a cell that has 8"),
        ] {
            let message = remove(&crystal, &ion(symbol), n).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
