//! The card of a candidate: what it is called, its values, what a model predicts of it, and its crystal with the channels, to turn and
//! as a picture.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::html::{data, formula, text};
use super::scale::Scale;
use super::table::{Column, Table};
use crate::ReportError;
use crate::plots::structure::{Scene, drawing};
use crate::plots::{Solid, Tunnels, labels, roomy_cells, solid, usual_axis, usual_cells};
use crystal::{DEFAULT_SYMPREC, Radii, Structure, Symmetry};

/// Radius of the smallest sphere whose channels are drawn, Å, between atoms of ionic radii: those of `plot structure`.
const PROBE: f64 = 0.5;
const RADII: Radii = Radii::Shannon;
/// Larger cells are not drawn.
const MOST_SITES: usize = 2_000;

/// A row that gets a card.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What it is called.
    pub id: String,
    /// Its row in the table, from 0.
    pub row: usize,
    /// Its crystal.
    pub structure: Structure,
    /// What a model says of it.
    pub prediction: Option<Prediction>,
}

/// What a model predicts: a formation energy, as a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The value; `None` where the model has no answer.
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub lower: Option<f64>,
    /// Upper end of the interval.
    pub upper: Option<f64>,
    /// Unit of the value; empty where it has none.
    pub unit: String,
    /// The model.
    pub model: String,
    /// Probability with which the interval holds the label.
    pub coverage: f64,
    /// Why there is no value or no interval.
    pub reason: Option<String>,
    /// The DFT label, where it is known.
    pub label: Option<f64>,
}

/// The card with this number.
pub(super) fn html(
    number: usize,
    candidate: &Candidate,
    table: &Table,
    columns: &[Column],
    scale: Option<&Scale>,
) -> Result<String, ReportError> {
    debug_assert!(candidate.row < table.len());
    let symmetry = Symmetry::of(&candidate.structure, DEFAULT_SYMPREC).ok();
    let conventional = symmetry.as_ref().and_then(|s| s.conventional().ok());
    let (crystal, cell) = match conventional {
        Some(conventional) => (conventional, "conventional cell"),
        None => (candidate.structure.clone(), "cell"),
    };
    let reduced = candidate.structure.composition().reduced_formula();
    let group = symmetry.map_or_else(
        || "no consistent space group".to_string(),
        |s| format!("<span class=\"group\">{}</span> (no. {})", text(&labels::spacegroup(&s.symbol)), s.number),
    );
    // Among several.
    let rank = if table.len() > 1 { format!("Rank {} · ", candidate.row + 1) } else { String::new() };
    let atoms = format!("{} atom{}", crystal.len(), if crystal.len() == 1 { "" } else { "s" });
    let mut out = format!(
        "<article class=\"card\" id=\"card-{number}\" aria-labelledby=\"name-{number}\">\n\
         <h3 id=\"name-{number}\">{} <span class=\"id\">{}</span></h3>\n\
         <p class=\"what\">{rank}{group} · {cell} with {atoms}</p>\n",
        formula(&reduced),
        text(&candidate.id)
    );
    out += &match drawn(&crystal, cell, &candidate.id) {
        Ok(drawn) => drawn.html(number, &reduced),
        Err(reason) => format!("<p class=\"remark\">Not drawn: {}</p>\n", text(&reason)),
    };
    if let (Some(scale), Some(prediction)) = (scale, &candidate.prediction) {
        out += &scale.html(prediction);
    } else if let Some(prediction) = &candidate.prediction {
        let reason = prediction.reason.as_deref().unwrap_or("the model has no answer");
        out += &format!("<p class=\"interval\">No prediction by {}: {}</p>\n", text(&prediction.model), text(reason));
    }
    out += "<dl>\n";
    for column in columns.iter().filter(|c| c.name != "id" && c.name != "formula") {
        let unit = column.unit.as_ref().map(|u| format!(" <small>{}</small>", text(u))).unwrap_or_default();
        let cell = &column.cells[candidate.row];
        let unit = if cell.null { "" } else { &unit };
        out += &format!("<div><dt>{}</dt><dd>{}{unit}</dd></div>\n", text(&column.name), cell.html);
    }
    Ok(out + &lattice(&crystal) + "</dl>\n</article>\n")
}

/// The lengths and angles of the drawn cell.
fn lattice(crystal: &Structure) -> String {
    let [a, b, c, alpha, beta, gamma] = crystal.lattice().parameters();
    let mut text = format!("{a:.3}, {b:.3}, {c:.3} <small>Å</small>");
    if [alpha, beta, gamma].iter().any(|x| (x - 90.0).abs() > 0.05) {
        text += &format!("; {alpha:.1}, {beta:.1}, {gamma:.1}<small>°</small>");
    }
    format!("<div class=\"cell\"><dt>a, b, c</dt><dd>{text}</dd></div>\n")
}

/// A crystal in both ways.
struct Drawn {
    picture: String,
    solid: Solid,
    /// `[001]`
    direction: String,
    channels: Vec<String>,
}

fn drawn(crystal: &Structure, cell: &'static str, id: &str) -> Result<Drawn, String> {
    if crystal.len() > MOST_SITES {
        return Err(format!("a cell of {} atoms; `hollandite plot structure {id}` draws it", crystal.len()));
    }
    let (tunnels, channels) = match Tunnels::of(crystal, RADII, PROBE) {
        Ok(tunnels) => {
            let words = tunnels.words();
            (Some(tunnels), words)
        }
        Err(reason) => (None, vec![format!("No channels are drawn: {reason}")]),
    };
    let widest = tunnels.as_ref().and_then(|t| t.channels.first()).map(|channel| channel.axis);
    let axis = widest.unwrap_or_else(|| usual_axis(crystal));
    let scene = |cells, tunnels| Scene { crystal, title: String::new(), cell, axis, cells, tunnels, trail: None };
    let picture = drawing(&scene(usual_cells(crystal, axis), tunnels.clone())).map_err(|e| e.to_string())?;
    let solid = solid(&scene(roomy_cells(crystal, axis), tunnels)).map_err(|e| e.to_string())?;
    Ok(Drawn { picture: picture.svg(), solid, direction: format!("[{}]", labels::indices(&axis)), channels })
}

impl Drawn {
    fn html(&self, number: usize, formula: &str) -> String {
        let Self { picture, solid, direction, channels } = self;
        let json = serde_json::to_string(solid).unwrap_or_default();
        let legend: String = (solid.elements.iter())
            .map(|e| format!("<li><i style=\"background:{}\"></i>{}</li>", e.colour, e.symbol))
            .collect();
        let tube = if solid.tubes.is_empty() { "" } else { "<li><i class=\"way\"></i>channel</li>" };
        let alone = format!("{} down {direction}", text(formula));
        let words: String = channels.iter().map(|line| format!("<li>{}</li>", text(line))).collect();
        format!(
            "<div class=\"view\" data-scene=\"scene-{number}\">\n\
             <img class=\"flat\" alt=\"{alone}, its channels shaded\" src=\"data:image/svg+xml;base64,{}\">\n\
             <div class=\"stage\" role=\"img\" tabindex=\"0\" aria-label=\"{alone}, turning; arrow keys turn it\"></div>\n\
             <div class=\"tools\"><button type=\"button\" data-do=\"spin\">Stop</button>\
             <button type=\"button\" data-do=\"along\">Down {}</button>\
             <button type=\"button\" data-do=\"flat\" aria-pressed=\"false\">Flat</button></div>\n\
             <ul class=\"legend\">{legend}{tube}</ul>\n</div>\n<ul class=\"channels\">{}</ul>\n\
             <script type=\"application/json\" id=\"scene-{number}\">{}</script>\n",
            BASE64_STANDARD.encode(picture),
            text(direction),
            words,
            data(&json)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};

    use super::*;
    use formats::hosts::host;

    #[test]
    fn a_card_names_shows_and_draws_its_crystal() {
        let structure = host("hollandite-mno2").unwrap();
        let batch = RecordBatch::try_from_iter([
            ("id", Arc::new(StringArray::from(vec!["other", "hollandite-mno2"])) as ArrayRef),
            ("density", Arc::new(Float64Array::from(vec![1.0, 4.3]))),
        ])
        .unwrap();
        let table = Table::new(&batch.schema(), &[batch], 2, &[None, Some("g/cm³")]).unwrap();
        let candidate = Candidate { id: "hollandite-mno2".into(), row: 1, structure, prediction: None };
        let html = html(3, &candidate, &table, &table.cells().unwrap(), None).unwrap();
        for part in [
            "id=\"card-3\"",
            "MnO<sub>2</sub> <span class=\"id\">hollandite-mno2</span>",
            "Rank 2",
            "(no. 87)",
            "<dt>density</dt><dd>4.300 <small>g/cm³</small></dd>",
            "octagonal ring, Mn₈",
            "src=\"data:image/svg+xml;base64,",
            ">Down [001]</button>",
            "</i>channel</li>",
        ] {
            assert!(html.contains(part), "{part}");
        }
        let json = html.split("id=\"scene-3\">").nth(1).unwrap().split("</script>").next().unwrap();
        let scene: serde_json::Value = serde_json::from_str(json).unwrap();
        assert!(!scene["tubes"].as_array().unwrap().is_empty());
        assert!(scene["atoms"].as_array().unwrap().len() > 24);
    }
}
