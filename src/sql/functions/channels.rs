use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::spheres::check_probe;
use super::void::{RadiiArgument, check_radii};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Radii;
use crate::features::{self, Channel, Ring};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "The channels of a crystal, a list of structs, widest first. A channel is a connected part of the space open to the centre of the probe that repeats along a lattice vector. Without a probe every channel is taken at the width of its own bottleneck, before narrower gaps join it to others. axis: direction of the widest path. dimensionality: 1, 2 or 3 independent directions. bottleneck_radius: largest sphere that travels along the axis, Å. included_radius: largest sphere that fits somewhere in the channel, Å. ring_size, ring, ring_name, ring_area: the fewest linked cation polyhedra that close a ring around the axis, their elements, what such a channel is called (4 rectangular, 6 hexagonal, 7 heptagonal ...), and the area of the polygon of their centres looking along the axis, Å² (NULL between layers). window: the atoms that bound the opening. area: the opening itself, looking along the axis, that no atom covers as far as it is seen from the bottleneck, Å² (NULL where the channel winds). accessible_volume: volume in the cell that the probe's centre reaches, Å³; without a probe, the void that drains into the channel.",
    syntax_example = "channels(structure[, probe[, radii]])",
    sql_example = "SELECT id, unnest(channels(structure, 'Ca')) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "probe",
        description = "An ion such as 'Li', 'Ca' or 'V4+', whose Shannon radius (sixfold) is the probe, or a radius in Å."
    ),
    argument(name = "radii", description = "Radius set: ionic (the default), atomic, covalent or vdw.")
)]
/// `channels(structure[, probe[, radii]])`
#[derive(Debug)]
pub struct Channels;

impl CrystalFunction for Channels {
    fn name(&self) -> &'static str {
        "channels"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("probe", Kind::NumberOrName),
                Parameter::optional("radii", Kind::Text),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Struct(fields()), true)))
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_probe(self.name(), constants.get(1))?;
        check_radii(self.name(), constants.get(2).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let probes = arguments.texts(1)?;
        let radii = RadiiArgument::of(arguments, 2)?;
        let rows = arguments.map(|i, s| {
            let radii = features::site_radii(s, radii.get_or(i, Radii::Shannon)?).map_err(|e| e.to_string())?;
            let channels = match &probes {
                Some(probes) => {
                    features::probe_radius(probes.value(i)).and_then(|probe| features::channels(s, &radii, probe))
                }
                None => features::tunnels(s, &radii),
            };
            channels.map_err(|e| e.to_string())
        })?;
        let valid = NullBuffer::from_iter(rows.iter().map(Option::is_some));
        let lengths = OffsetBuffer::from_lengths(rows.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
        let all: Vec<Channel> = rows.into_iter().flatten().flatten().collect();
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields()), true));
        Ok(Arc::new(ListArray::try_new(item, lengths, Arc::new(structs(&all)), Some(valid))?))
    }
}

fn fields() -> Fields {
    [
        ("axis", DataType::Utf8),
        ("dimensionality", DataType::Int32),
        ("bottleneck_radius", DataType::Float64),
        ("included_radius", DataType::Float64),
        ("ring_size", DataType::Int32),
        ("ring", DataType::Utf8),
        ("ring_name", DataType::Utf8),
        ("ring_area", DataType::Float64),
        ("window", DataType::Utf8),
        ("area", DataType::Float64),
        ("accessible_volume", DataType::Float64),
    ]
    .into_iter()
    .map(|(name, kind)| Field::new(name, kind, true))
    .collect()
}

fn structs(channels: &[Channel]) -> StructArray {
    let ring = |c: &Channel| c.ring.clone();
    let numbers = |of: &dyn Fn(&Channel) -> Option<f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(channels.iter().map(of)))
    };
    let counts = |of: &dyn Fn(&Channel) -> Option<usize>| -> ArrayRef {
        Arc::new(Int32Array::from_iter(channels.iter().map(|c| of(c).map(|n| n as i32))))
    };
    let texts = |of: &dyn Fn(&Channel) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(channels.iter().map(of)))
    };
    let columns = vec![
        texts(&|c| Some(c.direction())),
        counts(&|c| Some(c.dimensionality)),
        numbers(&|c| Some(c.bottleneck_radius)),
        numbers(&|c| Some(c.included_radius)),
        counts(&|c| ring(c).map(|r| r.size())),
        texts(&|c| ring(c).as_ref().map(Ring::formula)),
        texts(&|c| ring(c).as_ref().map(Ring::name)),
        numbers(&|c| ring(c).map(|r| r.area)),
        texts(&|c| Some(c.window_formula())),
        numbers(&|c| c.area),
        numbers(&|c| Some(c.accessible_volume)),
    ];
    StructArray::new(fields(), columns, None)
}
