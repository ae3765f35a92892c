//! Settings of an architecture by name: `hidden=64`, `edges.nearest.count=16`, `dense=[{"units":64,"dropout":0.1}]`.
//!
//! The names are those of the configuration as a model card shows it, so that every setting of every architecture can be
//! changed, and what was changed can be read in the card.

use serde_json::Value;

use super::network::Config;
use crate::ModelError;

/// Settings that are measured on the training set and not chosen.
const MEASURED: [&str; 1] = ["inputs"];
/// Names of the width of atoms, and of the number of layers, in the architectures that have them.
const WIDTHS: [&str; 2] = ["hidden", "atom"];
const DEPTHS: [&str; 5] = ["layers", "blocks", "convolutions", "alignn_layers", "gcn_layers"];

impl Config {
    /// This configuration with the settings of `assignments`, each `key=value`; a value is JSON or a bare word.
    ///
    /// # Errors
    /// No such key, or a value of another kind or out of range; the message lists the keys with their values.
    pub fn with(&self, assignments: &[String]) -> Result<Self, ModelError> {
        let mut tree = self.tree();
        for assignment in assignments {
            let Some((key, text)) = assignment.split_once('=') else {
                return Err(self.fault(assignment, "expected key=value"));
            };
            let (key, text) = (key.trim(), text.trim());
            let place = tree.pointer_mut(&format!("/{}", key.replace('.', "/")));
            let place = place.filter(|_| !key.is_empty() && !MEASURED.contains(&key));
            let place = place.ok_or_else(|| self.fault(assignment, "no such key"))?;
            *place = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
            let changed = serde_json::from_value(tree.clone()).ok().filter(|changed: &Self| self.is_like(changed));
            let Some(changed) = changed else {
                return Err(self.fault(assignment, "the value is of another kind"));
            };
            if let Some(reason) = out_of_range(&changed.tree(), "") {
                return Err(self.fault(assignment, &reason));
            }
        }
        serde_json::from_value(tree).map_err(|e| ModelError::Training(e.to_string()))
    }

    /// This configuration with another width of its atoms.
    ///
    /// # Errors
    /// The architecture's width is fixed, or has no such single number.
    pub fn with_hidden(&self, width: usize) -> Result<Self, ModelError> {
        self.with_each(&WIDTHS, width, "--hidden")
    }

    /// This configuration with another number of layers; of ALIGNN, of either kind.
    ///
    /// # Errors
    /// The architecture has no such single number.
    pub fn with_layers(&self, layers: usize) -> Result<Self, ModelError> {
        self.with_each(&DEPTHS, layers, "--layers")
    }

    fn with_each(&self, names: &[&str], value: usize, option: &str) -> Result<Self, ModelError> {
        let tree = self.tree();
        let present = names.iter().filter(|name| tree.get(**name).is_some_and(Value::is_number));
        let assignments: Vec<String> = present.map(|name| format!("{name}={value}")).collect();
        if assignments.is_empty() {
            return Err(self.fault(&format!("{option} {value}"), "the architecture has no such number"));
        }
        self.with(&assignments)
    }

    /// Every setting as `key=value`, except those that are measured.
    pub fn settings(&self) -> String {
        let mut keys = Vec::new();
        leaves(&self.tree(), String::new(), &mut keys);
        keys.join(", ")
    }

    fn tree(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Whether both are of one variant: the settings of one may read as another's.
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    fn fault(&self, assignment: &str, reason: &str) -> ModelError {
        let (architecture, settings) = (self.architecture(), self.settings());
        ModelError::Training(format!("{assignment}: {reason}; the settings of {architecture} are {settings}"))
    }
}

/// `key=value` for every leaf that can be set.
fn leaves(tree: &Value, path: String, out: &mut Vec<String>) {
    match tree {
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(name, _)| !MEASURED.contains(&name.as_str())) {
                leaves(value, if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, out);
            }
        }
        Value::String(word) => out.push(format!("{path}={word}")),
        leaf => out.push(format!("{path}={leaf}")),
    }
}

/// What no network can have: a width of nothing, a basis of one function, a kernel without a centre, a share above 1.
fn out_of_range(tree: &Value, name: &str) -> Option<String> {
    match tree {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| out_of_range(value, name)),
        Value::Array(_) if MEASURED.contains(&name) => None,
        Value::Array(items) => items.iter().find_map(|item| out_of_range(item, name)),
        Value::Number(number) => {
            let value = number.as_f64().unwrap_or(f64::NAN);
            match name {
                "dropout" => (!(0.0..1.0).contains(&value)).then(|| format!("{name} must lie in [0, 1)")),
                "kernel" => (value % 2.0 != 1.0).then(|| format!("{name} must be odd")),
                "count" => (value < 2.0).then(|| format!("{name} must be at least 2")),
                // A depth of none leaves a network; a first centre may lie anywhere.
                _ if DEPTHS.contains(&name) || ["first", "last"].contains(&name) => None,
                _ => (value.is_nan() || value <= 0.0).then(|| format!("{name} must be above 0")),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        graph::Neighborhood,
        network::{Config, architectures},
    };

    fn usual(name: &str) -> Config {
        architectures().into_iter().find(|(n, _)| *n == name).unwrap().1
    }

    fn with(config: &Config, assignment: &str) -> Result<Config, String> {
        config.with(&[assignment.to_owned()]).map_err(|e| e.to_string())
    }

    #[test]
    fn settings_of_every_depth_can_be_changed() {
        let Config::Alignn(alignn) = with(&usual("alignn"), "edges.nearest.count=8").unwrap() else { panic!() };
        assert_eq!(alignn.edges, Neighborhood::Nearest { count: 8, cutoff: 8.0 });
        let Config::Alignn(alignn) = with(&usual("alignn"), r#"edges={"within":{"cutoff":4}}"#).unwrap() else {
            panic!()
        };
        assert_eq!(alignn.edges, Neighborhood::Within { cutoff: 4.0 });
        assert_eq!(with(&usual("alignn"), "normalisation=layer").unwrap().architecture(), "alignn-atomwise");
        let Config::Cnn(cnn) = with(&usual("cnn-xrd"), r#"dense=[{"units":8,"dropout":0}]"#).unwrap() else { panic!() };
        assert_eq!((cnn.dense.len(), cnn.dense[0].units), (1, 8));
        assert_eq!(usual("megnet").with(&[]).unwrap(), usual("megnet"));
    }

    #[test]
    fn width_and_depth_have_one_name_where_they_are_one_number() {
        let Config::Alignn(alignn) = usual("alignn").with_hidden(64).unwrap().with_layers(2).unwrap() else { panic!() };
        assert_eq!((alignn.hidden, alignn.alignn_layers, alignn.gcn_layers), (64, 2, 2));
        let Config::Cgcnn(cgcnn) = usual("cgcnn").with_hidden(32).unwrap().with_layers(3).unwrap() else { panic!() };
        assert_eq!((cgcnn.atom, cgcnn.convolutions), (32, 3));
        assert!(usual("megnet").with_hidden(64).is_err() && usual("megnet").with_layers(2).is_ok());
        assert!(usual("cnn-magpie").with_layers(2).is_err());
    }

    #[test]
    fn a_wrong_setting_is_answered_with_the_right_ones() {
        for (name, wrong) in [
            ("alignn", "hiden=64"),
            ("alignn", "hidden=wide"),
            ("alignn", "hidden=0"),
            ("alignn", "hidden=-3"),
            ("alignn", "hidden"),
            ("alignn", "=1"),
            ("alignn", "bonds.count=1"),
            ("megnet", "variant=torch"),
            ("cnn-magpie", "inputs=[]"),
            ("cnn-magpie", r#"dense=[{"units":8,"dropout":1.5}]"#),
            ("cnn-magpie", r#"convolutions=[{"filters":8,"kernel":4,"dropout":0}]"#),
        ] {
            let message = with(&usual(name), wrong).unwrap_err();
            assert!(message.contains(wrong) && message.contains("the settings of"), "{message}");
        }
        let message = with(&usual("alignn"), "hiden=64").unwrap_err();
        assert!(message.contains("hidden=256") && message.contains("edges.nearest.count=12"), "{message}");
        assert!(!with(&usual("cnn-xrd"), "x=1").unwrap_err().contains("inputs"));
    }
}
