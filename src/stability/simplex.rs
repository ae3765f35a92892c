//! The hull at one composition, as a linear program.
//!
//! Let the composition be x, atomic fractions of m elements, and phase k have fractions aₖ and energy Eₖ per atom. The energy of the
//! hull is the least that a mixture of the same composition has,
//!
//! ```text
//! min Σ cₖ Eₖ    where    Σ cₖ aₖ = x,   cₖ ≥ 0
//! ```
//!
//! and the phases with cₖ > 0 are the products. Fractions of a phase add up to one, so do the cₖ of any solution.
//!
//! There are as many rows as elements, a handful, and as many columns as phases, hundreds: the revised simplex method with a
//! dense inverse of the basis (Dantzig, Orden & Wolfe, Pacific J. Math. 5 (1955) 183). The elements themselves are the first basis,
//! with the unit matrix for its inverse and x for its amounts; no first phase is needed. A vertex where several bases meet, as at the
//! composition of a phase of the hull, may make the method cycle: after some steps without gain, Bland's rule (Math. Oper. Res. 2
//! (1977) 103) takes over, which always ends.

/// A column that would lower the energy by less than this, eV/atom, is not taken in.
const GAIN: f64 = 1e-11;
/// Pivots smaller than this are zero.
const PIVOT: f64 = 1e-11;
/// Steps without gain after which Bland's rule decides.
const PATIENCE: usize = 20;

/// The columns of a linear program: the elements first, then the phases of the system.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// Number of elements.
    pub rows: usize,
    /// Atomic fractions, `rows` numbers a column.
    pub fractions: Vec<f64>,
    /// Energy of each column, eV/atom.
    pub energies: Vec<f64>,
}

/// A vertex: which columns, how much of each, and the energy of the mixture, eV/atom.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mixture {
    pub energy: f64,
    pub parts: Vec<(usize, f64)>,
}

impl Columns {
    fn column(&self, k: usize) -> &[f64] {
        &self.fractions[k * self.rows..(k + 1) * self.rows]
    }

    /// The mixture of least energy with composition `x`, whose numbers are positive and add up to one, without column
    /// `skipped`, which is no element. `None` where rounding keeps the method from ending.
    pub fn least(&self, x: &[f64], skipped: Option<usize>) -> Option<Mixture> {
        let m = self.rows;
        let mut basis: Vec<usize> = (0..m).collect();
        let mut amounts = x.to_vec();
        let mut inverse = vec![0.0; m * m];
        (0..m).for_each(|i| inverse[i * m + i] = 1.0);
        let (mut idle, mut prices, mut direction) = (0, vec![0.0; m], vec![0.0; m]);
        for _ in 0..10_000 {
            for (j, price) in prices.iter_mut().enumerate() {
                *price = (0..m).map(|i| self.energies[basis[i]] * inverse[i * m + j]).sum();
            }
            let Some(entering) = self.entering(&prices, skipped, idle > PATIENCE) else {
                let energy = basis.iter().zip(&amounts).map(|(&k, c)| self.energies[k] * c).sum();
                let parts = basis.into_iter().zip(amounts).filter(|(_, c)| *c > 1e-9).collect();
                return Some(Mixture { energy, parts });
            };
            let column = self.column(entering);
            for (i, d) in direction.iter_mut().enumerate() {
                *d = (0..m).map(|j| inverse[i * m + j] * column[j]).sum();
            }
            let (leaving, step) = leaving(&basis, &amounts, &direction)?;
            idle = if step > 1e-12 { 0 } else { idle + 1 };
            for i in 0..m {
                amounts[i] = if i == leaving { step } else { (amounts[i] - step * direction[i]).max(0.0) };
            }
            let pivot = direction[leaving];
            (0..m).for_each(|j| inverse[leaving * m + j] /= pivot);
            for i in (0..m).filter(|&i| i != leaving) {
                for j in 0..m {
                    inverse[i * m + j] -= direction[i] * inverse[leaving * m + j];
                }
            }
            basis[leaving] = entering;
        }
        None
    }

    /// The column that lowers the energy most at these prices of the elements, or, by Bland's rule, the first that does.
    fn entering(&self, prices: &[f64], skipped: Option<usize>, bland: bool) -> Option<usize> {
        let mut best = (None, -GAIN);
        for (k, (column, energy)) in self.fractions.chunks_exact(self.rows).zip(&self.energies).enumerate() {
            let reduced = energy - prices.iter().zip(column).map(|(p, a)| p * a).sum::<f64>();
            if reduced < best.1 && Some(k) != skipped {
                best = (Some(k), reduced);
                if bland {
                    break;
                }
            }
        }
        best.0
    }
}

/// The place in the basis that runs out first, and when. Of several the one whose column comes first, as Bland's rule wants.
fn leaving(basis: &[usize], amounts: &[f64], direction: &[f64]) -> Option<(usize, f64)> {
    let runs_out = (0..basis.len()).filter(|&i| direction[i] > PIVOT).map(|i| (i, amounts[i] / direction[i]));
    runs_out.min_by(|a, b| a.1.total_cmp(&b.1).then(basis[a.0].cmp(&basis[b.0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(rows: usize, phases: &[(&[f64], f64)]) -> Columns {
        let mut columns = Columns { rows, ..Columns::default() };
        for i in 0..rows {
            columns.fractions.extend((0..rows).map(|j| f64::from(u8::from(i == j))));
            columns.energies.push(0.0);
        }
        for (fractions, energy) in phases {
            columns.fractions.extend_from_slice(fractions);
            columns.energies.push(*energy);
        }
        columns
    }

    #[test]
    fn between_two_phases_the_hull_is_a_line() {
        // A-B with AB at -1 and A3B at -0.3, which lies above the line from A to AB at -0.5.
        let system = columns(2, &[(&[0.5, 0.5], -1.0), (&[0.75, 0.25], -0.3)]);
        let mixture = system.least(&[0.75, 0.25], None).unwrap();
        assert!((mixture.energy + 0.5).abs() < 1e-12, "{mixture:?}");
        let mut parts = mixture.parts;
        parts.sort_by_key(|part| part.0);
        assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), [0, 2]);
        assert!(parts.iter().all(|part| (part.1 - 0.5).abs() < 1e-12));
        // Without AB, A3B is what is left.
        let mixture = system.least(&[0.5, 0.5], Some(2)).unwrap();
        assert!((mixture.energy + 0.2).abs() < 1e-12, "{mixture:?}");
    }

    #[test]
    fn at_a_phase_of_the_hull_it_alone_is_the_answer() {
        let third = 1.0 / 3.0;
        let system = columns(3, &[(&[third, third, third], -1.0), (&[0.5, 0.5, 0.0], -0.9), (&[0.0, 0.5, 0.5], -0.1)]);
        let mixture = system.least(&[third, third, third], None).unwrap();
        assert!((mixture.energy + 1.0).abs() < 1e-12 && mixture.parts.len() == 1, "{mixture:?}");
    }

    /// Columns on a grid meet in many degenerate vertices. Every answer is checked by duality: the prices of the elements at
    /// neighbouring compositions bound it, and it is convex.
    #[test]
    fn a_degenerate_grid_ends_and_is_convex() {
        let mut phases = Vec::new();
        for i in 0..=8_u8 {
            for j in 0..=8 - i {
                let x = [i, j, 8 - i - j].map(|n| f64::from(n) / 8.0);
                // Flat facets: many phases lie on the hull and none is a corner.
                phases.push((x, -x.iter().copied().fold(f64::INFINITY, f64::min)));
            }
        }
        let listed: Vec<(&[f64], f64)> = phases.iter().map(|(x, e)| (x.as_slice(), *e)).collect();
        let system = columns(3, &listed);
        let energy = |x: [f64; 3]| system.least(&x, None).unwrap().energy;
        for (x, e) in &phases {
            if x.iter().all(|f| *f > 0.0) {
                assert!(energy(*x) <= e + 1e-12, "{x:?}");
            }
        }
        for (a, b) in [([0.1, 0.2, 0.7], [0.5, 0.3, 0.2]), ([0.4, 0.4, 0.2], [0.2, 0.3, 0.5])] {
            let middle = std::array::from_fn(|i| (a[i] + b[i]) / 2.0);
            assert!(energy(middle) <= (energy(a) + energy(b)) / 2.0 + 1e-12);
        }
    }
}
