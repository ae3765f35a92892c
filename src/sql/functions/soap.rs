use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{Rows, list_of};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Element;
use crate::error::FeatureError;
use crate::features::{self, Average, Channels, SoapOptions};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "SOAP power spectrum of each site, with dscribe's radial basis, order and norm: for each pair of elements by atomic number, then l, n, n'. Crystals of unlike elements have vectors that cannot be compared, unless the channels are blind, electronegativity or one list of elements.",
    syntax_example = "soap(structure[, channels[, r_cut[, n_max[, l_max[, sigma]]]]])",
    sql_example = "SELECT id, soap(structure, 'blind', 5, 4, 3, 0.5)[1] FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "channels",
        description = "Which atoms share an expansion: own (the default: each element of the crystal), blind (all alike), electronegativity (all, weighted by it), or a list of elements such as 'O Ti V'."
    ),
    argument(name = "r_cut", description = "Radius of the outermost orbital in Å, over 1; 5 where left out."),
    argument(name = "n_max", description = "Number of radial orbitals, 1 to 20; 8 where left out."),
    argument(name = "l_max", description = "Highest degree of the harmonics, 0 to 20; 6 where left out."),
    argument(name = "sigma", description = "Width of an atom's Gaussian in Å; 1 where left out.")
)]
/// `soap(structure[, channels[, r_cut[, n_max[, l_max[, sigma]]]]])`
#[derive(Debug)]
pub struct SoapOf;

impl CrystalFunction for SoapOf {
    fn name(&self) -> &'static str {
        "soap"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("channels", Kind::Text),
                Parameter::optional("r_cut", Kind::Number),
                Parameter::optional("n_max", Kind::Number),
                Parameter::optional("l_max", Kind::Number),
                Parameter::optional("sigma", Kind::Number),
            ]
        }
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
        check_channels(self.name(), constants.get(1).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let options = SoapArguments::of(arguments, 1)?;
        arguments.rows_of_numbers(|i, s| {
            let found = features::soap(s, &options.options(i, Average::Off)?)?;
            Ok(Rows { width: found.features, values: found.values })
        })
    }
}

/// The options that both functions of SOAP share: columns from `channels` on.
pub(super) struct SoapArguments {
    channels: Option<StringArray>,
    numbers: [Option<Float64Array>; 4],
}

impl SoapArguments {
    /// Reads the arguments from number `first` on.
    pub fn of(arguments: &Arguments, first: usize) -> Result<Self> {
        let number = |k: usize| arguments.numbers(first + 1 + k);
        let numbers = [number(0)?, number(1)?, number(2)?, number(3)?];
        Ok(Self { channels: arguments.texts(first)?, numbers })
    }

    /// The options of row `i`.
    pub fn options(&self, i: usize, average: Average) -> Result<SoapOptions, FeatureError> {
        let default = SoapOptions::default();
        let number = |k: usize, default: f64| self.numbers[k].as_ref().map_or(default, |column| column.value(i));
        let count = |k: usize, default: usize, name: &str| match number(k, default as f64) {
            x if x >= 0.0 && x <= f64::from(u8::MAX) && x.fract() == 0.0 => Ok(x as usize),
            x => Err(FeatureError::Argument(format!("{name} = {x} is no small whole number"))),
        };
        let channels = match &self.channels {
            Some(column) => channels(column.value(i)).map_err(FeatureError::Argument)?,
            None => Channels::Own,
        };
        Ok(SoapOptions {
            r_cut: number(0, default.r_cut),
            n_max: count(1, default.n_max, "n_max")?,
            l_max: count(2, default.l_max, "l_max")?,
            sigma: number(3, default.sigma),
            average,
            channels,
        })
    }
}

/// The channels that a text names.
fn channels(text: &str) -> Result<Channels, String> {
    let is = |name: &str| text.trim().eq_ignore_ascii_case(name);
    if is("own") {
        return Ok(Channels::Own);
    }
    if is("blind") {
        return Ok(Channels::Blind);
    }
    if is("electronegativity") {
        return Ok(Channels::Electronegativity);
    }
    let symbols = text.split([',', ' ']).filter(|s| !s.is_empty());
    let elements: Vec<Element> = symbols.map(Element::from_symbol).collect::<Result<_, _>>().map_err(|e| {
        format!("channels '{text}': {e}; give own, blind, electronegativity, or symbols such as 'O Ti V'")
    })?;
    if elements.is_empty() {
        return Err("channels names no element".into());
    }
    Ok(Channels::Elements(elements))
}

/// Refuses unknown channels while the query is planned.
pub(super) fn check_channels(function: &str, constant: Option<&ScalarValue>) -> Result<()> {
    match constant.and_then(|value| value.try_as_str()).flatten() {
        Some(text) => channels(text).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_by_name_and_by_elements() {
        let of = |symbols: &[&str]| symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect::<Vec<_>>();
        assert_eq!(channels("Blind"), Ok(Channels::Blind));
        assert_eq!(channels("O, Ti V"), Ok(Channels::Elements(of(&["O", "Ti", "V"]))));
        assert!(channels("blnd").unwrap_err().contains("give own, blind"));
        assert!(channels(" ").is_err());
    }
}
