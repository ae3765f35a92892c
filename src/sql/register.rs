//! The functions of a session, made of what is declared in [functions](mod@super::functions) and [`aggregates`].

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregates::{self, CrystalUdaf};
use super::environment::Environment;
use super::functions::{CrystalUdf, themes};

/// All functions of a row, sharing `environment`.
pub(super) fn udfs(environment: &Environment) -> Vec<ScalarUDF> {
    let functions = themes().into_iter().flat_map(|(_, functions)| functions);
    let udf = |function| ScalarUDF::new_from_impl(CrystalUdf::new(Arc::new(function), environment.clone()));
    functions.map(udf).collect()
}

/// All functions of a group of rows, sharing `environment`.
pub(super) fn udafs(environment: &Environment) -> Vec<AggregateUDF> {
    let udaf = |(_, aggregate)| AggregateUDF::new_from_impl(CrystalUdaf::new(Arc::new(aggregate), environment.clone()));
    aggregates::themes().into_iter().map(udaf).collect()
}
