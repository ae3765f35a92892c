//! `hollandite models add FILE`: weights of another program into the store.

use std::ops::ControlFlow;
use std::path::Path;

use crate::adsorption::element_energies;
use crate::cli::args::ModelsAdd;
use crate::cli::bars::Relaxing;
use crate::cli::console::note;
use crate::cli::{CliError, render};
use crate::models::Model;
use crate::models::weights::{Claims, Imported, import};

pub(crate) async fn run(store: Option<&Path>, args: &ModelsAdd) -> Result<(), CliError> {
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
    let imported = with_references(imported)?;
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
        note(remark);
    }
    Ok(())
}

/// An energy model is asked for the reference energy of each element, from which its formation energies are measured.
fn with_references(imported: Imported) -> Result<Imported, CliError> {
    let Imported { net, mut card, remarks } = imported;
    let model = Model::new(net.clone(), card.clone());
    let Ok(potential) = model.potential() else { return Ok(Imported { net, card, remarks }) };
    let bar = Relaxing::new();
    let energies = element_energies(&potential, |round| bar.show(round));
    if let ControlFlow::Continue(energies) = energies {
        card.references = energies;
    }
    Ok(Imported { net, card, remarks })
}
