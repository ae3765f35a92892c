//! What can be wrong with a text or a file of crystals.

use std::path::PathBuf;

use crystal::{Cause, CrystalError};

/// Where in a text a fault lies, both counted from 1. Column 0: the whole line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1; 0 where the whole line is meant.
    pub column: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.column {
            0 => write!(f, "line {}", self.line),
            column => write!(f, "line {}, column {column}", self.line),
        }
    }
}

/// A text that is not the crystal it claims to be.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file cannot be opened, read or decompressed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error, or what is wrong with the file, and the remedy.
        source: Cause,
    },
    /// A fault at a place in the text.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Position,
        /// Expected and found, and the remedy.
        message: String,
    },
    /// The text is well formed but its crystal is not; `at` is the line of the block or record.
    #[error("{at}: {source}")]
    Crystal {
        /// First line of the block or record, or of the offending site where known.
        at: Position,
        /// What is wrong with it.
        source: CrystalError,
    },
}

impl FormatError {
    /// What is wrong with the file at `path`.
    pub fn io(path: impl Into<PathBuf>, source: impl Into<Cause>) -> Self {
        Self::Io { path: path.into(), source: source.into() }
    }

    /// A syntax error at a line and column (both from 1).
    pub fn syntax(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self::Syntax { at: Position { line, column }, message: message.into() }
    }

    /// The same error where its text stands below `lines` other lines.
    pub fn below(mut self, lines: usize) -> Self {
        if let Self::Syntax { at, .. } | Self::Crystal { at, .. } = &mut self {
            at.line += lines;
        }
        self
    }

    /// The place of the fault, where there is one.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Io { .. } => None,
            Self::Syntax { at, .. } | Self::Crystal { at, .. } => Some(*at),
        }
    }
}
