//! How long functions take: the classes that the optimizer plans with.

use serde::{Deserialize, Serialize};

/// Classes of cost, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cost {
    /// Columns, constants and the engine's own functions: nanoseconds.
    Cheap,
    /// A sum over the sites of a crystal: microseconds.
    Crystal,
    /// Neighbours, symmetry, a volume integral: up to milliseconds. Worth a plan node.
    Costly,
    /// A forward pass of a network. Worth a plan node above those.
    Model,
    /// An energy surface walked along, hundreds of passes: seconds. Worth a plan node above all others.
    Surface,
}

impl Cost {
    /// Whether calls of this class are lifted into nodes of their own.
    pub fn is_lifted(self) -> bool {
        self >= Self::Costly
    }
}
