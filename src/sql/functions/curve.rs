//! The whole discharge of a host, by an energy model.

use datafusion::common::Result;

use super::arguments::{energy_model, host, ion, whole};
use super::kernel::{Answer, Arguments, Columns, Context, in_session, structs};
use super::surface::{model_of, relaxation, unconverged};
use super::{Function, Kind, Omitted, number, optional};
use crate::cost::Cost;
use crate::insertions::{Kept, Place, Places, Question, answers};
use adsorption::{self, Curve, Discharge, Filling, Freedom, VoltageStep};
use crystal::{Composition, Structure};
use features::{Ion, TRANSITION_METALS};
use models::ModelPotential;
use models::potential::Potential;
use stability::PhaseDiagram;

/// The most ions of a cell.
const MOST: usize = 64;
/// A filled host this far above the hull, eV/atom, reacts sooner than it takes up ions: nine in ten of the metastable crystals that are known lie
/// lower (W. Sun *et al.*, *Sci. Adv.* **2** (2016) e1600225, less than 0.07 eV/atom).
const CONVERTS: f64 = 0.1;

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
            0 => electrons(s, ion.charge),
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

/// Ions that bring an electron for each transition-metal atom, at least one.
fn electrons(host: &Structure, charge: i8) -> usize {
    let metals = host.species().iter().filter(|e| TRANSITION_METALS.contains(&e.symbol())).count();
    (metals / usize::from(charge.unsigned_abs().max(1))).clamp(1, MOST)
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
    formation_energy: Option<f64>,
    above_hull: Option<f64>,
    conversion: Option<f64>,
    reason: Option<String>,
}

/// Energies on the scale of a model.
struct Scale<'a> {
    model: &'a ModelPotential,
    diagram: Option<&'a PhaseDiagram>,
}

impl Scale<'_> {
    /// Formation energy, eV/atom; `None` where the model has no energy of an element.
    fn formation(&self, composition: &Composition, energy: f64) -> Option<f64> {
        let references = &self.model.model().card().references;
        let elements = composition.iter().map(|(e, n)| Some(n * references.get(e.symbol())?)).sum::<Option<f64>>()?;
        Some((energy - elements) / composition.natoms())
    }
}

fn discharge(
    asked: &Asked,
    places: &[Places],
    model: &ModelPotential,
    steps: usize,
    diagram: Option<&PhaseDiagram>,
) -> Answer<Found> {
    let Asked { host, ion, .. } = asked;
    let composition = host.composition();
    let units = composition.natoms() / composition.reduced().natoms();
    let scale = Scale { model, diagram };
    let mut fillings: Vec<Filled> = Vec::new();
    for (n, places) in places.iter().enumerate() {
        fillings.push(filled(asked, n + 1, units, places, steps));
    }
    let done = |filled: &&Filled| filled.reason.is_none();
    let e_host = fillings.iter().find_map(|filled| Some(filled.place.as_ref()?.e_host));
    let (Some(e_host), Some(first)) = (e_host, fillings.iter().find(done).and_then(|f| f.place.as_deref())) else {
        let reasons: Vec<String> = fillings.iter().filter_map(|filled| filled.reason.clone()).collect();
        return Err(reasons.first().cloned().unwrap_or_else(|| "there is no filling".into()).into());
    };
    let volume = first.structure().map_or(f64::NAN, |s| s.volume()) / (1.0 + first.volume_change);
    let empty = Filling { n: 0, energy: e_host, volume };
    let relaxed: Vec<Filling> = fillings
        .iter()
        .filter(done)
        .filter_map(|f| {
            let place = f.place.as_ref()?;
            Some(Filling { n: f.n, energy: place.e_inserted, volume: volume * (1.0 + place.volume_change) })
        })
        .collect();
    let curve = adsorption::curve(&composition, empty, &relaxed, (ion.element, ion.charge), first.e_ion)?;
    for filled in &mut fillings {
        filled.on_hull = curve.plateaus.iter().any(|step| step.n_to == filled.n as f64);
        measure(filled, &composition, ion, e_host, &scale);
    }
    let end = curve.discharge.map(|discharge| discharge.n);
    let above = fillings.iter().find(|filled| Some(filled.n) == end).and_then(|filled| filled.above_hull);
    Ok(Found {
        curve,
        fillings,
        units,
        converts: above.map(|above| above > CONVERTS),
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
    Filled {
        n,
        units,
        place,
        charge: asked.ion.charge,
        on_hull: false,
        formation_energy: None,
        above_hull: None,
        conversion: None,
        reason,
    }
}

/// Where a filling stands beside the phases of a diagram.
fn measure(filled: &mut Filled, host: &Composition, ion: &Ion, e_host: f64, scale: &Scale<'_>) {
    let Some(place) = &filled.place else { return };
    let composition: Composition = host.iter().chain([(ion.element, filled.n as f64)]).collect();
    filled.formation_energy = scale.formation(&composition, place.e_inserted);
    let (Some(diagram), Some(ef)) = (scale.diagram, filled.formation_energy) else { return };
    filled.above_hull = diagram.e_above_hull(&composition, ef).ok();
    filled.conversion = scale.formation(host, e_host).and_then(|e_host| {
        stability::conversion_voltage(diagram, host, e_host, (ion.element, ion.charge), filled.n as f64).ok()
    });
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
        .field("formation_energy_per_atom", Some("eV/atom"), "Formation energy by the model.", |f| f.formation_energy)
        .field("e_above_hull", Some("eV/atom"), "Energy above the hull of the diagram.", |f| f.above_hull)
        .field(
            "conversion_voltage",
            Some("V"),
            "Voltage of the reaction of the host with as many ions to the phases of the diagram.",
            |f| f.conversion,
        )
        .field("structure", None, "The relaxed cell, ions last.", |f| f.place.as_deref().and_then(Place::structure))
        .field("reason", None, "Why it does not count.", |f| f.reason.clone())
}
