//! The ways to divide equivalent sites between two elements, those that symmetry makes one counted once.
//!
//! A choice of sites is a set of bits. Every operation of the crystal permutes the sites and so carries one choice into another; the
//! choices that it carries into each other are one ordering (the orbits of the group on the subsets, which Pólya's theorem counts).

/// Most sites of a cell that are divided: 65 536 choices.
pub const MAX_SITES: usize = 16;

/// Every way to choose `count` of `sites` sites, one of each class under `permutations` (the site to which each site comes), as bits.
/// The more symmetric come first: those with fewer images. Empty for more than [`MAX_SITES`] sites.
pub fn orderings(sites: usize, count: usize, permutations: &[Vec<usize>]) -> Vec<u32> {
    if sites > MAX_SITES || count > sites {
        return Vec::new();
    }
    let image = |choice: u32, permutation: &[usize]| {
        (0..sites).filter(|site| choice >> site & 1 == 1).fold(0, |image, site| image | 1_u32 << permutation[site])
    };
    let mut seen = vec![false; 1 << sites];
    let mut found: Vec<(usize, u32)> = Vec::new();
    for choice in (0..1_u32 << sites).filter(|choice| choice.count_ones() as usize == count) {
        if seen[choice as usize] {
            continue;
        }
        let mut images = 0;
        let all = permutations.iter().map(|p| image(choice, p)).chain([choice]);
        for other in all {
            images += usize::from(!std::mem::replace(&mut seen[other as usize], true));
        }
        found.push((images, choice));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, choice)| choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rotations of a ring of `n` sites.
    fn rotations(n: usize) -> Vec<Vec<usize>> {
        (0..n).map(|shift| (0..n).map(|site| (site + shift) % n).collect()).collect()
    }

    #[test]
    fn necklaces() {
        // Necklaces of six beads of two colours: 1, 1, 3, 4, 3, 1, 1 by the number of black ones, 14 in all.
        let counts: Vec<usize> = (0..=6).map(|count| orderings(6, count, &rotations(6)).len()).collect();
        assert_eq!(counts, [1, 1, 3, 4, 3, 1, 1]);
        // Every other bead black is the most symmetric of three in six.
        assert_eq!(orderings(6, 3, &rotations(6))[0], 0b010101);
        // Without symmetry every choice counts; with all of it only the number does.
        assert_eq!(orderings(5, 2, &[]).len(), 10);
        let swaps: Vec<Vec<usize>> =
            vec![vec![0, 1, 2], vec![1, 0, 2], vec![0, 2, 1], vec![2, 1, 0], vec![1, 2, 0], vec![2, 0, 1]];
        assert_eq!(orderings(3, 1, &swaps), [0b001]);
    }

    #[test]
    fn what_is_too_large_has_none() {
        assert!(orderings(17, 1, &[]).is_empty() && orderings(3, 4, &[]).is_empty());
        assert_eq!(orderings(16, 8, &rotations(16)).len(), 810);
    }
}
