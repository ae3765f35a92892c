//! What a user may tune: `SET hollandite.relax_steps = 500`.

// The macro expands to paths of DataFusion's own crates and to undocumented functions.
#![allow(missing_docs)]

use std::any::Any;
use std::ops::{Deref, DerefMut};

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::{Result, extensions_options};

extensions_options! {
    /// The options by their bare names.
    pub struct Fields {
        /// Whether predictions are looked up in, and written to, the prediction cache.
        pub cache: bool, default = true

        /// Probability with which the interval of `predict(structure)` holds the label, where the call states none.
        pub coverage: f64, default = 0.9

        /// Energy model that `predict_energy`, `relax` and `adsorption_potential` ask where the call names none.
        pub energy_model: String, default = "chgnet".to_string()

        /// Whether costly calls read what `hollandite featurize` has materialised for the very same crystal.
        pub features: bool, default = true

        /// Most configurations of the ions that `adsorption` relaxes for a channel; the best of them is the answer.
        pub insertion_starts: usize, default = 4

        /// Longest force left when `adsorption` ends a relaxation, eV/Å.
        pub relax_fmax: f64, default = 0.05

        /// Most steps of a relaxation of `adsorption`.
        pub relax_steps: usize, default = 200

        /// Model that `predict_ef(structure)` and `predict(structure)` ask where the call names none; empty: the embedded default.
        pub model: String, default = String::new()
    }
}

/// Session options under the prefix `hollandite`.
#[derive(Debug, Clone, Default)]
pub struct HollanditeOptions {
    fields: Fields,
    /// Whether the crystals that a model is asked about, or that are relaxed, are divided by their content among the streams of the
    /// query (datafusion.execution.target_partitions). One stream uses every core of one machine, and stops sooner at a limit;
    /// several are for a query that runs on several machines: a cluster sets it, and no name does.
    pub partitioned: bool,
}

impl Deref for HollanditeOptions {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.fields
    }
}

impl DerefMut for HollanditeOptions {
    fn deref_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }
}

impl ConfigExtension for HollanditeOptions {
    const PREFIX: &'static str = "hollandite";
}

impl ExtensionOptions for HollanditeOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        ExtensionOptions::set(&mut self.fields, key, value)
    }

    /// With the prefix, which the macro leaves out: `SHOW` looks an option up by the name that `SET` takes.
    fn entries(&self) -> Vec<ConfigEntry> {
        let prefixed = |entry: ConfigEntry| ConfigEntry { key: format!("{}.{}", Self::PREFIX, entry.key), ..entry };
        self.fields.entries().into_iter().map(prefixed).collect()
    }
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
        config.set("hollandite.relax_steps", "16").unwrap();
        config.set("hollandite.cache", "false").unwrap();
        let options = HollanditeOptions::of(&config);
        assert_eq!((options.insertion_starts, options.relax_steps, options.cache), (4, 16, false));
        assert!(config.set("hollandite.relax_step", "16").is_err());
        assert!(config.set("hollandite.relax_steps", "many").is_err());
    }

    #[test]
    fn options_are_shown_by_the_name_under_which_they_are_set() {
        let mut config = ConfigOptions::default();
        config.extensions.insert(HollanditeOptions::default());
        let shown =
            |key: &str| config.entries().into_iter().find(|entry| entry.key == key).and_then(|entry| entry.value);
        assert_eq!(shown("hollandite.relax_steps"), Some("200".into()));
        assert_eq!(shown("relax_steps"), None);
    }

    /// The value that a text states behind the name of an option: `, 200` or ` (4)`, text in single quotes.
    fn stated(behind: &str) -> Option<&str> {
        let behind = behind.strip_prefix('`').unwrap_or(behind);
        let value = behind.strip_prefix(", ").or_else(|| behind.strip_prefix(" ("))?;
        if let Some(quoted) = value.strip_prefix('\'') {
            return quoted.split('\'').next();
        }
        let number = value.split(|c: char| !(c.is_ascii_digit() || c == '.')).next()?.trim_end_matches('.');
        (!number.is_empty()).then_some(number)
    }

    #[test]
    fn the_texts_of_the_functions_state_the_defaults() {
        let entries = HollanditeOptions::default().entries();
        let mut defaults = 0;
        for function in crate::docs::functions() {
            let meanings = function.arguments.iter().map(|(_, meaning)| meaning.as_str());
            let texts = std::iter::once(function.description.as_str()).chain(meanings);
            for mention in texts.flat_map(|text| text.split("hollandite.").skip(1)) {
                let end = mention.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(mention.len());
                let (name, behind) = mention.split_at(end);
                let key = format!("{}.{name}", HollanditeOptions::PREFIX);
                let entry = entries.iter().find(|entry| entry.key == key);
                let entry = entry.unwrap_or_else(|| panic!("{}: there is no option {key}", function.name));
                if let Some(stated) = stated(behind) {
                    assert_eq!(Some(stated), entry.value.as_deref(), "{}: the default of {key}", function.name);
                    defaults += 1;
                }
            }
        }
        assert!(defaults > 10, "the texts state {defaults} defaults");
    }
}
