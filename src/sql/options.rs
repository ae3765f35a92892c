//! What a user may tune: `SET hollandite.batch_graphs = 16`.

// The macro expands to paths of DataFusion's own crates and to undocumented functions.
#![allow(missing_docs)]

use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::extensions_options;

extensions_options! {
    /// Session options under the prefix `hollandite`.
    pub struct HollanditeOptions {
        /// Most atoms in one forward pass of a model. Larger crystals go alone. At 256 the tensors of a pass stay in cache.
        pub batch_atoms: usize, default = 256

        /// Most crystals in one forward pass of a model.
        pub batch_graphs: usize, default = 64

        /// Whether predictions are looked up in, and written to, the prediction cache.
        pub cache: bool, default = true

        /// Model that `predict_ef(structure)` asks where the call names none; empty: the embedded default.
        pub model: String, default = String::new()
    }
}

impl ConfigExtension for HollanditeOptions {
    const PREFIX: &'static str = "hollandite";
}

impl HollanditeOptions {
    /// The options of a session; the defaults where the session has none.
    pub fn of(config: &ConfigOptions) -> Self {
        config.extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_set_by_name_and_unknown_ones_refused() {
        let mut config = ConfigOptions::default();
        config.extensions.insert(HollanditeOptions::default());
        config.set("hollandite.batch_graphs", "16").unwrap();
        config.set("hollandite.cache", "false").unwrap();
        let options = HollanditeOptions::of(&config);
        assert_eq!((options.batch_atoms, options.batch_graphs, options.cache), (256, 16, false));
        assert!(config.set("hollandite.batch_graph", "16").is_err());
        assert!(config.set("hollandite.batch_graphs", "many").is_err());
    }
}
