//! Forward and backward passes over many graphs, spread over threads.

use burn::{
    optim::{GradientsAccumulator, GradientsParams},
    prelude::*,
    tensor::TensorData,
};

use super::{
    dropout::draw_masks_at,
    graph::batches_by_size,
    network::{Config, Input, Net},
    options::TrainOptions,
    random::{Stream, mix},
    running::Buffers,
    step::{Step, even_passes, even_runs},
    threads::on_threads,
};

/// Forward and backward over a mini-batch, its passes spread over threads; `place` is the seed and the number of the step.
pub(super) fn step(
    net: &Net,
    config: &Config,
    options: &TrainOptions,
    items: &[(&Input, f32)],
    place: [u64; 2],
    device: &Device,
) -> Step {
    let without_tensors = match options.device == Device::flex() {
        true => net.step(config, items, options.loss, options.threads),
        false => None,
    };
    without_tensors.unwrap_or_else(|| by_burn(net, config, options, items, place, device))
}

/// [`step`] by burn's own gradients.
fn by_burn(
    net: &Net,
    config: &Config,
    options: &TrainOptions,
    items: &[(&Input, f32)],
    place: [u64; 2],
    device: &Device,
) -> Step {
    let passes = even_passes(items, config.rows_per_pass());
    let results = on_threads(workers(options), passes.len(), |k| {
        let chosen: Vec<&Input> = items[passes[k].clone()].iter().map(|item| item.0).collect();
        let labels: Vec<f32> = items[passes[k].clone()].iter().map(|item| item.1).collect();
        let labels = Tensor::<1>::from_data(TensorData::new(labels, [chosen.len()]), device);
        draw_masks_at(&[place[0], place[1], k as u64]);
        // Leaves of its own for each pass: threads that share leaves share one autodiff graph, and burn 0.22 then locks
        // the graph and its index in opposite orders, a deadlock.
        let own = net.valid().train();
        let loss = options.loss.sum(own.forward(config, &chosen, device) - labels);
        let value = f64::from(loss.clone().inner().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads((loss / items.len() as f32).backward(), &own);
        (value, gradients, Buffers::of(&own))
    });
    let mut sum = GradientsAccumulator::new();
    let mut total = 0.0;
    let mut buffers = Vec::with_capacity(passes.len());
    for ((loss, gradients, own), pass) in results.into_iter().zip(&passes) {
        total += loss;
        sum.accumulate(net, gradients);
        buffers.push((pass.len() as f32 / items.len() as f32, own));
    }
    Step { loss: total, gradients: sum.grads(), buffers: Buffers::mean(buffers) }
}

/// Passes at a time: a device of its own is fed by one thread.
fn workers(options: &TrainOptions) -> usize {
    if options.device == Device::flex() { options.threads } else { 1 }
}

/// The crystals of each optimiser step, from those of an epoch in their order.
pub(super) fn mini_batches<'a>(
    order: &'a [usize],
    options: &TrainOptions,
    atoms: impl Fn(usize) -> usize,
) -> Vec<&'a [usize]> {
    let Some(limit) = options.recipe.batch_atoms else { return order.chunks(options.batch.max(1)).collect() };
    let sizes: Vec<usize> = order.iter().map(|&i| atoms(i)).collect();
    even_runs(&sizes, limit).into_iter().map(|run| &order[run]).collect()
}

/// Standardised predictions of many graphs, over threads.
pub(super) fn forward_all(net: &Net, config: &Config, inputs: &[&Input], options: &TrainOptions) -> Vec<f64> {
    if options.device == Device::flex()
        && let Some(fused) = net.fused(config)
        // A pool of its own: a large crystal is shared among its threads, of which there are as many as requested.
        && let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(options.threads.max(1)).build()
    {
        return pool.install(|| fused.forward(inputs)).into_iter().map(f64::from).collect();
    }
    let sizes: Vec<usize> = inputs.iter().map(|input| input.rows()).collect();
    let passes = batches_by_size(&sizes, config.rows_per_pass());
    let results = on_threads(workers(options), passes.len(), |k| {
        let chosen: Vec<&Input> = passes[k].iter().map(|&i| inputs[i]).collect();
        net.forward(config, &chosen, &options.device).into_data().try_to_vec::<f32>().expect("predictions are f32")
    });
    let mut predicted = vec![0.0; inputs.len()];
    for (pass, values) in passes.iter().zip(results) {
        for (&i, value) in pass.iter().zip(values) {
            predicted[i] = f64::from(value);
        }
    }
    predicted
}

/// A random order that depends on `place` alone.
pub(super) fn shuffled(indices: &[usize], place: &[u64]) -> Vec<usize> {
    Stream::new(mix(place)).shuffled(indices.to_vec())
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleVisitor, Param};

    use super::*;
    use crate::{
        fused::tests::{Shaken, configs, crystals},
        loss::Loss,
        megnet::MegnetConfig,
    };

    /// Gradients by both ways, parameter by parameter.
    struct Compare<'a> {
        name: &'static str,
        ours: &'a GradientsParams,
        burn: &'a GradientsParams,
        compared: usize,
    }

    impl ModuleVisitor for Compare<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let of = |gradients: &GradientsParams| -> Option<Vec<f32>> {
                gradients.get::<D>(param.id).map(|gradient| gradient.into_data().try_to_vec().unwrap())
            };
            let (Some(ours), Some(burn)) = (of(self.ours), of(self.burn)) else {
                // Statistics of normalisations have none.
                assert!(!param.is_require_grad(), "{}: a weight without a gradient", self.name);
                return;
            };
            let size = burn.iter().map(|x| x * x).sum::<f32>().sqrt();
            let apart = ours.iter().zip(&burn).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            let shape = param.val().dims();
            assert!(ours.len() == burn.len() && size > 0.0, "{}: {shape:?}", self.name);
            // A bias that a normalisation removes has a gradient of rounding alone, by both ways.
            let nothing = size < 1e-5 && apart < 1e-5;
            assert!(nothing || apart <= 1e-4 * size, "{}, {shape:?}: {apart} of {size}", self.name);
            self.compared += 1;
        }
    }

    #[test]
    fn steps_without_tensors_are_those_of_burn() {
        let mut steps = 0;
        for config in configs() {
            let net = Net::new(&config, 1, &Device::flex().autodiff()).map(&mut Shaken(1));
            let net = net.valid().train();
            let inputs: Vec<Input> = crystals().iter().filter_map(|s| config.input(s).ok()).collect();
            let items: Vec<(&Input, f32)> = inputs.iter().zip([-0.3, 0.1, 2.0, -1.0, 0.4]).collect();
            for loss in [Loss::Mse, Loss::Huber { delta: 0.25 }] {
                let options = TrainOptions { loss, threads: 2, ..TrainOptions::new(config.clone(), "") };
                let Some(ours) = net.step(&config, &items, loss, 2) else { continue };
                let burn = by_burn(&net, &config, &options, &items, [1, 0], &Device::flex().autodiff());
                assert!((ours.loss - burn.loss).abs() < 1e-4 * burn.loss, "{} {}", ours.loss, burn.loss);
                let name = config.architecture();
                let mut compare = Compare { name, ours: &ours.gradients, burn: &burn.gradients, compared: 0 };
                net.visit(&mut compare);
                let apart = ours.buffers.apart(&burn.buffers);
                assert!(apart < 1e-4, "{name}: statistics of normalisations differ by {apart}");
                assert_eq!(compare.compared, burn.gradients.len(), "{name}");
                steps += 1;
            }
        }
        assert!(steps > 0);
    }

    #[test]
    fn steps_take_crystals_by_number_or_by_atoms() {
        let config = Config::Megnet(MegnetConfig::original());
        let mut options = TrainOptions { batch: 4, ..TrainOptions::new(config, "") };
        let order: Vec<usize> = (0..30).rev().collect();
        let lengths = |options: &TrainOptions| -> Vec<usize> {
            let batches = mini_batches(&order, options, |i| i + 1);
            assert_eq!(batches.concat(), order);
            batches.iter().map(|b| b.len()).collect()
        };
        assert_eq!(lengths(&options), [4, 4, 4, 4, 4, 4, 4, 2]);
        options.recipe.batch_atoms = Some(100);
        let lengths = lengths(&options);
        assert!(lengths.len() == 5 && lengths[0] == 3 && lengths[4] > 10, "465 atoms, the largest first: {lengths:?}");
    }

    #[test]
    fn shuffling_keeps_every_index_and_depends_on_the_seed() {
        let all: Vec<usize> = (0..50).collect();
        let mut order = shuffled(&all, &[1, 1]);
        assert_ne!(order, shuffled(&all, &[1, 2]));
        assert_eq!(order, shuffled(&all, &[1, 1]));
        order.sort_unstable();
        assert_eq!(order, all);
    }
}
