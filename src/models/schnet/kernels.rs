//! The loops of SchNet between its products, forward and back.

use super::module::EPSILON;
use crate::{
    exponential::sigmoid,
    fused::linear::PANEL,
    simd::{Simd, kernels},
};

/// The bonds of a pass, in the runs that their nodes gather.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bonds<'a> {
    /// Where the run of each node begins, and where the last one ends.
    pub starts: &'a [usize],
    /// Node at the other end.
    pub neighbor: &'a [u32],
    /// Row of the table below the length.
    pub below: &'a [u32],
    /// How far the length lies towards the next row.
    pub fraction: &'a [f32],
}

impl Bonds<'_> {
    /// That every bond leads to one of the rows of `sent` and two of `table`, all `width` long, and none beyond its lists.
    fn check(&self, width: usize, sent: &[f32], table: &[f32]) {
        let (edges, nodes, points) = (self.neighbor.len(), sent.len() / width, table.len() / width);
        assert!(width.is_multiple_of(PANEL) && self.below.len() == edges && self.fraction.len() == edges);
        assert!(self.starts.windows(2).all(|w| w[0] <= w[1]) && self.starts[self.starts.len() - 1] == edges);
        assert!(self.neighbor.iter().all(|&node| (node as usize) < nodes));
        assert!(self.below.iter().all(|&row| (row as usize) + 1 < points));
    }
}

/// V vectors of columns of one node's sum.
#[allow(clippy::needless_range_loop, reason = "the loops are unrolled and their indices constants")]
#[inline(always)]
unsafe fn gathered<S: Simd, const V: usize>(
    out: *mut f32,
    run: std::ops::Range<usize>,
    bonds: &Bonds<'_>,
    sent: *const f32,
    table: *const f32,
    width: usize,
) {
    unsafe {
        let mut sum = [S::splat(0.0); V];
        for e in run {
            let from = sent.add(*bonds.neighbor.get_unchecked(e) as usize * width);
            let row = table.add(*bonds.below.get_unchecked(e) as usize * width);
            let fraction = S::splat(*bonds.fraction.get_unchecked(e));
            for v in 0..V {
                let low = S::load(row.add(v * S::LANES));
                let high = S::load(row.add(width + v * S::LANES));
                let filter = S::fma(fraction, S::sub(high, low), low);
                sum[v] = S::fma(S::load(from.add(v * S::LANES)), filter, sum[v]);
            }
        }
        for v in 0..V {
            S::store(out.add(v * S::LANES), sum[v]);
        }
    }
}

kernels! {
    /// Row i of `out`: over the bonds of node i, the sum of what the neighbours send, times the filters of the lengths.
    pub(super) fn convolve<S>(out: &mut [f32], width: usize, bonds: &Bonds<'_>, sent: &[f32], table: &[f32]) {
        bonds.check(width, sent, table);
        assert!(out.len() == (bonds.starts.len() - 1) * width);
        for (i, run) in bonds.starts.windows(2).enumerate() {
            let (run, row) = (run[0]..run[1], out.as_mut_ptr().add(i * width));
            let mut c = 0;
            while c + 4 * S::LANES <= width {
                gathered::<S, 4>(row.add(c), run.clone(), bonds, sent.as_ptr().add(c), table.as_ptr().add(c), width);
                c += 4 * S::LANES;
            }
            while c < width {
                gathered::<S, 1>(row.add(c), run.clone(), bonds, sent.as_ptr().add(c), table.as_ptr().add(c), width);
                c += S::LANES;
            }
        }
    }

    /// The way back of [`convolve`]: from the gradients of its result, `gradient`, adds to the `gradients` of what was `read`: what
    /// nodes send, and the table.
    pub(super) fn convolve_back<S>(
        gradient: &[f32],
        width: usize,
        bonds: &Bonds<'_>,
        read: (&[f32], &[f32]),
        gradients: (&mut [f32], &mut [f32]),
    ) {
        let ((sent, table), (of_sent, of_table)) = (read, gradients);
        bonds.check(width, sent, table);
        assert!(gradient.len() == (bonds.starts.len() - 1) * width);
        assert!(of_sent.len() == sent.len() && of_table.len() == table.len());
        for (i, run) in bonds.starts.windows(2).enumerate() {
            let gradient = gradient.as_ptr().add(i * width);
            for e in run[0]..run[1] {
                let node = *bonds.neighbor.get_unchecked(e) as usize * width;
                let row = *bonds.below.get_unchecked(e) as usize * width;
                let (from, to) = (sent.as_ptr().add(node), of_sent.as_mut_ptr().add(node));
                let (filter, to_filter) = (table.as_ptr().add(row), of_table.as_mut_ptr().add(row));
                let fraction = S::splat(*bonds.fraction.get_unchecked(e));
                let mut c = 0;
                while c < width {
                    let g = S::load(gradient.add(c));
                    let (low, high) = (S::load(filter.add(c)), S::load(filter.add(width + c)));
                    let at = S::fma(fraction, S::sub(high, low), low);
                    S::store(to.add(c), S::fma(g, at, S::load(to.add(c))));
                    let of_filter = S::mul(g, S::load(from.add(c)));
                    let of_high = S::mul(fraction, of_filter);
                    let low = to_filter.add(c);
                    S::store(low, S::add(S::load(low), S::sub(of_filter, of_high)));
                    let high = to_filter.add(width + c);
                    S::store(high, S::add(S::load(high), of_high));
                    c += S::LANES;
                }
            }
        }
    }

    /// Rows of `out`: those of `x` divided by the root of the mean square of their `columns` numbers, the rest of a row being
    /// zeros; `inverse` keeps what they were multiplied with.
    pub(super) fn normalise<S>(out: &mut [f32], inverse: &mut [f32], x: &[f32], width: usize, columns: usize) {
        assert!(width.is_multiple_of(PANEL) && out.len() == x.len() && x.len() == inverse.len() * width);
        for (row, inverse) in inverse.iter_mut().enumerate() {
            let (x, out) = (x.as_ptr().add(row * width), out.as_mut_ptr().add(row * width));
            let (mut square, mut c) = (S::splat(0.0), 0);
            while c < width {
                let x = S::load(x.add(c));
                square = S::fma(x, x, square);
                c += S::LANES;
            }
            *inverse = (S::sum(square) / columns as f32 + EPSILON).sqrt().recip();
            let factor = S::splat(*inverse);
            let mut c = 0;
            while c < width {
                S::store(out.add(c), S::mul(S::load(x.add(c)), factor));
                c += S::LANES;
            }
        }
    }

    /// The way back of [`normalise`]: adds to `of_x` the gradients in x, from those of its result, `gradient`.
    pub(super) fn normalise_back<S>(
        of_x: &mut [f32],
        gradient: &[f32],
        normal: &[f32],
        inverse: &[f32],
        width: usize,
        columns: usize,
    ) {
        assert!(width.is_multiple_of(PANEL) && of_x.len() == gradient.len() && normal.len() == gradient.len());
        assert!(gradient.len() == inverse.len() * width);
        for (row, inverse) in inverse.iter().enumerate() {
            let at = row * width;
            let (gradient, normal) = (gradient.as_ptr().add(at), normal.as_ptr().add(at));
            let (mut along, mut c) = (S::splat(0.0), 0);
            while c < width {
                along = S::fma(S::load(gradient.add(c)), S::load(normal.add(c)), along);
                c += S::LANES;
            }
            let (along, inverse) = (S::splat(-S::sum(along) / columns as f32), S::splat(*inverse));
            let mut c = 0;
            while c < width {
                let to = of_x.as_mut_ptr().add(at + c);
                let across = S::fma(along, S::load(normal.add(c)), S::load(gradient.add(c)));
                S::store(to, S::fma(across, inverse, S::load(to)));
                c += S::LANES;
            }
        }
    }

    /// The way back of x / (1 + e⁻ˣ): multiplies `gradient` by its derivative at `x`.
    pub(super) fn silu_back<S>(gradient: &mut [f32], x: &[f32]) {
        assert!(gradient.len() == x.len() && x.len().is_multiple_of(PANEL));
        let (one, mut k) = (S::splat(1.0), 0);
        while k < x.len() {
            let at = S::load(x.as_ptr().add(k));
            let s = sigmoid::<S>(at);
            let derivative = S::mul(s, S::fma(at, S::sub(one, s), one));
            let to = gradient.as_mut_ptr().add(k);
            S::store(to, S::mul(S::load(to), derivative));
            k += S::LANES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::Stream, simd::each_isa};

    fn noise(n: usize, seed: u64) -> Vec<f32> {
        let mut stream = Stream::new(seed);
        (0..n).map(|_| 2.0 * stream.uniform() - 1.0).collect()
    }

    /// Four nodes with 3, 0, 1 and 2 bonds, a table of five rows, and a width of vectors of every kind.
    const WIDTH: usize = 80;
    const BONDS: Bonds<'_> = Bonds {
        starts: &[0, 3, 3, 4, 6],
        neighbor: &[0, 3, 2, 1, 1, 0],
        below: &[0, 3, 2, 2, 1, 0],
        fraction: &[0.0, 1.0, 0.3, 0.5, 0.9, 0.2],
    };

    fn node_of(edge: usize) -> usize {
        BONDS.starts.iter().rposition(|&start| start <= edge).unwrap()
    }

    fn filter(table: &[f32], edge: usize, c: usize) -> f32 {
        let at = |row: u32| table[row as usize * WIDTH + c];
        let (low, fraction) = (BONDS.below[edge], BONDS.fraction[edge]);
        at(low) * (1.0 - fraction) + at(low + 1) * fraction
    }

    #[test]
    fn sums_are_of_products_with_interpolated_filters() {
        let (sent, table) = (noise(4 * WIDTH, 1), noise(5 * WIDTH, 2));
        let mut out = vec![f32::NAN; 4 * WIDTH];
        each_isa!(convolve(&mut out, WIDTH, &BONDS, &sent, &table), {
            for (k, got) in out.iter().enumerate() {
                let (node, c) = (k / WIDTH, k % WIDTH);
                let term = |e: usize| sent[BONDS.neighbor[e] as usize * WIDTH + c] * filter(&table, e, c);
                let want: f32 = (0..6).filter(|&e| node_of(e) == node).map(term).sum();
                assert!((got - want).abs() < 1e-5, "node {node}, column {c}: {got}, {want}");
            }
            out.fill(f32::NAN);
        });
    }

    #[test]
    fn gradients_of_the_sums_are_those_of_what_is_sent_and_of_the_table() {
        let (sent, table, gradient) = (noise(4 * WIDTH, 1), noise(5 * WIDTH, 2), noise(4 * WIDTH, 3));
        let (mut of_sent, mut of_table) = (vec![1.0; sent.len()], vec![2.0; table.len()]);
        let (mut want_sent, mut want_table) = (of_sent.clone(), of_table.clone());
        for (e, c) in (0..6).flat_map(|e| (0..WIDTH).map(move |c| (e, c))) {
            let g = gradient[node_of(e) * WIDTH + c];
            let from = BONDS.neighbor[e] as usize * WIDTH + c;
            want_sent[from] += g * filter(&table, e, c);
            for (row, part) in [(0, 1.0 - BONDS.fraction[e]), (1, BONDS.fraction[e])] {
                want_table[(BONDS.below[e] as usize + row) * WIDTH + c] += part * g * sent[from];
            }
        }
        each_isa!(convolve_back(&gradient, WIDTH, &BONDS, (&sent, &table), (&mut of_sent, &mut of_table)), {
            let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(near(&of_sent, &want_sent) && near(&of_table, &want_table));
            of_sent.fill(1.0);
            of_table.fill(2.0);
        });
    }

    /// f'(x) · direction by differences in double precision, against gradients.
    #[test]
    fn normalisation_and_activation_have_the_gradients_of_differences() {
        let (width, columns) = (16, 11);
        let mut x = noise(2 * width, 4);
        x.iter_mut().enumerate().filter(|(k, _)| k % width >= columns).for_each(|(_, x)| *x = 0.0);
        let weights = noise(2 * width, 5);
        let value = |x: &[f64]| -> f64 {
            let row = |k: usize| &x[k * width..][..columns];
            let of = |k: usize| {
                let size = (row(k).iter().map(|x| x * x).sum::<f64>() / columns as f64 + f64::from(EPSILON)).sqrt();
                row(k).iter().enumerate().map(|(c, x)| f64::from(weights[k * width + c]) * x / size).sum::<f64>()
            };
            of(0) + of(1)
        };
        let (mut normal, mut inverse) = (vec![0.0; x.len()], vec![0.0; 2]);
        normalise(&mut normal, &mut inverse, &x, width, columns);
        let mut gradients = vec![0.0; x.len()];
        each_isa!(normalise_back(&mut gradients, &weights, &normal, &inverse, width, columns), {
            for k in (0..2 * width).filter(|k| k % width < columns) {
                let at = |h: f64| {
                    value(
                        &x.iter()
                            .enumerate()
                            .map(|(i, &x)| f64::from(x) + if i == k { h } else { 0.0 })
                            .collect::<Vec<_>>(),
                    )
                };
                let want = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((f64::from(gradients[k]) - want).abs() < 1e-4, "{k}: {}, {want}", gradients[k]);
            }
            gradients.fill(0.0);
        });
        let mut gradients = vec![1.0; x.len()];
        each_isa!(silu_back(&mut gradients, &x), {
            for (gradient, &x) in gradients.iter().zip(&x) {
                let silu = |x: f64| x / (1.0 + (-x).exp());
                let want = (silu(f64::from(x) + 1e-5) - silu(f64::from(x) - 1e-5)) / 2e-5;
                assert!((f64::from(*gradient) - want).abs() < 1e-5, "{x}: {gradient}, {want}");
            }
            gradients.fill(1.0);
        });
    }
}
