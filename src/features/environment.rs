//! What each site sees: its neighbours, with the vectors to them.

use crate::crystal::{Element, Neighbors, Structure};

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
    use crate::{
        crystal::{neighbors, norm},
        features::void::tests::v2o5,
    };

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
