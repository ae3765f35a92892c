//! Pictures: of a crystal ([`structure`]), its powder pattern ([`xrd`]), its electrons ([`density`]), what a table holds
//! ([`distribution`]), a model's errors ([`parity()`], [`errors()`]), its training ([`learning_curve`]) and the search for its
//! settings ([`tuning()`]).
//!
//! Each function draws a [`Picture`], which [`Picture::save`] writes as SVG or PNG. Where there are axes plotters draws them;
//! what no chart library knows is drawn by hand.

mod atoms;
mod bonds;
mod channels;
mod chart;
mod colors;
mod contours;
pub mod density;
pub mod distribution;
mod errors;
pub mod labels;
mod learning;
mod levels;
mod parity;
mod periodic;
mod raster;
pub mod structure;
mod svg;
mod tuning;
mod view;
pub mod xrd;

pub use channels::Tunnels;
pub use errors::errors;
pub use learning::learning_curve;
pub use parity::parity;
pub use svg::{Anchor, Picture};
pub use tuning::tuning;
pub use view::{usual_axis, usual_cells};
