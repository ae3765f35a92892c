//! Real solid harmonics r^l Y_lm, orthonormal on the sphere, of several vectors at once.
//!
//! With (x + iy)^m = A + iB they are Q_lm(z, r²) A (m >= 0) and Q_lm(z, r²) B (m < 0), where Q follows in l from the two
//! before it with normalisation included: no factorial, no angle, no division by r.

use super::wide::add_product;

/// Vectors taken at once.
pub(super) const LANES: usize = 4;
/// One number for each of them.
pub(super) type Lanes = [f64; LANES];

/// The recurrences up to a degree, with room for the result.
pub(super) struct Harmonics {
    l_max: usize,
    /// For m = 0..=l_max: the start Q_mm, then (a, b) of Q_lm = a z Q_(l-1)m + b r² Q_(l-2)m for l = m+1..=l_max.
    start: Vec<f64>,
    step: Vec<(f64, f64)>,
    values: Vec<Lanes>,
}

impl Harmonics {
    pub fn new(l_max: usize) -> Self {
        let mut q = (0.25 / std::f64::consts::PI).sqrt();
        let (mut start, mut step) = (vec![], vec![]);
        for m in 0..=l_max {
            if m > 0 {
                q *= ((2 * m + 1) as f64 / (2 * m) as f64).sqrt();
            }
            // m and -m share the norm that m = 0 has alone.
            start.push(if m == 0 { q } else { std::f64::consts::SQRT_2 * q });
            for l in m + 1..=l_max {
                let [l, m] = [l, m].map(|x| x as f64);
                let under = l * l - m * m;
                let a = ((4.0 * l * l - 1.0) / under).sqrt();
                let b = ((2.0 * l + 1.0) * ((l - 1.0).powi(2) - m * m) / ((2.0 * l - 3.0) * under)).abs().sqrt();
                step.push((a, -b));
            }
        }
        Self { l_max, start, step, values: vec![[0.0; LANES]; (l_max + 1) * (l_max + 1)] }
    }

    /// All r^l Y_lm of the vectors, at l² + l + m, each multiplied by its vector's weight.
    #[inline(always)]
    pub fn of<const FUSED: bool>(&mut self, x: &Lanes, y: &Lanes, z: &Lanes, r2: &Lanes, weight: &Lanes) -> &[Lanes] {
        let mut step = self.step.iter();
        let (mut re, mut im) = (*weight, [0.0; LANES]);
        for m in 0..=self.l_max {
            let (mut before, mut q) = ([0.0; LANES], [self.start[m]; LANES]);
            for l in m..=self.l_max {
                if l > m
                    && let Some((a, b)) = step.next()
                {
                    for i in 0..LANES {
                        let next = add_product::<FUSED>(a * z[i], q[i], b * r2[i] * before[i]);
                        (before[i], q[i]) = (q[i], next);
                    }
                }
                let at = l * l + l;
                for i in 0..LANES {
                    self.values[at - m][i] = q[i] * im[i];
                }
                for i in 0..LANES {
                    self.values[at + m][i] = q[i] * re[i];
                }
            }
            for i in 0..LANES {
                (re[i], im[i]) = (re[i] * x[i] - im[i] * y[i], re[i] * y[i] + im[i] * x[i]);
            }
        }
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(l_max: usize, [x, y, z]: [f64; 3]) -> Vec<f64> {
        let r2 = x * x + y * y + z * z;
        let lanes = [x, y, z, r2, 1.0].map(|v| [v; LANES]);
        Harmonics::new(l_max)
            .of::<false>(&lanes[0], &lanes[1], &lanes[2], &lanes[3], &lanes[4])
            .iter()
            .map(|v| v[2])
            .collect()
    }

    #[test]
    fn the_first_degrees_are_those_of_the_tables() {
        let [x, y, z] = [0.3, -0.8, 1.7];
        let r2: f64 = x * x + y * y + z * z;
        let got = of(3, [x, y, z]);
        let want = [
            (0, 0.28209479177387814),
            (1, 0.4886025119029199 * y),
            (2, 0.4886025119029199 * z),
            (3, 0.4886025119029199 * x),
            (4, 1.0925484305920792 * x * y),
            (6, 0.31539156525252005 * (3.0 * z * z - r2)),
            (8, 0.5462742152960396 * (x * x - y * y)),
            (9, 0.5900435899266435 * y * (3.0 * x * x - y * y)),
            (12, 0.3731763325901154 * z * (5.0 * z * z - 3.0 * r2)),
        ];
        for (at, want) in want {
            assert!((got[at] - want).abs() < 1e-13, "{at}: {} {want}", got[at]);
        }
    }

    #[test]
    fn squares_of_a_degree_sum_to_the_addition_theorem() {
        let [x, y, z] = [1.3, -0.4, 0.7];
        let r2: f64 = x * x + y * y + z * z;
        let values = of(20, [x, y, z]);
        for l in 0..=20_usize {
            let sum: f64 = values[l * l..(l + 1) * (l + 1)].iter().map(|v| v * v).sum();
            let want = (2 * l + 1) as f64 / (4.0 * std::f64::consts::PI) * r2.powi(l as i32);
            assert!((sum / want - 1.0).abs() < 1e-12, "l = {l}: {sum} {want}");
        }
    }
}
