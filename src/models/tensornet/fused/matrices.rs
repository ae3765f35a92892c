//! Matrices of three by three, one for each atom and channel, in nine components along an orthonormal basis of all such matrices: so
//! the squared size of a matrix is the sum of the squares of its components, and a gradient in a matrix has the components of the
//! gradients in its components.
//!
//! ```text
//! 0        the unit matrix over √3
//! 1 to 3   the antisymmetric ones, of the cross product with x, y and z, over √2
//! 4 to 8   the symmetric ones without trace: xy, xz, yz, x² - y², 2z² - x² - y²
//! ```
//!
//! A buffer holds `[atom][component][channel]`; channels are whole panels.

use crate::fused::linear::PANEL;
use crate::simd::{Simd, kernels};

/// Components of a matrix.
pub const NINE: usize = 9;
/// The part of each component, which have weights of their own: scalar, antisymmetric, symmetric.
pub const PART_OF: [usize; NINE] = [0, 1, 1, 1, 2, 2, 2, 2, 2];

const OVER_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;
const OVER_SQRT_3: f32 = 0.577_350_26;
const OVER_SQRT_6: f32 = 0.408_248_3;

/// The components at one place of the channels.
type Components<V> = [V; NINE];
type Matrix<V> = [[V; 3]; 3];

/// Components, `units` apart.
#[inline(always)]
unsafe fn load<S: Simd>(from: *const f32, units: usize) -> Components<S::V> {
    unsafe {
        let mut x = [S::splat(0.0); NINE];
        for (k, x) in x.iter_mut().enumerate() {
            *x = S::load(from.add(k * units));
        }
        x
    }
}

#[inline(always)]
unsafe fn store<S: Simd>(to: *mut f32, units: usize, x: Components<S::V>) {
    unsafe {
        for (k, x) in x.into_iter().enumerate() {
            S::store(to.add(k * units), x);
        }
    }
}

/// The matrix of these components.
#[inline(always)]
unsafe fn matrix<S: Simd>(x: Components<S::V>) -> Matrix<S::V> {
    unsafe {
        let half = S::splat(OVER_SQRT_2);
        let sixth = S::mul(x[8], S::splat(OVER_SQRT_6));
        let scalar = S::mul(x[0], S::splat(OVER_SQRT_3));
        let low = S::sub(scalar, sixth);
        let [a, b, c] = [S::mul(x[1], half), S::mul(x[2], half), S::mul(x[3], half)];
        let [xy, xz, yz] = [S::mul(x[4], half), S::mul(x[5], half), S::mul(x[6], half)];
        let apart = S::mul(x[7], half);
        [
            [S::add(low, apart), S::sub(xy, c), S::add(xz, b)],
            [S::add(xy, c), S::sub(low, apart), S::sub(yz, a)],
            [S::sub(xz, b), S::add(yz, a), S::add(scalar, S::add(sixth, sixth))],
        ]
    }
}

/// The components of a matrix.
#[inline(always)]
unsafe fn components<S: Simd>(m: Matrix<S::V>) -> Components<S::V> {
    unsafe {
        let half = S::splat(OVER_SQRT_2);
        let [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = m;
        let flat = S::add(xx, yy);
        [
            S::mul(S::add(flat, zz), S::splat(OVER_SQRT_3)),
            S::mul(S::sub(zy, yz), half),
            S::mul(S::sub(xz, zx), half),
            S::mul(S::sub(yx, xy), half),
            S::mul(S::add(xy, yx), half),
            S::mul(S::add(xz, zx), half),
            S::mul(S::add(yz, zy), half),
            S::mul(S::sub(xx, yy), half),
            S::mul(S::sub(S::add(zz, zz), flat), S::splat(OVER_SQRT_6)),
        ]
    }
}

#[inline(always)]
unsafe fn transposed<S: Simd>(m: Matrix<S::V>) -> Matrix<S::V> {
    [[m[0][0], m[1][0], m[2][0]], [m[0][1], m[1][1], m[2][1]], [m[0][2], m[1][2], m[2][2]]]
}

/// `a b + b a`.
#[inline(always)]
unsafe fn both_ways<S: Simd>(a: Matrix<S::V>, b: Matrix<S::V>) -> Matrix<S::V> {
    unsafe {
        let mut sum = [[S::splat(0.0); 3]; 3];
        for r in 0..3 {
            for c in 0..3 {
                for k in 0..3 {
                    sum[r][c] = S::fma(a[r][k], b[k][c], sum[r][c]);
                    sum[r][c] = S::fma(b[r][k], a[k][c], sum[r][c]);
                }
            }
        }
        sum
    }
}

/// Σ a b.
#[inline(always)]
unsafe fn inner<S: Simd>(a: Components<S::V>, b: Components<S::V>) -> S::V {
    unsafe {
        let mut sum = S::mul(a[0], b[0]);
        for k in 1..NINE {
            sum = S::fma(a[k], b[k], sum);
        }
        sum
    }
}

/// `factor a + more b`.
#[inline(always)]
unsafe fn sum<S: Simd>(factor: S::V, a: Components<S::V>, more: S::V, b: Components<S::V>) -> Components<S::V> {
    unsafe {
        let mut out = a;
        for k in 0..NINE {
            out[k] = S::fma(more, b[k], S::mul(factor, a[k]));
        }
        out
    }
}

/// `factor x`.
#[inline(always)]
unsafe fn times<S: Simd>(factor: S::V, mut x: Components<S::V>) -> Components<S::V> {
    unsafe {
        for x in &mut x {
            *x = S::mul(factor, *x);
        }
        x
    }
}

/// One over one more than the squared size.
#[inline(always)]
unsafe fn bound<S: Simd>(x: Components<S::V>) -> S::V {
    unsafe { S::div(S::splat(1.0), S::add(inner::<S>(x, x), S::splat(1.0))) }
}

/// Runs `$body` at every place: `$k` is where nine components begin, `$one` where the single number of the channel lies, and `$three`
/// the first of the numbers of three parts.
macro_rules! places {
    ($S:ident, $atoms:expr, $units:expr, |$nine:ident, $one:ident, $three:ident| $body:block) => {
        for atom in 0..$atoms {
            let mut channel = 0;
            while channel < $units {
                #[allow(unused_variables, reason = "not every kernel has all kinds of rows")]
                let ($nine, $one, $three) =
                    (atom * NINE * $units + channel, atom * $units + channel, atom * 3 * $units + channel);
                $body
                channel += $S::LANES;
            }
        }
    };
}

/// Whether these are rows of nine, of as many atoms, and how many.
#[inline(always)]
fn atoms(units: usize, nines: &[usize]) -> usize {
    assert!(units > 0 && units.is_multiple_of(PANEL) && nines[0].is_multiple_of(NINE * units));
    assert!(nines.iter().all(|n| *n == nines[0]), "rows of as many atoms");
    nines[0] / (NINE * units)
}

kernels! {
    /// Squared sizes of matrices.
    pub fn sizes<S>(x: &[f32], units: usize, out: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), out.len() * NINE]);
        places!(S, atoms, units, |nine, one, three| {
            let x = load::<S>(x.as_ptr().add(nine), units);
            S::store(out.as_mut_ptr().add(one), inner::<S>(x, x));
        });
    }

    /// `out += 2 gradient x`: gradients in matrices from those in their squared sizes.
    pub fn sizes_back<S>(x: &[f32], units: usize, gradients: &[f32], out: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), gradients.len() * NINE, out.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let gradient = S::load(gradients.as_ptr().add(one));
            let to = out.as_mut_ptr().add(nine);
            let (x, old) = (load::<S>(x.as_ptr().add(nine), units), load::<S>(to, units));
            store::<S>(to, units, sum::<S>(S::splat(1.0), old, S::add(gradient, gradient), x));
        });
    }

    /// Squared sizes of the three parts.
    pub fn part_sizes<S>(x: &[f32], units: usize, out: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), out.len() * 3]);
        places!(S, atoms, units, |nine, one, three| {
            let x = load::<S>(x.as_ptr().add(nine), units);
            let mut sums = [S::splat(0.0); 3];
            for k in 0..NINE {
                sums[PART_OF[k]] = S::fma(x[k], x[k], sums[PART_OF[k]]);
            }
            for (part, sum) in sums.into_iter().enumerate() {
                S::store(out.as_mut_ptr().add(three + part * units), sum);
            }
        });
    }

    /// Gradients in matrices from those in the squared sizes of their parts.
    pub fn part_sizes_back<S>(x: &[f32], units: usize, gradients: &[f32], out: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), gradients.len() * 3, out.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let mut x = load::<S>(x.as_ptr().add(nine), units);
            for (k, x) in x.iter_mut().enumerate() {
                let gradient = S::load(gradients.as_ptr().add(three + PART_OF[k] * units));
                *x = S::mul(*x, S::add(gradient, gradient));
            }
            store::<S>(out.as_mut_ptr().add(nine), units, x);
        });
    }

    /// `out = x factor`, each part with a factor of its own.
    pub fn scaled<S>(x: &[f32], units: usize, factors: &[f32], out: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), factors.len() * 3, out.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let mut x = load::<S>(x.as_ptr().add(nine), units);
            for (k, x) in x.iter_mut().enumerate() {
                *x = S::mul(*x, S::load(factors.as_ptr().add(three + PART_OF[k] * units)));
            }
            store::<S>(out.as_mut_ptr().add(nine), units, x);
        });
    }

    /// From gradients in what [`scaled`] makes to those in x, in place, and in the factors.
    pub fn scaled_back<S>(x: &[f32], units: usize, factors: &[f32], gradients: &mut [f32], of_factors: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), factors.len() * 3, gradients.len(), of_factors.len() * 3]);
        places!(S, atoms, units, |nine, one, three| {
            let gradient = gradients.as_mut_ptr().add(nine);
            let (x, mut gradients) = (load::<S>(x.as_ptr().add(nine), units), load::<S>(gradient, units));
            let mut sums = [S::splat(0.0); 3];
            for k in 0..NINE {
                sums[PART_OF[k]] = S::fma(x[k], gradients[k], sums[PART_OF[k]]);
                gradients[k] = S::mul(gradients[k], S::load(factors.as_ptr().add(three + PART_OF[k] * units)));
            }
            store::<S>(gradient, units, gradients);
            for (part, sum) in sums.into_iter().enumerate() {
                S::store(of_factors.as_mut_ptr().add(three + part * units), sum);
            }
        });
    }

    /// Matrices over one more than their squared size, in place, and what they were multiplied by.
    pub fn bounded<S>(x: &mut [f32], units: usize, factors: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), factors.len() * NINE]);
        places!(S, atoms, units, |nine, one, three| {
            let at = x.as_mut_ptr().add(nine);
            let x = load::<S>(at, units);
            let factor = bound::<S>(x);
            S::store(factors.as_mut_ptr().add(one), factor);
            store::<S>(at, units, times::<S>(factor, x));
        });
    }

    /// From gradients in what [`bounded`] made, `x`, to those in what it made it of, in place.
    pub fn bounded_back<S>(x: &[f32], units: usize, factors: &[f32], gradients: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), factors.len() * NINE, gradients.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let at = gradients.as_mut_ptr().add(nine);
            let (x, gradients) = (load::<S>(x.as_ptr().add(nine), units), load::<S>(at, units));
            let along = S::mul(S::splat(-2.0), inner::<S>(gradients, x));
            store::<S>(at, units, sum::<S>(S::load(factors.as_ptr().add(one)), gradients, along, x));
        });
    }

    /// `p / (1 + |p|²)` of `p = a b + b a`.
    pub fn joined<S>(a: &[f32], b: &[f32], units: usize, out: &mut [f32]) {
        let atoms = atoms(units, &[a.len(), b.len(), out.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let (a, b) = (load::<S>(a.as_ptr().add(nine), units), load::<S>(b.as_ptr().add(nine), units));
            let p = components::<S>(both_ways::<S>(matrix::<S>(a), matrix::<S>(b)));
            store::<S>(out.as_mut_ptr().add(nine), units, times::<S>(bound::<S>(p), p));
        });
    }

    /// From gradients in what [`joined`] makes to those in `a`, which take its place, and in `b`, which take that of the gradients.
    pub fn joined_back<S>(a: &mut [f32], b: &[f32], units: usize, gradients: &mut [f32]) {
        let atoms = atoms(units, &[a.len(), b.len(), gradients.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let (of_a, of_b) = (a.as_mut_ptr().add(nine), gradients.as_mut_ptr().add(nine));
            let (a, b) = (matrix::<S>(load::<S>(of_a, units)), matrix::<S>(load::<S>(b.as_ptr().add(nine), units)));
            let p = components::<S>(both_ways::<S>(a, b));
            let (bound, gradients) = (bound::<S>(p), load::<S>(of_b, units));
            let along = S::mul(S::splat(-2.0), S::mul(S::mul(bound, bound), inner::<S>(gradients, p)));
            let gradients = matrix::<S>(sum::<S>(bound, gradients, along, p));
            store::<S>(of_a, units, components::<S>(both_ways::<S>(gradients, transposed::<S>(b))));
            store::<S>(of_b, units, components::<S>(both_ways::<S>(gradients, transposed::<S>(a))));
        });
    }

    /// `out = x + d + d d`.
    pub fn updated<S>(x: &[f32], d: &[f32], units: usize, out: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), d.len(), out.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let (x, d) = (load::<S>(x.as_ptr().add(nine), units), load::<S>(d.as_ptr().add(nine), units));
            let m = matrix::<S>(d);
            // Half of d d + d d.
            let square = components::<S>(both_ways::<S>(m, m));
            let change = sum::<S>(S::splat(1.0), d, S::splat(0.5), square);
            store::<S>(out.as_mut_ptr().add(nine), units, sum::<S>(S::splat(1.0), x, S::splat(1.0), change));
        });
    }

    /// Gradients in `d` from those in what [`updated`] makes; they are those in `x` too.
    pub fn updated_back<S>(d: &[f32], units: usize, gradients: &[f32], out: &mut [f32]) {
        let atoms = atoms(units, &[d.len(), gradients.len(), out.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let (d, gradients) = (load::<S>(d.as_ptr().add(nine), units), load::<S>(gradients.as_ptr().add(nine), units));
            let turned = transposed::<S>(matrix::<S>(d));
            let more = components::<S>(both_ways::<S>(matrix::<S>(gradients), turned));
            store::<S>(out.as_mut_ptr().add(nine), units, sum::<S>(S::splat(1.0), gradients, S::splat(1.0), more));
        });
    }

    /// Matrices reordered, one panel of channels after another: `[panel][atom][component][16]`. What is read again and again of one panel
    /// then lies together.
    pub fn by_panels<S>(x: &[f32], units: usize, out: &mut [f32]) {
        let atoms = atoms(units, &[x.len(), out.len()]);
        places!(S, atoms, units, |nine, one, three| {
            let (panel, lane) = ((one % units) / PANEL, one % PANEL);
            let to = out.as_mut_ptr().add((panel * atoms + one / units) * NINE * PANEL + lane);
            store::<S>(to, PANEL, load::<S>(x.as_ptr().add(nine), units));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{One, each_isa};

    const ATOMS: usize = 2;

    /// Numbers without a pattern, between -1 and 1.
    fn noise(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|k| (k as f32 * 1.7 + seed).sin() * (k as f32 * 0.31 + seed).cos()).collect()
    }

    fn rows(seed: f32) -> Vec<f32> {
        noise(ATOMS * NINE * PANEL, seed)
    }

    #[test]
    fn components_are_those_of_an_orthonormal_basis() {
        // SAFETY: single numbers need nothing of the processor.
        unsafe {
            for k in 0..NINE {
                let mut x = [0.0_f32; NINE];
                x[k] = 1.0;
                let m = matrix::<One>(x);
                let size: f32 = m.as_flattened().iter().map(|x| x * x).sum();
                assert!((size - 1.0).abs() < 1e-6, "{k}");
                let back = components::<One>(m);
                assert!(back.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-6), "{k}: {back:?}");
                let sign = if (1..4).contains(&k) { -1.0 } else { 1.0 };
                let turned = components::<One>(transposed::<One>(m));
                assert!(turned.iter().zip(&x).all(|(a, b)| (a - sign * b).abs() < 1e-6), "{k}");
            }
        }
    }

    /// The gradients `got` in `x` of Σ w f(x) are those of differences.
    fn assert_gradients(x: &[f32], got: &[f32], f: impl Fn(&[f32]) -> f64) {
        for k in [0, 3, 16, 40, 79, 100, 144, 200, 287] {
            let moved =
                |by: f32| f(&x.iter().enumerate().map(|(j, x)| x + if j == k { by } else { 0.0 }).collect::<Vec<_>>());
            let want = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((f64::from(got[k]) - want).abs() < 2e-3 * want.abs().max(1.0), "{k}: {}, {want}", got[k]);
        }
    }

    fn weighted(x: &[f32], weights: &[f32]) -> f64 {
        x.iter().zip(weights).map(|(x, w)| f64::from(x * w)).sum()
    }

    #[test]
    fn products_and_bounds_have_the_gradients_of_differences() {
        let (a, b, w) = (rows(0.3), rows(1.1), rows(2.9));
        let of = |f: &dyn Fn(&mut [f32])| {
            let mut out = rows(0.0);
            f(&mut out);
            weighted(&out, &w)
        };
        let (mut of_a, mut of_b) = (a.clone(), w.clone());
        each_isa!(joined_back(&mut of_a, &b, PANEL, &mut of_b), {
            assert_gradients(&a, &of_a, |a| of(&|out| joined(a, &b, PANEL, out)));
            assert_gradients(&b, &of_b, |b| of(&|out| joined(&a, b, PANEL, out)));
            of_a.copy_from_slice(&a);
            of_b.copy_from_slice(&w);
        });
        let mut of_d = rows(0.0);
        each_isa!(updated_back(&b, PANEL, &w, &mut of_d), {
            assert_gradients(&b, &of_d, |d| of(&|out| updated(&a, d, PANEL, out)));
            of_d.fill(f32::NAN);
        });
        let (mut small, mut factors) = (a.clone(), vec![0.0; ATOMS * PANEL]);
        bounded(&mut small, PANEL, &mut factors);
        let mut gradients = w.clone();
        each_isa!(bounded_back(&small, PANEL, &factors, &mut gradients), {
            let f = |a: &[f32]| {
                let mut out = a.to_vec();
                bounded(&mut out, PANEL, &mut [0.0; ATOMS * PANEL]);
                weighted(&out, &w)
            };
            assert_gradients(&a, &gradients, f);
            gradients.copy_from_slice(&w);
        });
    }

    #[test]
    fn sizes_and_factors_have_the_gradients_of_differences() {
        let (a, one, three) = (rows(0.3), noise(ATOMS * PANEL, 0.7), noise(ATOMS * 3 * PANEL, 0.9));
        let mut gradients = vec![0.0; a.len()];
        each_isa!(sizes_back(&a, PANEL, &one, &mut gradients), {
            let f = |a: &[f32]| {
                let mut out = vec![0.0; one.len()];
                sizes(a, PANEL, &mut out);
                weighted(&out, &one)
            };
            assert_gradients(&a, &gradients, f);
            gradients.fill(0.0);
        });
        each_isa!(part_sizes_back(&a, PANEL, &three, &mut gradients), {
            let f = |a: &[f32]| {
                let mut out = vec![0.0; three.len()];
                part_sizes(a, PANEL, &mut out);
                weighted(&out, &three)
            };
            assert_gradients(&a, &gradients, f);
            gradients.fill(f32::NAN);
        });
        let w = rows(2.9);
        let (mut of_x, mut of_factors) = (w.clone(), vec![0.0; three.len()]);
        each_isa!(scaled_back(&a, PANEL, &three, &mut of_x, &mut of_factors), {
            let of = |x: &[f32], factors: &[f32]| {
                let mut out = vec![0.0; x.len()];
                scaled(x, PANEL, factors, &mut out);
                weighted(&out, &w)
            };
            assert_gradients(&a, &of_x, |x| of(x, &three));
            for k in [0, 20, 60, 95] {
                let moved = |by: f32| {
                    of(
                        &a,
                        &three.iter().enumerate().map(|(j, x)| x + if j == k { by } else { 0.0 }).collect::<Vec<_>>(),
                    )
                };
                let want = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!((f64::from(of_factors[k]) - want).abs() < 1e-3, "{k}: {}, {want}", of_factors[k]);
            }
            of_x.copy_from_slice(&w);
        });
    }

    #[test]
    fn panels_lie_one_after_another() {
        let units = 2 * PANEL;
        let x: Vec<f32> = (0..ATOMS * NINE * units).map(|k| k as f32).collect();
        let mut out = vec![0.0; x.len()];
        each_isa!(by_panels(&x, units, &mut out), {
            for (at, got) in out.iter().enumerate() {
                let (lane, rest) = (at % PANEL, at / PANEL);
                let (component, atom, panel) = (rest % NINE, rest / NINE % ATOMS, rest / NINE / ATOMS);
                assert_eq!(*got, x[(atom * NINE + component) * units + panel * PANEL + lane]);
            }
            out.fill(f32::NAN);
        });
    }
}
