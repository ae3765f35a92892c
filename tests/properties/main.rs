//! What holds for every crystal: invariances and round trips over random ones, one file a layer.

mod crystal;
mod features;
mod formats;
mod matrices;
