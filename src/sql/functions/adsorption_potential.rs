use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::adsorption::places;
use super::insertion_sites::{check_ion, check_within};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption;
use crate::sql::adsorption::{Kept, Places};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Ion Functions"),
    description = "Adsorption potential of an ion in eV per ion, positive = favourable: -(e_inserted - e_host - n e_ion) / n. The paper (Datta et al. 2024) writes the opposite sign in its equations and this one in its text and figures. With a crystal as the first argument the whole loop is run by the energy model of the session: the host is relaxed, n ions are put where they are held best in the channel that is named, the cell with them is relaxed, and all energies are those of that one model. `adsorption` gives every number on the way. Seconds to minutes a crystal: filter first. Remembered in the store, each crystal as it is done, and its relaxed host for other ions.",
    syntax_example = "adsorption_potential(e_inserted, e_host, e_ion, n) or adsorption_potential(structure, ion[, n[, channel]])",
    sql_example = "SELECT id, adsorption_potential(structure, 'Ca') AS v_ca FROM tmo WHERE id = 'Nb12WO33'",
    argument(
        name = "e_inserted",
        description = "Total energy of the cell with the ions, eV. Or the empty host: a structure, or CIF, POSCAR or JSON text."
    ),
    argument(
        name = "e_host",
        description = "Total energy of the same cell without them, eV. Or the ion, such as 'Li', 'Ca' or 'Al3+'."
    ),
    argument(
        name = "e_ion",
        description = "Reference energy of the ion, eV/atom, of the same functional. Or the number of ions in the cell, 1 where left out."
    ),
    argument(
        name = "n",
        description = "Number of ions in the cell. Or where they go: 'everywhere' (the default), 'channels', 'passing', 'cavities', a number or a name such as 'hexagonal', as for insertion_sites."
    )
)]
/// `adsorption_potential(e_inserted, e_host, e_ion, n)` and `adsorption_potential(structure, ion[, n[, channel]])`
#[derive(Debug)]
pub struct AdsorptionPotential;

impl CrystalFunction for AdsorptionPotential {
    fn name(&self) -> &'static str {
        "adsorption_potential"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("e_inserted", Kind::CrystalOrNumber),
                Parameter::required("e_host", Kind::NumberOrName),
                Parameter::optional("e_ion", Kind::Number),
                Parameter::optional("n", Kind::NumberOrName),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Surface
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        // Text in the second place is an ion, and then text in the fourth a place.
        let text = |i: usize| constants.get(i).copied().flatten().filter(|value| value.try_as_str().is_some());
        check_ion(self.name(), text(1))?;
        check_within(self.name(), text(3))
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        match arguments.columns[0].data_type() {
            kind if !kind.is_numeric() && *kind != DataType::Null => crystals(arguments),
            _ if arguments.columns.len() == 4 => energies(arguments),
            _ => exec_err!("adsorption_potential needs four numbers, or a crystal and an ion"),
        }
    }
}

/// The form whose first argument is a crystal.
fn crystals(arguments: &Arguments) -> Result<ArrayRef> {
    let found = places(arguments, Some(3), None)?;
    let potential = |kept: &Kept| match kept {
        Kept::Done(place) => Ok(place.potential),
        Kept::Failed(reason) => Err(reason.clone()),
    };
    let first =
        |places: &Places| places.as_ref().map_err(Clone::clone)?.first().map_or(Err("no place".into()), potential);
    Ok(Arc::new(Float64Array::from(arguments.rows(|i| found[i].as_ref().map(first)))))
}

/// The form whose first argument is an energy.
fn energies(arguments: &Arguments) -> Result<ArrayRef> {
    arguments.map_numbers(|[e_inserted, e_host, e_ion, n]| {
        adsorption::adsorption_potential(e_inserted, e_host, e_ion, n).map_err(|e| e.to_string())
    })
}
