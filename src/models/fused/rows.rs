//! Rows of numbers: gathered along edges, summed over runs, added.

use std::ops::Range;

use super::linear::PANEL;
use crate::simd::kernels;

/// A matrix whose rows hold several parts one after another, of which one begins at `part`.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// All numbers.
    pub rows: &'a [f32],
    /// Length of a row.
    pub stride: usize,
    /// Where the part begins in a row.
    pub part: usize,
}

/// Copies to each row of `x`, one an atom, that of its element among `rows`, all `width` long.
pub fn of_elements(x: &mut [f32], width: usize, rows: &[f32], numbers: &[u8]) {
    for (row, &z) in x.chunks_exact_mut(width).zip(numbers) {
        row.copy_from_slice(&rows[usize::from(z) * width..][..width]);
    }
}

impl<'a> Part<'a> {
    /// Part `k` of rows of parts of `width`.
    pub fn new(rows: &'a [f32], stride: usize, k: usize, width: usize) -> Self {
        Self { rows, stride, part: k * width }
    }

    /// The part of a row, `width` long.
    #[inline(always)]
    pub fn at(self, row: usize, width: usize) -> *const f32 {
        self.rows[row * self.stride + self.part..][..width].as_ptr()
    }

    /// Whether there is such a row.
    #[inline(always)]
    pub fn holds(self, row: usize, width: usize) -> bool {
        row * self.stride + self.part + width <= self.rows.len()
    }

    /// The part of a row that is there.
    #[inline(always)]
    pub unsafe fn unchecked(self, row: usize) -> *const f32 {
        // SAFETY: the caller has checked that the row is there.
        unsafe { self.rows.as_ptr().add(row * self.stride + self.part) }
    }
}

/// Which rows the edges of a tile read.
#[derive(Clone, Copy)]
pub struct Ends<'a> {
    /// The node that gathers the first run.
    pub first: usize,
    /// Where the run of each node begins, and where the last one ends.
    pub starts: &'a [usize],
    /// The node at the other end of each edge.
    pub other: &'a [u32],
}

/// The edges of each node, counted from the first of them all.
pub fn runs(starts: &[usize]) -> impl Iterator<Item = Range<usize>> {
    starts.windows(2).map(|w| w[0] - starts[0]..w[1] - starts[0])
}

kernels! {
    /// Row e of `out` becomes the row of the node that gathers the edge plus the row of the node at its other end.
    pub fn gather<S>(out: &mut [f32], width: usize, ends: Ends<'_>, of_node: Part<'_>, of_other: Part<'_>) {
        assert!(width.is_multiple_of(PANEL) && out.len() == ends.other.len() * width);
        assert!(ends.starts[ends.starts.len() - 1] - ends.starts[0] == ends.other.len());
        let mut to = out.as_mut_ptr();
        let mut edge = 0;
        for (k, run) in ends.starts.windows(2).enumerate() {
            let center = of_node.at(ends.first + k, width);
            for _ in run[0]..run[1] {
                let other = of_other.at(ends.other[edge] as usize, width);
                let mut c = 0;
                while c < width {
                    S::store(to.add(c), S::add(S::load(center.add(c)), S::load(other.add(c))));
                    c += S::LANES;
                }
                edge += 1;
                to = to.add(width);
            }
        }
    }

    /// `out += x`.
    pub fn add<S>(out: &mut [f32], x: &[f32]) {
        assert!(out.len() == x.len() && x.len().is_multiple_of(PANEL));
        let (out, from) = (out.as_mut_ptr(), x.as_ptr());
        let mut k = 0;
        while k < x.len() {
            S::store(out.add(k), S::add(S::load(out.add(k)), S::load(from.add(k))));
            k += S::LANES;
        }
    }

    /// `out += factor` times the sum of the rows of `x`.
    pub fn add_sum<S>(out: &mut [f32], x: &[f32], factor: f32) {
        let width = out.len();
        assert!(width.is_multiple_of(PANEL) && x.len().is_multiple_of(width));
        let mut c = 0;
        while c < width {
            let mut sum = S::splat(0.0);
            let mut row = 0;
            while row < x.len() {
                sum = S::add(sum, S::load(x.as_ptr().add(row + c)));
                row += width;
            }
            let to = out.as_mut_ptr().add(c);
            S::store(to, S::fma(sum, S::splat(factor), S::load(to)));
            c += S::LANES;
        }
    }

    /// `x *= factor`.
    pub fn scale<S>(x: &mut [f32], factor: f32) {
        assert!(x.len().is_multiple_of(PANEL));
        let factor = S::splat(factor);
        let mut k = 0;
        while k < x.len() {
            let at = x.as_mut_ptr().add(k);
            S::store(at, S::mul(S::load(at), factor));
            k += S::LANES;
        }
    }

    /// Σ a b over as many numbers as `b` has, whole panels.
    pub fn dot<S>(a: &[f32], b: &[f32]) -> f32 {
        assert!(a.len() >= b.len() && b.len().is_multiple_of(PANEL));
        let mut sum = S::splat(0.0);
        let mut k = 0;
        while k < b.len() {
            sum = S::fma(S::load(a.as_ptr().add(k)), S::load(b.as_ptr().add(k)), sum);
            k += S::LANES;
        }
        S::sum(sum)
    }
}

/// Row i of `out` becomes the sum of the rows of `x` in run i.
pub fn sum_runs(out: &mut [f32], width: usize, x: &[f32], starts: &[usize]) {
    out.fill(0.0);
    for (out, run) in out.chunks_exact_mut(width).zip(runs(starts)) {
        add_sum(out, &x[run.start * width..run.end * width], 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::each_isa;

    #[test]
    fn rows_are_gathered_along_edges_and_summed_over_runs() {
        // Nodes 3, 4 and 5 of six, with 2, 0 and 1 edges; a row has two parts of 16.
        let rows: Vec<f32> = (0..6 * 32).map(|k| k as f32).collect();
        let starts = [10, 12, 12, 13];
        let ends = Ends { first: 3, starts: &starts, other: &[0, 5, 2] };
        let mut out = vec![0.0; 3 * 16];
        each_isa!(gather(&mut out, 16, ends, Part::new(&rows, 32, 1, 16), Part::new(&rows, 32, 0, 16)), {
            for (edge, (node, other)) in [(3, 0), (3, 5), (5, 2)].into_iter().enumerate() {
                let want = (0..16).map(|c| (node * 32 + 16 + c + other * 32 + c) as f32);
                assert!(out[edge * 16..][..16].iter().copied().eq(want), "edge {edge}");
            }
        });
        let mut sums = vec![f32::NAN; 3 * 16];
        sum_runs(&mut sums, 16, &out, &starts);
        let want = |c: usize| [out[c] + out[16 + c], 0.0, out[32 + c]];
        assert!((0..16).all(|c| want(c) == [sums[c], sums[16 + c], sums[32 + c]]));
    }

    #[test]
    fn sums_products_and_factors() {
        let x: Vec<f32> = (0..48).map(|k| k as f32).collect();
        let mut sum = vec![1.0; 16];
        each_isa!(add_sum(&mut sum, &x, 0.5), {
            assert!(sum.iter().enumerate().all(|(c, s)| *s == 1.0 + 0.5 * (3 * c + 48) as f32));
            sum.fill(1.0);
        });
        let mut y = x.clone();
        scale(&mut y, 2.0);
        add(&mut y, &x);
        assert!(y.iter().zip(&x).all(|(y, x)| *y == 3.0 * x));
        assert_eq!(dot(&x, &x[..16]), (0..16).map(|k| (k * k) as f32).sum::<f32>());
    }
}
