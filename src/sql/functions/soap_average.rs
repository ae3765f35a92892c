use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{check_name, list_of, name_of};
use super::soap::{SoapArguments, check_channels};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{self, Average};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "SOAP power spectrum of the crystal, averaged over its sites: one vector, as `soap` has one for each site.",
    syntax_example = "soap_average(structure[, average[, channels[, r_cut[, n_max[, l_max[, sigma]]]]]])",
    sql_example = "SELECT id, soap_average(structure, 'inner', 'blind') FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "average",
        description = "inner (the default: the expansion coefficients are averaged) or outer (the spectra are)."
    ),
    argument(
        name = "channels",
        description = "Which atoms share an expansion: own (the default: each element of the crystal), blind (all alike), electronegativity (all, weighted by it), or a list of elements such as 'O Ti V'."
    ),
    argument(name = "r_cut", description = "Radius of the outermost orbital in Å, over 1; 5 where left out."),
    argument(name = "n_max", description = "Number of radial orbitals, 1 to 20; 8 where left out."),
    argument(name = "l_max", description = "Highest degree of the harmonics, 0 to 20; 6 where left out."),
    argument(name = "sigma", description = "Width of an atom's Gaussian in Å; 1 where left out.")
)]
/// `soap_average(structure[, average[, channels[, r_cut[, n_max[, l_max[, sigma]]]]]])`
#[derive(Debug)]
pub struct SoapAverage;

impl CrystalFunction for SoapAverage {
    fn name(&self) -> &'static str {
        "soap_average"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("average", Kind::Text),
                Parameter::optional("channels", Kind::Text),
                Parameter::optional("r_cut", Kind::Number),
                Parameter::optional("n_max", Kind::Number),
                Parameter::optional("l_max", Kind::Number),
                Parameter::optional("sigma", Kind::Number),
            ]
        }
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

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_name(self.name(), constants.get(1).copied().flatten(), &AVERAGES)?;
        check_channels(self.name(), constants.get(2).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let averages = arguments.texts(1)?;
        let options = SoapArguments::of(arguments, 2)?;
        arguments.vectors(|i, s| {
            let average = name_of(averages.as_ref(), i, &AVERAGES)?;
            Ok(features::soap(s, &options.options(i, average)?)?.values)
        })
    }
}

/// What may be averaged; the first where the call does not say.
const AVERAGES: [(&str, Average); 2] = [("inner", Average::Inner), ("outer", Average::Outer)];
