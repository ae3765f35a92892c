//! The expansion of a site's surroundings: the loop in which SOAP spends its time.
//!
//! Neighbours are taken four at a time and primitives by fours. Written once, the loop is compiled twice, for any processor
//! and for those with AVX2 and fused multiply-add.

use super::{
    harmonics::{Harmonics, LANES, Lanes},
    radial::Radial,
    wide::{Four, add_product, exp_of_negatives},
};

/// The expansion of one site's surroundings, and room to make it.
pub(super) struct Expansion<'a> {
    radial: &'a Radial,
    harmonics: Harmonics,
    /// Neighbours that wait for their block to fill, by channel.
    waiting: Vec<Block>,
    /// Σ exp(-decay r²) r^l Y_lm over neighbours, at (channel, lm, four of k).
    sums: Vec<Four>,
    /// The coefficients c, at (channel, lm, n).
    coefficients: Vec<f64>,
    /// Whether the processor has AVX2 and fused multiply-add.
    fused: bool,
}

/// Neighbours of one channel, taken together. Empty lanes have no weight.
#[derive(Default, Clone)]
struct Block {
    len: usize,
    x: Lanes,
    y: Lanes,
    z: Lanes,
    weight: Lanes,
}

impl<'a> Expansion<'a> {
    pub fn new(radial: &'a Radial, channels: usize) -> Self {
        let places = channels * (radial.l_max + 1).pow(2);
        Self {
            radial,
            harmonics: Harmonics::new(radial.l_max),
            waiting: vec![Block::default(); channels],
            sums: vec![[0.0; 4]; places * radial.fours],
            coefficients: vec![0.0; places * radial.n_max],
            fused: has_fused(),
        }
    }

    /// Number of coefficients.
    pub fn len(&self) -> usize {
        self.coefficients.len()
    }

    /// Forgets all atoms.
    pub fn clear(&mut self) {
        self.sums.fill([0.0; 4]);
    }

    /// Adds an atom.
    pub fn push(&mut self, channel: usize, [x, y, z]: [f64; 3], weight: f64) {
        let block = &mut self.waiting[channel];
        let i = block.len;
        (block.x[i], block.y[i], block.z[i], block.weight[i]) = (x, y, z, weight);
        block.len += 1;
        if block.len == LANES {
            self.add(channel);
        }
    }

    /// Adds the atoms that wait in a channel.
    fn add(&mut self, channel: usize) {
        let block = std::mem::take(&mut self.waiting[channel]);
        let size = (self.radial.l_max + 1).pow(2) * self.radial.fours;
        let sums = &mut self.sums[channel * size..][..size];
        match self.fused {
            // SAFETY: `fused` says that the processor has what `add_block_fused` is compiled for.
            #[cfg(target_arch = "x86_64")]
            true => unsafe { add_block_fused(self.radial, &mut self.harmonics, &block, sums) },
            _ => add_block::<false>(self.radial, &mut self.harmonics, &block, sums),
        }
    }

    /// The coefficients of all atoms pushed since [`Expansion::clear`].
    pub fn finish(&mut self) -> &[f64] {
        for channel in 0..self.waiting.len() {
            if self.waiting[channel].len > 0 {
                self.add(channel);
            }
        }
        let Radial { n_max, l_max, fours, weight, .. } = self.radial;
        let mut sums = self.sums.chunks_exact(*fours);
        let mut coefficients = self.coefficients.chunks_exact_mut(*n_max);
        for _ in 0..self.waiting.len() {
            for (l, weight) in (0..=*l_max).zip(weight.chunks_exact(n_max * fours)) {
                for (sums, c) in (&mut sums).zip(&mut coefficients).take(2 * l + 1) {
                    for (c, weight) in c.iter_mut().zip(weight.chunks_exact(*fours)) {
                        let mut total = [0.0; 4];
                        for (w, s) in weight.iter().zip(sums) {
                            for i in 0..4 {
                                total[i] += w[i] * s[i];
                            }
                        }
                        *c = (total[0] + total[1]) + (total[2] + total[3]);
                    }
                }
            }
        }
        &self.coefficients
    }
}

fn has_fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// [`add_block`] with AVX2 and fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn add_block_fused(radial: &Radial, harmonics: &mut Harmonics, block: &Block, sums: &mut [Four]) {
    add_block::<true>(radial, harmonics, block, sums);
}

/// Adds a block's atoms to the sums of its channel.
#[inline(always)]
fn add_block<const FUSED: bool>(radial: &Radial, harmonics: &mut Harmonics, block: &Block, sums: &mut [Four]) {
    let Block { x, y, z, weight, .. } = block;
    // No closures here: they would not be compiled for the processor that the function is compiled for.
    let mut r2 = [0.0; LANES];
    for i in 0..LANES {
        r2[i] = x[i] * x[i] + y[i] * y[i] + z[i] * z[i];
    }
    let values = harmonics.of::<FUSED>(x, y, z, &r2, weight);
    let fours = radial.fours;
    for (l, decay) in radial.decay.chunks_exact(fours).enumerate() {
        let degree = &values[l * l..(l + 1) * (l + 1)];
        let sums = &mut sums[l * l * fours..(l + 1) * (l + 1) * fours];
        for (four, decay) in decay.iter().enumerate() {
            let mut e = [[0.0; 4]; LANES];
            for (e, r2) in e.iter_mut().zip(r2) {
                for i in 0..4 {
                    e[i] = decay[i] * r2;
                }
                *e = exp_of_negatives::<FUSED>(*e);
            }
            for (y, sum) in degree.iter().zip(sums[four..].iter_mut().step_by(fours)) {
                for i in 0..4 {
                    let first = add_product::<FUSED>(y[1], e[1][i], add_product::<FUSED>(y[0], e[0][i], sum[i]));
                    sum[i] = add_product::<FUSED>(y[3], e[3][i], add_product::<FUSED>(y[2], e[2][i], first));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SoapOptions;

    #[test]
    fn both_compilations_agree() {
        let radial = Radial::new(&SoapOptions { n_max: 5, l_max: 4, ..SoapOptions::default() }).unwrap();
        let expand = |fused: bool| {
            let mut expansion = Expansion { fused, ..Expansion::new(&radial, 2) };
            for (channel, step) in [(0, [0.0; 3]), (1, [1.0, -0.4, 0.3]), (1, [-2.0, 1.1, 3.0]), (0, [0.2, 0.3, -1.9])]
            {
                expansion.push(channel, step, 1.5);
            }
            expansion.finish().to_vec()
        };
        let (plain, fused) = (expand(false), expand(has_fused()));
        assert!(plain.iter().zip(&fused).all(|(a, b)| (a - b).abs() < 1e-12), "{plain:?} {fused:?}");
        assert!(plain.iter().any(|c| c.abs() > 0.1));
    }
}
