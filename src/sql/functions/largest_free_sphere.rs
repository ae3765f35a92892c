use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::spheres::{self, METHOD, check_dimensions, dimensions};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Structure;
use crate::features::{self, Spheres};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Diameter in Å of the largest sphere that passes through the crystal (Df of Zeo++), or that passes along at least 2, or 3, independent directions; 0 where none does. Half of it is the radius of the largest ion that migrates.",
    syntax_example = "largest_free_sphere(structure[, radii[, dimensions[, method]]])",
    sql_example = "SELECT id FROM tmo WHERE largest_free_sphere(structure, 'ionic', 2) > 2 * 0.76",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "radii", description = "Radius set: ionic (the default), atomic, covalent or vdw."),
    argument(name = "dimensions", description = "Number of independent directions, 1 (the default) to 3."),
    argument(
        name = "method",
        description = "exact (the default): the clearance |p - x| - R itself. zeo: the radical network of the radii, with which Zeo++ approximates it; the same where all radii are equal."
    )
)]
/// `largest_free_sphere(structure[, radii[, dimensions[, method]]])`
#[derive(Debug)]
pub struct LargestFreeSphere;

impl CrystalFunction for LargestFreeSphere {
    fn name(&self) -> &'static str {
        "largest_free_sphere"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("radii", Kind::Text),
                Parameter::optional("dimensions", Kind::Number),
                METHOD,
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_dimensions(self.name(), constants.get(2))?;
        spheres::check(self.name(), constants.get(1), constants.get(3))
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let wanted = arguments.numbers(2)?;
        let along = |i: usize| wanted.as_ref().map_or(Ok(1), |column| dimensions(column.value(i)));
        let exact = |i: usize, s: &Structure, r: &[f64]| {
            features::largest_free_sphere(s, r, along(i)?).map_err(|e| e.to_string())
        };
        let zeo = |i: usize, s: &Spheres| Ok(s.df_by_dimension[along(i)? - 1]);
        spheres::of(arguments, 1, 3, exact, zeo)
    }
}
