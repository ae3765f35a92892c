//! What can go wrong when a result is written or drawn.

use std::path::PathBuf;

use formats::FormatError;

/// A result that cannot be written, or cannot become a frame.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file or folder cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The stream that the result goes to is closed or full.
    #[error("output: {0}")]
    Stream(#[from] std::io::Error),
    /// The result does not fit the requested format.
    #[error("{0}")]
    Format(String),
    /// A file of crystals that cannot be written.
    #[error(transparent)]
    Crystals(#[from] FormatError),
    /// A column that Arrow cannot convert.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// A column that Parquet cannot hold.
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A column that polars cannot hold.
    #[error(transparent)]
    Frame(#[from] polars::error::PolarsError),
}

impl ReportError {
    /// The system refused `path`.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// Whether the reader of the output went away, as `head` does: no error for the user.
    pub fn is_broken_pipe(&self) -> bool {
        let broken = |e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe;
        match self {
            Self::Io { source, .. } | Self::Stream(source) => broken(source),
            Self::Arrow(arrow::error::ArrowError::IoError(_, source)) => broken(source),
            // Arrow's CSV writer keeps the words of the system's error and not the error.
            Self::Arrow(arrow::error::ArrowError::CsvError(message)) => message.contains("Broken pipe"),
            _ => false,
        }
    }
}
