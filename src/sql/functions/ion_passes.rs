use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::spheres::{check_dimensions, check_probe, dimensions};
use super::void::{RadiiArgument, check_radii};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Radii;
use crate::features;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Whether an ion passes through the crystal: whether the space open to the centre of a sphere of its radius (Shannon, sixfold) repeats along a lattice vector, or along at least 2, or 3, independent directions.",
    syntax_example = "ion_passes(structure, ion[, radii[, dimensions]])",
    sql_example = "SELECT id FROM tmo WHERE ion_passes(structure, 'Ca')",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "ion", description = "An ion such as 'Li', 'Ca' or 'V4+', or a radius in Å."),
    argument(name = "radii", description = "Radius set: ionic (the default), atomic, covalent or vdw."),
    argument(name = "dimensions", description = "Number of independent directions, 1 (the default) to 3.")
)]
/// `ion_passes(structure, ion[, radii[, dimensions]])`
#[derive(Debug)]
pub struct IonPasses;

impl CrystalFunction for IonPasses {
    fn name(&self) -> &'static str {
        "ion_passes"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::required("ion", Kind::NumberOrName),
                Parameter::optional("radii", Kind::Text),
                Parameter::optional("dimensions", Kind::Number),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Boolean
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_probe(self.name(), constants.get(1))?;
        check_dimensions(self.name(), constants.get(3))?;
        check_radii(self.name(), constants.get(2).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let ions = arguments.texts(1)?;
        let radii = RadiiArgument::of(arguments, 2)?;
        let wanted = arguments.numbers(3)?;
        let passes = arguments.map(|i, s| {
            let probe = ions.as_ref().map_or(Ok(0.0), |ions| features::probe_radius(ions.value(i)));
            let probe = probe.map_err(|e| e.to_string())?;
            let along = dimensions(wanted.as_ref().map_or(1.0, |column| column.value(i)))?;
            let radii = features::site_radii(s, radii.get_or(i, Radii::Shannon)?).map_err(|e| e.to_string())?;
            features::passes(s, &radii, probe).map(|rank| rank >= along).map_err(|e| e.to_string())
        })?;
        Ok(Arc::new(BooleanArray::from(passes)))
    }
}
