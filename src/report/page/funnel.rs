//! The funnel of a screening: how many rows each step leaves, as bars.

use super::html::text;
use crate::plots::funnel::Step;
use crate::plots::labels::{count, number};

/// The steps in order.
#[derive(Debug, Clone)]
pub struct Funnel {
    /// The first counts what there is.
    pub steps: Vec<Step>,
    /// Where they are known from.
    pub source: String,
}

/// Where the most rows are this many times the fewest, lengths are logarithms: a bar of a thousandth would not be seen.
const STEEP: f64 = 50.0;

impl Funnel {
    /// The section of the page.
    pub(super) fn html(&self) -> String {
        let most = self.steps.iter().map(|s| s.count).max().unwrap_or(0) as f64;
        let fewest = self.steps.iter().map(|s| s.count).filter(|&n| n > 0).min().unwrap_or(1) as f64;
        let steep = most / fewest > STEEP;
        let length = |rows: u64| match (rows, steep) {
            (0, _) => 0.0,
            (rows, false) => 100.0 * rows as f64 / most,
            (rows, true) => 100.0 * (1.0 + rows as f64).ln() / (1.0 + most).ln(),
        };
        let mut out =
            "<section class=\"funnel\" aria-labelledby=\"funnel\">\n<h2 id=\"funnel\">Funnel</h2>\n<ol>\n".to_string();
        let mut before = None;
        for step in &self.steps {
            let share = match before {
                Some(n) if n > 0 => format!(" <small>{} %</small>", number(100.0 * step.count as f64 / n as f64, 1)),
                _ => String::new(),
            };
            out += &format!(
                "<li><span class=\"what\">{}</span> <span class=\"left\">{}{share}</span>\
                 <span class=\"bar\" style=\"width:{:.2}%\"></span></li>\n",
                text(&step.what),
                count(step.count),
                length(step.count)
            );
            before = Some(step.count);
        }
        let lengths = if steep { "Lengths are logarithmic. " } else { "" };
        let source = text(&self.source);
        out + &format!(
            "</ol>\n<p class=\"note\">{lengths}Percentages are of the rows before the step. {source}</p>\n</section>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(rows: &[u64]) -> String {
        let steps = rows.iter().map(|&count| Step { what: format!("<{count}>"), count }).collect();
        Funnel { steps, source: "Counted.".into() }.html()
    }

    #[test]
    fn bars_are_as_long_as_their_counts_and_shares_are_of_the_step_before() {
        let html = html(&[80, 40, 10]);
        for part in ["width:100.00%", "width:50.00%", "width:12.50%", "50 %", "25 %", "&lt;80&gt;"] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("logarithmic"));
    }

    #[test]
    fn a_steep_funnel_is_logarithmic_and_says_so_and_an_empty_step_has_no_bar() {
        let html = html(&[1_000_000, 999, 0]);
        assert!(
            html.contains("width:50.00%") && html.contains("width:0.00%") && html.contains("logarithmic"),
            "{html}"
        );
        assert!(html.contains("1\u{a0}000\u{a0}000"));
    }
}
