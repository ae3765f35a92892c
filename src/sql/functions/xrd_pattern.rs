use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::xrd_peaks::{WavelengthArgument, check_wavelength, lists};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{self, Profile};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "X-ray powder pattern as a curve to plot: a list of STRUCTs with the angle `two_theta` (degrees) and the `intensity` (highest point 100). Each peak of `xrd_peaks` is drawn as a pseudo-Voigt function, half Gaussian and half Lorentzian, of the same width at all angles.",
    syntax_example = "xrd_pattern(structure[, low[, high[, step[, fwhm[, wavelength]]]]])",
    sql_example = "SELECT unnest(xrd_pattern(structure, 10, 70, 0.02, 0.1)) AS point FROM tmo LIMIT 10",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "low", description = "First angle 2θ in degrees; 0 where left out."),
    argument(name = "high", description = "Last angle 2θ in degrees; 90 where left out."),
    argument(name = "step", description = "Distance of two points in degrees; 0.02 where left out."),
    argument(name = "fwhm", description = "Full width of a peak at half its height in degrees; 0.1 where left out."),
    argument(
        name = "wavelength",
        description = "A number in Å, or the name of a line as in `xrd_peaks`; CuKa where left out."
    )
)]
/// `xrd_pattern(structure[, low[, high[, step[, fwhm[, wavelength]]]]])`
#[derive(Debug)]
pub struct XrdPattern;

fn fields() -> Fields {
    ["two_theta", "intensity"].map(|name| Field::new(name, DataType::Float64, true)).into_iter().collect()
}

fn item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

impl CrystalFunction for XrdPattern {
    fn name(&self) -> &'static str {
        "xrd_pattern"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("low", Kind::Number),
                Parameter::optional("high", Kind::Number),
                Parameter::optional("step", Kind::Number),
                Parameter::optional("fwhm", Kind::Number),
                Parameter::optional("wavelength", Kind::NumberOrName),
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
        check_wavelength(self.name(), constants.get(5).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let mut numbers = [None, None, None, None];
        for (i, column) in numbers.iter_mut().enumerate() {
            *column = arguments.numbers(i + 1)?;
        }
        let wavelength = WavelengthArgument::of(arguments, 5)?;
        let left_out = Profile::default();
        let rows = arguments.map(|i, s| {
            let given = |column: &Option<Float64Array>, left_out| column.as_ref().map_or(left_out, |c| c.value(i));
            let [low, high, step, fwhm] = &numbers;
            let profile = Profile {
                low: given(low, left_out.low),
                high: given(high, left_out.high),
                step: given(step, left_out.step),
                fwhm: given(fwhm, left_out.fwhm),
                wavelength: wavelength.get(i)?,
            };
            features::xrd_pattern(s, &profile).map_err(|e| e.to_string())
        })?;
        let column = |k: usize| {
            let values = rows.iter().flatten().flatten().map(|point| point[k]);
            Arc::new(Float64Array::from_iter_values(values)) as ArrayRef
        };
        Ok(Arc::new(lists(&rows, item(), StructArray::new(fields(), vec![column(0), column(1)], None))))
    }
}
