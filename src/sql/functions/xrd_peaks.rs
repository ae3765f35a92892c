use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Float64Builder, Int32Builder, ListArray, ListBuilder, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::sql::structure_type::is_text;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Peaks of the ideal X-ray powder pattern in order of angle, equal to pymatgen's `XRDCalculator`: a list of STRUCTs with the angle `two_theta` (degrees), the `intensity` (the strongest peak has 100; structure factor, Lorentz and polarisation factors), the spacing `d` (Å), `hkl` (one set of Miller indices for each family of planes, hkil in a hexagonal cell) and `multiplicity` (the number of reflections). Spread the list with `unnest`.",
    syntax_example = "xrd_peaks(structure[, wavelength[, low[, high]]])",
    sql_example = "SELECT id, unnest(xrd_peaks(structure, 'MoKa', 0, 40)) AS peak FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "wavelength",
        description = "A number in Å, or Ka, Ka1, Ka2 or Kb1 of Cu, Mo, Cr, Fe, Co or Ag, such as `MoKa1`; CuKa (1.54184 Å) where left out."
    ),
    argument(name = "low", description = "Least angle 2θ in degrees; 0 where left out."),
    argument(name = "high", description = "Greatest angle 2θ in degrees; 90 where left out.")
)]
/// `xrd_peaks(structure[, wavelength[, low[, high]]])`
#[derive(Debug)]
pub struct XrdPeaks;

fn fields() -> Fields {
    let indices = DataType::List(Arc::new(Field::new_list_field(DataType::Int32, true)));
    Fields::from(vec![
        Field::new("two_theta", DataType::Float64, true),
        Field::new("intensity", DataType::Float64, true),
        Field::new("d", DataType::Float64, true),
        Field::new_list("hkl", Field::new_list_field(indices, true), true),
        Field::new("multiplicity", DataType::Int32, true),
    ])
}

fn item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

impl CrystalFunction for XrdPeaks {
    fn name(&self) -> &'static str {
        "xrd_peaks"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("wavelength", Kind::NumberOrName),
                Parameter::optional("low", Kind::Number),
                Parameter::optional("high", Kind::Number),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::List(item())
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_wavelength(self.name(), constants.get(1).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let wavelength = WavelengthArgument::of(arguments, 1)?;
        let [low, high] = [arguments.numbers(2)?, arguments.numbers(3)?];
        let angle = |column: &Option<Float64Array>, i: usize, left_out| {
            column.as_ref().map_or(left_out, |column| column.value(i))
        };
        let rows = arguments.map(|i, s| {
            let range = (angle(&low, i, 0.0), angle(&high, i, 90.0));
            features::xrd_peaks(s, wavelength.get(i)?, range).map_err(|e| e.to_string())
        })?;

        let [mut two_theta, mut intensity, mut d] = std::array::from_fn(|_| Float64Builder::new());
        let mut hkl = ListBuilder::new(ListBuilder::new(Int32Builder::new()));
        let mut multiplicity = Int32Builder::new();
        for peak in rows.iter().flatten().flatten() {
            two_theta.append_value(peak.two_theta);
            intensity.append_value(peak.intensity);
            d.append_value(peak.d);
            for family in &peak.families {
                hkl.values().values().append_slice(family.indices());
                hkl.values().append(true);
            }
            hkl.append(true);
            multiplicity.append_value(peak.multiplicity() as i32);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(two_theta.finish()),
            Arc::new(intensity.finish()),
            Arc::new(d.finish()),
            Arc::new(hkl.finish()),
            Arc::new(multiplicity.finish()),
        ];
        Ok(Arc::new(lists(&rows, item(), StructArray::new(fields(), columns, None))))
    }
}

/// One list a row of `rows`, of as many elements, over `values`, which hold those of all rows in order.
pub(super) fn lists<T>(rows: &[Option<Vec<T>>], item: Arc<Field>, values: StructArray) -> ListArray {
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
    let valid: NullBuffer = rows.iter().map(Option::is_some).collect();
    ListArray::new(item, offsets, Arc::new(values), Some(valid))
}

/// The wavelength of each row: a number, or the name of a line.
pub(super) enum WavelengthArgument {
    LeftOut,
    Numbers(Float64Array),
    Names(StringArray),
}

impl WavelengthArgument {
    /// Reads argument `i`.
    pub fn of(arguments: &Arguments, i: usize) -> Result<Self> {
        let text = arguments.columns.get(i).is_some_and(|column| is_text(column.data_type()));
        if text && let Some(names) = arguments.texts(i)? {
            return Ok(Self::Names(names));
        }
        Ok(arguments.numbers(i)?.map_or(Self::LeftOut, Self::Numbers))
    }

    /// The wavelength of row `i`, Å; Cu K-alpha where the call names none.
    pub fn get(&self, i: usize) -> Result<f64, String> {
        match self {
            Self::LeftOut => Ok(features::CU_KA),
            Self::Numbers(numbers) => Ok(numbers.value(i)),
            Self::Names(names) => wavelength(names.value(i)),
        }
    }
}

fn wavelength(name: &str) -> Result<f64, String> {
    features::wavelength(name).ok_or_else(|| {
        let known: Vec<&str> = features::WAVELENGTHS.iter().map(|(name, _)| *name).collect();
        format!("no wavelength '{name}'; give a number in Å, or one of {}", known.join(", "))
    })
}

/// Refuses the name of an unknown line while the query is planned.
pub(super) fn check_wavelength(function: &str, constant: Option<&ScalarValue>) -> Result<()> {
    match constant.and_then(|value| value.try_as_str()).flatten() {
        Some(name) => wavelength(name).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
        None => Ok(()),
    }
}
