use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::energy_model;
use super::lists::{check_name, fields, name_of};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption::{Method, RelaxOptions, Relaxed, relax};
use crate::columns::{structure_type, structures};
use crate::crystal::Structure;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::sql::options::HollanditeOptions;
use crate::sql::relaxations::Remembering;

#[user_doc(
    doc_section(label = "Energy Functions"),
    description = "The crystal relaxed by an energy model: a struct of structure, energy (eV), energy_per_atom, converged, steps, fmax (longest force left, eV/Å) and volume_change (V / V0 - 1). Atoms move until no force is longer than fmax, and the cell with them unless cell is false; of the cell the force is the slope with the logarithm of its deformation over the number of atoms, as in ASE's FrechetCellFilter. The order of the atoms stays. Seconds a crystal: filter first. Remembered in the store, each crystal as it is done.",
    syntax_example = "relax(structure[, fmax[, steps[, cell[, method[, model]]]]])",
    sql_example = "SELECT id, relax(structure)['energy_per_atom'] AS e FROM tmo WHERE natoms <= 12",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "fmax", description = "Longest force left, eV/Å; 0.05 where left out."),
    argument(name = "steps", description = "Most steps; 200 where left out."),
    argument(name = "cell", description = "Whether the cell relaxes too; true where left out."),
    argument(name = "method", description = "Optimiser: 'fire' (the default) or 'bfgs'."),
    argument(
        name = "model",
        description = "Name of an energy model, or the path of one, as a constant; the option `hollandite.energy_model`, 'chgnet', where left out or empty."
    )
)]
/// `relax(structure[, fmax[, steps[, cell[, method[, model]]]]])`
#[derive(Debug)]
pub struct RelaxOf;

impl CrystalFunction for RelaxOf {
    fn name(&self) -> &'static str {
        "relax"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("fmax", Kind::Number),
                Parameter::optional("steps", Kind::Number),
                Parameter::optional("cell", Kind::Boolean),
                Parameter::optional("method", Kind::Text),
                Parameter::optional("model", Kind::Text),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Struct(columns())
    }

    fn cost(&self) -> Cost {
        Cost::Surface
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], environment: &Environment) -> Result<()> {
        check_name(self.name(), constants.get(4).copied().flatten(), &Method::NAMES)?;
        energy_model::check(self.name(), constants.get(5), environment)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let model = energy_model::of(arguments, Some(5))?;
        let (fmax, steps) = (arguments.numbers(1)?, arguments.numbers(2)?);
        let (cells, methods) = (arguments.booleans(3)?, arguments.texts(4)?);
        let session = HollanditeOptions::of(arguments.config);
        let usual = RelaxOptions::default();
        let asked = arguments.map(|i, s| {
            let steps = steps.as_ref().map_or(usual.steps as f64, |steps| steps.value(i));
            if !(steps >= 0.0 && steps.fract() == 0.0 && steps <= 1e6) {
                return Err(format!("{steps} is no number of steps"));
            }
            let options = RelaxOptions {
                method: name_of(methods.as_ref(), i, &Method::NAMES).map_err(|e| e.to_string())?,
                fmax: fmax.as_ref().map_or(usual.fmax, |fmax| fmax.value(i)),
                steps: steps as usize,
                cell: cells.as_ref().is_none_or(|cells| cells.value(i)),
                ..usual
            };
            Ok((s.clone(), options))
        })?;
        // Crystals with the same options go together, mostly all of them, and equal ones once.
        let mut ends: Vec<Option<std::result::Result<Relaxed, String>>> = vec![None; asked.len()];
        let mut left: Vec<usize> = (0..asked.len()).filter(|&i| asked[i].is_some()).collect();
        while let Some(options) = left.first().and_then(|&i| asked[i].as_ref()).map(|(_, options)| *options) {
            let same = |i: &usize| asked[*i].as_ref().is_some_and(|(_, other)| *other == options);
            let (now, later): (Vec<usize>, Vec<usize>) = left.into_iter().partition(same);
            let mut structures: Vec<&Structure> = Vec::new();
            let mut places = Vec::new();
            for (i, structure) in now.into_iter().filter_map(|i| Some((i, &asked[i].as_ref()?.0))) {
                let place = structures.iter().position(|other| *other == structure).unwrap_or(structures.len());
                if place == structures.len() {
                    structures.push(structure);
                }
                places.push((i, place));
            }
            let follower = Remembering::new(arguments.environment, model.model().id(), session.cache);
            let ControlFlow::Continue(found) = relax(model.as_ref(), &structures, &options, follower) else {
                return exec_err!("the relaxations were given up; those that had ended are remembered");
            };
            let found: Vec<_> = found.into_iter().map(|end| end.map_err(|e| e.to_string())).collect();
            for (i, place) in places {
                ends[i] = Some(found[place].clone());
            }
            left = later;
        }
        Ok(Arc::new(structs(&arguments.rows(|i| ends[i].clone()))))
    }
}

fn columns() -> Fields {
    fields([
        ("structure", structure_type()),
        ("energy", DataType::Float64),
        ("energy_per_atom", DataType::Float64),
        ("converged", DataType::Boolean),
        ("steps", DataType::Int32),
        ("fmax", DataType::Float64),
        ("volume_change", DataType::Float64),
    ])
}

fn structs(ends: &[Option<Relaxed>]) -> StructArray {
    let numbers = |of: &dyn Fn(&Relaxed) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter(ends.iter().map(|end| end.as_ref().map(of))))
    };
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(structures(ends.iter().map(|end| end.as_ref().map(|end| &end.structure)))),
        numbers(&|end| end.energy),
        numbers(&|end| end.energy / end.structure.len() as f64),
        Arc::new(BooleanArray::from_iter(ends.iter().map(|end| end.as_ref().map(|end| end.converged)))),
        Arc::new(Int32Array::from_iter(ends.iter().map(|end| end.as_ref().map(|end| end.steps as i32)))),
        numbers(&|end| end.fmax),
        numbers(&|end| end.volume_change),
    ];
    let valid = NullBuffer::from_iter(ends.iter().map(Option::is_some));
    StructArray::new(columns(), arrays, Some(valid))
}
