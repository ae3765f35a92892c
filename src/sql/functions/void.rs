use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Radii;
use crate::features;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Fraction of the cell that lies outside all atomic spheres, or that the centre of a probe sphere reaches; exact, so that its standard error is 0. With the structure alone it follows the convention of the column `void`.",
    syntax_example = "void(structure[, radii[, probe]])",
    sql_example = "SELECT id, void(structure, 'ionic', 0.76) FROM tmo WHERE void > 0.5",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "radii", description = "Radius set: atomic (the default), covalent, ionic or vdw."),
    argument(name = "probe", description = "Radius of the probe in Å; 0 where left out. Li+ is 0.76, Ca2+ is 1.00.")
)]
/// `void(structure[, radii[, probe]])`
#[derive(Debug)]
pub struct Void;

impl CrystalFunction for Void {
    fn name(&self) -> &'static str {
        "void"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("radii", Kind::Text),
                Parameter::optional("probe", Kind::Number),
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
        check_radii(self.name(), constants.get(1).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let radii = RadiiArgument::of(arguments, 1)?;
        let probe = arguments.numbers(2)?;
        let void = arguments.map(|i, s| {
            let probe = probe.as_ref().map_or(0.0, |column| column.value(i));
            let fraction = if radii.is_default() {
                features::default_void(s)
            } else {
                features::void_fraction(s, radii.get(i)?, probe)
            };
            fraction.map_err(|e| e.to_string())
        })?;
        Ok(Arc::new(Float64Array::from(void)))
    }
}

/// The radius set of each row.
pub(super) struct RadiiArgument(Option<StringArray>);

impl RadiiArgument {
    /// Reads argument `i`.
    pub fn of(arguments: &Arguments, i: usize) -> Result<Self> {
        Ok(Self(arguments.texts(i)?))
    }

    /// Whether the call names none.
    pub fn is_default(&self) -> bool {
        self.0.is_none()
    }

    /// The set of row `i`; atomic where the call names none.
    pub fn get(&self, i: usize) -> Result<Radii, String> {
        self.get_or(i, Radii::Atomic)
    }

    /// The set of row `i`; `default` where the call names none.
    pub fn get_or(&self, i: usize, default: Radii) -> Result<Radii, String> {
        match &self.0 {
            Some(names) if names.is_valid(i) => radii(names.value(i)),
            _ => Ok(default),
        }
    }
}

fn radii(name: &str) -> Result<Radii, String> {
    Radii::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Radii::NAMES.iter().map(|(name, _)| *name).collect();
        format!("no radius set '{name}'; known sets: {}", known.join(", "))
    })
}

/// Refuses an unknown radius set while the query is planned.
pub(super) fn check_radii(function: &str, constant: Option<&ScalarValue>) -> Result<()> {
    match constant.and_then(|value| value.try_as_str()).flatten() {
        Some(name) => radii(name).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_radius_set_is_refused_with_the_known_ones() {
        assert_eq!(radii("Ionic"), Ok(Radii::Shannon));
        let message = check_radii("void", Some(&ScalarValue::from("slater"))).unwrap_err().to_string();
        assert!(message.contains("void: no radius set 'slater'") && message.contains("atomic, covalent"), "{message}");
        check_radii("void", Some(&ScalarValue::from("vdw"))).unwrap();
        check_radii("void", None).unwrap();
    }
}
