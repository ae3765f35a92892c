//! What the functions of spheres and channels share: their arguments, and the spheres of every row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, StringArray};
use datafusion::common::{Result as SqlResult, ScalarValue, plan_datafusion_err};

use super::void::{RadiiArgument, check_radii};
use super::{Arguments, Kind, Parameter};
use crate::crystal::{Radii, Structure};
use crate::features::{self, Spheres};

/// How spheres are measured.
pub(super) const METHOD: Parameter = Parameter::optional("method", Kind::Text);

/// A constant argument, if the call has it and it is constant.
type Constant<'a, 'b> = Option<&'a Option<&'b ScalarValue>>;

fn text<'a>(constant: Constant<'_, 'a>) -> Option<&'a str> {
    constant.copied().flatten().and_then(|value| value.try_as_str()).flatten()
}

/// One diameter of every row, radius set and method being arguments `radii` and `method`: `exact` of the clearance, or
/// `zeo` of Zeo++'s network.
pub(super) fn of(
    arguments: &Arguments,
    radii: usize,
    method: usize,
    exact: impl Fn(usize, &Structure, &[f64]) -> Result<f64, String> + Sync,
    zeo: impl Fn(usize, &Spheres) -> Result<f64, String> + Sync,
) -> SqlResult<ArrayRef> {
    let radii = RadiiArgument::of(arguments, radii)?;
    let methods: Option<StringArray> = arguments.texts(method)?;
    let diameters = arguments.map(|i, s| {
        let by_clearance = methods.as_ref().filter(|m| m.is_valid(i)).map_or(Ok(true), |m| is_exact(m.value(i)))?;
        let radii = features::site_radii(s, radii.get_or(i, Radii::Shannon)?).map_err(|e| e.to_string())?;
        if by_clearance {
            return exact(i, s, &radii);
        }
        features::spheres(s, &radii).map_err(|e| e.to_string()).and_then(|spheres| zeo(i, &spheres))
    })?;
    Ok(Arc::new(Float64Array::from(diameters)))
}

/// Refuses an unknown radius set or method while the query is planned.
pub(super) fn check(function: &str, radii: Constant, method: Constant) -> SqlResult<()> {
    check_radii(function, radii.copied().flatten())?;
    match text(method) {
        Some(name) => is_exact(name).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
        None => Ok(()),
    }
}

fn is_exact(method: &str) -> Result<bool, String> {
    match method.to_ascii_lowercase().as_str() {
        "exact" => Ok(true),
        "zeo" => Ok(false),
        _ => Err(format!("no method '{method}'; known methods: exact, zeo")),
    }
}

/// Refuses a probe that is neither a radius nor an ion while the query is planned.
pub(super) fn check_probe(function: &str, constant: Constant) -> SqlResult<()> {
    match text(constant) {
        Some(name) => {
            features::probe_radius(name).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}"))
        }
        None => Ok(()),
    }
}

/// Refuses a number of dimensions other than 1, 2, 3 while the query is planned.
pub(super) fn check_dimensions(function: &str, constant: Constant) -> SqlResult<()> {
    let number = constant.copied().flatten().filter(|value| !value.is_null());
    match number.and_then(|value| value.cast_to(&arrow::datatypes::DataType::Float64).ok()) {
        Some(ScalarValue::Float64(Some(n))) => {
            dimensions(n).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}"))
        }
        _ => Ok(()),
    }
}

/// 1, 2 or 3.
pub(super) fn dimensions(number: f64) -> Result<usize, String> {
    [1, 2, 3].into_iter().find(|&n| n as f64 == number).ok_or_else(|| format!("dimensions = {number} is not 1, 2 or 3"))
}
