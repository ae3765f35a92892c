use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::insertion_sites::{check_ion, check_within, guest};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption;
use crate::columns::{structure_type, structures};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "The crystal with n ions put into its cell, on those of the sites that insertion_sites lists, and of their symmetric images, at which the energy of the guests in a rigid host of formal charges and of one another is least. No two are put nearer than 2 Å. The host's atoms come first, in their order; nothing is relaxed. NULL and a warning where there is no site, or not room for n: insert fewer.",
    syntax_example = "insert(structure, ion[, n[, channel]])",
    sql_example = "SELECT id, to_cif(insert(structure, 'Ca', 1, 'hexagonal')) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "ion",
        description = "An ion such as 'Li', 'Ca' or 'V4+'; without a charge the element's commonest."
    ),
    argument(name = "n", description = "How many, 1 where left out."),
    argument(
        name = "channel",
        description = "Where: 'everywhere' (the default), 'channels', 'passing', 'cavities', a number or a name such as 'hexagonal', as for insertion_sites."
    )
)]
/// `insert(structure, ion[, n[, channel]])`
#[derive(Debug)]
pub struct Insert;

impl CrystalFunction for Insert {
    fn name(&self) -> &'static str {
        "insert"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::required("ion", Kind::Text),
                Parameter::optional("n", Kind::Number),
                Parameter::optional("channel", Kind::NumberOrName),
            ]
        }
    }

    fn returns(&self) -> DataType {
        structure_type()
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_ion(self.name(), constants.get(1).copied().flatten())?;
        check_within(self.name(), constants.get(3).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let (ions, counts, channels) = (arguments.texts(1)?, arguments.numbers(2)?, arguments.texts(3)?);
        let rows = arguments.map(|i, s| {
            let (ion, within) = guest(ions.as_ref(), channels.as_ref(), i)?;
            let n = counts.as_ref().map_or(1.0, |counts| counts.value(i));
            if !(n >= 1.0 && n.fract() == 0.0) {
                return Err(format!("n = {n} is no number of ions"));
            }
            adsorption::insert(s, &ion, n as usize, within).map(|found| found.structure).map_err(|e| e.to_string())
        })?;
        Ok(Arc::new(structures(rows.iter().map(Option::as_ref))))
    }
}
