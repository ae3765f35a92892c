//! The other two processes of a cluster: one that divides queries, and those that compute.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::ConfigProducer;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use sql::{HollanditeOptions, Session};

use crate::ClusterError;
use crate::codec::Codec;
use crate::workers::Workers;

/// How a scheduler is reached.
#[derive(Debug, Clone)]
pub struct Scheduler {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The name under which executors and clients reach it.
    pub host: String,
}

/// How an executor is reached, and its scheduler.
#[derive(Debug, Clone)]
pub struct Executor {
    /// Host and port of the scheduler.
    pub scheduler: (String, u16),
    /// Where it listens: the rows that it found are fetched there, and from the scheduler the next port gets its tasks.
    pub listen: SocketAddr,
    /// The name under which the others reach it.
    pub host: String,
    /// Tasks that it works on at a time, and cores that it uses.
    pub cores: usize,
    /// Folder of rows between two stages; a temporary folder where that is not given.
    pub work: Option<PathBuf>,
}

/// The options of a query, with ours among them.
fn config() -> SessionConfig {
    SessionConfig::new_with_ballista().with_option_extension(HollanditeOptions::default())
}

/// The functions of a session without a store: those of the engine, and what divides rows.
fn state(config: SessionConfig) -> SessionState {
    let session = Session::without_store().context().state();
    SessionStateBuilder::new_from_existing(session).with_config(config).build()
}

/// Runs a scheduler until the process ends.
///
/// # Errors
/// An address that is taken.
pub async fn scheduler(given: Scheduler) -> Result<(), ClusterError> {
    let producer: ConfigProducer = Arc::new(config);
    let config = SchedulerConfig {
        bind_host: given.listen.ip().to_string(),
        bind_port: given.listen.port(),
        external_host: given.host,
        override_config_producer: Some(producer),
        override_session_builder: Some(Arc::new(|config| Ok(state(config)))),
        override_physical_codec: Some(Arc::new(Codec::of_workers(Workers::new("scheduler".into())))),
        ..Default::default()
    };
    let doing = |doing| move |source| ClusterError::Engine { doing, source };
    let cluster = BallistaCluster::new_from_config(&config).await.map_err(doing("making the scheduler"))?;
    start_server(cluster, given.listen, Arc::new(config)).await.map_err(doing("the scheduler"))
}

/// Runs an executor until the process ends.
///
/// # Errors
/// A scheduler that does not answer, an address that is taken.
pub async fn executor(given: Executor) -> Result<(), ClusterError> {
    // Where they are there already, they stay as they are.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(given.cores).build_global();
    let id = format!("{}-{}-{}", given.host, given.listen.port(), std::process::id());
    let producer: ConfigProducer = Arc::new(config);
    let registry = BallistaFunctionRegistry::from(&state(config()));
    let (scheduler_host, scheduler_port) = given.scheduler;
    let config = ExecutorProcessConfig {
        executor_id: id.clone(),
        bind_host: given.listen.ip().to_string(),
        external_host: Some(given.host),
        port: given.listen.port(),
        grpc_port: given.listen.port() + 1,
        scheduler_host,
        scheduler_port,
        scheduler_connect_timeout_seconds: 30,
        vcores: given.cores,
        work_dir: given.work.map(|work| work.display().to_string()),
        override_config_producer: Some(producer),
        override_function_registry: Some(Arc::new(registry)),
        override_physical_codec: Some(Arc::new(Codec::of_workers(Workers::new(id)))),
        ..Default::default()
    };
    let doing = |source| ClusterError::Engine { doing: "the executor", source };
    start_executor_process(Arc::new(config)).await.map_err(doing)
}
