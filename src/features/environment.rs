//! What each site sees: its neighbours, with the vectors to them.

use crate::FeatureError;
use crystal::{Element, Neighbors, Structure, neighbors_up_to};

/// The most pairs of a list: half a gigabyte.
const MAX_PAIRS: usize = 16_000_000;

/// All pairs within `cutoff`, Å.
///
/// # Errors
/// More pairs than memory should hold.
pub(super) fn pairs_within(structure: &Structure, cutoff: f64) -> Result<Neighbors, FeatureError> {
    let sites = structure.len() as f64;
    let expected = sites * sites / structure.volume() * 4.0 / 3.0 * std::f64::consts::PI * cutoff.powi(3);
    let too_many = |pairs: String| {
        FeatureError::Argument(format!(
            "{sites} sites have {pairs} pairs within {cutoff:.1} Å, over {MAX_PAIRS}; lower the cutoff, or reduce the crystal to \
             its primitive cell"
        ))
    };
    // By the mean density before anything is listed; then by the count, for a cell may be empty but for a cluster.
    if expected > MAX_PAIRS as f64 {
        return Err(too_many(format!("some {expected:.0e}")));
    }
    neighbors_up_to(structure, cutoff, MAX_PAIRS).ok_or_else(|| too_many("too many".into()))
}

/// The neighbours of every site, in order, as (site, vector to it in Å, distance in Å), from the list of `pairs`.
pub(super) fn environments(
    structure: &Structure,
    pairs: &Neighbors,
) -> impl Iterator<Item = impl Iterator<Item = (usize, [f64; 3], f64)>> {
    let x = structure.frac_coords();
    let mut next = 0;
    (0..structure.len()).map(move |i| {
        let start = next;
        next += pairs.center[start..].partition_point(|&c| c as usize == i);
        (start..next).map(move |p| {
            let (j, image) = (pairs.neighbor[p] as usize, pairs.image[p]);
            let step = std::array::from_fn(|k| x[j][k] + f64::from(image[k]) - x[i][k]);
            (j, structure.lattice().to_cartesian(step), pairs.distance[p])
        })
    })
}

/// The elements of a crystal, by atomic number.
pub(super) fn elements_of(structure: &Structure) -> Vec<Element> {
    sorted(structure.species().to_vec())
}

/// Each element once, by atomic number.
pub(super) fn sorted(mut elements: Vec<Element>) -> Vec<Element> {
    elements.sort_unstable();
    elements.dedup();
    elements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::v2o5;
    use crystal::{neighbors, norm};

    #[test]
    fn too_many_pairs_are_refused_before_they_are_listed() {
        assert_eq!(pairs_within(&v2o5(), 4.0).unwrap(), neighbors(&v2o5(), 4.0));
        let error = pairs_within(&v2o5().supercell([12, 12, 12]).unwrap(), 15.0).unwrap_err().to_string();
        assert!(error.contains("24192 sites") && error.contains("lower the cutoff"), "{error}");
    }

    #[test]
    fn vectors_are_as_long_as_the_list_says() {
        let s = v2o5();
        let pairs = neighbors(&s, 4.0);
        let all: Vec<_> = environments(&s, &pairs).map(Iterator::collect::<Vec<_>>).collect();
        assert_eq!((all.len(), all.iter().map(Vec::len).sum::<usize>()), (s.len(), pairs.len()));
        assert!(all.iter().flatten().all(|(_, step, r)| (norm(*step) - r).abs() < 1e-9));
        assert_eq!(elements_of(&s).iter().map(|e| e.symbol()).collect::<Vec<_>>(), ["O", "V"]);
    }
}
