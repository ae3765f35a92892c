//! Energies, forces, relaxations and what follows from them, by an energy model.

use std::ops::ControlFlow;

use datafusion::common::Result;

use super::arguments::{
    choice, count, crystal, energy_model, energy_models, host, ion, ion_number, named, relaxes, whole,
};
use super::arguments::{sites, spacing, structure};
use super::kernel::{Answer, Arguments, Columns, Context, Kernel, Value, in_session, lists_of, structs, values};
use super::surface::{Found, Where, cancelled, model_of, places, relaxation, unconverged};
use super::{Function, Kind, Omitted, number, optional};
use crate::cost::Cost;
use crate::insertions::{EACH, Kept, Place};
use crate::relaxations::Remembering;
use crate::single_points::SinglePoints;
use crate::structure_type::crystal_text;
use adsorption::{AdsorptionError, Extraction, Method, RelaxOptions, Relaxed, Within, extract, relax};
use crystal::Structure;
use features::{Ion, ring_name};
use models::potential::{GPA_PER_EV_PER_CUBIC_ANGSTROM, Potential};
use models::{ModelError, ModelPotential};

/// The function of energies alone, which come along with gradients: it is evaluated after its like.
pub(crate) const ENERGY: &str = "predict_energy";

/// Reads where ions go, each channel included.
fn where_to(text: &str) -> std::result::Result<(), AdsorptionError> {
    if text.trim() == EACH { Ok(()) } else { Within::parse(text).map(drop) }
}

pub(super) fn functions() -> Vec<Function> {
    let usual = RelaxOptions::default();
    vec![
        Function {
            name: "adsorption",
            text: "How strongly an ion is bound in each channel of a host, by an energy model: one struct per \
                   channel, widest first, or one for the closed cavities if there is no channel. The host is relaxed \
                   with its cell (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), \
                   n ions are inserted in several ways (hollandite.insertion_starts, 4), each filled cell is relaxed \
                   and the lowest that converged is the answer. Then the ions are taken out and the host is relaxed \
                   again, which tells whether it is still the host. It takes seconds to minutes per crystal: filter \
                   first. Results are remembered in the store, and so is the relaxed host, for other ions.",
            parameters: vec![
                host(),
                ion(),
                ion_number(),
                energy_models(),
                optional(
                    "channel",
                    Kind::NumberOrName,
                    Omitted::Text(EACH),
                    "Where: 'each' for one struct per channel; else one struct, as for insertion_sites.",
                )
                .parsed(where_to),
                spacing(),
                sites(),
                relaxes(),
            ],
            unit: None,
            example: "SELECT id, unnest(adsorption(structure, 'Ca')) FROM tmo WHERE id = 'nb12wo33'",
            kernel: in_session(Cost::Surface, lists_of(placed_columns()), adsorption),
        },
        Function {
            name: "extraction_voltage",
            text: "Average voltage, against the metal, at which ions leave a crystal that contains them, such as a \
                   lithiated cathode, by an energy model: -(e_full - e_left - n e_ion) / (n z), with z the charge of \
                   the ion. Positive if the ions are bound, with the same sign as insertion_voltage. The crystal is \
                   relaxed with its cell (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and \
                   hollandite.relax_steps, 200), the ions are removed as by `remove`, and the rest is relaxed with \
                   its cell; e_ion is the elemental reference energy by the same model. It takes seconds to minutes \
                   per crystal: filter first. Its relaxations are remembered in the store. For energies of your own \
                   use insertion_voltage.",
            parameters: vec![
                crystal("structure", crystal_text!("The crystal with its ions: a structure, or ", ".")),
                ion(),
                optional("n", Kind::Number, Omitted::Means("all"), "Number of ions removed from the cell."),
                energy_model(),
            ],
            unit: Some("V"),
            example: "SELECT id, extraction_voltage(insert(structure, 'Li', 2), 'Li') FROM tmo WHERE id = 'rutile'",
            kernel: in_session(Cost::Surface, values(), extraction_voltages),
        },
        Function {
            name: ENERGY,
            text: "Total energy of the cell by an energy model, on the scale of its training data: for CHGNet, PBE \
                   and PBE+U with the corrections of the Materials Project; for Nequix, the same without them; for \
                   TensorNet on MatPES, plain PBE or r2SCAN. Energies of different models are not comparable; for a \
                   formation energy use predict_ef(structure, model). NULL if an atom has no neighbour, or an \
                   element that the model was not trained on.",
            parameters: vec![structure(), energy_model()],
            unit: Some("eV"),
            example: "SELECT id, predict_energy(structure) / natoms AS energy_per_atom FROM tmo WHERE natoms <= 30",
            kernel: modelled(|points, model, s| Ok(points.energy(model, s)?)),
        },
        Function {
            name: "predict_forces",
            text: "Forces on the atoms by an energy model: three numbers, along x, y and z, for each site.",
            parameters: vec![structure(), energy_model()],
            unit: Some("eV/Å"),
            example: "SELECT id, predict_forces(structure)[1] AS on_the_first_atom FROM tmo WHERE natoms <= 30",
            kernel: modelled(|points, model, s| Ok(points.of(model, s)?.forces)),
        },
        Function {
            name: "predict_magmoms",
            text: "Magnetic moments of the atoms by an energy model, without sign: one number for each site. They \
                   distinguish oxidation states: Mn4+ has about 3, Mn3+ about 4. NULL by a model that has none, such \
                   as TensorNet and Nequix.",
            parameters: vec![structure(), energy_model()],
            unit: Some("μ_B"),
            example: "SELECT id, predict_magmoms(structure) AS moments FROM tmo WHERE natoms <= 30",
            kernel: modelled(|points, model, s| {
                let moments = points.of(model, s)?.magmoms;
                Ok(moments.ok_or_else(|| ModelError::NoMoments { model: model.name().to_owned() })?)
            }),
        },
        Function {
            name: "predict_stress",
            text: "Stress tensor of the cell by an energy model, three rows of three numbers. Positive on the \
                   diagonal if the cell tends to shrink, as in ASE; the pressure is minus the mean of the diagonal.",
            parameters: vec![structure(), energy_model()],
            unit: Some("GPa"),
            example: "SELECT id, predict_stress(structure)[3][3] AS along_z FROM tmo WHERE natoms <= 30",
            kernel: modelled(|points, model, s| {
                let stress = points.of(model, s)?.stress;
                Ok(stress.map(|row| row.map(|x| x * GPA_PER_EV_PER_CUBIC_ANGSTROM)).to_vec())
            }),
        },
        Function {
            name: "relax",
            text: "The crystal relaxed by an energy model, until no force exceeds fmax. The cell relaxes too, its \
                   force being the gradient of the energy with the logarithm of the deformation over the number of \
                   atoms, as in ASE's FrechetCellFilter. The order of the atoms is kept. It takes seconds per \
                   crystal: filter first. Results are remembered in the store.",
            parameters: vec![
                structure(),
                number("fmax", usual.fmax, "Largest force at convergence, eV/Å."),
                number("steps", usual.steps as f64, "Largest number of steps."),
                optional("cell", Kind::Boolean, Omitted::Flag(true), "Whether the cell is relaxed too."),
                choice("method", &Method::NAMES, "Optimiser: fire or bfgs."),
                energy_model(),
            ],
            unit: None,
            example: "SELECT id, relax(structure)['energy_per_atom'] AS e FROM tmo WHERE natoms <= 12",
            kernel: in_session(Cost::Surface, structs(relaxed_columns()), relaxed),
        },
    ]
}

/// `f(what is known, model, crystal)` by the energy model that argument 1 names.
fn modelled<T: Value + Send + 'static>(
    f: impl Fn(&SinglePoints, &ModelPotential, &Structure) -> Answer<T> + Send + Sync + 'static,
) -> Kernel {
    in_session(Cost::Surface, values(), move |arguments, context| {
        let model = model_of(arguments, context, Some(1))?;
        arguments.map_bounded(T::numbers, |_, s| f(context.environment.single_points(), &model, s))
    })
}

/// The ions in one channel, and what they are measured by.
struct Placed {
    charge: Option<i8>,
    model: String,
    functional: Option<String>,
    /// Steps that a relaxation may take.
    steps: usize,
    kept: Kept,
}

impl Placed {
    fn place(&self) -> Option<&Place> {
        self.kept.done()
    }
}

fn adsorption(arguments: &Arguments, context: &Context) -> Result<Vec<Option<Vec<Placed>>>> {
    let found = places(arguments, context, Where { channel: 4, usual: EACH, model: Some(3), stated: true })?;
    let ions = arguments.texts(1)?;
    let charge = |i: usize| ions.as_ref().and_then(|ions| Ion::parse(ions.value(i)).ok()).map(|ion| ion.charge);
    Ok(arguments.rows(|i| {
        let Found { model, places } = found[i].as_ref()?;
        let one = |kept: &Kept| Placed {
            charge: charge(i),
            model: model.name().to_owned(),
            functional: model.model().card().correction_scheme.clone(),
            steps: context.options.relax_steps,
            kept: kept.clone(),
        };
        Some(places.as_ref().map(|places| places.iter().map(one).collect()).map_err(|reason| reason.clone().into()))
    }))
}

fn placed_columns() -> Columns<Placed> {
    Columns::<Placed>::new()
        .field("channel", None, "Number of the channel in the relaxed host, from 1.", |p| {
            p.place()?.channel.map(|index| index + 1)
        })
        .field("channel_name", None, "Name of its ring, such as hexagonal.", |p| p.place()?.ring.map(ring_name))
        .field("n", None, "Number of ions inserted.", |p| p.place().map(|place| place.n))
        .field("sites", None, "Fractional coordinates where they were inserted.", |p| {
            p.place().map(|place| place.sites.clone())
        })
        .field("e_host", Some("eV"), "Energy of the relaxed host.", |p| p.place().map(|place| place.e_host))
        .field("e_inserted", Some("eV"), "Energy of the relaxed cell with the ions.", |p| {
            p.place().map(|place| place.e_inserted)
        })
        .field("e_ion", Some("eV/atom"), "Elemental reference energy of the ion, by the same model.", |p| {
            p.place().map(|place| place.e_ion)
        })
        .field(
            "adsorption_potential",
            Some("eV per ion"),
            "-(e_inserted - e_host - n e_ion) / n, positive = favourable.",
            |p| p.place().map(|place| place.potential),
        )
        .field("voltage", Some("V"), "The adsorption potential divided by the charge of the ion.", |p| {
            let charge = p.charge.filter(|&charge| charge != 0)?;
            p.place().map(|place| place.potential / f64::from(charge))
        })
        .field(
            "ions_per_formula",
            None,
            "Ions per formula unit of the host: n over the number of reduced formulas in the cell that was filled.",
            |p| p.place()?.ions_per_formula(),
        )
        .field(
            "spacing",
            Some("Å"),
            "Shortest distance between two ions of the relaxed cell, periodic images included.",
            |p| p.place().map(|place| place.spacing),
        )
        .field("starts", None, "Number of configurations that were relaxed.", |p| p.place().map(|place| place.starts))
        .field(
            "spread",
            Some("eV per ion"),
            "Difference between the highest and the lowest adsorption potential of these configurations.",
            |p| p.place().map(|place| place.spread),
        )
        .field("volume_change", None, "Relative change of the relaxed volume on insertion.", |p| {
            p.place().map(|place| place.volume_change)
        })
        .field(
            "host_energy_change",
            Some("eV/atom"),
            "Energy of the host relaxed again without the ions, minus that of the host before, per atom of the host. \
             Below zero the ions have led the host to a more stable phase, and the gain is not theirs alone. NULL if \
             part of the cell was held.",
            |p| p.place()?.emptied.map(|(change, _)| change),
        )
        .field(
            "host_kept",
            None,
            "True if the host relaxes back to the same structure (same_structure), with the same coordination of every \
             atom, and the same energy within 0.01 eV/atom once the ions are taken out.",
            |p| p.place()?.emptied.map(|(_, kept)| kept),
        )
        .field("converged", None, "True if both relaxations converged.", |p| p.place().map(|place| place.converged))
        .field("steps", None, "Number of steps of the relaxations.", |p| p.place().map(|place| place.steps))
        .field("structure", None, "The relaxed cell, ions last.", |p| p.place().and_then(Place::structure))
        .field("model", None, "Name of the energy model.", |p| p.model.clone())
        .field(
            "functional",
            None,
            "Functional and corrections of the data that the model was trained on. Potentials by different ones are not \
             comparable.",
            |p| p.functional.clone(),
        )
        .field("reason", None, "Why there are no numbers, or why they are not those of a minimum.", |p| match &p.kept {
            Kept::Done(place) => (!place.converged).then(|| unconverged(p.steps)),
            Kept::Failed(reason) => Some(reason.clone()),
        })
}

/// Voltages, V. Every relaxation is remembered as it ends.
fn extraction_voltages(arguments: &Arguments, context: &Context) -> Result<Vec<Option<f64>>> {
    let questions = arguments.map(|row, s| {
        let ion = Ion::parse(row.text(1))?;
        if ion.charge == 0 {
            return Err("the ion has no charge, so there is no voltage: name its charge, such as 'Ca2+'".into());
        }
        Ok((s.clone(), ion, row.given(2).map(count).transpose()?))
    })?;
    let model = model_of(arguments, context, Some(3))?;
    let asked = || questions.iter().flatten();
    let requests: Vec<Extraction<'_>> =
        asked().map(|(crystal, ion, n)| Extraction { crystal, ion: *ion, n: *n }).collect();
    let references = &model.model().card().references;
    let mut follower = Remembering::new(context.environment, model.id(), context.options.cache);
    let outcome = extract(model.as_ref(), references, &requests, &relaxation(&context.options), &mut follower);
    let ControlFlow::Continue(outcome) = outcome else { return cancelled() };
    let mut ends = outcome.into_iter().zip(asked()).map(|(end, (_, ion, _))| match end {
        Ok(end) if end.converged => Ok(end.potential / f64::from(ion.charge)),
        Ok(_) => Err(unconverged(context.options.relax_steps)),
        Err(error) => Err(error.to_string()),
    });
    let ends: Vec<Option<std::result::Result<f64, String>>> =
        questions.iter().map(|question| question.as_ref().and_then(|_| ends.next())).collect();
    Ok(arguments.rows(|i| ends[i].clone().map(|end| end.map_err(Into::into))))
}

fn relaxed(arguments: &Arguments, context: &Context) -> Result<Vec<Option<Relaxed>>> {
    let model = model_of(arguments, context, Some(5))?;
    let asked = arguments.map(|row, s| {
        let (fmax, steps) = (row.number(1), whole("steps", row.number(2), 0.0, 1e6)?);
        let method = named(row.text(4), &Method::NAMES)?;
        let options = RelaxOptions { method, fmax, steps, cell: row.flag(3), ..RelaxOptions::default() };
        Ok((s.clone(), options))
    })?;
    // Crystals with the same options go together, mostly all of them, and equal ones once.
    let mut ends: Vec<Option<std::result::Result<Relaxed, String>>> = vec![None; asked.len()];
    let mut left: Vec<usize> = (0..asked.len()).filter(|&i| asked[i].is_some()).collect();
    while let Some(options) = left.first().and_then(|&i| asked[i].as_ref()).map(|(_, options)| *options) {
        let same = |i: &usize| asked[*i].as_ref().is_some_and(|(_, other)| *other == options);
        let (now, later): (Vec<usize>, Vec<usize>) = left.into_iter().partition(same);
        let mut structures: Vec<&Structure> = Vec::new();
        let mut places = Vec::new();
        for (i, structure) in now.into_iter().filter_map(|i| Some((i, &asked[i].as_ref()?.0))) {
            let place = structures.iter().position(|other| *other == structure).unwrap_or(structures.len());
            if place == structures.len() {
                structures.push(structure);
            }
            places.push((i, place));
        }
        let follower = Remembering::new(context.environment, model.model().id(), context.options.cache);
        let ControlFlow::Continue(found) = relax(model.as_ref(), &structures, &options, follower) else {
            return cancelled();
        };
        let found: Vec<_> = found.into_iter().map(|end| end.map_err(|e| e.to_string())).collect();
        for (i, place) in places {
            ends[i] = Some(found[place].clone());
        }
        left = later;
    }
    Ok(arguments.rows(|i| ends[i].clone().map(|end| end.map_err(Into::into))))
}

fn relaxed_columns() -> Columns<Relaxed> {
    Columns::<Relaxed>::new()
        .field("structure", None, "The relaxed crystal.", |end| end.structure.clone())
        .field("energy", Some("eV"), "Energy of the cell.", |end| end.energy)
        .field("energy_per_atom", Some("eV/atom"), "Energy per atom.", |end| end.energy / end.structure.len() as f64)
        .field("converged", None, "True if no force exceeds fmax.", |end| end.converged)
        .field("steps", None, "Number of steps.", |end| end.steps)
        .field("fmax", Some("eV/Å"), "Largest remaining force.", |end| end.fmax)
        .field("volume_change", None, "V / V0 - 1.", |end| end.volume_change)
}
