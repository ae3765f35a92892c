//! What `predict` says of a crystal: the value, the interval that holds the label with the stated coverage, and whether the
//! model has seen the like of it.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use super::functions::UNIT_OF_MODEL;
use super::functions::kernel::{Columns, Output, structs};
use super::property_model::PropertyModel;

/// What a model says of one crystal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// In the unit of the model's quantity, or why there is none.
    pub value: Result<f64, String>,
    /// How far the members of an ensemble are from their mean; 0 for a single model.
    pub spread: f64,
    /// Why the crystal is out of domain; computed only on request.
    pub outside: Option<String>,
    /// What is wrong with the crystal itself, for any model; likewise.
    pub doubt: Option<String>,
}

/// The struct that `predict` returns.
pub(super) fn output() -> Output<Judged> {
    let end = |sign: f64| move |row: &Judged| Some(row.value? + sign * row.radius?);
    let unit = Some(UNIT_OF_MODEL);
    structs(
        Columns::<Judged>::new()
            .field(
                "value",
                unit,
                "The prediction: a formation energy in eV/atom, or the quantity the model was fitted to.",
                |row| row.value,
            )
            .field(
                "lower",
                unit,
                "Lower end of the interval that contains the label with the given coverage.",
                end(-1.0),
            )
            .field("upper", unit, "Upper end of it.", end(1.0))
            .field("model", None, "Name of the model.", |row| row.model.clone())
            .field("in_domain", None, "True if the crystal is like those that the model was trained on.", |row| {
                row.in_domain
            })
            .field(
                "reason",
                None,
                "Why it is not, why there is no value, or that no common oxidation states make it charge-neutral.",
                |row| row.reason.clone(),
            ),
    )
}

/// A coverage: a number between 0 and 1, neither of which can be promised or is worth it.
pub(super) fn coverage(constant: &ScalarValue) -> Option<f64> {
    match constant.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(c))) if c > 0.0 && c < 1.0 => Some(c),
        _ => None,
    }
}

/// One crystal's row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    model: String,
    value: Option<f64>,
    /// Half the width of the interval.
    radius: Option<f64>,
    in_domain: bool,
    reason: Option<String>,
}

/// A model promises a coverage for crystals like those it was calibrated with: the others get no interval.
fn judge(answer: &Answer, model: &dyn PropertyModel, coverage: f64) -> Judged {
    let judged =
        |value, radius, in_domain, reason| Judged { model: model.name().to_owned(), value, radius, in_domain, reason };
    let value = match &answer.value {
        Ok(value) => *value,
        Err(reason) => return judged(None, None, false, Some(reason.clone())),
    };
    if let Some(reason) = &answer.outside {
        return judged(Some(value), None, false, Some(reason.clone()));
    }
    let (radius, reason) = match model.calibration() {
        None => (None, Some(format!("{} was not calibrated: its errors are not known", model.name()))),
        Some(calibration) => match calibration.radius(coverage, answer.spread) {
            Some(radius) => (Some(radius), answer.doubt.clone()),
            None => {
                let (most, n) = (calibration.largest_coverage(), calibration.count);
                let reason =
                    format!("{n} calibration crystals support a coverage of at most {most}; {coverage} was requested");
                (None, Some(reason))
            }
        },
    };
    judged(Some(value), radius, true, reason)
}

/// The column of structs; NULL where there is no answer.
pub(super) fn column(answers: &[Option<&Answer>], model: &dyn PropertyModel, coverage: f64) -> ArrayRef {
    (output().array)(answers.iter().map(|answer| Some(judge((*answer)?, model, coverage))).collect())
}
