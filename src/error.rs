//! What can go wrong: one enum for each layer, declared there. A message names the quantity that was found, what was expected
//! and, where a person can do something about it, the remedy. It is whole: what lies behind it is said in it, and is its `source()`
//! for programs that ask what kind of error that was. DataFusion's own appears only at the `sql` boundary.

pub use adsorption::AdsorptionError;
pub use crystal::CrystalError;
pub use features::FeatureError;
pub use formats::{FormatError, Position};
pub use models::ModelError;
pub use report::ReportError;
pub use sql::Error;
pub use store::StoreError;
