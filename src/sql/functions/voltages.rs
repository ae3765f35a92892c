//! Voltages of electrodes whose crystals are both known, by an energy model.

use std::ops::ControlFlow;

use datafusion::common::Result;

use super::Function;
use super::arguments::{choice, crystal, energy_model, ion, named};
use super::kernel::{Answer, Arguments, Context, in_session, values};
use super::surface::{cancelled, model_of, relaxation, unconverged};
use crate::cost::Cost;
use crate::relaxations::Remembering;
use crate::structure_type::crystal_text;
use adsorption::{self, reference, relax};
use crystal::Structure;
use features::Ion;
use models::potential::Potential;

/// At which geometries energies are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Geometry {
    Given,
    Relaxed,
}

const GEOMETRIES: [(&str, Geometry); 2] = [("given", Geometry::Given), ("relaxed", Geometry::Relaxed)];

pub(super) fn functions() -> Vec<Function> {
    vec![Function {
        name: "electrode_voltage",
        text: "Average voltage, against the metal, between two crystals of one host, with fewer ions and with more, by an \
               energy model: -(e_discharged - e_charged - n e_ion) / (n z). The cells may differ in size; n follows from \
               the compositions, e_ion is the elemental reference energy by the same model. Energies are those of the \
               crystals as given, or after both have been relaxed with their cells (FIRE; options hollandite.relax_fmax, \
               0.05 eV/Å, and hollandite.relax_steps, 200), which takes seconds per crystal and is remembered in the \
               store. NULL if the crystals are not one host, or a relaxation did not converge.",
        parameters: vec![
            crystal("charged", crystal_text!("The crystal with fewer ions: a structure, or ", ".")),
            crystal("discharged", "The crystal with more ions."),
            ion(),
            choice(
                "geometry",
                &GEOMETRIES,
                "Whether energies are taken at the given geometry or of relaxed crystals: given or relaxed.",
            ),
            energy_model(),
        ],
        unit: Some("V"),
        example: "SELECT battery_id, voltage, electrode_voltage(charged, discharged, ion) AS computed FROM electrodes \
                  WHERE charged IS NOT NULL",
        kernel: in_session(Cost::Surface, values(), voltages),
    }]
}

/// Two crystals, and what their energies are measured by.
struct Pair {
    crystals: [Structure; 2],
    ion: Ion,
    e_ion: f64,
    geometry: Geometry,
}

fn voltages(arguments: &Arguments, context: &Context) -> Result<Vec<Option<f64>>> {
    let model = model_of(arguments, context, Some(4))?;
    let references = &model.model().card().references;
    // Fails before anything is computed.
    let pairs = arguments.map_pairs(|row, charged, discharged| {
        let ion = Ion::parse(row.text(2))?;
        if ion.charge < 1 {
            return Err(format!("{} is not a cation", row.text(2)).into());
        }
        let e_ion = reference(references, ion.element, model.name())?;
        adsorption::taken_up(&charged.composition(), &discharged.composition(), ion.element)?;
        let geometry = named(row.text(3), &GEOMETRIES)?;
        Ok(Pair { crystals: [charged.clone(), discharged.clone()], ion, e_ion, geometry })
    })?;
    let mut moving: Vec<&Structure> = Vec::new();
    for structure in pairs.iter().flatten().filter(|p| p.geometry == Geometry::Relaxed).flat_map(|p| &p.crystals) {
        if !moving.contains(&structure) {
            moving.push(structure);
        }
    }
    let follower = Remembering::new(context.environment, model.id(), context.options.cache);
    let ends = relax(model.as_ref(), &moving, &relaxation(&context.options), follower);
    let ControlFlow::Continue(ends) = ends else { return cancelled() };
    let relaxed = |structure: &Structure| -> Answer<f64> {
        match moving.iter().position(|other| *other == structure).map(|k| &ends[k]) {
            Some(Ok(end)) if end.converged => Ok(end.energy),
            Some(Err(error)) => Err(error.to_string().into()),
            _ => Err(unconverged(context.options.relax_steps).into()),
        }
    };
    let single_points = context.environment.single_points();
    Ok(arguments.rows(|i| {
        let Pair { crystals, ion, e_ion, geometry } = pairs[i].as_ref()?;
        let energy = |structure: &Structure| match geometry {
            Geometry::Given => Ok(single_points.energy(model.as_ref(), structure)?),
            Geometry::Relaxed => relaxed(structure),
        };
        let [charged, discharged] = crystals;
        let voltage = || {
            let energies = [energy(charged)?, energy(discharged)?];
            let compositions = [&charged.composition(), &discharged.composition()];
            Ok(adsorption::electrode_voltage(compositions, energies, (ion.element, ion.charge), *e_ion)?)
        };
        Some(voltage())
    }))
}
