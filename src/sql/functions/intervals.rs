//! The adsorption potential of a crystal with the interval that holds it.

use datafusion::common::Result;

use super::arguments::{channel, host, ion, ion_number};
use super::kernel::{Answer, Arguments, Columns, Context, in_session, structs};
use super::surface::{Where, model_of, places, relaxation, unconverged};
use super::{Function, Kind, Omitted, number, optional};
use crate::cost::Cost;
use crate::insertions::{Kept, Place};
use crate::options::HollanditeOptions;
use adsorption::calibration::{Case, outside, voltage_radius};
use adsorption::{RelaxOptions, reference};
use crystal::{Element, Structure};
use features::Ion;
use models::ModelPotential;
use models::potential::Potential;
use stability::{PhaseDiagram, converts, formation_energy};

pub(super) fn functions() -> Vec<Function> {
    vec![Function {
        name: "adsorption_interval",
        text: "Adsorption potential of a crystal as `adsorption_potential` has it, with the interval that contains the DFT value \
               with the given coverage. The half-width is a conformal quantile of the errors of the same protocol on \
               insertion electrodes of known voltage, by ion where they are enough, times the charge of the ion. A host that \
               these do not cover gets no interval, and the reason: one that is not the same again without the ions, that \
               changes its volume more, that is larger (cations without d electrons apart) or more dilute. With a phase \
               diagram, neither does one whose filled cell is more than 0.1 eV/atom above the hull, and would react \
               sooner than take up the ions; without one the stability of the filled host is not considered.",
        parameters: vec![
            host(),
            ion(),
            ion_number(),
            channel(),
            number("coverage", 0.9, "Probability with which the interval contains the DFT value.").measured(coverage),
            optional(
                "diagram",
                Kind::Diagram,
                Omitted::Means("decomposition is not looked at"),
                "A phase diagram, from phase_diagram(formula, energy), of formation energies on the scale of the model.",
            ),
        ],
        unit: None,
        example: "SELECT id, adsorption_interval(structure, 'Ca') AS v_ca FROM tmo WHERE id = 'nb12wo33'",
        kernel: in_session(Cost::Surface, structs(columns()), intervals),
    }]
}

fn coverage(x: f64) -> std::result::Result<f64, String> {
    if x > 0.0 && x < 1.0 { Ok(x) } else { Err(format!("coverage = {x}; it is a probability between 0 and 1")) }
}

/// One answer. eV per ion.
struct Judged {
    value: Option<f64>,
    radius: Option<f64>,
    calibrated_on: Option<String>,
    model: String,
    protocol: String,
    in_domain: bool,
    reason: Option<String>,
}

fn columns() -> Columns<Judged> {
    let unit = Some("eV per ion");
    let end = |sign: f64| move |row: &Judged| Some(row.value? + sign * row.radius?);
    Columns::<Judged>::new()
        .field("value", unit, "The adsorption potential, positive = favourable.", |row| row.value)
        .field("lower", unit, "Lower end of the interval.", end(-1.0))
        .field("upper", unit, "Upper end of it.", end(1.0))
        .field("model", None, "Name of the energy model.", |row| row.model.clone())
        .field("protocol", None, "How the value was computed.", |row| row.protocol.clone())
        .field("calibrated_on", None, "Which electrodes the interval was calibrated on.", |row| {
            row.calibrated_on.clone()
        })
        .field("in_domain", None, "True if the electrodes of known voltage cover such a host.", |row| row.in_domain)
        .field("reason", None, "Why they do not, or why there is no value or no interval.", |row| row.reason.clone())
}

fn intervals(arguments: &Arguments, context: &Context) -> Result<Vec<Option<Judged>>> {
    let found = places(arguments, context, Where { channel: 3, usual: "everywhere", model: None, stated: false })?;
    let model = model_of(arguments, context, None)?;
    let protocol = protocol(&context.options);
    let diagrams = arguments.texts(5)?;
    let read = arguments.read()?;
    Ok(arguments.rows(|i| {
        let row = super::kernel::Row { read: &read, i };
        let judged = |value, in_domain, reason| Judged {
            value,
            radius: None,
            calibrated_on: None,
            model: model.name().to_owned(),
            protocol: protocol.clone(),
            in_domain,
            reason,
        };
        let place = match &found[i].as_ref()?.places {
            Ok(places) => match places.first() {
                Some(Kept::Done(place)) => place,
                Some(Kept::Failed(reason)) => return Some(Ok(judged(None, false, Some(reason.clone())))),
                None => return Some(Ok(judged(None, false, Some("there is no site".into())))),
            },
            Err(reason) => return Some(Err(reason.clone().into())),
        };
        if !place.converged {
            return Some(Ok(judged(None, false, Some(unconverged(context.options.relax_steps)))));
        }
        let text = diagrams.as_ref().map(|texts| texts.value(i));
        let reason = match text.map(|text| decomposed(place, &model, text)).transpose() {
            Ok(reason) => reason.flatten(),
            Err(fault) => return Some(Err(fault)),
        };
        if let Some(reason) = reason.or_else(|| unlike(place, &context.options, model.id())) {
            return Some(Ok(judged(Some(place.potential), false, Some(reason))));
        }
        let answer = || {
            let ion = Ion::parse(row.text(1))?;
            let radius = voltage_radius(model.id(), ion.element, ion.charge, coverage(row.number(4))?);
            let judged = judged(Some(place.potential), true, radius.as_ref().err().cloned());
            let radius = radius.ok();
            Ok(Judged {
                radius: radius.as_ref().map(|radius| radius.voltage * f64::from(ion.charge)),
                calibrated_on: radius.map(|radius| radius.of),
                ..judged
            })
        };
        Some(answer())
    }))
}

/// Why a filled cell would rather be other phases, those of a diagram as text.
fn decomposed(place: &Place, model: &ModelPotential, diagram: &str) -> Answer<Option<String>> {
    let diagram = PhaseDiagram::from_text(diagram)?;
    let Some(structure) = place.structure() else { return Ok(None) };
    let cell = structure.composition();
    let references = &model.model().card().references;
    let reference = |element: Element| reference(references, element, model.name()).map_err(|e| e.to_string());
    let ef = formation_energy(&cell, place.e_inserted / cell.natoms(), reference)?;
    Ok(converts(diagram.e_above_hull(&cell, ef)?))
}

/// Why the known errors say nothing of a place.
fn unlike(place: &Place, options: &HollanditeOptions, model: &str) -> Option<String> {
    let usual = HollanditeOptions::default();
    let relaxed: [RelaxOptions; 2] = [relaxation(options), relaxation(&usual)];
    if relaxed[0].fmax > relaxed[1].fmax || options.insertion_starts < usual.insertion_starts {
        return Some(
            "the known errors are those of the usual settings of relaxations and starts, these are looser".into(),
        );
    }
    let structure: Structure = place.structure()?;
    let species = &structure.species()[..structure.len() - place.n];
    let host = crystal::Composition::from_elements(species);
    outside(
        model,
        &Case {
            host: &host,
            spacing: place.spacing,
            volume_change: place.volume_change,
            kept: place.emptied.map(|(_, kept)| kept),
        },
    )
}

fn protocol(options: &HollanditeOptions) -> String {
    format!(
        "host and filled cell relaxed to {} eV/Å in at most {} steps, best of up to {} starts",
        options.relax_fmax, options.relax_steps, options.insertion_starts
    )
}
