use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::spheres::{self, METHOD};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Structure;
use crate::features;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Diameter in Å of the largest sphere that fits somewhere in the channel through which the largest free sphere passes (Dif of Zeo++, there along one path); 0 where no sphere passes.",
    syntax_example = "largest_sphere_along_path(structure[, radii[, method]])",
    sql_example = "SELECT id, largest_sphere_along_path(structure) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "radii", description = "Radius set: ionic (the default), atomic, covalent or vdw."),
    argument(
        name = "method",
        description = "exact (the default): the clearance |p - x| - R itself. zeo: the radical network of the radii, with which Zeo++ approximates it; the same where all radii are equal."
    )
)]
/// `largest_sphere_along_path(structure[, radii[, method]])`
#[derive(Debug)]
pub struct LargestSphereAlongPath;

impl CrystalFunction for LargestSphereAlongPath {
    fn name(&self) -> &'static str {
        "largest_sphere_along_path"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("radii", Kind::Text), METHOD] }
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
        spheres::check(self.name(), constants.get(1), constants.get(2))
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let exact = |_, s: &Structure, r: &[f64]| features::largest_sphere_along_path(s, r).map_err(|e| e.to_string());
        spheres::of(arguments, 1, 2, exact, |_, s| Ok(s.dif))
    }
}
