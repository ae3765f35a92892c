//! How fast an ion moves along a channel, by an energy model.

use datafusion::common::Result;

use super::arguments::{energy_model, host, ion, whole};
use super::kernel::{Arguments, Columns, Context, in_session, structs};
use super::surface::{model_of, relaxation, unconverged};
use super::{Function, Kind, Omitted, Parameter, number, optional};
use crate::cost::Cost;
use crate::journeys::{Image, Kept, Question, answers};
use adsorption::Within;
use features::{Ion, ring_name};
use models::potential::Potential;

/// Ends of a hop that differ by more, eV, are not the same site.
const UNEVEN: f64 = 0.05;

/// Which channel an ion moves along.
pub(crate) fn path_channel() -> Parameter {
    let text = "Which channel: that of the best site in 'channels' or 'passing', the number of a channel from 1, or a name such as \
                'hexagonal'. 'everywhere' and 'cavities': none, hops of up to 7 Å between neighbouring sites, as between layers.";
    optional("channel", Kind::NumberOrName, Omitted::Text("channels"), text).parsed(Within::parse)
}

/// How many images of a hop move.
pub(crate) fn images() -> Parameter {
    number("images", 5.0, "Number of moving images in each hop.").measured(image_count)
}

/// How far the ion is from its images: out of reach of the graphs of the energy models.
pub(crate) fn path_spacing() -> Parameter {
    let text = "Least distance between the ion and its periodic images, Å: the smallest supercell of the primitive cell that \
                keeps it.";
    number("spacing", 6.0, text).measured(least_spacing)
}

pub(super) fn functions() -> Vec<Function> {
    vec![Function {
        name: "migration_barrier",
        text: "Migration barrier of an ion along a channel, by an energy model, and the path. The host is relaxed with its cell; one ion \
               is relaxed at up to hollandite.insertion_starts (4) sites of the channel, in a supercell whose cell is held; from \
               the lowest the way to the same site one period on is cut into hops, and each is relaxed as a climbing-image \
               nudged elastic band (improved tangent, FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and \
               hollandite.relax_steps, 200). The barrier is the highest energy of all hops minus the lowest. Where no channel \
               is to be followed ('everywhere'), the ways along the three shortest independent lattice vectors are computed \
               and the one with the lowest barrier is the answer. \
               It takes minutes per crystal: filter first, with bvse_barrier for instance. Results are \
               remembered in the store, and so is the relaxed host. NULL and a warning if no channel has a site for the ion.",
        parameters: vec![host(), ion(), path_channel(), images(), path_spacing(), energy_model()],
        unit: None,
        example: "SELECT id, migration_barrier(structure, 'Li')['barrier'] AS barrier FROM tmo WHERE id = 'hollandite-mno2'",
        kernel: in_session(Cost::Surface, structs(path_columns()), migrations),
    }]
}

fn image_count(n: f64) -> std::result::Result<usize, String> {
    whole("images", n, 1.0, 64.0)
}

fn least_spacing(x: f64) -> std::result::Result<f64, String> {
    match x > 0.0 && x.is_finite() {
        true => Ok(x),
        false => Err(format!("spacing = {x} Å; it must be positive")),
    }
}

/// The way of an ion, and what it is measured by.
struct Found {
    model: String,
    functional: Option<String>,
    /// Steps that a relaxation may take.
    steps: usize,
    kept: Kept,
}

fn migrations(arguments: &Arguments, context: &Context) -> Result<Vec<Option<Found>>> {
    let model = model_of(arguments, context, Some(5))?;
    let questions = arguments.map(|row, s| {
        Ok(Question {
            host: s.clone(),
            ion: Ion::parse(row.text(1))?,
            channel: row.text(2).to_owned(),
            images: image_count(row.number(3))?,
            spacing: least_spacing(row.number(4))?,
            starts: context.options.insertion_starts.max(1),
        })
    })?;
    let found = answers(context.environment, &model, &questions, &relaxation(&context.options), context.options.cache)?;
    Ok(arguments.rows(|i| {
        let one = |kept| Found {
            model: model.name().to_owned(),
            functional: model.model().card().correction_scheme.clone(),
            steps: context.options.relax_steps,
            kept,
        };
        found[i].clone().map(|outcome| outcome.map(one).map_err(Into::into))
    }))
}

fn path_columns() -> Columns<Found> {
    let images = Columns::<Image>::new()
        .field("hop", None, "Number of the hop, from 1.", |i| i.hop)
        .field("image", None, "Number of the image in the hop; 0 and the last are its ends.", |i| i.image)
        .field("distance", Some("Å"), "How far the ion has come, hops counted together.", |i| i.distance)
        .field("energy", Some("eV"), "Energy relative to that of the ion at its site.", |i| i.energy)
        .field("structure", None, "The cell; the ion is the last atom.", |i| i.structure.clone());
    Columns::<Found>::new()
        .field("barrier", Some("eV"), "Highest energy of the path minus the lowest.", |f| f.kept.barrier)
        .items(
            "path",
            "The images, hop after hop. Hops that symmetry makes equivalent are listed once.",
            |f| f.kept.path(),
            images,
        )
        .field("channel", None, "Number of the channel in the relaxed host, from 1; NULL if none was to be followed.", |f| {
            f.kept.channel.map(|index| index + 1)
        })
        .field("channel_name", None, "Name of its ring, such as hexagonal.", |f| f.kept.ring.map(ring_name))
        .field(
            "uneven",
            Some("eV"),
            "Largest difference between the energies of the ends of the hops, which are equal by symmetry. Above 0.05 eV the ion or the \
             host has relaxed to another minimum at one of them, and the barrier is not that of the path from a site to the next.",
            |f| f.kept.uneven,
        )
        .field("spacing", Some("Å"), "Distance between the ion and its nearest periodic image.", |f| f.kept.spacing)
        .field("natoms", None, "Number of atoms of the supercell, the ion included.", |f| f.kept.natoms())
        .field("converged", None, "True if all relaxations and bands converged.", |f| f.kept.converged)
        .field("fmax", Some("eV/Å"), "Largest remaining force on an image.", |f| f.kept.fmax())
        .field("steps", None, "Number of steps of relaxations and bands.", |f| f.kept.steps)
        .field("model", None, "Name of the energy model.", |f| f.model.clone())
        .field("functional", None, "Functional and corrections of the data that the model was trained on.", |f| {
            f.functional.clone()
        })
        .field("reason", None, "Why the barrier is not that of a relaxed path.", |f| match f.kept.uneven > UNEVEN {
            _ if !f.kept.converged => Some(unconverged(f.steps)),
            true => Some(format!("the ends of a hop, equal by symmetry, differ by {:.2} eV", f.kept.uneven)),
            false => None,
        })
}
