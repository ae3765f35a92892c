//! Features of crystals outside a query: which there are, and one computed over a column of crystals.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::{concat, filter};
use arrow::datatypes::{Field, Schema};
use datafusion::common::{Column, DFSchema, Result as SqlResult};
use datafusion::logical_expr::{Expr, ScalarUDF};
use datafusion::physical_expr::PhysicalExpr;

use super::feature::{Feature, is_featurizer};
use super::functions::CrystalUdf;
use super::reuse::Reuse;
use super::session::Session;
use crate::Error;
use crystal::guard::guarded;
use store::Featurizer;

impl Session {
    /// What can be materialised, by name: every function that takes a crystal and needs nothing else.
    pub fn featurizers(&self) -> Vec<Featurizer> {
        let one = |udf: Arc<ScalarUDF>| Feature::parse_all(udf.name(), &[Arc::clone(&udf)]).ok()?.pop();
        self.featurizer_udfs().into_iter().filter_map(one).map(|feature| feature.featurizer()).collect()
    }

    fn featurizer_udfs(&self) -> Vec<Arc<ScalarUDF>> {
        let state = self.context().state();
        let known = state.scalar_functions().values();
        let mut known: Vec<_> = known
            .filter(|udf| udf.inner().downcast_ref::<CrystalUdf>().is_some_and(is_featurizer))
            .map(Arc::clone)
            .collect();
        known.sort_by(|a, b| a.name().cmp(b.name()));
        known
    }

    /// Reads a list of features: `magpie, void(ionic, 0.76)`.
    ///
    /// # Errors
    /// A name that is no featurizer, with the known ones; arguments that do not fit.
    pub fn features(&self, text: &str) -> Result<Vec<Feature>, Error> {
        Feature::parse_all(text, &self.featurizer_udfs())
    }
}

/// A feature as an expression over a column of crystals.
pub struct FeatureColumn {
    feature: Feature,
    schema: Arc<Schema>,
    call: Arc<dyn PhysicalExpr>,
    /// Values that other rows, of any table, have for the same crystals.
    reuse: Option<Reuse>,
}

impl FeatureColumn {
    /// `structure`: the field of the crystals. `afresh`: values that are kept are not read.
    ///
    /// # Errors
    /// A call that the engine does not accept.
    pub fn new(session: &Session, feature: &Feature, structure: &Field, afresh: bool) -> Result<Self, Error> {
        let schema = Arc::new(Schema::new(vec![structure.clone().with_name("structure").with_nullable(true)]));
        let crystal = Expr::Column(Column::new_unqualified("structure"));
        let columns = DFSchema::try_from(Arc::clone(&schema))?;
        let call = session.context().create_physical_expr(feature.call(crystal), &columns)?;
        let reuse = if afresh { None } else { Reuse::of_feature(feature) };
        Ok(Self { feature: feature.clone(), schema, call, reuse })
    }

    /// The values of some crystals, NULL where the function has no answer.
    ///
    /// # Errors
    /// A column that holds no crystals.
    pub fn values(&self, crystals: &ArrayRef) -> Result<ArrayRef, Error> {
        let compute = |rows: Option<&BooleanArray>| match rows {
            None => self.compute(crystals),
            Some(rows) => scatter(&self.compute(&filter(crystals, rows)?)?, rows),
        };
        Ok(match &self.reuse {
            Some(reuse) => reuse.answer(crystals, None, compute)?.0,
            None => compute(None)?,
        })
    }

    /// A fault in a function costs the crystal that it stumbled on, not the run.
    fn compute(&self, crystals: &ArrayRef) -> SqlResult<ArrayRef> {
        if let Ok(values) = guarded(|| self.call_on(crystals)) {
            return values;
        }
        if crystals.len() > 1 {
            let (first, rest) = (crystals.len() / 2, crystals.len() - crystals.len() / 2);
            let halves = [self.compute(&crystals.slice(0, first))?, self.compute(&crystals.slice(first, rest))?];
            return Ok(concat(&[halves[0].as_ref(), halves[1].as_ref()])?);
        }
        if let Some(udf) = self.feature.udf() {
            udf.environment().warnings().note(udf.function().name, "it panicked; please report this crystal");
        }
        Ok(new_null_array(&self.feature.featurizer().data_type, crystals.len()))
    }

    fn call_on(&self, crystals: &ArrayRef) -> SqlResult<ArrayRef> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![Arc::clone(crystals)])?;
        self.call.evaluate(&batch)?.into_array(crystals.len())
    }
}

/// `values` where `rows` holds, in order, and NULL elsewhere.
fn scatter(values: &ArrayRef, rows: &BooleanArray) -> SqlResult<ArrayRef> {
    let mut next = 0;
    let places: arrow::array::UInt32Array = rows
        .iter()
        .map(|row| {
            let place = (row == Some(true)).then_some(next);
            next += u32::from(place.is_some());
            place
        })
        .collect();
    Ok(arrow::compute::take(values, &places, None)?)
}
