//! A session: a store at one snapshot, the functions, the options, and the way from text to a plan.

use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::optimizer::Optimizer;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};

use super::environment::Environment;
use super::optimizer::{HollanditePlanner, LiftCalls};
use super::options::HollanditeOptions;
use super::predictor::EnergyModel;
use super::register;
use crate::error::Error;
use crate::store::Store;

/// Catalog and schema in which a bare table name is looked up.
const CATALOG: &str = "lake";
const SCHEMA: &str = "main";

/// SQL over one snapshot of a store. Cheap to clone; clones share models, cache, options and warnings.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    environment: Environment,
}

impl Session {
    /// A session over `store` at its newest snapshot, or at the one given.
    ///
    /// # Errors
    /// A store that cannot be read, or no such snapshot.
    pub async fn open(store: &Store, snapshot: Option<i64>) -> Result<Self, Error> {
        let session = Self::build(Environment::with_cache(store.predictions()?), false);
        store.register(&session.context, snapshot).await?;
        Ok(session)
    }

    /// A session without a store: functions of text and of tables that the caller registers. Predictions are remembered
    /// while it lives.
    pub fn without_store() -> Self {
        Self::build(Environment::default(), true)
    }

    /// The same session, in which `model` answers to `name`.
    pub fn with_model(self, name: &str, model: Arc<dyn EnergyModel>) -> Self {
        self.environment.add_model(name, model);
        self
    }

    fn build(environment: Environment, own_catalog: bool) -> Self {
        let mut config = SessionConfig::new()
            .with_option_extension(HollanditeOptions::default())
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_create_default_catalog_and_schema(own_catalog)
            .with_information_schema(true)
            // Files are split among the cores by ranges of bytes. Dealing single batches out besides would let several
            // streams run ahead of a limit that has long been reached.
            .with_round_robin_repartition(false)
            .with_repartition_file_min_size(1 << 20);
        let options = config.options_mut();
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;

        let mut optimizer = Optimizer::new();
        optimizer.rules.insert(0, Arc::new(LiftCalls));
        let mut state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_optimizer_rules(optimizer.rules)
            .with_query_planner(Arc::new(HollanditePlanner));
        state.scalar_functions().get_or_insert_default().extend(register::udfs(&environment).into_iter().map(Arc::new));
        Self { context: SessionContext::new_with_state(state.build()), environment }
    }

    /// The engine's context, to register tables and to read the catalog.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Plans a statement; nothing of a query runs before its rows are asked for.
    ///
    /// # Errors
    /// Text that is no SQL, names that do not exist, types that do not fit.
    pub async fn sql(&self, text: &str) -> Result<DataFrame, Error> {
        Ok(self.context.sql(text).await?)
    }

    /// Rows that answered NULL for a reason, summed up, since the last call.
    pub fn warnings(&self) -> Vec<String> {
        self.environment.warnings().take()
    }
}
