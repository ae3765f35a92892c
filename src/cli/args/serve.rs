//! The options of `hollandite serve` and `hollandite mcp`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use serve::{count, size, time};

/// `hollandite serve`
#[derive(Debug, ClapArgs)]
pub struct Serve {
    /// Folder of the store; without it, the folder that --store names
    #[arg(value_name = "STORE")]
    pub dir: Option<PathBuf>,
    /// Address of the Flight SQL server, for ADBC and JDBC; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7700")]
    pub listen: SocketAddr,
    /// Address of the HTTP server; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7701")]
    pub http: SocketAddr,
    /// File with the access token, at least 16 characters, which only you can read (chmod 600); clients must send it
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Certificate (PEM) for TLS; needed, with a token, where other machines can reach the addresses
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Write a line of JSON for each request to standard error
    #[arg(long)]
    pub log: bool,
    /// Resource limits
    #[command(flatten)]
    pub bounds: Bounds,
}

/// `hollandite mcp`
#[derive(Debug, ClapArgs)]
pub struct Mcp {
    /// Folder of the store; without it, the folder that --store names
    #[arg(value_name = "STORE")]
    pub dir: Option<PathBuf>,
    /// Resource limits
    #[command(flatten)]
    pub bounds: Bounds,
}

/// Resource limits of a server.
#[derive(Debug, ClapArgs)]
pub struct Bounds {
    /// Memory of all queries together, as in 4G or 512M
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = size)]
    pub memory: usize,
    /// How long an answer may take, as in 60s or 5m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub timeout: Duration,
    /// Queries that run at a time; four times as many wait
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = count)]
    pub queries: usize,
    /// Most rows of an answer
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub rows: usize,
    /// What is allowed beyond cheap queries
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub allow: Vec<Allow>,
    /// Keep nothing in the store; without it, the predictions of models, what energy models computed and the cards of both are kept, so
    /// that nobody computes them again
    #[arg(long)]
    pub keep_nothing: bool,
}

/// What a server may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Allow {
    /// Functions that relax crystals, minutes for a row: relax, adsorption and their like
    Relax,
    /// Trainings, one at a time, by HTTP: each writes a model of a new name into the store
    Train,
}
