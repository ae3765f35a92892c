//! How well a model does on labelled crystals.

use rayon::prelude::*;

use super::{card::Metrics, graph::batches_by_size, model::Model, network::Input, train::Sample};

/// Predictions beside labels.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// (index into the samples, prediction, label), eV/atom.
    pub pairs: Vec<(usize, f64, f64)>,
    /// Samples without a prediction, with the reason.
    pub refused: Vec<(usize, String)>,
    /// Errors over `pairs`; `None` where every sample was refused.
    pub metrics: Option<Metrics>,
}

/// Applies `model` to every sample.
pub fn evaluate(model: &Model, samples: &[Sample]) -> Evaluation {
    let inputs: Vec<_> = samples.par_iter().map(|s| model.input(&s.structure).map_err(|e| e.to_string())).collect();
    let (mut usable, mut refused) = (Vec::new(), Vec::new());
    for (i, input) in inputs.iter().enumerate() {
        match input {
            Ok(input) => usable.push((i, input)),
            Err(reason) => refused.push((i, reason.clone())),
        }
    }
    let sizes: Vec<usize> = usable.iter().map(|(_, input)| input.rows()).collect();
    let mut pairs: Vec<_> = batches_by_size(&sizes, model.card().config.rows_per_pass())
        .into_par_iter()
        .flat_map_iter(|pass| {
            let chosen: Vec<&Input> = pass.iter().map(|&k| usable[k].1).collect();
            let values = model.forward(&chosen);
            let rows: Vec<usize> = pass.iter().map(|&k| usable[k].0).collect();
            rows.into_iter().zip(values).map(|(i, value)| (i, value, samples[i].target))
        })
        .collect();
    pairs.sort_by_key(|&(i, ..)| i);
    let metrics = Metrics::of(&pairs.iter().map(|&(_, p, t)| (p, t)).collect::<Vec<_>>(), model.card().mean);
    Evaluation { pairs, refused, metrics }
}
