//! A session: a store at one snapshot, the functions and the options.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::TableFunction;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{FunctionRegistry, SessionStateBuilder};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::optimizer::Optimizer;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::aggregates::CrystalUdaf;
use super::bounded::{BoundedCalls, LongConstants, bounded};
use super::environment::Environment;
use super::functions::{CrystalUdf, Function};
use super::json_operators::JsonOperators;
use super::optimizer::{HollanditePlanner, LiftCalls, ProjectionsInScans, keeping_limits};
use super::options::HollanditeOptions;
use super::property_model::PropertyModel;
use super::register;
use super::sample::SamplePlanner;
use super::table_functions::{self, Guarded};
use super::watchers::{RowsWatcher, Watcher};
use crate::Error;
use store::{CATALOG, SCHEMA, Store};

/// Bytes of footers of Parquet files that a session remembers, those that were read last: of some hundred files. A session whose
/// statements make files grows to the limit, and no table needs the engine's, which is three times as much.
const FOOTERS: usize = 16 << 20;

/// SQL over one snapshot of a store. Cheap to clone; clones share models, cache, options and warnings.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    environment: Environment,
    /// Where tables are kept, if not in memory.
    store: Option<Store>,
    /// The older snapshot at which the session is fixed.
    snapshot: Option<i64>,
}

impl Session {
    /// A session over `store` at its newest snapshot, or at the one given. Run its queries on a multi-threaded runtime:
    /// the catalog's connections come back through tasks, and on a single thread a query can wait for one for ever.
    ///
    /// # Errors
    /// A store that cannot be read, or no such snapshot.
    pub async fn open(store: &Store, snapshot: Option<i64>) -> Result<Self, Error> {
        let session = Self::build(Environment::of(store)?, Some((store, snapshot)), Arc::default());
        store.register(&session.context, snapshot).await?;
        Ok(session)
    }

    /// A session over the same store, whose queries `planner` plans, with the options of this one as `configure` changes them. It shares
    /// models, predictions, memory and warnings with this one.
    ///
    /// # Errors
    /// No store.
    pub async fn planned_by(
        &self,
        planner: Arc<dyn QueryPlanner + Send + Sync>,
        configure: impl FnOnce(SessionConfig) -> SessionConfig,
    ) -> Result<Self, Error> {
        let Some(store) = &self.store else { return Err(Error::Sql("there is no store".into())) };
        let place = Some((store, self.snapshot));
        let session = Self::build(self.environment.clone(), place, self.context.runtime_env());
        let state = SessionStateBuilder::new_from_existing(session.context.state())
            .with_config(configure(self.context.copied_config()))
            .with_query_planner(planner)
            .build();
        let session = Self { context: SessionContext::new_with_state(state), ..session };
        store.register(&session.context, self.snapshot).await?;
        Ok(session)
    }

    /// A session that is served to others, at the newest snapshot: it, and what is made of it, reads and writes no file that a statement
    /// names, and none but the data of the store, bounds what functions make, and shares the memory and the temporary files of `runtime`.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn served(store: &Store, runtime: Arc<RuntimeEnv>) -> Result<Self, Error> {
        let environment = Environment::of(store)?;
        environment.take_files();
        let store = store.served();
        let session = Self::build(environment, Some((&store, None)), runtime);
        store.register(&session.context, None).await?;
        Ok(session)
    }

    /// A session over the same store, fixed at a snapshot. It shares models, predictions, memory and warnings with this one.
    ///
    /// # Errors
    /// No store, or no such snapshot.
    pub async fn at(&self, snapshot: i64) -> Result<Self, Error> {
        let Some(store) = &self.store else { return Err(Error::Sql("there is no store, and so no snapshot".into())) };
        let place = Some((store, Some(snapshot)));
        let session = Self::build(self.environment.clone(), place, self.context.runtime_env());
        store.register(&session.context, Some(snapshot)).await?;
        Ok(session)
    }

    /// The same session with other values of options, `hollandite.model` and the like: it shares everything else with this one.
    ///
    /// # Errors
    /// An option that does not exist, or a value that it does not take.
    pub fn with_options(&self, options: &[(String, String)]) -> Result<Self, Error> {
        let mut state = self.context.state();
        for (name, value) in options {
            let set = state.config_mut().options_mut().set(name, value).map_err(Error::from);
            set.map_err(|error| Error::Sql(format!("option {name}: {error}")))?;
        }
        Ok(Self { context: SessionContext::new_with_state(state), ..self.clone() })
    }

    /// The same session, with warnings of its own: those of the statements that it plans from here on.
    ///
    /// # Errors
    /// Functions that the engine does not take.
    pub fn apart(&self) -> Result<Self, Error> {
        let environment = self.environment.apart();
        let mut state = self.context.state();
        let known: Vec<_> = state.scalar_functions().values().map(Arc::clone).collect();
        for own in known.iter().filter_map(|function| function.inner().downcast_ref::<CrystalUdf>()) {
            state.register_udf(Arc::new(ScalarUDF::new_from_impl(own.within(environment.clone()))))?;
        }
        let known: Vec<_> = state.aggregate_functions().values().map(Arc::clone).collect();
        for own in known.iter().filter_map(|function| function.inner().downcast_ref::<CrystalUdaf>()) {
            state.register_udaf(Arc::new(AggregateUDF::new_from_impl(own.within(environment.clone()))))?;
        }
        Ok(Self { context: SessionContext::new_with_state(state), environment, ..self.clone() })
    }

    /// A session without a store: functions of text and of tables that the caller registers. Predictions are remembered
    /// while it lives.
    pub fn without_store() -> Self {
        Self::build(Environment::default(), None, Arc::default())
    }

    /// The same session, in which `model` answers to `name`.
    pub fn with_model(self, name: &str, model: Arc<dyn PropertyModel>) -> Self {
        self.environment.add_model(name, model);
        self
    }

    /// The same session, in which `function` is known by its name, instead of any function of that name.
    pub fn with_function(self, function: Arc<Function>) -> Self {
        self.context.register_udf(ScalarUDF::new_from_impl(CrystalUdf::new(function, self.environment.clone())));
        self
    }

    /// Whether statements may name files.
    pub(super) fn has_files(&self) -> bool {
        self.environment.has_files()
    }

    fn build(environment: Environment, place: Option<(&Store, Option<i64>)>, runtime: Arc<RuntimeEnv>) -> Self {
        let mut config = SessionConfig::new()
            .with_option_extension(HollanditeOptions::default())
            .with_extension(Arc::new(environment.clone()))
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_create_default_catalog_and_schema(place.is_none())
            .with_information_schema(true)
            // Files are split among the cores by ranges of bytes. Dealing single batches out besides would let several
            // streams run ahead of a limit that has long been reached.
            .with_round_robin_repartition(false)
            .with_repartition_file_min_size(1 << 20);
        let options = config.options_mut();
        // The lake's tables ask the catalog for their files while they are planned, and block the thread meanwhile. Planned
        // side by side, one could wait for a connection that is promised to another, which is not polled to take it.
        options.execution.planning_concurrency = 1;
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        // Groups in the order of a number with a limit: room is made for as many as the limit says before the first is there.
        options.optimizer.enable_topk_aggregation = false;

        let served = !environment.has_files();
        let mut optimizer = Optimizer::new();
        optimizer.rules.insert(0, Arc::new(LiftCalls));
        if served {
            optimizer.rules.push(Arc::new(LongConstants));
        }
        let mut physical = keeping_limits(PhysicalOptimizer::new().rules);
        physical.push(Arc::new(ProjectionsInScans));
        let mut state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_default_features()
            .with_optimizer_rules(optimizer.rules)
            .with_physical_optimizer_rules(physical)
            .with_query_planner(Arc::new(HollanditePlanner));
        if served {
            // The arguments of table functions are folded before there is a plan to put them in.
            for function in state.scalar_functions().get_or_insert_default() {
                *function = bounded(function).unwrap_or_else(|| Arc::clone(function));
            }
            state.analyzer().get_or_insert_default().add_function_rewrite(Arc::new(BoundedCalls));
        }
        let functions: Vec<_> = register::udfs(&environment).into_iter().map(Arc::new).collect();
        // A planner of ours is asked before those of the engine.
        if let Some(operators) = JsonOperators::new(&functions) {
            state.expr_planners().get_or_insert_default().insert(0, Arc::new(operators));
        }
        state.relation_planners().get_or_insert_default().push(Arc::new(SamplePlanner));
        state.scalar_functions().get_or_insert_default().extend(functions);
        let aggregates = register::udafs(&environment).into_iter().map(Arc::new);
        state.aggregate_functions().get_or_insert_default().extend(aggregates);
        for (_, function) in table_functions::all() {
            let name = function.name.to_string();
            let guarded = Arc::new(Guarded::new(function, environment.clone()));
            let table = Arc::new(TableFunction::new(name.clone(), guarded));
            state.table_functions().get_or_insert_default().insert(name, table);
        }
        let (store, snapshot) = place.map_or((None, None), |(store, snapshot)| (Some(store.clone()), snapshot));
        let context = SessionContext::new_with_state(state.build());
        context.runtime_env().cache_manager.get_file_metadata_cache().update_cache_limit(FOOTERS);
        Self { context, environment, store, snapshot }
    }

    /// What its functions share.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The store that the session is over.
    pub fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// The older snapshot at which the session is fixed; `None` at the newest.
    pub fn snapshot(&self) -> Option<i64> {
        self.snapshot
    }

    /// The engine's context, to register tables and to read the catalog.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The model or ensemble that answers to a name or path in this session; the default model where it is empty.
    ///
    /// # Errors
    /// No such model, or weights that cannot be read.
    pub fn model(&self, name: &str) -> Result<Arc<dyn PropertyModel>, Error> {
        self.environment.model(name)
    }

    /// The models that were used in this session so far: name or path, and the hash of the content.
    pub fn loaded_models(&self) -> BTreeMap<String, String> {
        self.environment.loaded_models()
    }

    /// Calls `watcher` after every round of a batch of relaxations; it may end them. The first one stays.
    pub fn watch(&self, watcher: Box<Watcher>) {
        self.environment.set_watcher(watcher);
    }

    /// Reports to `watcher` the progress of costly calls through the rows of each query. The first one stays.
    pub fn watch_rows(&self, watcher: Box<RowsWatcher>) {
        self.environment.set_rows_watcher(watcher);
    }

    /// Rows that answered NULL for a reason, summed up, since the last call.
    pub fn warnings(&self) -> Vec<String> {
        self.environment.warnings().take()
    }
}
