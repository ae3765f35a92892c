//! The options of `hollandite cluster`.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// `hollandite cluster`
#[derive(Debug, ClapArgs)]
pub struct Cluster {
    /// Which process this is
    #[command(subcommand)]
    pub role: Role,
}

/// The processes of a cluster beside the one that asks.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// Divide the queries of others into tasks and have executors do them: one in a cluster
    Scheduler(Scheduler),
    /// Do the tasks of a scheduler: one on every machine
    Executor(Executor),
}

/// `hollandite cluster scheduler`
#[derive(Debug, ClapArgs)]
pub struct Scheduler {
    /// Where executors and clients reach it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50050")]
    pub listen: SocketAddr,
    /// Name of this machine to the others, where it listens on all its addresses
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
}

/// `hollandite cluster executor`
#[derive(Debug, ClapArgs)]
pub struct Executor {
    /// The scheduler that it works for
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:50050")]
    pub scheduler: String,
    /// Where the others fetch the rows that it found; the scheduler reaches it at the next port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50051")]
    pub listen: SocketAddr,
    /// Name of this machine to the others, where it listens on all its addresses
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Cores to use [default: all]
    #[arg(long, value_name = "N")]
    pub cores: Option<NonZero<usize>>,
    /// Folder for rows on their way from one stage of a query to the next [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub work: Option<PathBuf>,
}
