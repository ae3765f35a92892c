//! `hollandite plot density FILE`.

use std::path::Path;

use super::super::charges::{find, read};
use crate::adsorption::charge::{difference, moved};
use crate::cli::CliError;
use crate::cli::args::PlotDensity;
use crate::formats::{Quantity, Volumetric};
use crate::report::plots::density::{Slice, density};
use crate::report::plots::labels;

pub(crate) fn run(args: &PlotDensity) -> Result<(), CliError> {
    let whole = read(&find(&args.file)?)?;
    let formula = labels::formula(&whole.structure.composition().reduced_formula());
    let name = |path: &Path| path.file_name().map_or_else(Default::default, |n| n.to_string_lossy().into_owned());
    let (field, what) = subtracted(whole, &args.minus)?;
    let unit = field.quantity.unit();
    let (integral, volume) = (field.integral(), field.structure.volume());
    let note = match (field.quantity, what) {
        (Quantity::Density, true) => {
            let (count, net) = moved(&field);
            let [count, net] = [count, net].map(|x| labels::number(x, 4));
            format!("½ ∫ |Δρ| = {count} electrons moved; ∫ Δρ = {net}")
        }
        (Quantity::Density, false) => {
            format!("{} electrons in {} Å³", labels::number(integral, 4), labels::number(volume, 2))
        }
        _ => format!("mean {} {unit}", labels::number(integral / volume, 4)).trim_end().to_owned(),
    };
    let title = match args.minus.len() {
        0 => format!("{} · {formula}", name(&args.file)),
        n => format!("{} less {n} part{} · {formula}", name(&args.file), if n == 1 { "" } else { "s" }),
    };
    let slice = Slice { field: &field, difference: what, title, note, axis: args.axis, at: args.at, limit: args.limit };
    super::save(&density(&slice)?.0, &args.out)
}

/// The field less the parts, and whether there are any.
fn subtracted(whole: Volumetric, minus: &[std::path::PathBuf]) -> Result<(Volumetric, bool), CliError> {
    if minus.is_empty() {
        return Ok((whole, false));
    }
    let parts = minus.iter().map(|path| read(&find(path)?)).collect::<Result<Vec<_>, CliError>>()?;
    Ok((difference(&whole, &parts).map_err(|e| CliError::Below(e.into()))?, true))
}
