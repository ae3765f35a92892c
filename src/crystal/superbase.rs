//! An obtuse superbase of a lattice: the most compact of its bases, and with it the lattice's Voronoi cell.
//!
//! Four vectors v₀ … v₃ that sum to zero, any three of them a basis, and no two at an acute angle. Of such a superbase the
//! 14 sums of one, two or three vectors are the only lattice vectors that can bound the Voronoi cell of the lattice
//! (Delone; Conway & Sloane, *Proc. R. Soc. A* **436** (1992) 55). Selling's steps lead there from any basis; pairs of
//! vectors are shortened first, so that a very skewed cell takes few of them.

use super::{
    Lattice,
    lattice::{dot, norm},
};

/// Angles are obtuse up to this cosine: right angles come with rounding.
const RIGHT: f64 = 1e-12;
/// Steps after which a basis is taken as it is. A dozen are enough; where rounding makes two bases alternate, either
/// will do.
const STEPS: usize = 10_000;

/// Three vectors of an obtuse superbase; the fourth is minus their sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Superbase {
    /// Cartesian rows, Å.
    pub rows: [[f64; 3]; 3],
    /// Each row in terms of the lattice's own: `rows[k] = Σ whole[k][m] · lattice.rows()[m]`. Determinant ±1.
    pub whole: [[i64; 3]; 3],
}

impl Superbase {
    /// Reduces the basis of `lattice`.
    pub fn of(lattice: &Lattice) -> Self {
        let cartesian = |w: [i64; 3]| lattice.to_cartesian(w.map(|n| n as f64));
        let mut whole = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
        shorten(&mut whole, cartesian);
        let [a, b, c] = whole;
        let mut four = [a, b, c, std::array::from_fn(|m| -a[m] - b[m] - c[m])];
        for _ in 0..STEPS {
            let Some((i, j)) = acute(four.map(cartesian)) else { break };
            let v = four[i];
            four[i] = v.map(|n| -n);
            for k in (0..4).filter(|&k| k != i && k != j) {
                four[k] = std::array::from_fn(|m| four[k][m] + v[m]);
            }
        }
        let whole = [four[0], four[1], four[2]];
        Self { rows: whole.map(cartesian), whole }
    }

    /// The fractions of a point in this basis from its fractions in the lattice's own.
    #[inline]
    pub fn fractions(&self, frac: [f64; 3]) -> [f64; 3] {
        // The inverse of a matrix of whole numbers with determinant ±1 is of whole numbers too, and so exact.
        let w = self.whole;
        let cofactor = |r: usize, c: usize| {
            let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
            w[r1][c1] * w[r2][c2] - w[r1][c2] * w[r2][c1]
        };
        let determinant: i64 = (0..3).map(|c| w[0][c] * cofactor(0, c)).sum();
        std::array::from_fn(|k| (0..3).map(|m| frac[m] * (cofactor(k, m) * determinant) as f64).sum())
    }

    /// A lattice vector in the lattice's own basis from its components in this one.
    #[inline]
    pub fn image(&self, n: [i32; 3]) -> [i32; 3] {
        std::array::from_fn(|m| (0..3).map(|k| i64::from(n[k]) * self.whole[k][m]).sum::<i64>() as i32)
    }

    /// Lengths of the shortest lattice vector, which always bounds the Voronoi cell, and of the longest of the basis, Å.
    pub fn extent(&self) -> (f64, f64) {
        let cartesian =
            |n: [i32; 3]| std::array::from_fn(|m| (0..3).map(|k| f64::from(n[k]) * self.rows[k][m]).sum::<f64>());
        let shortest = Self::voronoi_vectors().map(|n| norm(cartesian(n))).fold(f64::INFINITY, f64::min);
        (shortest, self.rows.map(norm).into_iter().fold(0.0, f64::max))
    }

    /// The 14 lattice vectors that can bound the lattice's Voronoi cell, as components in this basis.
    pub fn voronoi_vectors() -> impl Iterator<Item = [i32; 3]> {
        // Sums over the subsets of the superbase, neither empty nor whole; v₃ is (-1, -1, -1).
        (1..15).map(|subset: i32| std::array::from_fn(|k| (subset >> k & 1) - (subset >> 3 & 1)))
    }
}

/// Subtracts from each vector the nearest multiple of each other, until none gets shorter.
fn shorten(whole: &mut [[i64; 3]; 3], cartesian: impl Fn([i64; 3]) -> [f64; 3]) {
    for _ in 0..STEPS {
        let mut changed = false;
        for (i, j) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let (v, w) = (cartesian(whole[i]), cartesian(whole[j]));
            let times = (dot(v, w) / dot(w, w)).round();
            let shorter: [i64; 3] = std::array::from_fn(|m| whole[i][m] - times as i64 * whole[j][m]);
            if times != 0.0 && norm(cartesian(shorter)) < norm(v) * (1.0 - RIGHT) {
                whole[i] = shorter;
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// The most acute pair of a superbase.
fn acute(v: [[f64; 3]; 4]) -> Option<(usize, usize)> {
    let cosine = |(i, j): (usize, usize)| dot(v[i], v[j]) / (norm(v[i]) * norm(v[j]));
    let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
    let worst = pairs.into_iter().max_by(|&p, &q| cosine(p).total_cmp(&cosine(q)))?;
    (cosine(worst) > RIGHT).then_some(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheared_cube_is_found_again() {
        let sheared = Lattice::new([[3.0, 0.0, 0.0], [30.0, 3.0, 0.0], [-12.0, 21.0, 3.0]]).unwrap();
        let base = Superbase::of(&sheared);
        for row in base.rows {
            assert!((norm(row) - 3.0).abs() < 1e-9, "{row:?}");
        }
        for (n, want) in [([2, -1, 3], 14.0_f64), ([1, 1, 1], 3.0)] {
            let v = sheared.to_cartesian(base.image(n).map(f64::from));
            assert!((norm(v) - 3.0 * want.sqrt()).abs() < 1e-9);
        }
    }

    #[test]
    fn angles_are_obtuse_and_fractions_name_the_same_point() {
        let lattice = Lattice::from_parameters(4.0, 9.0, 5.0, 65.0, 72.0, 58.0).unwrap();
        let base = Superbase::of(&lattice);
        let [a, b, c] = base.rows;
        let d = std::array::from_fn(|k| -a[k] - b[k] - c[k]);
        assert_eq!(acute([a, b, c, d]), None);
        let frac = [0.1, -2.7, 0.35];
        let (point, reduced) = (lattice.to_cartesian(frac), Lattice::new(base.rows).unwrap());
        let same = reduced.to_cartesian(base.fractions(frac));
        assert!((0..3).all(|k| (point[k] - same[k]).abs() < 1e-12), "{point:?} {same:?}");
    }

    #[test]
    fn fourteen_voronoi_vectors_in_opposite_pairs() {
        let all: Vec<_> = Superbase::voronoi_vectors().collect();
        assert_eq!(all.len(), 14);
        assert!(all.iter().all(|v| *v != [0; 3] && all.contains(&v.map(|n| -n))));
    }
}
