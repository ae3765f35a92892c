//! `hollandite cluster`: the processes that run the queries of others.

use std::net::SocketAddr;
use std::num::NonZero;

use cluster::ClusterError;

use crate::cli::CliError;
use crate::cli::args::{Cluster, Role};
use crate::sql::Session;

impl From<ClusterError> for CliError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Address(message) => Self::Usage(message),
            ClusterError::Store(error) => Self::Store(error),
            ClusterError::Session(error) => Self::Below(error),
            other => Self::Failed(other.to_string()),
        }
    }
}

pub(crate) async fn run(given: Cluster) -> Result<(), CliError> {
    match given.role {
        Role::Scheduler(given) => {
            let host = host(given.host, given.listen)?;
            eprintln!("scheduler at df://{host}:{}", given.listen.port());
            Ok(cluster::scheduler(cluster::Scheduler { listen: given.listen, host }).await?)
        }
        Role::Executor(given) => {
            let scheduler =
                given.scheduler.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
            let Some(scheduler) = scheduler else {
                let message = format!("--scheduler {}: give host and port, as in localhost:50050", given.scheduler);
                return Err(CliError::Usage(message));
            };
            let host = host(given.host, given.listen)?;
            let all = std::thread::available_parallelism().map_or(1, NonZero::get);
            let cores = given.cores.map_or(all, NonZero::get);
            eprintln!(
                "executor at {}:{} with {cores} cores, for the scheduler at {}",
                host,
                given.listen.port(),
                given.scheduler
            );
            let executor = cluster::Executor { scheduler, listen: given.listen, host, cores, work: given.work };
            Ok(cluster::executor(executor).await?)
        }
    }
}

/// The name by which others reach an address.
fn host(given: Option<String>, listen: SocketAddr) -> Result<String, CliError> {
    match given {
        Some(host) => Ok(host),
        None if listen.ip().is_unspecified() => Err(CliError::Usage(format!(
            "--listen {listen} is all addresses of this machine: say by --host how others reach it"
        ))),
        None => Ok(listen.ip().to_string()),
    }
}

/// The session, with its queries run by the cluster of a scheduler where one is named.
pub(crate) async fn session(session: Session, scheduler: Option<&str>) -> Result<Session, CliError> {
    match scheduler {
        Some(address) => Ok(cluster::session(&session, address).await?),
        None => Ok(session),
    }
}
