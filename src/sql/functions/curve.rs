//! The whole discharge of a host, by an energy model.

use datafusion::common::Result;

use super::arguments::{energy_model, host, ion, whole};
use super::kernel::{Answer, Arguments, Columns, Context, in_session, structs};
use super::surface::{model_of, relaxation, unconverged};
use super::{Function, Kind, Omitted, number, optional};
use crate::cost::Cost;
use crate::insertions::{Kept, Place, Places, Question, answers};
use adsorption::{self, Curve, Discharge, Freedom, VoltageStep, redox_ions, reference};
use crystal::{Element, Structure};
use features::Ion;
use models::ModelPotential;
use models::potential::Potential;
use stability::{Competition, PhaseDiagram};

/// The most ions of a cell.
const MOST: usize = 64;

pub(super) fn functions() -> Vec<Function> {
    vec![Function {
        name: "voltage_curve",
        text: "The discharge of a host by an energy model: voltage, against the metal, over the number of ions. For each number from 1 \
               to max the symmetry-distinct orderings over all insertion sites are ranked by electrostatics (formal charges), the \
               lowest (hollandite.insertion_starts, 4) are relaxed with the cell, and the lowest that converged counts, as \
               for adsorption, with which it shares what is remembered. The fillings on the convex hull over the composition give \
               plateaus; the discharge ends where the voltage falls below 0. It takes minutes per crystal: filter first. \
               NULL and a warning if the host has no site for the ion, or the relaxed host did not converge.",
        parameters: vec![
            host(),
            ion(),
            number(
                "max",
                0.0,
                "Largest number of ions in the cell. 0: as many as take up one electron for each transition-metal atom.",
            )
            .measured(most),
            energy_model(),
            optional(
                "diagram",
                Kind::Diagram,
                Omitted::Means("conversion is not looked at"),
                "A phase diagram, from phase_diagram(formula, energy), of formation energies on the scale of the model.",
            ),
        ],
        unit: None,
        example: "SELECT id, unnest(voltage_curve(structure, 'Li', 2)['plateaus']) FROM tmo WHERE id = 'rutile'",
        kernel: in_session(Cost::Surface, structs(curve_columns()), curves),
    }]
}

fn most(n: f64) -> std::result::Result<usize, String> {
    whole("max", n, 0.0, MOST as f64)
}

/// A host, and how many ions it is filled with.
struct Asked {
    host: Structure,
    ion: Ion,
    most: usize,
}

fn curves(arguments: &Arguments, context: &Context) -> Result<Vec<Option<Found>>> {
    let model = model_of(arguments, context, Some(3))?;
    let asked = arguments.map(|row, s| {
        let ion = Ion::parse(row.text(1))?;
        if ion.charge < 1 {
            return Err(format!("{} is not a cation", row.text(1)).into());
        }
        let most = match most(row.number(2))? {
            0 => redox_ions(&s.composition(), ion.charge).min(MOST),
            n => n,
        };
        Ok(Asked { host: s.clone(), ion, most })
    })?;
    let fillings = asked.iter().flatten().flat_map(|asked| (1..=asked.most).map(|n| Some(question(asked, n, context))));
    let questions: Vec<Option<Question>> = fillings.collect();
    let found = answers(context.environment, &model, &questions, &relaxation(&context.options), context.options.cache)?;
    let mut found = found.into_iter();
    let of_rows: Vec<Vec<Places>> = asked
        .iter()
        .map(|asked| found.by_ref().take(asked.as_ref().map_or(0, |a| a.most)).flatten().collect())
        .collect();
    let diagrams = arguments.texts(4)?;
    Ok(arguments.rows(|i| {
        let asked = asked[i].as_ref()?;
        let answer = || -> Answer<Found> {
            let diagram = diagrams.as_ref().map(|texts| PhaseDiagram::from_text(texts.value(i))).transpose()?;
            discharge(asked, &of_rows[i], &model, context.options.relax_steps, diagram.as_ref())
        };
        Some(answer())
    }))
}

fn question(asked: &Asked, n: usize, context: &Context) -> Question {
    Question {
        host: asked.host.clone(),
        ion: asked.ion,
        n,
        channel: "everywhere".into(),
        spacing: 0.0,
        sites: String::new(),
        freedom: Freedom::All,
        starts: context.options.insertion_starts.max(1),
    }
}

/// What is found of a host.
struct Found {
    curve: Curve,
    fillings: Vec<Filled>,
    /// Formula units in the cell.
    units: f64,
    converts: Option<bool>,
    model: String,
    functional: Option<String>,
}

/// A number of ions in the cell.
#[derive(Clone)]
struct Filled {
    n: usize,
    units: f64,
    place: Option<Box<Place>>,
    charge: i8,
    on_hull: bool,
    beside: Competition,
    reason: Option<String>,
}

fn discharge(
    asked: &Asked,
    places: &[Places],
    model: &ModelPotential,
    steps: usize,
    diagram: Option<&PhaseDiagram>,
) -> Answer<Found> {
    let host = asked.host.composition();
    let ion = (asked.ion.element, asked.ion.charge);
    let units = host.natoms() / host.reduced().natoms();
    let mut fillings: Vec<Filled> =
        places.iter().enumerate().map(|(n, places)| filled(asked, n + 1, units, places, steps)).collect();
    let done = fillings.iter().filter(|filled| filled.reason.is_none()).filter_map(|filled| filled.place.as_deref());
    let Some(first) = done.clone().next() else {
        let reason = fillings.iter().find_map(|filled| filled.reason.clone());
        return Err(reason.unwrap_or_else(|| "there is no filling".into()).into());
    };
    let empty = first.empty();
    let curve = adsorption::curve(&host, empty, &done.map(Place::filling).collect::<Vec<_>>(), ion, first.e_ion)?;
    let references = &model.model().card().references;
    let reference = |element: Element| reference(references, element, model.name()).map_err(|e| e.to_string());
    for filled in &mut fillings {
        filled.on_hull = curve.reaches(filled.n);
        if let Some(place) = &filled.place {
            let taken = (filled.n as f64, place.e_inserted);
            filled.beside = Competition::of((&host, empty.energy), ion, taken, reference, diagram);
        }
    }
    let end = curve.discharge.map(|discharge| discharge.n);
    Ok(Found {
        curve,
        units,
        converts: fillings.iter().find(|filled| Some(filled.n) == end).and_then(|filled| filled.beside.converts()),
        fillings,
        model: model.name().to_owned(),
        functional: model.model().card().correction_scheme.clone(),
    })
}

/// The best of the orderings of `n` ions.
fn filled(asked: &Asked, n: usize, units: f64, places: &Places, steps: usize) -> Filled {
    let (place, reason) = match places.as_ref().map(|places| places.first()) {
        Ok(Some(Kept::Done(place))) if place.converged => (Some(place.clone()), None),
        Ok(Some(Kept::Done(place))) => (Some(place.clone()), Some(unconverged(steps))),
        Ok(Some(Kept::Failed(reason))) | Err(reason) => (None, Some(reason.clone())),
        Ok(None) => (None, Some("there is no site".into())),
    };
    Filled { n, units, place, charge: asked.ion.charge, on_hull: false, beside: Competition::default(), reason }
}

fn curve_columns() -> Columns<Found> {
    let plateaus = Columns::<(VoltageStep, f64)>::new()
        .field("n_from", None, "Number of ions in the cell where it begins.", |(step, _)| step.n_from)
        .field("n_to", None, "Number of ions in the cell where it ends.", |(step, _)| step.n_to)
        .field("x_from", None, "Ions per formula unit where it begins.", |(step, units)| step.n_from / units)
        .field("x_to", None, "Ions per formula unit where it ends.", |(step, units)| step.n_to / units)
        .field("voltage", Some("V"), "Voltage of the plateau against the metal.", |(step, _)| step.voltage);
    let end = |value: fn(&Discharge) -> f64| move |found: &Found| found.curve.discharge.as_ref().map(value);
    Columns::<Found>::new()
        .items(
            "plateaus",
            "The plateaus in order of discharge, those below 0 V, where the metal separates, included.",
            |found| found.curve.plateaus.iter().map(|&step| (step, found.units)).collect(),
            plateaus,
        )
        .items("fillings", "Each number of ions, with its lowest ordering.", |found| found.fillings.clone(), filling_columns())
        .field("voltage", Some("V"), "Average voltage of the discharge, down to 0 V.", end(|d| d.voltage))
        .field("n", None, "Number of ions in the cell at its end; NULL, as all that follows, if none is taken up above 0 V.", |found| {
            found.curve.discharge.map(|d| d.n)
        })
        .field("gravimetric", Some("mAh/g"), "Capacity per gram of the filled host.", end(|d| d.gravimetric))
        .field("volumetric", Some("mAh/cm³"), "Capacity per volume of the filled host.", end(|d| d.volumetric))
        .field("specific_energy", Some("Wh/kg"), "Energy per mass of the filled host, against the metal.", end(|d| d.specific_energy))
        .field("energy_density", Some("Wh/L"), "Energy per volume of the filled host.", end(|d| d.energy_density))
        .field("volume_change", None, "Relative change of the volume at the end.", end(|d| d.volume_change))
        .field(
            "converts",
            None,
            "True if the filled host at the end is more than 0.1 eV/atom above the hull of the diagram, and would react sooner than take up \
             the ions; NULL without a diagram.",
            |found| found.converts,
        )
        .field("model", None, "Name of the energy model.", |found| found.model.clone())
        .field("functional", None, "Functional and corrections of the data that the model was trained on.", |found| {
            found.functional.clone()
        })
}

fn filling_columns() -> Columns<Filled> {
    let of = |value: fn(&Place) -> f64| move |filled: &Filled| filled.place.as_deref().map(value);
    Columns::<Filled>::new()
        .field("n", None, "Number of ions in the cell.", |f| f.n)
        .field("x", None, "Ions per formula unit.", |f| f.n as f64 / f.units)
        .field("energy", Some("eV"), "Energy of the relaxed cell.", of(|place| place.e_inserted))
        .field("voltage", Some("V"), "Average voltage from the empty host to this filling.", |f| {
            f.place.as_ref().map(|place| place.potential / f64::from(f.charge))
        })
        .field("on_hull", None, "True if it appears during the discharge.", |f| f.on_hull)
        .field("volume_change", None, "Relative change of the volume.", of(|place| place.volume_change))
        .field("starts", None, "Number of orderings that were relaxed.", |f| f.place.as_ref().map(|place| place.starts))
        .field(
            "spread",
            Some("eV per ion"),
            "Difference between the highest and the lowest of them.",
            of(|place| place.spread),
        )
        .field("host_kept", None, "True if the host relaxes back once the ions are taken out.", |f| {
            f.place.as_ref()?.emptied.map(|(_, kept)| kept)
        })
        .field("formation_energy_per_atom", Some("eV/atom"), "Formation energy by the model.", |f| {
            f.beside.formation_energy
        })
        .field("e_above_hull", Some("eV/atom"), "Energy above the hull of the diagram.", |f| f.beside.e_above_hull)
        .field(
            "conversion_voltage",
            Some("V"),
            "Voltage of the reaction of the host with as many ions to the phases of the diagram.",
            |f| f.beside.conversion_voltage,
        )
        .field("structure", None, "The relaxed cell, ions last.", |f| f.place.as_deref().and_then(Place::structure))
        .field("reason", None, "Why it does not count.", |f| f.reason.clone())
}
