//! What functions of an energy model share: which model is used, how crystals are relaxed, and what became of those that ions were
//! put into.

use std::sync::Arc;

use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::arguments::{named, whole};
use super::kernel::{Arguments, Context};
use crate::insertions::{Kept, Places, Question, answers};
use crate::options::HollanditeOptions;
use adsorption::{Freedom, RelaxOptions};
use features::Ion;
use models::ModelPotential;
use models::potential::Potential;

/// Ions nearer to one another than this, Å, are neighbours in the graphs of the energy models: a row of ions and no dilute one.
const DILUTE: f64 = 6.0;

/// The model that argument `i` names, or the session where there is none.
pub(super) fn model_of(arguments: &Arguments, context: &Context, i: Option<usize>) -> Result<Arc<ModelPotential>> {
    let texts = i.map(|i| arguments.texts(i)).transpose()?.flatten();
    let named = texts.as_ref().filter(|_| !arguments.is_empty()).map(|texts| texts.value(0));
    let name = named.filter(|name| !name.is_empty()).unwrap_or(&context.options.energy_model);
    context.environment.potential(name).map_err(|e| exec_datafusion_err!("{}: {e}", arguments.function.name))
}

/// The model that each row names by argument `i`, or the session; of rows without an answer none.
fn models_of(arguments: &Arguments, context: &Context, i: Option<usize>) -> Result<Vec<Option<Arc<ModelPotential>>>> {
    let texts = i.map(|i| arguments.texts(i)).transpose()?.flatten();
    let Some(texts) = texts else {
        return Ok(vec![Some(model_of(arguments, context, None)?); arguments.len()]);
    };
    let named = |name: &str| {
        let name = if name.is_empty() { context.options.energy_model.as_str() } else { name };
        context.environment.potential(name).map_err(|e| exec_datafusion_err!("{}: {e}", arguments.function.name))
    };
    texts.iter().map(|name| name.map(named).transpose()).collect()
}

/// How a session relaxes crystals with their cells.
pub(super) fn relaxation(options: &HollanditeOptions) -> RelaxOptions {
    RelaxOptions { fmax: options.relax_fmax, steps: options.relax_steps, ..RelaxOptions::default() }
}

/// Where the arguments of a call stand that say where ions go: channel and, after it, spacing, sites and what relaxes.
#[derive(Clone, Copy)]
pub(super) struct Where {
    /// Place of the argument `channel`.
    pub channel: usize,
    /// What it means where it is left out.
    pub usual: &'static str,
    /// Place of the argument that names the energy model; `None`: the session does.
    pub model: Option<usize>,
    /// Whether spacing, sites and what relaxes follow the channel.
    pub stated: bool,
}

/// What became of the crystals of a call and by which model, `None` for those that are NULL.
pub(super) fn places(arguments: &Arguments, context: &Context, place: Where) -> Result<Vec<Option<Found>>> {
    let models = models_of(arguments, context, place.model)?;
    let questions = arguments.map(|row, s| {
        let n = whole("n", row.given(2).unwrap_or(1.0), 1.0, 64.0)?;
        let channel = if row.omits(place.channel) { place.usual } else { row.text(place.channel) };
        Ok(Question {
            host: s.clone(),
            ion: Ion::parse(row.text(1))?,
            n,
            channel: channel.to_owned(),
            spacing: if place.stated { row.number(place.channel + 1) } else { 0.0 },
            sites: if place.stated { row.text(place.channel + 2).to_owned() } else { String::new() },
            freedom: if place.stated { named(row.text(place.channel + 3), &Freedom::NAMES)? } else { Freedom::All },
            starts: context.options.insertion_starts.max(1),
        })
    })?;
    let mut found: Vec<Option<Found>> = vec![None; questions.len()];
    // All rows of a model go through it at once.
    for (first, model) in models.iter().enumerate() {
        let Some(model) = model.as_ref().filter(|_| found[first].is_none() && questions[first].is_some()) else {
            continue;
        };
        let asks = |i: usize| models[i].as_ref().is_some_and(|other| other.id() == model.id());
        let own: Vec<Option<Question>> =
            questions.iter().enumerate().map(|(i, question)| question.clone().filter(|_| asks(i))).collect();
        let options = relaxation(&context.options);
        let answers = answers(context.environment, model, &own, &options, context.options.cache)?;
        for (found, places) in found.iter_mut().zip(answers).filter(|(_, places)| places.is_some()) {
            *found = places.map(|places| Found { model: Arc::clone(model), places });
        }
    }
    remark_dense(arguments, context, &questions, &found);
    Ok(found)
}

/// What became of a crystal.
#[derive(Clone)]
pub(super) struct Found {
    /// The model that was called.
    pub model: Arc<ModelPotential>,
    pub places: Places,
}

/// Says where single ions stand in a row of themselves, because the cell is short: no row is NULL for it.
fn remark_dense(arguments: &Arguments, context: &Context, questions: &[Option<Question>], found: &[Option<Found>]) {
    let single =
        questions.iter().zip(found).filter(|(q, _)| q.as_ref().is_some_and(|q| q.n == 1 && q.sites.is_empty()));
    let done = single.filter_map(|(_, found)| found.as_ref()?.places.as_ref().ok()).flatten().filter_map(Kept::done);
    let dense: Vec<f64> = done.map(|place| place.spacing).filter(|&spacing| spacing < DILUTE).collect();
    if let Some(nearest) = dense.iter().copied().reduce(f64::min) {
        context.environment.warnings().remark(format!(
            "{}: single ions are nearer than {DILUTE} Å to their periodic images, the nearest {nearest:.1} Å: dense rows, not \
             dilute ions; the argument spacing keeps them apart",
            arguments.function.name
        ));
    }
}

/// Why an energy is not that of a minimum.
pub(super) fn unconverged(steps: usize) -> String {
    format!("a relaxation did not converge in {steps} steps; SET hollandite.relax_steps to more")
}

pub(super) fn cancelled<T>() -> Result<T> {
    exec_err!("the relaxations were cancelled; those that had finished are remembered")
}
