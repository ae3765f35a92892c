//! Forward and backward passes over many graphs, spread over threads.

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

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
};

/// `f(0..n)` over threads that draw the next index when free.
pub(super) fn on_threads<T: Send>(threads: usize, n: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads <= 1 || n <= 1 {
        return (0..n).map(f).collect();
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new((0..n).map(|_| None).collect::<Vec<Option<T>>>());
    std::thread::scope(|scope| {
        for _ in 0..threads.min(n) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= n {
                        break;
                    }
                    let value = f(i);
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[i] = Some(value);
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.into_iter().map(|r| r.expect("every index was drawn once")).collect()
}

/// What a mini-batch says of the network.
pub(super) struct Step {
    /// Sum of the losses.
    pub loss: f64,
    /// Mean gradient.
    pub gradients: GradientsParams,
    /// Running statistics of its normalisations after the step.
    pub buffers: Buffers,
}

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

/// The passes of a mini-batch, each of about as many rows and not many more than `limit`: an even number of them, so that two or four
/// threads end together, whoever many there are. In the order of the batch, which is random: where a normalisation works on a
/// pass, it should see all sizes.
pub(super) fn even_passes(items: &[(&Input, f32)], limit: usize) -> Vec<Range<usize>> {
    let sizes: Vec<usize> = items.iter().map(|(input, _)| input.rows()).collect();
    let total: usize = sizes.iter().sum();
    cut(&sizes, total.div_ceil(limit.max(1)).next_multiple_of(2))
}

/// Cuts `0..sizes.len()` into runs of about equal totals, as few as keep them near `limit`.
fn even_runs(sizes: &[usize], limit: usize) -> Vec<Range<usize>> {
    let total: usize = sizes.iter().sum();
    cut(sizes, total.div_ceil(limit.max(1)))
}

/// Cuts `0..sizes.len()` into about `count` runs of about equal totals.
fn cut(sizes: &[usize], count: usize) -> Vec<Range<usize>> {
    let total: usize = sizes.iter().sum();
    let share = total.div_ceil(count.max(1)).max(1);
    let (mut runs, mut first, mut sum): (Vec<Range<usize>>, _, _) = (Vec::new(), 0, 0);
    for (i, size) in sizes.iter().enumerate() {
        // The item goes to the side of the cut on which most of it lies.
        if i > first && sum + size / 2 > share * (runs.len() + 1) {
            runs.push(first..i);
            first = i;
        }
        sum += size;
    }
    if first < sizes.len() {
        runs.push(first..sizes.len());
    }
    runs
}

/// Standardised predictions of many graphs, over threads.
pub(super) fn forward_all(net: &Net, config: &Config, inputs: &[&Input], options: &TrainOptions) -> Vec<f64> {
    if options.device == Device::flex()
        && let Some(fused) = net.fused(config)
        // A pool of its own: a large crystal is shared among its threads, and they are as many as were asked for.
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

/// A random order (Fisher and Yates) that depends on `place` alone.
pub(super) fn shuffled(indices: &[usize], place: &[u64]) -> Vec<usize> {
    let mut order = indices.to_vec();
    let mut stream = Stream::new(mix(place));
    for i in (1..order.len()).rev() {
        order.swap(i, stream.below(i + 1));
    }
    order
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
            // A bias that a normalisation takes away again has a gradient of rounding alone, by both ways.
            let nothing = size < 1e-5 && apart < 1e-5;
            assert!(nothing || apart <= 1e-4 * size, "{}, {shape:?}: {apart} of {size}", self.name);
            self.compared += 1;
        }
    }

    #[test]
    fn steps_without_tensors_are_those_of_burn() {
        let mut steps = 0;
        for config in configs() {
            let net = Net::new(&config, &Device::flex().autodiff()).map(&mut Shaken(1));
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
    fn threads_keep_the_order_of_results() {
        assert_eq!(on_threads(3, 100, |i| i * i), (0..100).map(|i| i * i).collect::<Vec<_>>());
        assert!(on_threads(2, 0, |i| i).is_empty());
    }

    #[test]
    fn runs_are_even_and_cover_every_item_once() {
        let sizes = [5, 9, 1, 7, 3, 8, 2, 6, 4, 10, 5];
        let runs = even_runs(&sizes, 25);
        assert_eq!(runs.iter().cloned().flatten().collect::<Vec<_>>(), (0..sizes.len()).collect::<Vec<_>>());
        assert_eq!(runs.len(), 3);
        for run in runs {
            let total: usize = sizes[run].iter().sum();
            assert!((15..=25).contains(&total), "{total}");
        }
        assert_eq!(even_runs(&sizes, 1000), std::slice::from_ref(&(0..11)));
        assert!(even_runs(&[], 10).is_empty());
        assert_eq!(even_runs(&[0, 0], 0).len(), 1);
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
