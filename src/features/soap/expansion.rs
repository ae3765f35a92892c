//! The expansion of a site's surroundings: the loop in which SOAP spends its time.
//!
//! Neighbours are taken four at a time and primitives by fours. Written once, the loop is compiled for each instruction set of `macerator`.

use macerator::{Arch, Simd, VFma, WithSimd};

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
    /// The widest instruction set of the processor.
    set: Arch,
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
            set: Arch::detect(),
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
        // SAFETY: the processor was checked for the instruction set.
        unsafe { self.set.dispatch(Add { radial: self.radial, harmonics: &mut self.harmonics, block: &block, sums }) }
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

/// A call of [`add_block`].
struct Add<'a> {
    radial: &'a Radial,
    harmonics: &'a mut Harmonics,
    block: &'a Block,
    sums: &'a mut [Four],
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        match <f64 as VFma>::is_accelerated::<S>() {
            true => add_block::<true>(self.radial, self.harmonics, self.block, self.sums),
            false => add_block::<false>(self.radial, self.harmonics, self.block, self.sums),
        }
    }
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
    fn instruction_sets_agree() {
        let radial = Radial::new(&SoapOptions { n_max: 5, l_max: 4, ..SoapOptions::default() }).unwrap();
        let expand = |set: Arch| {
            let mut expansion = Expansion { set, ..Expansion::new(&radial, 2) };
            for (channel, step) in [(0, [0.0; 3]), (1, [1.0, -0.4, 0.3]), (1, [-2.0, 1.1, 3.0]), (0, [0.2, 0.3, -1.9])]
            {
                expansion.push(channel, step, 1.5);
            }
            expansion.finish().to_vec()
        };
        let (plain, fused) = (expand(Arch::Scalar), expand(Arch::detect()));
        assert!(plain.iter().zip(&fused).all(|(a, b)| (a - b).abs() < 1e-12), "{plain:?} {fused:?}");
        assert!(plain.iter().any(|c| c.abs() > 0.1));
    }
}
