//! Pictures: of a crystal ([`structure`]), its powder pattern ([`xrd`]), its electrons ([`density`]), what a table holds
//! ([`distribution`]), a model's errors ([`parity()`], [`errors()`]), its training ([`learning_curve`]), the search for its
//! settings ([`tuning()`]), an ion on its way ([`path()`]), the steps of a screening ([`funnel`]) and the convex hull of a chemical
//! system ([`hull`]).
//!
//! Each function draws a [`Picture`], which [`Picture::save`] writes as SVG or PNG. Where there are axes plotters draws them;
//! what no chart library knows is drawn by hand.

mod atoms;
mod axis;
mod bonds;
mod channels;
mod chart;
mod colors;
mod contours;
pub mod density;
pub mod distribution;
mod errors;
pub mod funnel;
mod gibbs;
pub mod hull;
pub mod labels;
mod learning;
mod levels;
mod parity;
mod path;
mod periodic;
mod places;
mod raster;
mod solid;
pub mod structure;
mod svg;
mod trail;
mod tuning;
mod view;
pub mod xrd;

pub use channels::Tunnels;
pub use errors::errors;
pub use learning::learning_curve;
pub use parity::parity;
pub use path::path;
pub use solid::{Solid, roomy_cells, solid};
pub(super) use svg::escaped;
pub use svg::{Anchor, Picture};
pub use trail::{Image, Trail, through};
pub use tuning::tuning;
pub use view::{usual_axis, usual_cells};
