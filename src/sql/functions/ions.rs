//! Ions in crystals: their radii, where they sit, putting them in and taking them out, and what that means for a battery.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::arguments::{channel, count, ion, ion_number, reason, relaxes, sites, spacing, structure};
use super::composition::collected;
use super::kernel::{Answer, Arguments, Columns, Context, Row, crystals, crystals_as, in_session, lists_of, plain};
use super::kernel::{rows, structs, values};
use super::surface::{Found, Where, places, unconverged};
use super::{Function, Kind, Omitted, Parameter, optional, required};
use crate::cost::Cost;
use crate::environment::Environment;
use crate::insertions::Kept;
use crate::structure_type::crystal_text;
use adsorption::{self, Capacity, InsertionSite, Reference, Within};
use crystal::Element;
use features::{self, Ion, ring_name};
use models::ModelError;
use models::ModelPotential;
use models::potential::Potential;
use stability::{elemental_references, reference_schemes};
use store::ReferenceEnergy;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "adsorption_potential",
            text: "Adsorption potential of an ion, positive = favourable: -(e_inserted - e_host - n e_ion) / n, from \
                   four energies; or of a crystal, as `adsorption_potential(structure, ion[, n[, channel[, spacing[, \
                   sites[, relaxes]]]]])`. Datta et al. (2024) write the opposite sign in their equations and this \
                   one in their text and figures. For a crystal the energy model of the session relaxes the host, n \
                   ions are inserted in several ways, each filled cell is relaxed, the best that converged is the \
                   answer, and all energies are those of that model; `adsorption` returns every step, and by what \
                   the numbers are limited. NULL if a relaxation did not converge. It takes seconds to minutes per \
                   crystal: filter first. Results are remembered in the store, and so is the relaxed host, for other \
                   ions.",
            parameters: vec![
                required(
                    "e_inserted",
                    Kind::CrystalOrNumber,
                    crystal_text!(
                        "Total energy of the cell with the ions, eV. Or the empty host: a structure, or ",
                        "."
                    ),
                ),
                required(
                    "e_host",
                    Kind::NumberOrName,
                    "Total energy of the same cell without them, eV. Or the ion, such as 'Li', 'Ca' or 'Al3+'.",
                )
                .parsed(Ion::parse),
                optional(
                    "e_ion",
                    Kind::Number,
                    Omitted::Means("1 ion"),
                    "Elemental reference energy of the ion, eV/atom, by the same functional. Or the number of ions \
                     in the cell.",
                ),
                optional(
                    "n",
                    Kind::NumberOrName,
                    Omitted::Means("everywhere"),
                    "Number of ions in the cell. Or where they go, as for insertion_sites.",
                )
                .parsed(Within::parse),
                spacing(),
                sites(),
                relaxes(),
            ],
            unit: Some("eV per ion"),
            example: "SELECT id, adsorption_potential(structure, 'Ca') AS v_ca FROM tmo WHERE id = 'nb12wo33'",
            kernel: in_session(Cost::Surface, values(), |arguments, context| match arguments.columns[0].data_type() {
                kind if !kind.is_numeric() && *kind != DataType::Null => potentials(arguments, context),
                _ if arguments.columns.len() == 4 => potentials_of_energies(arguments),
                _ => exec_err!("adsorption_potential needs four numbers, or a crystal and an ion"),
            }),
        },
        Function {
            name: "capacity",
            text: "Capacity of a host for n ions.",
            parameters: vec![
                required(
                    "host",
                    Kind::Composition,
                    crystal_text!("The empty host: a structure, a formula such as `FePO4`, or ", "."),
                ),
                required("ion", Kind::Text, "Symbol of the inserted element.").parsed(Element::from_symbol),
                required("n", Kind::Number, "Number of ions in the cell, or per formula."),
                valence(),
                optional(
                    "volume",
                    Kind::Number,
                    Omitted::Means("the volume of the structure"),
                    "Volume of the filled cell, or formula unit, Å³.",
                ),
            ],
            unit: None,
            example: "SELECT id, capacity(structure, 'Ca', 2, 2)['gravimetric'] FROM tmo",
            kernel: rows(Cost::Crystal, structs(capacity_columns()), |arguments| {
                let crystals = arguments.crystals(0)?;
                arguments.map_compositions(|row, amounts| {
                    let volume = row.given(4).or_else(|| Some(crystals.get(row.i)?.ok()?.volume()));
                    let (host, ion) = (collected(amounts), Element::from_symbol(row.text(1))?);
                    Ok(adsorption::capacity(&host, ion, row.number(2), row.number(3), volume)?)
                })
            }),
        },
        Function {
            name: "gibbs",
            text: "Gibbs energy e + p dv - t ds. In a solid at ambient conditions the last two terms are a few meV.",
            parameters: vec![
                required("e", Kind::Number, "Energy, eV."),
                required("p", Kind::Number, "Pressure, GPa."),
                required("dv", Kind::Number, "Change of volume, Å³."),
                required("t", Kind::Number, "Temperature, K."),
                required("ds", Kind::Number, "Change of entropy, eV/K."),
            ],
            unit: Some("eV"),
            example: "SELECT gibbs(-4.4, 0.0001, 10, 300, 8.6e-5)",
            kernel: plain(|row| {
                let [e, p, dv, t, ds] = [0, 1, 2, 3, 4].map(|k| row.number(k));
                Ok(adsorption::gibbs(e, p, dv, t, ds)?)
            }),
        },
        Function {
            name: "insert",
            text: "The crystal with n ions inserted into its cell. They go to those of the sites that \
                   insertion_sites finds, symmetry-equivalent ones included, that minimise the electrostatic energy \
                   of the inserted ions (formal charges, rigid host, interactions between the ions included), no two \
                   of them closer than 2 Å, at sites with at least three neighbours where there are enough. The \
                   host's atoms come first, in their order; nothing is relaxed. NULL and a warning if there is no \
                   site, or no room for n ions.",
            parameters: vec![structure(), ion(), ion_number(), channel(), sites()],
            unit: None,
            example: "SELECT id, to_cif(insert(structure, 'Ca', 1, 'hexagonal')) FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| {
                let (ion, within) = placed(row, 3)?;
                let n = count(row.number(2))?;
                Ok(match row.text(4).trim() {
                    "" => adsorption::insert(s, &ion, n, within)?.structure,
                    sites => adsorption::at(s, &ion, n, &adsorption::parse_sites(sites)?)?.structure,
                })
            }),
        },
        Function {
            name: "insertion_sites",
            text: "Sites where an ion can be inserted, those with at least three neighbours first, then by score: the \
                   symmetry-distinct maxima of the void (Shannon radii) that hold a sphere of at least half the \
                   ion's radius. Maxima within 0.5 Å of each other are one site.",
            parameters: vec![structure(), ion(), channel()],
            unit: None,
            example: "SELECT id, unnest(insertion_sites(structure, 'Ca', 'passing')) FROM tmo",
            kernel: crystals_as(Cost::Costly, lists_of(site_columns()), |row, s| {
                let (ion, within) = placed(row, 2)?;
                Ok(adsorption::insertion_sites(s, &ion, within)?)
            }),
        },
        Function {
            name: "insertion_voltage",
            text: "Average insertion voltage against the metal: the adsorption potential divided by the charge of \
                   the ion. For Li the two are numerically equal; for Ca the voltage is half.",
            parameters: vec![
                required("e_inserted", Kind::Number, "Total energy of the cell with the ions, eV."),
                required("e_host", Kind::Number, "Total energy of the same cell without them, eV."),
                required(
                    "e_ion",
                    Kind::Number,
                    "Elemental reference energy of the ion, eV/atom, by the same functional.",
                ),
                required("n", Kind::Number, "Number of ions in the cell."),
                valence(),
            ],
            unit: Some("V"),
            example: "SELECT insertion_voltage(-407.36, -400.0, -1.980, 2, 2)",
            kernel: plain(|row| {
                let [e_inserted, e_host, e_ion, n, valence] = [0, 1, 2, 3, 4].map(|k| row.number(k));
                Ok(adsorption::insertion_voltage(e_inserted, e_host, e_ion, n, valence)?)
            }),
        },
        Function {
            name: "ionic_radius",
            text: "Effective ionic radius in sixfold coordination (Shannon 1976): Li 0.76, Ca 1.00, Al 0.535.",
            parameters: vec![required(
                "ion",
                Kind::Text,
                "An ion such as 'Ca', 'Ca2+' or 'V4+'; without a charge, the most common one of the element.",
            )],
            unit: Some("Å"),
            example: "SELECT ion, ionic_radius(ion) FROM reference_energies",
            kernel: plain(|row| Ok(features::probe_radius(row.text(0))?)),
        },
        Function {
            name: "reference_energy",
            text: "Elemental reference energy, from the table reference_energies, of a scheme that formation_energy \
                   knows (MP2020), or by an energy model, which relaxed the element when it was imported. Different \
                   functionals are not comparable: where none matches, or two sources differ, the result is NULL and \
                   the warning says what is known and how to add a value.",
            parameters: vec![
                required("ion", Kind::Text, "Symbol of the element."),
                required(
                    "functional",
                    Kind::Text,
                    "As in the table, such as PBE; the name of an energy model, such as chgnet; or a scheme such as \
                     MP2020.",
                ),
                optional(
                    "source",
                    Kind::Text,
                    Omitted::Means("any source"),
                    "Prefix of the source, to choose among several entries.",
                ),
            ],
            unit: Some("eV/atom"),
            example: "SELECT reference_energy('Ca', 'PBE', 'Datta')",
            kernel: in_session(Cost::Cheap, values(), reference_energies),
        },
        Function {
            name: "remove",
            text: "The crystal without its ions of one element, all of them or n. If n are removed, those ions stay \
                   whose electrostatic energy is lowest (formal charges, rigid framework, all periodic images), as \
                   for insert; the charges of the framework are those it has without the ions. The other atoms keep \
                   their order and positions; nothing is relaxed. NULL and a warning if the crystal has no such ion, \
                   or fewer than n.",
            parameters: vec![
                structure(),
                required(
                    "ion",
                    Kind::Text,
                    "An element or ion such as 'Li', 'Ca' or 'O2-'; the charge only decides between orderings, and \
                     is the most common one of the element unless given.",
                )
                .parsed(Ion::parse),
                optional("n", Kind::Number, Omitted::Means("all"), "Number of ions removed from the cell."),
            ],
            unit: None,
            example: "SELECT id, to_poscar(remove(structure, 'O', 1)) FROM tmo WHERE id = 'rutile'",
            kernel: crystals(Cost::Costly, |row, s| {
                let n = row.given(2).map(count).transpose()?;
                Ok(adsorption::remove(s, &Ion::parse(row.text(1))?, n)?.0)
            }),
        },
    ]
}

fn valence() -> Parameter {
    required("valence", Kind::Number, "Charge of the cation: 1 for Li, 2 for Ca, 3 for Al.")
}

/// The ion of argument 1, and where it goes, of argument `k`.
fn placed(row: Row, k: usize) -> Answer<(Ion, Within)> {
    Ok((Ion::parse(row.text(1))?, Within::parse(row.text(k))?))
}

fn capacity_columns() -> Columns<Capacity> {
    Columns::<Capacity>::new()
        .field("gravimetric", Some("mAh/g"), "Per gram of the filled host.", |c| c.gravimetric)
        .field(
            "volumetric",
            Some("mAh/cm³"),
            "Per volume of the filled host; NULL for a formula without a volume.",
            |c| c.volumetric,
        )
}

fn site_columns() -> Columns<InsertionSite> {
    Columns::<InsertionSite>::new()
        .field("frac_coords", None, "Fractional coordinates of one of the equivalent sites.", |s| s.frac)
        .field("radius", Some("Å"), "Radius of the sphere that fits there.", |s| s.radius)
        .field(
            "channel",
            None,
            "Number, in channels(structure), of the channel to which it belongs, from 1; NULL in a closed cavity.",
            |s| s.channel.map(|index| index + 1),
        )
        .field("ring", None, "Number of polyhedra in the ring around that channel.", |s| s.ring)
        .field(
            "ring_name",
            None,
            "Name of that ring: 3 triangular, 4 rectangular, 6 hexagonal, 7 heptagonal ...",
            |s| s.ring.map(ring_name),
        )
        .field("passes", None, "True if the ion can move along that channel.", |s| s.passes)
        .field(
            "coordination",
            None,
            "Number of atoms of opposite charge (O in oxides) within the sum of the radii plus 0.45 Å.",
            |s| s.coordination,
        )
        .field("multiplicity", None, "Number of equivalent sites in the cell.", |s| s.multiplicity)
        .field(
            "score",
            Some("eV"),
            "Energy of the ion in a rigid host of formal charges: Ewald potential plus a Born-Mayer repulsion with \
             its minimum at the sum of the radii. It ranks the sites of one ion in one host and is not an adsorption \
             energy.",
            |s| s.score,
        )
}

/// The form of `adsorption_potential` whose first argument is a crystal.
fn potentials(arguments: &Arguments, context: &Context) -> Result<Vec<Option<f64>>> {
    let found = places(arguments, context, Where { channel: 3, usual: "everywhere", model: None, stated: true })?;
    let potential = |kept: &Kept| match kept {
        Kept::Done(place) if place.converged => Ok(place.potential),
        Kept::Done(_) => Err(unconverged(context.options.relax_steps)),
        Kept::Failed(reason) => Err(reason.clone()),
    };
    let first = |found: &Found| {
        let first = found.places.as_ref().map_err(Clone::clone)?.first();
        Ok(first.map_or_else(|| Err("there is no site".into()), potential)?)
    };
    Ok(arguments.rows(|i| found[i].as_ref().map(first)))
}

/// The form whose first argument is an energy.
fn potentials_of_energies(arguments: &Arguments) -> Result<Vec<Option<f64>>> {
    let columns = (0..4).map(|i| arguments.numbers(i)).collect::<Result<Vec<_>>>()?;
    let number = |i: usize, k: usize| columns[k].as_ref().map_or(f64::NAN, |column| column.value(i));
    Ok(arguments.rows(|i| {
        let [e_inserted, e_host, e_ion, n] = [0, 1, 2, 3].map(|k| number(i, k));
        Some(adsorption::adsorption_potential(e_inserted, e_host, e_ion, n).map_err(Into::into))
    }))
}

fn reference_energies(arguments: &Arguments, context: &Context) -> Result<Vec<Option<f64>>> {
    let rows = match context.environment.references() {
        Some(references) => references.get().map_err(|e| exec_datafusion_err!("reference_energy: {e}"))?,
        None => Arc::default(),
    };
    let (functionals, read) = (arguments.texts(1)?, arguments.read()?);
    let stated: Vec<Reference> = rows.iter().map(stated).chain(of_schemes()).collect();
    let models = models(&stated, functionals.iter().flatten().flatten(), context.environment);
    let known: Vec<Reference> = stated.into_iter().chain(models.iter().flat_map(of_model)).collect();
    let usual = &context.options.energy_model;
    Ok(arguments.rows(|i| {
        let row = Row { read: &read, i };
        let (functional, source) = (row.text(1), (!row.omits(2)).then(|| row.text(2)));
        let found = adsorption::reference_energy(&known, row.text(0), functional, source);
        let missing = |e: String| match usual.eq_ignore_ascii_case(functional) && models.is_empty() {
            true => format!("{e}; {}", ModelError::NoEnergyModel { name: functional.to_owned() }),
            false => e,
        };
        Some(found.map_err(|e| missing(reason(e)).into()))
    }))
}

/// An energy model that is named as a functional, by that name.
struct Named {
    functional: String,
    source: String,
    model: Arc<ModelPotential>,
}

/// The energy models among `functionals` by which nothing is stated.
fn models<'a>(
    stated: &[Reference],
    functionals: impl Iterator<Item = &'a str>,
    environment: &Environment,
) -> Vec<Named> {
    let distinct: BTreeSet<&str> = functionals.collect();
    let by = |functional: &str| stated.iter().any(|r| r.functional.is_some_and(|f| f.eq_ignore_ascii_case(functional)));
    let named = |functional: &str| {
        let model = environment.potential(functional).ok()?;
        Some(Named { functional: functional.to_owned(), source: format!("the model {}", model.name()), model })
    };
    distinct.into_iter().filter(|functional| !by(functional)).filter_map(named).collect()
}

/// The elemental reference energies of a model.
fn of_model(named: &Named) -> impl Iterator<Item = Reference<'_>> {
    named.model.model().card().references.iter().map(|(ion, energy)| Reference {
        ion,
        functional: Some(&named.functional),
        source: &named.source,
        energy: *energy,
    })
}

/// A row of the table.
pub(super) fn stated(row: &ReferenceEnergy) -> Reference<'_> {
    Reference { ion: &row.ion, functional: row.functional.as_deref(), source: &row.source, energy: row.energy }
}

/// The elemental energies from which formation energies are measured, as `formation_energy` names their schemes.
fn of_schemes<'a>() -> impl Iterator<Item = Reference<'a>> {
    reference_schemes().filter_map(|scheme| Some((scheme, elemental_references(scheme)?))).flat_map(|(scheme, set)| {
        set.iter().map(move |(element, energy)| Reference {
            ion: element.symbol(),
            functional: Some(scheme),
            source: set.source,
            energy,
        })
    })
}
