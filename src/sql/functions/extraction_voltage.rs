use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::insertion_sites::{check_ion, guest};
use super::remove::count;
use super::{Arguments, CrystalFunction, Kind, Parameter, energy_model};
use crate::adsorption::{Extraction, RelaxOptions, extract};
use crate::crystal::Structure;
use crate::features::Ion;
use crate::models::potential::Potential;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::sql::options::HollanditeOptions;
use crate::sql::relaxations::Remembering;

#[user_doc(
    doc_section(label = "Energy Functions"),
    description = "Average voltage at which ions leave a crystal that holds them, such as a lithiated cathode, in V against their metal, by an energy model: -(e_full - e_left - n e_ion) / (n z), with z the ion's charge. Positive where the ions are held: it is what charging the cell takes and discharging it gives, the same sign as insertion_voltage. The crystal is relaxed with its cell (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), the ions are taken out of the relaxed crystal as `remove` does, and what is left is relaxed with its cell in turn; e_ion is the ion's element by itself, all by the same model. Seconds to minutes a crystal: filter first. Its relaxations are remembered in the store. With energies of your own: insertion_voltage.",
    syntax_example = "extraction_voltage(structure, ion[, n[, model]])",
    sql_example = "SELECT id, extraction_voltage(insert(structure, 'Li', 2), 'Li') FROM tmo WHERE id = 'rutile'",
    argument(name = "structure", description = "The crystal with its ions: a structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "ion",
        description = "An ion such as 'Li', 'Ca' or 'Al3+'; without a charge the element's commonest."
    ),
    argument(name = "n", description = "How many of the cell go; all where left out."),
    argument(
        name = "model",
        description = "Name of an energy model, or the path of one, as a constant; the option `hollandite.energy_model`, 'chgnet', where left out or empty."
    )
)]
/// `extraction_voltage(structure, ion[, n[, model]])`
#[derive(Debug)]
pub struct ExtractionVoltage;

impl CrystalFunction for ExtractionVoltage {
    fn name(&self) -> &'static str {
        "extraction_voltage"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::required("ion", Kind::Text),
                Parameter::optional("n", Kind::Number),
                Parameter::optional("model", Kind::Text),
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

    fn check(&self, constants: &[Option<&ScalarValue>], environment: &Environment) -> Result<()> {
        check_ion(self.name(), constants.get(1).copied().flatten())?;
        energy_model::check(self.name(), constants.get(3), environment)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let (ions, counts) = (arguments.texts(1)?, arguments.numbers(2)?);
        let questions = arguments.map(|i, s| {
            let (ion, _) = guest(ions.as_ref(), None, i)?;
            if ion.charge == 0 {
                return Err("an ion without a charge has no voltage".into());
            }
            let n = counts.as_ref().map(|counts| count(counts.value(i))).transpose()?;
            Ok((s.clone(), ion, n))
        })?;
        let voltages = voltages(arguments, &questions)?;
        Ok(Arc::new(Float64Array::from(arguments.rows(|i| voltages[i].clone()))))
    }
}

/// Voltages, V, or why there is none; `None` for a row that asks nothing. Every relaxation is remembered as it ends.
fn voltages(
    arguments: &Arguments,
    questions: &[Option<(Structure, Ion, Option<usize>)>],
) -> Result<Vec<Option<std::result::Result<f64, String>>>> {
    let (environment, options) = (arguments.environment, HollanditeOptions::of(arguments.config));
    let model = energy_model::of(arguments, Some(3))?;
    let asked = || questions.iter().flatten();
    let requests: Vec<Extraction<'_>> =
        asked().map(|(crystal, ion, n)| Extraction { crystal, ion: *ion, n: *n }).collect();
    let relaxation = RelaxOptions { fmax: options.relax_fmax, steps: options.relax_steps, ..RelaxOptions::default() };
    let references = &model.model().card().references;
    let mut follower = Remembering::new(environment, model.id(), options.cache);
    let outcome = extract(model.as_ref(), references, &requests, &relaxation, &mut follower);
    let ControlFlow::Continue(outcome) = outcome else {
        return exec_err!("the relaxations were given up; those that had ended are remembered");
    };
    let mut ends = outcome.into_iter().zip(asked()).map(|(end, (_, ion, _))| match end {
        Ok(end) if end.converged => Ok(end.potential / f64::from(ion.charge)),
        Ok(_) => {
            let steps = options.relax_steps;
            Err(format!("a relaxation did not converge in {steps} steps; SET hollandite.relax_steps to more"))
        }
        Err(error) => Err(error.to_string()),
    });
    Ok(questions.iter().map(|question| question.as_ref().and_then(|_| ends.next())).collect())
}
