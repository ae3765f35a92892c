//! `hollandite models show NAME`: the card of a model, in words or as JSON.

use std::path::Path;

use crate::cli::args::Format;
use crate::cli::{CliError, commands, render};
use crate::generation::wyckoff::WyckoffCard;
use crate::generation::{SamplerKind, WyckoffModel};
use crate::models::conformal::Calibration;
use crate::models::ensemble::Ensemble;
use crate::models::{Found, ModelCard, behind, find};

/// Where a line of the card is broken.
const WIDTH: usize = 110;

pub(crate) async fn run(store: Option<&Path>, name: &str, format: Format) -> Result<(), CliError> {
    let store = commands::open(store).await?;
    if let Some((name, _)) = WyckoffModel::kept(name, &store.models_folder()) {
        let model = WyckoffModel::find(&name, Some(&store.models_folder()), false);
        return generator(model.map_err(|e| CliError::Failed(e.to_string()))?.card(), format);
    }
    let found = find(name, Some(&store.models_folder())).map_err(|e| CliError::Below(e.into()))?;
    let text = match (format, &found) {
        (Format::Table, Found::Model(model)) => card(model.card()),
        (Format::Table, Found::Ensemble(members)) => ensemble(members),
        (Format::Json, found) => {
            let json = match found {
                Found::Model(model) => model.card().to_json(),
                Found::Ensemble(ensemble) => serde_json::to_value(ensemble.card()),
            };
            json.and_then(|card| pretty(&card)).map_err(|e| unprintable(name, &e))?
        }
        _ => return Err(neither()),
    };
    render::print(&text)
}

/// The card of a network that writes crystals.
fn generator(card: &WyckoffCard, format: Format) -> Result<(), CliError> {
    let text = match format {
        Format::Table => {
            let mut facts = Facts::default();
            facts.add("generator", card.name.clone());
            facts.add("network", format!("{}, {} parameters", SamplerKind::WYCKOFF, card.parameters));
            facts.add("data", card.data.clone());
            facts.add(
                "split",
                format!("{} crystals to learn from, {} held out by formula", card.crystals, card.held_out),
            );
            facts.add(
                "training",
                format!(
                    "epochs: {}, the best {}; steps of {} crystals; rate {}; {:.2} h",
                    card.epochs,
                    card.best_epoch,
                    card.batch,
                    card.learning_rate,
                    card.seconds / 3600.0
                ),
            );
            facts.add(
                "surprise",
                format!("{:.2} nats per crystal, {:.2} of those held out", card.loss, card.held_out_loss),
            );
            facts.text()
        }
        Format::Json => {
            serde_json::to_value(card).and_then(|json| pretty(&json)).map_err(|e| unprintable(&card.name, &e))?
        }
        _ => return Err(neither()),
    };
    render::print(&text)
}

fn pretty(card: &serde_json::Value) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(card)? + "\n")
}

fn unprintable(name: &str, error: &serde_json::Error) -> CliError {
    CliError::Failed(format!("the card of {name} cannot be printed: {error}"))
}

fn neither() -> CliError {
    CliError::Usage("a card is printed as table or json".into())
}

/// Facts under one another, long ones over several lines.
#[derive(Default)]
struct Facts(Vec<(String, String)>);

impl Facts {
    fn add(&mut self, label: &str, value: impl Into<String>) {
        self.0.push((label.to_owned(), value.into()));
    }

    fn text(&self) -> String {
        let indent = self.0.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0) + 2;
        let mut text = String::new();
        for (label, value) in &self.0 {
            let mut label = label.as_str();
            for line in value.lines().flat_map(|line| broken(line, WIDTH - indent)) {
                text += &format!("{label:indent$}{line}\n");
                label = "";
            }
        }
        text
    }
}

/// A line in pieces of at most `width` characters, as far as it has blanks.
fn broken(line: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in line.split(' ') {
        let last = pieces.last_mut().expect("there is one from the start");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            *last += &format!(" {word}");
        } else {
            pieces.push(word.to_owned());
        }
    }
    pieces
}

fn card(card: &ModelCard) -> String {
    let mut facts = Facts::default();
    facts.add("model", format!("{}, id {}", card.name, card.id));
    facts.add("predicts", card.quantity().to_string());
    facts.add("network", format!("{}, {} parameters", card.architecture, card.parameters));
    facts.add("settings", card.config.settings());
    facts.add("data", card.data.clone());
    facts.0.extend(card.correction_scheme.iter().map(|scheme| ("corrections".into(), scheme.clone())));
    training(card, &mut facts);
    for (i, (set, metrics)) in card.metrics.iter().enumerate() {
        facts.add(if i == 0 { "errors" } else { "" }, format!("{set}: {}", metrics.described(&card.unit)));
    }
    if let Some(reliability) = &card.reliability {
        facts.0.extend(reliability.calibration.iter().map(|c| ("interval".into(), interval(c, &card.unit))));
        if let Some(domain) = &reliability.domain {
            let (atoms, volume, distance) = (domain.atoms, domain.volume_per_atom, domain.distance_min);
            facts.add(
                "domain",
                format!(
                    "{} to {} atoms in a cell, {:.2} to {:.2} Å³ per atom, shortest distances of {:.2} to {:.2} Å",
                    atoms.0, atoms.1, volume.0, volume.1, distance.0, distance.1
                ),
            );
        }
    }
    facts.add("elements", elements(card));
    if !card.references.is_empty() {
        let energies: Vec<String> = card.references.iter().map(|(e, energy)| format!("{e}\u{a0}{energy:.4}")).collect();
        facts.add("references", format!("{} eV/atom", energies.join(", ")));
    }
    if let Some(origin) = &card.origin {
        let licence = origin.licence.as_deref().unwrap_or("not stated");
        facts.add("origin", format!("{}\nSHA-256 {}\nlicence: {licence}", origin.file, origin.sha256));
    }
    facts.text()
}

/// How the weights were found, where we found them.
fn training(card: &ModelCard, facts: &mut Facts) {
    let (split, run) = (&card.split, &card.training);
    if split.train > 0 {
        facts.add(
            "split",
            format!(
                "{}, seed {}: {} crystals to train, {} to validate, {} to test",
                split.kind, split.seed, split.train, split.validation, split.test
            ),
        );
    }
    if run.epochs == 0 {
        return;
    }
    let batch = run.batch_atoms.map_or_else(|| format!("{} crystals", run.batch), |atoms| format!("{atoms} atoms"));
    let mut said = format!(
        "epochs: {}, the best {}; steps of {batch}; rate {}{}; loss {}; weight decay {}",
        run.epochs,
        run.best_epoch,
        run.learning_rate,
        behind(&run.schedule),
        run.loss,
        run.weight_decay
    );
    said += &run.clip.map_or_else(String::new, |clip| format!("; gradient clipping {clip}"));
    said += &run.average.map_or_else(String::new, |decay| format!("; average of the weights, decay {decay}"));
    said += &run.start.as_ref().map_or_else(String::new, |start| format!("; fine-tuned from {start}"));
    said += &format!("; {:.2} h", run.seconds / 3600.0);
    facts.add("training", said);
}

/// The interval of 90 %, of a single model.
fn interval(calibration: &Calibration, unit: &str) -> String {
    let count = calibration.count;
    match calibration.radius(0.9, 0.0) {
        Some(radius) if calibration.floor.is_none() => {
            format!("± {radius:.3}{} holds 9 labels of 10, by {count} crystals", behind(unit))
        }
        _ => format!("calibrated with {count} crystals"),
    }
}

/// Those of the training set by their number of crystals, from which they are not parted.
fn elements(card: &ModelCard) -> String {
    let of = |(symbol, count): (&String, &usize)| match count {
        0 => symbol.clone(),
        count => format!("{symbol}\u{a0}{count}"),
    };
    format!("{}: {}", card.elements.len(), card.elements.iter().map(of).collect::<Vec<_>>().join(", "))
}

fn ensemble(ensemble: &Ensemble) -> String {
    let card = ensemble.card();
    let mut facts = Facts::default();
    facts.add("ensemble", format!("{}, id {}", card.name, card.id));
    facts.add("predicts", ensemble.quantity().to_string());
    for member in &card.members {
        facts.add("member", format!("{}, id {}, weight {:.3}", member.model, member.id, member.weight));
    }
    facts.add("calibration", card.data.clone());
    facts.0.extend(card.metrics.iter().map(|metrics| (String::new(), metrics.described(&card.unit))));
    for (i, (set, metrics)) in card.test.iter().enumerate() {
        facts.add(if i == 0 { "errors" } else { "" }, format!("{set}: {}", metrics.described(&card.unit)));
    }
    facts.add("elements", format!("{}: {}", ensemble.elements().len(), ensemble.elements().join(", ")));
    facts.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Model;

    #[test]
    fn a_card_fits_on_a_screen_and_says_what_counts() {
        let text = card(Model::load("cgcnn").unwrap().card());
        assert!(text.lines().count() < 45, "{text}");
        for part in [
            "cgcnn, id ",
            "formation_energy_per_atom in eV/atom",
            "96641 parameters",
            "convolutions=4",
            "crystals to train",
            "epochs: ",
            "eV/atom over",
            "holds 9 labels of 10",
            "Ti\u{a0}1465",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let long = text.lines().filter(|line| line.chars().count() > WIDTH).collect::<Vec<_>>();
        assert!(long.is_empty(), "{long:?}");
    }

    #[test]
    fn lines_are_broken_at_blanks() {
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("a-very-long-word and", 7), ["a-very-long-word", "and"]);
        assert_eq!(broken("", 7), [""]);
    }
}
