//! Jobs: work over a table that is more than a query, goes on where it was interrupted, and reports its progress.
//!
//! [`featurize`] keeps the values of functions of crystals, [`compute`] those of any columns of SQL, [`evaluate`] a model's answers beside
//! labels, [`enumerate`] makes candidates from prototypes, and [`generate`] hypothetical crystals, all in whole snapshots.
//! [`steps`] counts what each condition of a screening leaves, and [`Labelled`] reads the crystals of a training.

mod compute;
mod enumerate;
mod evaluate;
mod featurize;
mod generate;
mod labelled;
mod screening;

pub use compute::{ComputeOptions, ComputeSummary, compute};
pub use enumerate::{EnumerateOptions, EnumerateSummary, enumerate};
pub use evaluate::{EvaluateOptions, EvaluateSummary, PartSummary, evaluate};
pub use featurize::{FeatureSummary, FeaturizeOptions, FeaturizeSummary, featurize};
pub use generate::{GenerateOptions, GenerateSummary, generate};
pub use labelled::Labelled;
pub use screening::{Step, steps};
