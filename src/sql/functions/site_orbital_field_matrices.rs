use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{Rows, check_name, list_of, name_of};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{self, ORBITALS, ValenceShells};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "The orbital-field matrix of each site, row after row: 1024 numbers a site.",
    syntax_example = "site_orbital_field_matrices(structure[, shells])",
    sql_example = "SELECT id, site_orbital_field_matrices(structure)[1] FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "shells",
        description = "Which subshells are valence: matminer (the default, as matminer 0.10 counts them) or outermost (as published)."
    )
)]
/// `site_orbital_field_matrices(structure[, shells])`
#[derive(Debug)]
pub struct SiteOrbitalFieldMatrices;

impl CrystalFunction for SiteOrbitalFieldMatrices {
    fn name(&self) -> &'static str {
        "site_orbital_field_matrices"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("shells", Kind::Text)] }
    }

    fn returns(&self) -> DataType {
        list_of(list_of(DataType::Float64))
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_name(self.name(), constants.get(1).copied().flatten(), &ValenceShells::NAMES)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let names = arguments.texts(1)?;
        arguments.rows_of_numbers(|i, s| {
            let shells = name_of(names.as_ref(), i, &ValenceShells::NAMES)?;
            let sites = features::site_orbital_field_matrices(s, shells)?;
            Ok(Rows { width: ORBITALS * ORBITALS, values: sites.into_iter().flat_map(|m| m.concat()).collect() })
        })
    }
}
