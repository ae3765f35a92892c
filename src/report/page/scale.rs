//! The common scale on which the cards show what a model predicts, with its interval.

use super::card::Prediction;
use super::html::text;
use crate::plots::labels::number;
use models::behind;

/// From where to where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// A scale that holds all values and intervals, its ends at round numbers. `None` where there is no value.
    pub fn of<'a>(predictions: impl Iterator<Item = &'a Prediction>) -> Option<Self> {
        let all: Vec<f64> =
            predictions.flat_map(|p| [p.value, p.lower, p.upper]).flatten().filter(|x| x.is_finite()).collect();
        let low = all.iter().copied().reduce(f64::min)?;
        let high = all.iter().copied().reduce(f64::max)?;
        let wide = (high - low).max(0.1);
        let step = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0].into_iter().find(|s| wide / s <= 8.0).unwrap_or(100.0);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Some(Self { low, high: if high > low { high } else { low + step } })
    }

    /// Place of a value, % of the width.
    fn at(&self, value: f64) -> f64 {
        100.0 * (value - self.low) / (self.high - self.low)
    }

    /// A card's figure.
    pub fn html(&self, prediction: &Prediction) -> String {
        let Some(value) = prediction.value else {
            let reason = prediction.reason.as_deref().unwrap_or("the model has no answer");
            return format!(
                "<p class=\"interval\">No prediction by {}: {}</p>\n",
                text(&prediction.model),
                text(reason)
            );
        };
        let said = |x: f64| format!("{}{:.3}", if x < 0.0 { "−" } else { "" }, x.abs());
        let mut out = "<figure class=\"interval\">\n<figcaption>".to_string();
        out +=
            &format!("{} predicts <b>{}</b>{}", text(&prediction.model), said(value), text(&behind(&prediction.unit)));
        let ends = prediction.lower.zip(prediction.upper);
        out += &match ends {
            Some((lower, upper)) => {
                format!("; {} % interval {} to {}", number(100.0 * prediction.coverage, 1), said(lower), said(upper))
            }
            None => "; no interval".to_string(),
        };
        if let Some(reason) = &prediction.reason {
            out += &format!(": {}", text(reason));
        }
        out += "</figcaption>\n<div class=\"scale\" aria-hidden=\"true\">";
        if let Some((lower, upper)) = ends {
            let (from, to) = (self.at(lower), self.at(upper));
            out += &format!("<span class=\"range\" style=\"left:{from:.2}%;width:{:.2}%\"></span>", to - from);
        }
        out += &format!("<span class=\"dot\" style=\"left:{:.2}%\"></span>", self.at(value));
        if let Some(label) = prediction.label.filter(|x| (self.low..=self.high).contains(x)) {
            out += &format!("<span class=\"label\" style=\"left:{:.2}%\"></span>", self.at(label));
        }
        out += &format!(
            "</div>\n<div class=\"ends\" aria-hidden=\"true\"><span>{}</span><span>{}</span><span>{}</span></div>\n</figure>\n",
            number(self.low, 2),
            text(&prediction.unit),
            number(self.high, 2)
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(value: f64, radius: Option<f64>) -> Prediction {
        Prediction {
            value: Some(value),
            lower: radius.map(|r| value - r),
            upper: radius.map(|r| value + r),
            unit: "eV/atom".into(),
            model: "cgcnn".into(),
            coverage: 0.9,
            reason: None,
            label: None,
        }
    }

    #[test]
    fn the_scale_holds_every_interval_between_round_ends() {
        let all = [prediction(-3.1, Some(0.2)), prediction(-1.0, None)];
        let scale = Scale::of(all.iter()).unwrap();
        assert_eq!(scale, Scale { low: -3.5, high: -1.0 });
        let html = scale.html(&all[0]);
        for part in [
            "cgcnn predicts <b>−3.100</b> eV/atom",
            "90 % interval −3.300 to −2.900",
            "left:8.00%;width:16.00%",
            "left:16.00%",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(scale.html(&all[1]).contains("no interval"));
        assert_eq!(Scale::of(std::iter::empty()), None);
        let one = Scale::of([prediction(0.0, None)].iter()).unwrap();
        assert!(one.high > one.low);
    }

    #[test]
    fn a_model_without_an_answer_says_why() {
        let silent = Prediction { value: None, reason: Some("Xe is <new>".into()), ..prediction(0.0, None) };
        let html = Scale { low: 0.0, high: 1.0 }.html(&silent);
        assert!(html.contains("No prediction by cgcnn: Xe is &lt;new&gt;"), "{html}");
    }
}
