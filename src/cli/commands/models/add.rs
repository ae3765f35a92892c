//! `hollandite models add FILE`: weights of another program into the store.

use std::path::Path;

use crate::cli::args::ModelsAdd;
use crate::cli::{CliError, render};
use crate::models::weights::{Claims, import};

pub async fn run(store: Option<&Path>, args: &ModelsAdd) -> Result<(), CliError> {
    let claims = Claims {
        name: args.name.clone(),
        property: args.property.clone(),
        unit: args.units.clone(),
        correction_scheme: args.correction_scheme.clone(),
        elements: args.elements.clone(),
        licence: args.licence.clone(),
        longest_bond: args.longest_bond,
        member: args.member.clone(),
    };
    let imported = import(&args.file, &claims).map_err(|e| CliError::Below(e.into()))?;
    let store = super::super::open(store).await?;
    let file = store.add_model(&imported.net, &imported.card)?;
    let card = &imported.card;
    render::print(&format!(
        "model {} ({}): {}, {} parameters, predicts {} in {} for {} elements\n{}\n",
        card.name,
        card.id,
        card.architecture,
        card.parameters,
        card.target,
        card.unit,
        card.elements.len(),
        file.display()
    ))?;
    for remark in &imported.remarks {
        eprintln!("{remark}");
    }
    Ok(())
}
