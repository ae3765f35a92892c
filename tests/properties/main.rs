//! What holds for every crystal: invariances and round trips over random and published ones, one file a layer.

mod channels;
mod crystal;
mod features;
mod formats;
mod matrices;
mod writers;
