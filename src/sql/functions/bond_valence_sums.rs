use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::list_of;
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "Sum of the valences of the bonds of each site (O'Keeffe & Brese 1991, atoms within 4 Å), a list in the order of the sites: positive on cations, near the oxidation state where all is well. As pymatgen's `calculate_bv_sum`.",
    syntax_example = "bond_valence_sums(structure[, scale])",
    sql_example = "SELECT id, bond_valence_sums(structure) FROM tmo WHERE id = 'rutile'",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "scale",
        description = "Distances are multiplied by it; 1.015 makes up for cells relaxed with a GGA functional; 1 where left out."
    )
)]
/// `bond_valence_sums(structure[, scale])`
#[derive(Debug)]
pub struct BondValenceSums;

impl CrystalFunction for BondValenceSums {
    fn name(&self) -> &'static str {
        "bond_valence_sums"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("scale", Kind::Number)] }
    }

    fn returns(&self) -> DataType {
        list_of(DataType::Float64)
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let scales = arguments.numbers(1)?;
        arguments.vectors(|i, s| features::bond_valence_sums(s, scales.as_ref().map_or(1.0, |scales| scales.value(i))))
    }
}
