//! A Gaussian process over settings: the expected error at a point, and its uncertainty (Rasmussen & Williams, *Gaussian Processes for
//! Machine Learning*, 2006, chapters 2 and 5).
//!
//! The kernel is Matérn's with ν = 5/2 and a length scale for each setting. Scales and noise are those of the highest
//! posterior, under the priors of Hvarfner, Hellsten & Nardi (ICML 2024), whose length scales grow with √dimensions.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Log-normal priors, (mean, deviation) of the logarithm: of the length scales in one dimension, and of the noise variance.
const LENGTH: (f64, f64) = (std::f64::consts::SQRT_2, 1.732_050_807_568_877_2);
const NOISE: (f64, f64) = (-4.0, 1.0);
/// Noise variance below which the matrix would no longer be safely positive definite.
const LEAST_NOISE: f64 = 1e-6;
/// Steps of the ascent to the highest posterior.
const STEPS: usize = 40;

/// A process conditioned on values.
#[derive(Debug, Clone)]
pub struct Surrogate {
    rows: Vec<Vec<f64>>,
    /// 1 / length scale of each coordinate.
    inverse: Vec<f64>,
    cholesky: Cholesky<f64, Dyn>,
    /// Inverse of the covariance times the standardised values.
    alpha: DVector<f64>,
    mean: f64,
    deviation: f64,
}

impl Surrogate {
    /// The process that saw `values[i]` at `rows[i]`; coordinate `k` shares the length scale number `owners[k]` with others
    /// of that number. `None` of fewer than two values, or of one that is not finite.
    pub fn fit(rows: &[Vec<f64>], owners: &[usize], values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n < 2 || rows.len() != n || !values.iter().all(|v| v.is_finite()) {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64).sqrt().max(1e-9);
        let targets = DVector::from_iterator(n, values.iter().map(|v| (v - mean) / deviation));

        let scales = owners.iter().max().map_or(0, |last| last + 1);
        let length_mean = LENGTH.0 + 0.5 * (scales.max(1) as f64).ln();
        let squares = squared_differences(rows, owners, scales);
        // Logarithms of the length scales, then of the noise variance.
        let mut theta = vec![0.5 * (scales.max(1) as f64).ln() - 0.7; scales];
        theta.push(NOISE.0);
        let priors: Vec<(f64, f64)> =
            (0..=scales).map(|k| if k < scales { (length_mean, LENGTH.1) } else { NOISE }).collect();
        // Rprop (Riedmiller & Braun 1993): only signs of the gradient, steps that grow while they agree.
        let (mut step, mut last) = (vec![0.2; scales + 1], vec![0.0; scales + 1]);
        let mut best: Option<(f64, Vec<f64>)> = None;
        for _ in 0..STEPS {
            let Some((height, gradient)) = posterior(&squares, &targets, &theta, &priors) else { break };
            if best.as_ref().is_none_or(|(highest, _)| height > *highest) {
                best = Some((height, theta.clone()));
            }
            for k in 0..=scales {
                let factor = match gradient[k] * last[k] {
                    agree if agree > 0.0 => 1.3,
                    agree if agree < 0.0 => 0.5,
                    _ => 1.0,
                };
                step[k] = f64::clamp(step[k] * factor, 1e-3, 1.0);
                theta[k] += step[k] * gradient[k].signum();
                last[k] = gradient[k];
            }
        }
        let (_, theta) = best?;
        let (covariance, _) = covariance(&squares, n, &theta);
        let cholesky = Cholesky::new(covariance)?;
        let alpha = cholesky.solve(&targets);
        let inverse = owners.iter().map(|&k| (-theta[k]).exp()).collect();
        Some(Self { rows: rows.to_vec(), inverse, cholesky, alpha, mean, deviation })
    }

    /// Mean and standard deviation of the value at `row`, without the noise of one more measurement.
    pub fn predict(&self, row: &[f64]) -> (f64, f64) {
        let k = DVector::from_iterator(
            self.rows.len(),
            self.rows.iter().map(|seen| {
                let differences = seen.iter().zip(row).zip(&self.inverse);
                matern(differences.map(|((a, b), s)| ((a - b) * s).powi(2)).sum::<f64>().sqrt())
            }),
        );
        let explained = self.cholesky.l_dirty().solve_lower_triangular(&k).map_or(1.0, |v| v.norm_squared());
        (self.mean + self.deviation * k.dot(&self.alpha), self.deviation * (1.0 - explained).max(1e-12).sqrt())
    }
}

/// Matérn's correlation of ν = 5/2 at a scaled distance.
fn matern(r: f64) -> f64 {
    let x = 5.0_f64.sqrt() * r;
    (1.0 + x + x * x / 3.0) * (-x).exp()
}

/// For each length scale the squared differences of every pair `i < j`, in the order of [`pairs`].
fn squared_differences(rows: &[Vec<f64>], owners: &[usize], scales: usize) -> Vec<Vec<f64>> {
    let mut squares = vec![Vec::new(); scales];
    for (i, j) in pairs(rows.len()) {
        let mut sums = vec![0.0; scales];
        for (k, (a, b)) in rows[i].iter().zip(&rows[j]).enumerate() {
            sums[owners[k]] += (a - b) * (a - b);
        }
        squares.iter_mut().zip(sums).for_each(|(list, sum)| list.push(sum));
    }
    squares
}

fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |j| (0..j).map(move |i| (i, j)))
}

/// The covariance of the values, and the distance of each pair.
fn covariance(squares: &[Vec<f64>], n: usize, theta: &[f64]) -> (DMatrix<f64>, Vec<f64>) {
    let (lengths, noise) = theta.split_at(theta.len() - 1);
    let inverse: Vec<f64> = lengths.iter().map(|l| (-2.0 * l).exp()).collect();
    let mut matrix = DMatrix::from_diagonal_element(n, n, 1.0 + noise[0].exp().max(LEAST_NOISE));
    let mut distances = Vec::with_capacity(n * n / 2);
    for (p, (i, j)) in pairs(n).enumerate() {
        let r = squares.iter().zip(&inverse).map(|(list, s)| list[p] * s).sum::<f64>().sqrt();
        (matrix[(i, j)], matrix[(j, i)]) = (matern(r), matern(r));
        distances.push(r);
    }
    (matrix, distances)
}

/// Logarithm of the posterior of `theta`, up to a constant, and its gradient.
fn posterior(
    squares: &[Vec<f64>],
    targets: &DVector<f64>,
    theta: &[f64],
    priors: &[(f64, f64)],
) -> Option<(f64, Vec<f64>)> {
    let n = targets.len();
    let (covariance, distances) = covariance(squares, n, theta);
    let cholesky = Cholesky::new(covariance)?;
    let alpha = cholesky.solve(targets);
    let inverse = cholesky.inverse();
    let log_determinant: f64 = (0..n).map(|i| cholesky.l_dirty()[(i, i)].ln()).sum();
    let mut height = -0.5 * targets.dot(&alpha) - log_determinant;
    let mut gradient = vec![0.0; theta.len()];
    // d/dθ = ½ tr((α αᵀ - K⁻¹) dK/dθ); for a length scale dK/dln l = 5/3 (1 + √5 r) exp(-√5 r) d²/l².
    for (p, (i, j)) in pairs(n).enumerate() {
        let x = 5.0_f64.sqrt() * distances[p];
        let weight = (alpha[i] * alpha[j] - inverse[(i, j)]) * 5.0 / 3.0 * (1.0 + x) * (-x).exp();
        for (k, list) in squares.iter().enumerate() {
            gradient[k] += weight * list[p] * (-2.0 * theta[k]).exp();
        }
    }
    let noise = theta[theta.len() - 1].exp();
    gradient[theta.len() - 1] = 0.5 * noise * (0..n).map(|i| alpha[i] * alpha[i] - inverse[(i, i)]).sum::<f64>();
    for ((gradient, t), (mean, deviation)) in gradient.iter_mut().zip(theta).zip(priors) {
        let z = (t - mean) / deviation;
        height -= 0.5 * z * z + t;
        *gradient -= z / deviation + 1.0;
    }
    height.is_finite().then_some((height, gradient))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n: usize) -> Vec<Vec<f64>> {
        (0..n).map(|k| vec![(k as f64 * 0.618_034).fract(), (k as f64 * 0.414_214).fract()]).collect()
    }

    #[test]
    fn the_gradient_is_that_of_the_posterior() {
        let rows = grid(9);
        let targets = DVector::from_iterator(9, rows.iter().map(|r| (5.0 * r[0]).sin() + r[1]));
        let squares = squared_differences(&rows, &[0, 1], 2);
        let priors = [(1.0, 1.7), (1.0, 1.7), NOISE];
        let theta = [-0.4, 0.3, -3.0];
        let (_, gradient) = posterior(&squares, &targets, &theta, &priors).unwrap();
        for k in 0..3 {
            let at = |h: f64| {
                let mut moved = theta;
                moved[k] += h;
                posterior(&squares, &targets, &moved, &priors).unwrap().0
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!(
                (difference - gradient[k]).abs() < 1e-5 * gradient[k].abs().max(1.0),
                "{k}: {difference} {}",
                gradient[k]
            );
        }
    }

    #[test]
    fn it_interpolates_is_unsure_far_away_and_knows_what_matters() {
        let rows = grid(25);
        let values: Vec<f64> = rows.iter().map(|r| 3.0 + (6.0 * r[0]).sin()).collect();
        let process = Surrogate::fit(&rows, &[0, 1], &values).unwrap();
        for x in [0.21, 0.48, 0.77] {
            let (mean, deviation) = process.predict(&[x, 0.5]);
            let truth = 3.0 + (6.0 * x).sin();
            assert!((mean - truth).abs() < 0.1 && deviation < 0.2, "{x}: {mean} ± {deviation}, {truth}");
        }
        assert!(process.predict(&[4.0, 0.5]).1 > 3.0 * process.predict(&[0.5, 0.5]).1);
        // The second coordinate does not matter: its scale is the longer.
        assert!(process.inverse[1] < 0.5 * process.inverse[0], "{:?}", process.inverse);
    }

    #[test]
    fn too_little_to_fit_is_reported() {
        assert!(Surrogate::fit(&grid(1), &[0, 1], &[1.0]).is_none());
        assert!(Surrogate::fit(&grid(2), &[0, 1], &[1.0, f64::NAN]).is_none());
        // The same point twice, the same value everywhere: neither is a fault.
        let same = vec![vec![0.5, 0.5]; 4];
        assert!(Surrogate::fit(&same, &[0, 1], &[1.0; 4]).is_some_and(|p| p.predict(&[0.5, 0.5]).0 == 1.0));
    }
}
