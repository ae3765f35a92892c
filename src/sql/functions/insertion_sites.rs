use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{fields, list_of, lists};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption::{self, InsertionSite, Within};
use crate::features::{Ion, ring_name};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Where an ion can sit: a list of STRUCTs, one for each symmetry-distinct maximum of the void in which a sphere of half the ion's radius fits, of lowest score first. Radii are Shannon's; maxima within 0.5 Å are one site. frac_coords: fractional coordinates of one of the equal sites. radius: the sphere that fits there, Å. channel: the one it drains into, by its place in channels(structure), from 1; NULL in a closed cavity. ring, ring_name: the polyhedra around that channel and what it is called by them (3 triangular, 4 rectangular, 6 hexagonal, 7 heptagonal ...). passes: whether the ion travels along that channel. coordination: atoms of the other charge, in oxides O, within the sum of the radii and 0.45 Å. multiplicity: equal sites in the cell. score: energy of the ion in a rigid host of formal charges, eV: Ewald potential, and a Born-Mayer repulsion that has its equilibrium at the sum of the radii. It ranks the sites of one ion in one host, and is no adsorption energy.",
    syntax_example = "insertion_sites(structure, ion[, channel])",
    sql_example = "SELECT id, unnest(insertion_sites(structure, 'Ca', 'passing')) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "ion",
        description = "An ion such as 'Li', 'Ca' or 'V4+'; without a charge the element's commonest."
    ),
    argument(
        name = "channel",
        description = "Sites everywhere (the default), in channels, in channels that the ion is passing, or in closed cavities: 'everywhere', 'channels', 'passing', 'cavities'. Or in one channel, by its number from 1; or in those of a name, such as 'hexagonal'."
    )
)]
/// `insertion_sites(structure, ion[, channel])`
#[derive(Debug)]
pub struct InsertionSites;

impl CrystalFunction for InsertionSites {
    fn name(&self) -> &'static str {
        "insertion_sites"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::required("ion", Kind::Text),
                Parameter::optional("channel", Kind::NumberOrName),
            ]
        }
    }

    fn returns(&self) -> DataType {
        list_of(DataType::Struct(columns()))
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_ion(self.name(), constants.get(1).copied().flatten())?;
        check_within(self.name(), constants.get(2).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let (ions, channels) = (arguments.texts(1)?, arguments.texts(2)?);
        let rows = arguments.map(|i, s| {
            let (ion, within) = guest(ions.as_ref(), channels.as_ref(), i)?;
            adsorption::insertion_sites(s, &ion, within).map_err(|e| e.to_string())
        })?;
        let lengths = rows.iter().map(|row| row.as_ref().map(Vec::len)).collect();
        let all: Vec<InsertionSite> = rows.into_iter().flatten().flatten().collect();
        Ok(Arc::new(lists(lengths, Arc::new(structs(&all)))))
    }
}

/// The ion and the channel of row `i`.
pub(super) fn guest(
    ions: Option<&StringArray>,
    channels: Option<&StringArray>,
    i: usize,
) -> Result<(Ion, Within), String> {
    let ion = Ion::parse(ions.map_or("", |ions| ions.value(i))).map_err(|e| e.to_string())?;
    let within = channels.map_or(Ok(Within::default()), |channels| Within::parse(channels.value(i)));
    Ok((ion, within.map_err(|e| e.to_string())?))
}

/// Refuses what is no ion while the query is planned.
pub(super) fn check_ion(function: &str, constant: Option<&ScalarValue>) -> Result<()> {
    match constant.and_then(|value| value.try_as_str()).flatten() {
        Some(name) => Ion::parse(name).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
        None => Ok(()),
    }
}

/// Refuses what names no channel while the query is planned.
pub(super) fn check_within(function: &str, constant: Option<&ScalarValue>) -> Result<()> {
    match constant.and_then(|value| value.try_as_str()).flatten() {
        Some(name) => Within::parse(name).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
        None => Ok(()),
    }
}

fn columns() -> Fields {
    fields([
        ("frac_coords", list_of(DataType::Float64)),
        ("radius", DataType::Float64),
        ("channel", DataType::Int32),
        ("ring", DataType::Int32),
        ("ring_name", DataType::Utf8),
        ("passes", DataType::Boolean),
        ("coordination", DataType::Int32),
        ("multiplicity", DataType::Int32),
        ("score", DataType::Float64),
    ])
}

fn structs(sites: &[InsertionSite]) -> StructArray {
    let coordinates = Float64Array::from_iter_values(sites.iter().flat_map(|site| site.frac));
    let numbers =
        |of: fn(&InsertionSite) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(sites.iter().map(of))) };
    let counts = |of: fn(&InsertionSite) -> Option<usize>| -> ArrayRef {
        Arc::new(Int32Array::from_iter(sites.iter().map(|site| of(site).map(|n| n as i32))))
    };
    let values: Vec<ArrayRef> = vec![
        Arc::new(lists(vec![Some(3); sites.len()], Arc::new(coordinates))),
        numbers(|site| site.radius),
        counts(|site| site.channel.map(|index| index + 1)),
        counts(|site| site.ring),
        Arc::new(StringArray::from_iter(sites.iter().map(|site| site.ring.map(ring_name)))),
        Arc::new(BooleanArray::from_iter(sites.iter().map(|site| Some(site.passes)))),
        counts(|site| Some(site.coordination)),
        counts(|site| Some(site.multiplicity)),
        numbers(|site| site.score),
    ];
    StructArray::new(columns(), values, None)
}
