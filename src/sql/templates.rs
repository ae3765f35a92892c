//! What crystals to generate, as the user names them, and the templates of a table to draw them from.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use crystal::stop::Stop;
use crystal::{Composition, DEFAULT_SYMPREC, Element, Structure};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::execution::SendableRecordBatchStream;
use features::{neutral_states, usual_states};
use futures::StreamExt;
use generation::{Request, TemplateSampler, Templates, Tokens};
use rayon::prelude::*;

use crate::structure_type::Crystals;
use crate::{quoted_name, quoted_text};

/// Crystals of the elements of a list such as `Mo,V,O`, all of them or some.
///
/// # Errors
/// A symbol that is none, fewer than two elements, or no element that can be a cation, or an anion, with the remedy.
pub fn request_of_elements(list: &str) -> Result<Request, String> {
    let symbols = list.split(',').map(str::trim).filter(|symbol| !symbol.is_empty());
    let mut elements = symbols.map(Element::from_symbol).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    elements.sort_unstable();
    elements.dedup();
    let some = |sign: i8| elements.iter().any(|&e| usual_states(e).iter().any(|state| state.signum() == sign));
    match (some(1), some(-1)) {
        _ if elements.len() < 2 => Err(format!("'{list}' names fewer than two elements; list them as in 'Mo,V,O'")),
        (false, _) => {
            Err(format!("none of {list} is a cation in the usual oxidation states: add a metal, as in 'Mo,V,O'"))
        }
        (_, false) => Err(format!("none of {list} is an anion in the usual oxidation states: add one, such as O")),
        (true, true) => Ok(Request { elements, ..Request::default() }),
    }
}

/// Crystals of the composition of a formula such as `Nb2O5`.
///
/// # Errors
/// A text that is no formula, or a composition that is not charge-neutral.
pub fn request_of_formula(formula: &str) -> Result<Request, String> {
    let composition = Composition::parse(formula.trim()).map_err(|e| e.to_string())?;
    match neutral_states(&composition) {
        Some(_) => Ok(Request::of_composition(composition)),
        None => Err(format!(
            "{formula} is not charge-neutral in any of the usual oxidation states: is an atom missing, hydrogen for instance?"
        )),
    }
}

/// The query for the crystals of a table, which [`read_templates`] reads.
pub(super) fn templates_query(table: &str) -> String {
    let table = quoted_name(table);
    format!("SELECT arrow_cast(id, {}) AS id, structure FROM {table} WHERE structure IS NOT NULL", quoted_text("Utf8"))
}

/// What draws crystals of a request: the templates of the crystals that `rows` holds, the columns id and structure. Of a crystal of
/// other proportions, or more elements, than are asked for no symmetry is sought. In memory are the templates, and a batch of rows.
///
/// # Errors
/// Rows that cannot be read or are no crystals, none at all, or none whose template fits the request, with the remedy. `table` is their
/// name there.
pub(super) async fn read_templates(
    mut rows: SendableRecordBatchStream,
    request: Request,
    table: &str,
) -> Result<TemplateSampler> {
    let (mut templates, mut crystals) = (Templates::default(), 0);
    while let Some(batch) = rows.next().await.transpose()? {
        crystals += batch.num_rows();
        let (ids, structures) = (cast(batch.column(0), &DataType::Utf8)?, Arc::clone(batch.column(1)));
        let (asked, stop) = (request.clone(), Stop::current());
        let read = move || stop.during(|| tokens(&ids, &structures, &asked));
        let read = tokio::task::spawn_blocking(read).await;
        let read = read.map_err(|e| exec_datafusion_err!("reading the symmetry of crystals of {table}: {e}"))??;
        read.iter().for_each(|(id, tokens)| templates.add(id, tokens));
    }
    if crystals == 0 {
        return exec_err!("{table} has no crystal to take a template from: import crystals, or name another table");
    }
    let remedy = if request.sites.is_some() { ", or allow more sites" } else { "" };
    let wanted = request.to_string();
    let sampler = TemplateSampler::new(Arc::new(templates), request);
    match sampler.fitting() {
        0 => exec_err!(
            "none of the {crystals} crystals of {table} has a template for {wanted}: name a table with more crystals{remedy}"
        ),
        _ => Ok(sampler),
    }
}

/// The crystals of a batch in tokens, those that may fit a request.
fn tokens(ids: &ArrayRef, structures: &ArrayRef, request: &Request) -> Result<Vec<(String, Tokens)>> {
    let (ids, crystals, stop) = (ids.as_string::<i32>(), Crystals::try_new(structures)?, Stop::current());
    let of = |structure: &Structure| {
        let fits = !stop.is_given() && Templates::may_fit(request, &structure.composition());
        fits.then(|| Tokens::of(structure, DEFAULT_SYMPREC).ok()).flatten()
    };
    // A row that is no crystal, or not charge-neutral, is no template.
    let row = |i: usize| {
        let id = if ids.is_valid(i) { ids.value(i) } else { "" };
        Some((id.to_owned(), of(&crystals.get(i)?.ok()?)?))
    };
    Ok((0..structures.len()).into_par_iter().filter_map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_made_says_what_is_missing() {
        for (list, said) in [
            ("Mo,V", "none of Mo,V is an anion"),
            ("O, F", "is a cation"),
            ("O", "fewer than two elements"),
            ("O,O", "fewer than two elements"),
            ("", "fewer than two elements"),
            ("Mo,Vx,O", "'Vx'"),
        ] {
            let message = request_of_elements(list).unwrap_err();
            assert!(message.contains(said), "{list}: {message}");
        }
        let request = request_of_elements(" O,Mo, V").unwrap();
        let symbols: Vec<&str> = request.elements.iter().map(|e| e.symbol()).collect();
        assert_eq!((symbols, request.composition), (vec!["O", "V", "Mo"], None));
        for (formula, said) in [("TiO3", "charge-neutral"), ("Nb", "charge-neutral"), ("Nbx", "Nbx")] {
            let message = request_of_formula(formula).unwrap_err();
            assert!(message.contains(said), "{formula}: {message}");
        }
        let dense = Request { sites: Some(40), ..request_of_formula("Nb4O10").unwrap() };
        assert_eq!(dense.to_string(), "Nb2O5 with at most 40 atoms in the conventional cell");
    }
}
