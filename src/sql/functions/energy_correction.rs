use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{check_name, fields, list_of, lists, name_of};
use super::oxidation_states::{state_lists, states_type};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Element;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::stability::{Computed, Correction, OxideType, Scheme, correction};

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "What a correction scheme adds to the DFT energy of a crystal, so that calculations by PBE and PBE + U have one zero. A STRUCT of `correction` (eV/atom) and its `uncertainty`, `scheme`, `oxide_type` (oxide, hydroxide, peroxide, superoxide or ozonide, by the O-O and O-H distances), `oxidation_states` (a list of STRUCTs `element` and `state`, by which anions were told; empty where no choice is neutral) and `parts` (a list of STRUCTs `species`, `count` in the cell, `per_atom` in eV). Keep all of it beside the raw energy. NULL where the scheme takes PBE + U and the energy is PBE. U values and pseudopotentials are those of the Materials Project; `import-dft` checks them.",
    syntax_example = "energy_correction(structure, run_type[, scheme[, states]])",
    sql_example = "SELECT id, energy_correction(structure, 'GGA+U')['correction'] AS correction FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "run_type", description = "How the energy was computed: 'GGA' or 'GGA+U' (also 'PBE', 'PBE+U')."),
    argument(name = "scheme", description = "The scheme: 'MP2020', of the Materials Project (Wang et al. 2021)."),
    argument(
        name = "states",
        description = "Oxidation states to take, such as 'Na+1 Sb+3 Se-2', in place of those of oxidation_states(structure)."
    )
)]
/// `energy_correction(structure, run_type[, scheme[, states]])`
#[derive(Debug)]
pub struct EnergyCorrection;

impl CrystalFunction for EnergyCorrection {
    fn name(&self) -> &'static str {
        "energy_correction"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::required("run_type", Kind::Text),
                Parameter::optional("scheme", Kind::Text),
                Parameter::optional("states", Kind::Text),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Struct(columns())
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_name(self.name(), constants.get(1).copied().flatten(), &Computed::NAMES)?;
        check_name(self.name(), constants.get(2).copied().flatten(), &Scheme::NAMES)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let [run_types, schemes, states] = [arguments.texts(1)?, arguments.texts(2)?, arguments.texts(3)?];
        let found = arguments.map(|i, structure| {
            let computed = name_of(run_types.as_ref(), i, &Computed::NAMES).map_err(|e| e.to_string())?;
            let scheme = name_of(schemes.as_ref(), i, &Scheme::NAMES).map_err(|e| e.to_string())?;
            let states = states.as_ref().map(|states| read_states(states.value(i))).transpose()?;
            correction(scheme, structure, computed, states.as_deref())
        })?;
        Ok(Arc::new(structs(&found)?))
    }
}

/// Reads `Na+1 Sb+3 Se-2`.
fn read_states(text: &str) -> std::result::Result<Vec<(Element, f64)>, String> {
    let state = |word: &str| {
        let (symbol, state) = word.split_at(word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len()));
        let element = Element::from_symbol(symbol).ok();
        element.zip(state.parse().ok().filter(|state: &f64| state.is_finite()))
    };
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let fault = |word| format!("'{word}' is no oxidation state; write them as 'Na+1 Sb+3 Se-2'");
    words.map(|word| state(word).ok_or_else(|| fault(word))).collect()
}

fn columns() -> Fields {
    fields([
        ("correction", DataType::Float64),
        ("uncertainty", DataType::Float64),
        ("scheme", DataType::Utf8),
        ("oxide_type", DataType::Utf8),
        ("oxidation_states", states_type()),
        ("parts", list_of(DataType::Struct(part_columns()))),
    ])
}

fn part_columns() -> Fields {
    fields([("species", DataType::Utf8), ("count", DataType::Float64), ("per_atom", DataType::Float64)])
}

fn structs(found: &[Option<Correction>]) -> Result<StructArray> {
    let numbers = |of: fn(&Correction) -> f64| -> ArrayRef {
        Arc::new(found.iter().map(|c| c.as_ref().map(of)).collect::<Float64Array>())
    };
    let texts = |of: fn(&Correction) -> Option<&'static str>| -> ArrayRef {
        Arc::new(found.iter().map(|c| c.as_ref().and_then(of)).collect::<StringArray>())
    };
    let states: Vec<Option<&[(Element, f64)]>> =
        found.iter().map(|c| c.as_ref().map(|c| c.states.as_slice())).collect();
    let parts = || found.iter().flatten().flat_map(|c| &c.parts);
    let part_arrays: Vec<ArrayRef> = vec![
        Arc::new(parts().map(|part| Some(part.species)).collect::<StringArray>()),
        Arc::new(parts().map(|part| part.count).collect::<Float64Array>()),
        Arc::new(parts().map(|part| part.per_atom).collect::<Float64Array>()),
    ];
    let lengths = found.iter().map(|c| c.as_ref().map(|c| c.parts.len())).collect();
    let arrays = vec![
        numbers(|c| c.per_atom),
        numbers(|c| c.uncertainty),
        texts(|c| Some(c.scheme.name())),
        texts(|c| c.oxide_type.map(OxideType::name)),
        Arc::new(state_lists(&states)?) as ArrayRef,
        Arc::new(lists(lengths, Arc::new(StructArray::try_new(part_columns(), part_arrays, None)?))),
    ];
    let nulls = NullBuffer::from_iter(found.iter().map(Option::is_some));
    Ok(StructArray::try_new(columns(), arrays, Some(nulls))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_as_text() {
        let states = read_states("Fe+2.5, O-2").unwrap();
        assert_eq!(states, [(Element::from_symbol("Fe").unwrap(), 2.5), (Element::O, -2.0)]);
        for text in ["Fe", "Xx+1", "Fe+nan", "2-O"] {
            assert!(read_states(text).unwrap_err().contains("is no oxidation state"), "{text}");
        }
    }
}
