//! What `predict` says of a crystal: the value, the interval that holds the label with the stated coverage, and whether the
//! model has seen the like of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;

use super::predictor::{Answer, EnergyModel};

/// The fields of the struct.
pub(super) fn fields() -> Fields {
    [
        ("value", DataType::Float64),
        ("lower", DataType::Float64),
        ("upper", DataType::Float64),
        ("model", DataType::Utf8),
        ("in_domain", DataType::Boolean),
        ("reason", DataType::Utf8),
    ]
    .into_iter()
    .map(|(name, kind)| Field::new(name, kind, true))
    .collect()
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
struct Judged {
    value: Option<f64>,
    /// Half the width of the interval.
    radius: Option<f64>,
    in_domain: bool,
    reason: Option<String>,
}

/// A model promises a coverage for crystals like those it was calibrated with: the others get no interval.
fn judge(answer: &Answer, model: &dyn EnergyModel, coverage: f64) -> Judged {
    let value = match &answer.value {
        Ok(value) => *value,
        Err(reason) => return Judged { value: None, radius: None, in_domain: false, reason: Some(reason.clone()) },
    };
    if let Some(reason) = &answer.outside {
        return Judged { value: Some(value), radius: None, in_domain: false, reason: Some(reason.clone()) };
    }
    let (radius, reason) = match model.calibration() {
        None => (None, Some(format!("{} was not calibrated: its errors are not known", model.name()))),
        Some(calibration) => match calibration.radius(coverage, answer.spread) {
            Some(radius) => (Some(radius), None),
            None => {
                let (most, n) = (calibration.largest_coverage(), calibration.count);
                let reason =
                    format!("{n} calibration crystals support a coverage of at most {most}; {coverage} was requested");
                (None, Some(reason))
            }
        },
    };
    Judged { value: Some(value), radius, in_domain: true, reason }
}

/// The column of structs; NULL where there is no answer.
pub(super) fn column(answers: &[Option<&Answer>], model: &dyn EnergyModel, coverage: f64) -> ArrayRef {
    let rows: Vec<Option<Judged>> = answers.iter().map(|answer| Some(judge((*answer)?, model, coverage))).collect();
    let numbers = |of: &dyn Fn(&Judged) -> Option<f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| of(row.as_ref()?))))
    };
    let end = |sign: f64| numbers(&move |row: &Judged| Some(row.value? + sign * row.radius?));
    let texts = |of: &dyn Fn(&Judged) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(rows.iter().map(|row| of(row.as_ref()?))))
    };
    let in_domain = BooleanArray::from_iter(rows.iter().map(|row| Some(row.as_ref()?.in_domain)));
    let columns: Vec<ArrayRef> = vec![
        numbers(&|row| row.value),
        end(-1.0),
        end(1.0),
        texts(&|_| Some(model.name().to_string())),
        Arc::new(in_domain),
        texts(&|row| row.reason.clone()),
    ];
    let valid = NullBuffer::from_iter(rows.iter().map(Option::is_some));
    Arc::new(StructArray::new(fields(), columns, Some(valid)))
}
