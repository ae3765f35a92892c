//! Real spherical harmonics up to degree 3, as polynomials of a direction, and how two of them make a third.
//!
//! Harmonics of one degree have a mean square of 1 each over the sphere, so that their squares add up to 2l + 1 everywhere. Which
//! ones stand for a degree, and in which order, changes no energy. What joins three degrees is unique up to a factor (Wigner and Eckart),
//! and where their sum is even it is the integral of the product of three harmonics (Gaunt, Phil. Trans. R. Soc. A 1929, 228, 151). The
//! factor, with its sign, is that of e3nn (Geiger & Smidt, arXiv:2207.09453), on which weights are trained: its coefficients are the
//! standard ones of Clebsch and Gordan, with phases of powers of the imaginary unit, under which they have the sign of the integral.

/// Degrees that there are: 0 to 3.
pub const DEGREES: usize = 4;

/// Factor and powers of x, y and z.
type Term = (f64, [usize; 3]);

/// Components of a degree.
pub const fn components(degree: usize) -> usize {
    2 * degree + 1
}

/// The harmonics of a degree, as sums of terms of that degree.
fn polynomials(degree: usize) -> Vec<Vec<Term>> {
    const X2: [usize; 3] = [2, 0, 0];
    const Y2: [usize; 3] = [0, 2, 0];
    let plain = |factor: f64, powers| vec![(factor, powers)];
    let sum = |factor: f64, terms: &[Term]| terms.iter().map(|(f, powers)| (factor * f, *powers)).collect();
    match degree {
        0 => vec![plain(1.0, [0; 3])],
        1 => [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map(|powers| plain(3.0_f64.sqrt(), powers)).to_vec(),
        2 => {
            let mixed = 15.0_f64.sqrt();
            vec![
                plain(mixed, [1, 1, 0]),
                plain(mixed, [0, 1, 1]),
                plain(mixed, [1, 0, 1]),
                sum(5.0_f64.sqrt() / 2.0, &[(2.0, [0, 0, 2]), (-1.0, X2), (-1.0, Y2)]),
                sum(mixed / 2.0, &[(1.0, X2), (-1.0, Y2)]),
            ]
        }
        _ => {
            let (apart, round) = ((35.0_f64 / 8.0).sqrt(), (21.0_f64 / 8.0).sqrt());
            vec![
                sum(apart, &[(3.0, [2, 1, 0]), (-1.0, [0, 3, 0])]),
                sum(apart, &[(1.0, [3, 0, 0]), (-3.0, [1, 2, 0])]),
                plain(105.0_f64.sqrt(), [1, 1, 1]),
                sum(105.0_f64.sqrt() / 2.0, &[(1.0, [2, 0, 1]), (-1.0, [0, 2, 1])]),
                sum(round, &[(4.0, [0, 1, 2]), (-1.0, [2, 1, 0]), (-1.0, [0, 3, 0])]),
                sum(round, &[(4.0, [1, 0, 2]), (-1.0, [3, 0, 0]), (-1.0, [1, 2, 0])]),
                sum(7.0_f64.sqrt() / 2.0, &[(2.0, [0, 0, 3]), (-3.0, [2, 0, 1]), (-3.0, [0, 2, 1])]),
            ]
        }
    }
}

/// The harmonics of a degree, ready for evaluation.
#[derive(Debug)]
pub struct Harmonics(Vec<Vec<Term>>);

impl Harmonics {
    /// Of a degree below [`DEGREES`].
    pub fn new(degree: usize) -> Self {
        Self(polynomials(degree))
    }

    /// Their values at a direction.
    pub fn at(&self, direction: [f64; 3]) -> impl Iterator<Item = f64> + '_ {
        let powers = powers(direction);
        let value = move |terms: &Vec<Term>| {
            terms.iter().map(|(f, [a, b, c])| f * powers[0][*a] * powers[1][*b] * powers[2][*c]).sum()
        };
        self.0.iter().map(value)
    }

    /// Their derivatives in the three components of a vector, at a direction, as the polynomials have them.
    pub fn derivatives_at(&self, direction: [f64; 3]) -> impl Iterator<Item = [f64; 3]> + '_ {
        let powers = powers(direction);
        let derivative = move |axis: usize, (factor, exponents): &Term| {
            let part = |k: usize| match exponents[k] {
                0 if k == axis => 0.0,
                n if k == axis => n as f64 * powers[k][n - 1],
                n => powers[k][n],
            };
            factor * part(0) * part(1) * part(2)
        };
        self.0
            .iter()
            .map(move |terms| std::array::from_fn(|axis| terms.iter().map(|term| derivative(axis, term)).sum()))
    }
}

/// Powers of the components of a direction, from the zeroth on.
fn powers(direction: [f64; 3]) -> [[f64; DEGREES]; 3] {
    direction.map(|x| [1.0, x, x * x, x * x * x])
}

/// One number of what joins three degrees: components of the first, of the direction's, and of the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Joint {
    pub from: usize,
    pub by: usize,
    pub to: usize,
    pub factor: f64,
}

/// What joins three degrees, whose sum is even and of which none is more than the others together: the numbers that are not 0, whose
/// squares add up to 1.
pub fn joints(from: usize, by: usize, to: usize) -> Vec<Joint> {
    let [a, b, c] = [from, by, to].map(polynomials);
    let mut joints = Vec::new();
    for (from, a) in a.iter().enumerate() {
        for (by, b) in b.iter().enumerate() {
            for (to, c) in c.iter().enumerate() {
                let factor = mean_product([a, b, c]);
                if factor.abs() > 1e-12 {
                    joints.push(Joint { from, by, to, factor });
                }
            }
        }
    }
    let size = joints.iter().map(|joint| joint.factor * joint.factor).sum::<f64>().sqrt();
    joints.iter_mut().for_each(|joint| joint.factor /= size);
    joints
}

/// The mean over the sphere of a product of three polynomials.
fn mean_product([a, b, c]: [&Vec<Term>; 3]) -> f64 {
    let mut sum = 0.0;
    for (f, p) in a {
        for (g, q) in b {
            for (h, r) in c {
                sum += f * g * h * mean_power(std::array::from_fn(|k| p[k] + q[k] + r[k]));
            }
        }
    }
    sum
}

/// The mean over the sphere of xᵃ yᵇ zᶜ: (a - 1)!! (b - 1)!! (c - 1)!! / (a + b + c + 1)!! where all are even, 0 otherwise.
fn mean_power(powers: [usize; 3]) -> f64 {
    // n!! of an odd n, and 1 of -1, where n is one less than the argument.
    let below = |n: usize| (1..n).step_by(2).map(|k| k as f64).product::<f64>();
    match powers.iter().all(|n| n.is_multiple_of(2)) {
        true => powers.iter().map(|&n| below(n)).product::<f64>() / below(powers.iter().sum::<usize>() + 2),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTION: [f64; 3] = [0.48, -0.6, 0.64];

    #[test]
    fn harmonics_are_orthonormal_over_the_sphere_and_of_one_size_everywhere() {
        let all: Vec<Vec<Term>> = (0..DEGREES).flat_map(polynomials).collect();
        let one = polynomials(0).remove(0);
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                let product = mean_product([a, b, &one]);
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12, "{i} {j}: {product}");
            }
        }
        for degree in 0..DEGREES {
            let size: f64 = Harmonics::new(degree).at(DIRECTION).map(|y| y * y).sum();
            assert!((size - components(degree) as f64).abs() < 1e-12, "{degree}: {size}");
        }
    }

    #[test]
    fn derivatives_are_those_of_differences() {
        for degree in 0..DEGREES {
            let harmonics = Harmonics::new(degree);
            let derivatives: Vec<[f64; 3]> = harmonics.derivatives_at(DIRECTION).collect();
            for axis in 0..3 {
                let moved = |by: f64| {
                    let mut direction = DIRECTION;
                    direction[axis] += by;
                    harmonics.at(direction).collect::<Vec<_>>()
                };
                for ((derivative, above), below) in derivatives.iter().zip(moved(1e-5)).zip(moved(-1e-5)) {
                    assert!((derivative[axis] - (above - below) / 2e-5).abs() < 1e-8);
                }
            }
        }
    }

    /// Two harmonics of one direction make the third of that direction, by a positive factor, whatever the three are: which fixes the signs
    /// as in e3nn.
    #[test]
    fn harmonics_of_one_direction_join_to_those_of_it() {
        for (from, by, to) in [(1, 1, 0), (1, 1, 2), (1, 2, 1), (2, 1, 3), (2, 2, 2), (2, 3, 3), (3, 2, 3), (3, 3, 0)] {
            let [a, b, c] = [from, by, to].map(|degree| Harmonics::new(degree).at(DIRECTION).collect::<Vec<_>>());
            let joints = joints(from, by, to);
            let mut made = vec![0.0; components(to)];
            joints.iter().for_each(|joint| made[joint.to] += joint.factor * a[joint.from] * b[joint.by]);
            let factor = made.iter().zip(&c).map(|(x, y)| x * y).sum::<f64>() / components(to) as f64;
            assert!(factor > 0.1, "{from} {by} {to}: {factor}");
            assert!(made.iter().zip(&c).all(|(x, y)| (x - factor * y).abs() < 1e-12), "{from} {by} {to}");
            let size: f64 = joints.iter().map(|joint| joint.factor.powi(2)).sum();
            assert!((size - 1.0).abs() < 1e-12);
        }
    }
}
