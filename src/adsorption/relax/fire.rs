//! FIRE: the fast inertial relaxation engine (Bitzek, Koskinen, Gähler, Moseler & Gumbsch, *Phys. Rev. Lett.* **97** (2006)
//! 170201): a ball that rolls downhill, is turned towards the force, gains speed while it goes down and stops when it
//! goes up. Masses are 1; the parameters and the bound of the whole step are those of ASE, whose steps these are.

/// Longest step over all coordinates together, Å.
const LONGEST: f64 = 0.2;
/// Downhill steps before the time step grows.
const DOWNHILL: usize = 5;
const GROWTH: f64 = 1.1;
const CUT: f64 = 0.5;
const MIXING: f64 = 0.1;
const MIXING_DECAY: f64 = 0.99;
const LARGEST_TIME: f64 = 1.0;

/// The state of one ball.
#[derive(Debug, Clone)]
pub(crate) struct Fire {
    /// None before the first step.
    velocity: Option<Vec<f64>>,
    time: f64,
    mixing: f64,
    downhill: usize,
}

impl Default for Fire {
    fn default() -> Self {
        Self { velocity: None, time: 0.1, mixing: MIXING, downhill: 0 }
    }
}

impl Fire {
    /// Moves `x` (Å) under `forces` (eV/Å).
    pub fn step(&mut self, x: &mut [f64], forces: &[f64]) {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let velocity = match &mut self.velocity {
            Some(velocity) => {
                if dot(forces, velocity) > 0.0 {
                    let turn = self.mixing * (dot(velocity, velocity) / dot(forces, forces)).sqrt();
                    velocity.iter_mut().zip(forces).for_each(|(v, f)| *v = (1.0 - self.mixing) * *v + turn * f);
                    if self.downhill > DOWNHILL {
                        self.time = (self.time * GROWTH).min(LARGEST_TIME);
                        self.mixing *= MIXING_DECAY;
                    }
                    self.downhill += 1;
                } else {
                    velocity.fill(0.0);
                    self.mixing = MIXING;
                    self.time *= CUT;
                    self.downhill = 0;
                }
                velocity
            }
            None => self.velocity.insert(vec![0.0; x.len()]),
        };
        velocity.iter_mut().zip(forces).for_each(|(v, f)| *v += self.time * f);
        let length = self.time * dot(velocity, velocity).sqrt();
        let scale = if length > LONGEST { LONGEST / length } else { 1.0 };
        x.iter_mut().zip(velocity).for_each(|(x, v)| *x += scale * self.time * *v);
    }
}
