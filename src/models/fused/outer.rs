//! The gradient of a linear layer's weight: the sum over rows of what it read times the gradient of what it put out.

use super::linear::{PANEL, block_product, by_rows};
use crate::simd::kernels;

kernels! {
    /// Row k of `out`, `width` long, gains the sum over rows of `x[row][k] gradient[row]`; rows of `x` begin `stride` apart.
    pub fn add_outer<S>(out: &mut [f32], width: usize, x: (&[f32], usize), gradient: &[f32]) {
        let ((x, stride), inputs, rows) = (x, out.len() / width, gradient.len() / width);
        assert!(width.is_multiple_of(PANEL) && out.len() == inputs * width && gradient.len() == rows * width);
        if rows == 0 || inputs == 0 {
            return;
        }
        assert!(inputs <= stride && x.len() >= (rows - 1) * stride + inputs);
        let blocks = inputs.div_ceil(S::ROWS);
        let (height, taller) = (inputs / blocks, inputs % blocks);
        let mut column = 0;
        while column < width {
            let wide = column + 2 * S::LANES <= width;
            let mut first = 0;
            for block in 0..blocks {
                let height = height + usize::from(block < taller);
                let from = (x.as_ptr().add(first), 1, stride);
                let gradient = (gradient.as_ptr().add(column), S::LANES, width);
                let target = out.as_mut_ptr().add(first * width + column);
                if wide {
                    by_rows!(height, block_product::<S, 2>(from, rows, gradient, target, width));
                } else {
                    by_rows!(height, block_product::<S, 1>(from, rows, gradient, target, width));
                }
                first += height;
            }
            column += if wide { 2 * S::LANES } else { S::LANES };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::each_isa;

    #[test]
    fn every_weight_gains_the_sum_over_rows() {
        for (inputs, width, rows) in [(1, 16, 1), (7, 32, 5), (48, 48, 33), (13, 128, 3), (5, 16, 0)] {
            let stride = inputs + 2;
            let x: Vec<f32> = (0..rows * stride).map(|k| ((k * 37) % 19) as f32 - 9.0).collect();
            let gradient: Vec<f32> = (0..rows * width).map(|k| ((k * 23) % 17) as f32 - 8.0).collect();
            let mut out = vec![1.0; inputs * width];
            each_isa!(add_outer(&mut out, width, (&x, stride), &gradient), {
                for (at, got) in out.iter().enumerate() {
                    let (k, c) = (at / width, at % width);
                    let want: f32 = (0..rows).map(|row| x[row * stride + k] * gradient[row * width + c]).sum();
                    assert_eq!(*got, 1.0 + want, "{inputs} x {width}, {rows} rows, weight {k} {c}");
                }
                out.fill(1.0);
            });
        }
    }
}
