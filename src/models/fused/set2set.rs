//! Set2Set over the rows of one crystal.

use super::{
    linear::{Linear, Plan},
    rows::dot,
    scratch::sized,
};
use crate::{
    activation::exp_in_place,
    set2set::{self as module, Set2SetMode},
    simd::kernels,
};

/// The summary with burn's weights.
#[derive(Debug)]
pub struct Set2Set {
    mode: Set2SetMode,
    steps: usize,
    project: Option<Linear>,
    query: Linear,
    hidden: Option<Linear>,
    width: usize,
}

impl Set2Set {
    /// Either kind, with so many steps of attention.
    pub fn new(net: &module::Set2Set, mode: Set2SetMode, steps: usize) -> Self {
        let pack = |layer| Plan::of(layer).pack();
        let query = pack(&net.lstm_query);
        Self {
            mode,
            steps,
            project: net.project.as_ref().map(pack),
            hidden: net.lstm_hidden.as_ref().map(pack),
            // Four gates.
            width: query.width() / 4,
            query,
        }
    }

    /// The summary of `rows`, each of which counts so `often`, twice as wide as a (projected) row. A row of no panels' width would be
    /// padded; none is.
    pub fn apply(&self, rows: &[f32], often: &[f32], projected: &mut Vec<f32>, weights: &mut Vec<f32>) -> Vec<f32> {
        let width = self.width;
        let (rows, n) = match &self.project {
            Some(project) => {
                let n = rows.len() / project.inputs();
                let out = sized(projected, n * width);
                project.apply(rows, project.inputs(), out);
                (&*out, n)
            }
            None => (rows, rows.len() / width),
        };
        let weights = sized(weights, n);
        let (mut hidden, mut cell, mut query) = (vec![0.0; width], vec![0.0; width], vec![0.0; 2 * width]);
        let mut gates = vec![0.0; 4 * width];
        let mut of_hidden = vec![0.0; 4 * width];
        let squash = |x: f32| match self.mode {
            Set2SetMode::Megnet => (x * 0.2 + 0.5).clamp(0.0, 1.0),
            Set2SetMode::Matgl => 1.0 / (1.0 + (-x).exp()),
        };
        for _ in 0..self.steps {
            self.query.apply(&query, 2 * width, &mut gates);
            if let Some(by_hidden) = &self.hidden {
                by_hidden.apply(&hidden, width, &mut of_hidden);
                gates.iter_mut().zip(&of_hidden).for_each(|(gate, more)| *gate += more);
            }
            // Gates in the order input, forget, cell, output.
            for k in 0..width {
                let [input, forget, fresh, output] = std::array::from_fn(|gate| gates[gate * width + k]);
                let kept = match self.mode {
                    Set2SetMode::Megnet => 0.0,
                    Set2SetMode::Matgl => squash(forget) * cell[k],
                };
                cell[k] = kept + squash(input) * fresh.tanh();
                hidden[k] = squash(output) * cell[k].tanh();
            }
            for (weight, row) in weights.iter_mut().zip(rows.chunks_exact(width)) {
                *weight = dot(row, &hidden);
            }
            let total = weighted_softmax(weights, often);
            let (first, second) = query.split_at_mut(width);
            first.copy_from_slice(&hidden);
            second.fill(0.0);
            weighted_sum(second, rows, weights, 1.0 / total);
        }
        query
    }
}

/// Replaces scores by exp(score - largest) and returns their sum.
pub fn softmax(scores: &mut [f32]) -> f32 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score -= largest);
    exp_in_place(scores);
    scores.iter().sum()
}

/// [`softmax`] of scores that each count so `often`.
pub fn weighted_softmax(scores: &mut [f32], often: &[f32]) -> f32 {
    softmax(scores);
    scores.iter_mut().zip(often).for_each(|(score, often)| *score *= often);
    scores.iter().sum()
}

kernels! {
    /// `out += factor Σ weight row`.
    pub fn weighted_sum<S>(out: &mut [f32], rows: &[f32], weights: &[f32], factor: f32) {
        let width = out.len();
        assert!(width.is_multiple_of(16) && rows.len() >= weights.len() * width);
        let mut c = 0;
        while c < width {
            let mut sum = S::splat(0.0);
            let mut at = rows.as_ptr().add(c);
            for &weight in weights.iter() {
                sum = S::fma(S::splat(weight), S::load(at), sum);
                at = at.wrapping_add(width);
            }
            let to = out.as_mut_ptr().add(c);
            S::store(to, S::fma(sum, S::splat(factor), S::load(to)));
            c += S::LANES;
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::{
        prelude::{Device, Int, Tensor},
        tensor::Distribution,
    };

    use super::*;
    use crate::fused::linear::values;

    #[test]
    fn summaries_are_those_of_the_burn_module() {
        let device = Device::flex();
        for mode in [Set2SetMode::Megnet, Set2SetMode::Matgl] {
            let net = module::Set2Set::new(mode, 32, &device);
            let rows = Tensor::<2>::random([7, 32], Distribution::Normal(0.0, 1.0), &device);
            let group = Tensor::<1, Int>::zeros([7], &device);
            let often = [1.0, 4.0, 1.0, 1.0, 2.0, 1.0, 1.0];
            let want = values(net.forward(mode, mode.steps(), rows.clone(), group, 1, &often));
            let (fused, spare) = (Set2Set::new(&net, mode, mode.steps()), [(); 2].map(|()| Vec::new()));
            let [mut projected, mut weights] = spare;
            let got = fused.apply(&values(rows), &often, &mut projected, &mut weights);
            assert!(got.len() == want.len() && got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }
}
