//! What a query costs, and the plan that follows from it.
//!
//! A comparison of numbers takes a nanosecond, a space group a millisecond, a graph network several. The engine knows
//! of no such difference, so a rule of ours ([`LiftCalls`]) takes every costly call out of the expression it stands in
//! and gives it a node of its own, as high in the plan as it may stand:
//!
//! ```text
//! Projection          names the predicted column as the query did
//!   Filter            what compares predictions
//!     Predict         one column a distinct call: asked once, remembered
//!       Filter        what compares costly features
//!         Compute     void(..), spacegroup(..)
//!           Limit, Join, Filter, TableScan: everything cheap, pushed down as ever
//! ```
//!
//! [`cost`] says what a function costs, [`lift`] moves the calls, [`guard`] finds the rows for which an answer cannot
//! matter (`void > 0.5 OR predict_ef(structure) < -2`), [`node`] is the logical node, [`exec`] the physical one
//! and [`blocks`] its work; [`limits`] keeps a limit in its place, [`projections`] reads only what is needed, [`interrupt`] ends a
//! plan whose rows are no longer wanted, and [`copies`] bounds what is copied for strangers, both by a [`passing`] node. [`travel`]
//! takes a node to another process.

mod blocks;
mod call;
mod copies;
mod cost;
mod exec;
mod guard;
mod interrupt;
mod lift;
mod limits;
mod node;
mod passing;
mod planner;
mod projections;
mod state;
mod travel;

pub use exec::EvaluateExec;
pub use lift::LiftCalls;
pub use limits::keeping_limits;
pub use planner::{HollanditePlanner, planned};
pub use projections::ProjectionsInScans;
pub use travel::Carried;

pub use super::cost::Cost;
