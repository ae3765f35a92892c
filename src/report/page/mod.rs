//! A screening as one page of HTML that needs nothing but a browser: the query, its funnel, the ranked table, a card for each of the
//! best candidates with its crystal to turn, and where all of it comes from.
//!
//! The page is one file. Scripts and styles stand in it, nothing is loaded, and its Content-Security-Policy forbids the browser
//! to try: only the two scripts whose hashes the policy names run, so that no text of a table can become one. What is printed, or
//! opened without scripts or WebGL, has the pictures in place of the turning crystals.

mod card;
mod funnel;
mod html;
mod policy;
mod scale;
mod table;
mod viewer;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use crystal::Structure;
use rayon::prelude::*;

use super::Sink;
use crate::ReportError;
use html::{lines, text};

pub use card::{Candidate, Prediction};
pub use funnel::Funnel;
pub use table::Table;
pub use viewer::LICENSE as VIEWER_LICENSE;

/// Everything that stands on a page.
#[derive(Debug)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// What the screening asks, in a sentence or two.
    pub about: Vec<String>,
    /// The statement.
    pub query: String,
    /// How many rows each step left, where that is known.
    pub funnel: Option<Funnel>,
    /// The rows.
    pub table: Table,
    /// The rows that get a card.
    pub candidates: Vec<Candidate>,
    /// Why there are no cards, or fewer than rows.
    pub remark: Option<String>,
    /// Label and value of everything that a reader needs to trust and repeat it.
    pub provenance: Vec<(String, String)>,
    /// What went wrong for some rows.
    pub warnings: Vec<String>,
}

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl Page {
    /// The page as HTML.
    ///
    /// # Errors
    /// A column that cannot be printed, or a crystal that cannot be drawn.
    pub fn html(&self) -> Result<String, ReportError> {
        let library = if self.candidates.is_empty() { String::new() } else { viewer::library()? };
        let scripts: Vec<&str> = [library.as_str(), SCRIPT].into_iter().filter(|s| !s.is_empty()).collect();
        let scale = scale::Scale::of(self.candidates.iter().filter_map(|c| c.prediction.as_ref()));
        let columns = self.table.cells()?;
        let cards = self.candidates.par_iter().enumerate();
        let cards = cards
            .map(|(i, candidate)| card::html(i + 1, candidate, &self.table, &columns, scale.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut body = format!("<header>\n<h1>{}</h1>\n", text(&self.title));
        for sentence in &self.about {
            body += &format!("<p class=\"about\">{}</p>\n", text(sentence));
        }
        body += "</header>\n";
        body += &self.opening();
        body += &self.table.html(&columns, &self.candidates)?;
        body += &self.cards(&cards);
        body += &self.closing();
        Ok(document(&self.title, "", &body, &scripts))
    }

    /// Write the page to a file, which appears when it is whole.
    ///
    /// # Errors
    /// As [`Self::html`], or a file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        let html = self.html()?;
        let mut sink = Sink::file(path)?;
        sink.write_all(html.as_bytes()).map_err(|e| ReportError::io(path, e))?;
        sink.close()
    }

    /// The query and the funnel, side by side where there is room.
    fn opening(&self) -> String {
        let query = format!(
            "<section class=\"query\" aria-labelledby=\"query\">\n<h2 id=\"query\">Query</h2>\n<pre tabindex=\"0\"><code>{}</code></pre>\n</section>\n",
            lines(&self.query)
        );
        let funnel = self.funnel.as_ref().map(Funnel::html).unwrap_or_default();
        let warnings: String = self.warnings.iter().map(|w| format!("<li>{}</li>\n", text(w))).collect();
        let warnings = if warnings.is_empty() {
            warnings
        } else {
            format!("<ul class=\"warnings\" role=\"note\">\n{warnings}</ul>\n")
        };
        format!("<div class=\"opening\">\n{query}{funnel}</div>\n{warnings}")
    }

    fn cards(&self, cards: &[String]) -> String {
        let remark = self.remark.as_ref().map(|r| format!("<p class=\"remark\">{}</p>\n", text(r))).unwrap_or_default();
        if cards.is_empty() {
            return remark;
        }
        format!(
            "<section aria-labelledby=\"candidates\">\n<h2 id=\"candidates\">Candidates</h2>\n{remark}\
             <div class=\"cards\">\n{}</div>\n</section>\n",
            cards.concat()
        )
    }

    fn closing(&self) -> String {
        let mut out =
            "<section class=\"provenance\" aria-labelledby=\"provenance\">\n<h2 id=\"provenance\">Provenance</h2>\n<dl>\n"
                .to_string();
        for (label, value) in &self.provenance {
            let value = if label == "command" {
                format!("<code>{}</code>", text(value))
            } else {
                lines(value).replace('\n', "<br>")
            };
            out += &format!("<div><dt>{}</dt><dd>{value}</dd></div>\n", text(label));
        }
        out += "</dl>\n";
        if !self.candidates.is_empty() {
            out += &viewer::notice();
        }
        out + "</section>\n"
    }
}

/// A page around `body`, which is of a class, on which these scripts run and no others.
fn document(title: &str, class: &str, body: &str, scripts: &[&str]) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"hollandite {}\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body class=\"{class}\">\n<main>\n",
        policy::policy(scripts),
        env!("CARGO_PKG_VERSION"),
        text(title)
    );
    out += body;
    out += "</main>\n";
    for script in scripts {
        out += &format!("<script>{script}</script>\n");
    }
    out + "</body>\n</html>\n"
}

/// One crystal to turn, with its channels, as a page of its own. In a frame it reports its height to the page around it.
///
/// # Errors
/// The library that turns it cannot be unpacked.
pub fn crystal(title: &str, structure: &Structure) -> Result<String, ReportError> {
    let id: ArrayRef = Arc::new(StringArray::from(vec![title]));
    let row = RecordBatch::try_from_iter([("id", id)])?;
    let table = Table::new(&row.schema(), &[row], 1, &[None::<String>])?;
    let candidate = Candidate { id: title.to_owned(), row: 0, structure: structure.clone(), prediction: None };
    let card = card::html(1, &candidate, &table, &table.cells()?, None)?;
    let library = viewer::library()?;
    Ok(document(title, "alone", &format!("{card}{}", viewer::notice()), &[library.as_str(), SCRIPT]))
}

/// The scripts of the pages that [`crystal()`] makes, as the Content-Security-Policy of a page that frames them has to name them.
///
/// # Errors
/// The library that turns crystals cannot be unpacked.
pub fn crystal_scripts() -> Result<String, ReportError> {
    Ok(policy::sources(&[viewer::library()?.as_str(), SCRIPT]))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};

    use super::*;

    fn page(id: &str) -> Page {
        let columns = [
            ("id", Arc::new(StringArray::from(vec![id])) as ArrayRef),
            ("ef", Arc::new(Float64Array::from(vec![-1.5]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        Page {
            title: "A </title><script>alert(1)</script> & more".into(),
            about: vec!["Which <b>oxides</b>?".into()],
            query: "SELECT '</code><script>alert(2)</script>'\nFROM tmo".into(),
            funnel: None,
            table: Table::new(&batch.schema(), &[batch], 1, &[] as &[Option<&str>]).unwrap(),
            candidates: vec![Candidate {
                id: id.into(),
                row: 0,
                structure: crystal::testing::rutile(),
                prediction: None,
            }],
            remark: None,
            provenance: vec![("command".into(), "hollandite report \"<x>\"".into())],
            warnings: vec!["<i>".into()],
        }
    }

    #[test]
    fn no_text_of_a_table_becomes_markup() {
        let html = page("</script><script>alert('x')</script><img src=x onerror=alert(3)>").html().unwrap();
        // The scene's data, the library and our own script; nothing else opens or closes one.
        assert_eq!(html.matches("<script").count(), 3 + viewer::library().unwrap().matches("<script").count());
        assert_eq!(html.matches("</script>").count(), 3);
        for injected in ["<script>alert", "<img src=x", "<i>", "<b>"] {
            assert!(!html.contains(injected), "{injected}");
        }
        assert!(html.contains("SELECT '&lt;/code&gt;") && html.contains("\nFROM tmo</code>"));
    }

    #[test]
    fn a_page_loads_nothing_and_runs_only_its_own_scripts() {
        let html = page("rutile").html().unwrap();
        let head = html.split("</head>").next().unwrap();
        assert!(head.contains("default-src 'none'") && head.contains("script-src 'sha256-"), "{head}");
        let library = viewer::library().unwrap();
        let own = html.replace(&library, "");
        for (at, _) in own.match_indices("src=\"").chain(own.match_indices("href=\"")) {
            let value = own[at..].split('"').nth(1).unwrap();
            assert!(value.starts_with("data:") || value.starts_with('#'), "{value}");
        }
        assert!(!own.contains("url(http") && !own.contains("@import") && !own.contains("fetch("));
    }

    #[test]
    fn a_page_without_crystals_carries_no_viewer() {
        let mut page = page("rutile");
        page.candidates.clear();
        page.remark = Some("No cards: no column holds a crystal.".into());
        let html = page.html().unwrap();
        assert!(html.len() < 60_000 && html.contains("No cards:") && !html.contains("3Dmol.js"), "{}", html.len());
    }

    #[test]
    fn a_crystal_alone_has_no_rank_and_its_title_is_text() {
        let crystal = &page("rutile").candidates[0].structure;
        let html = super::crystal("<b>rutile</b>", crystal).unwrap();
        assert!(html.contains("&lt;b&gt;rutile&lt;/b&gt;") && !html.contains("<b>rutile") && !html.contains("Rank"));
        assert!(html.contains("data-scene=\"scene-1\"") && html.contains("3Dmol.js"), "a crystal to turn");
    }
}
