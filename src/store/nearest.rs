//! Suggestions: the known name that is most like an unknown one.

use datafusion::common::utils::datafusion_strsim::normalized_levenshtein;

/// How alike two names must be, from 0 to 1.
const ALIKE: f64 = 0.5;

/// The name most like `asked`, if one is like it.
pub fn nearest<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let asked = asked.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        // A part of a long name is meant for it: energy for formation_energy_per_atom.
        let part = asked.len() >= 3 && name.split('_').any(|word| word == asked);
        normalized_levenshtein(&asked, &name).max(if part { ALIKE } else { 0.0 })
    };
    known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What is said behind a name that is not known: which one may have been meant, or else `otherwise`.
pub fn did_you_mean<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    nearest(asked, known).map_or_else(|| otherwise.to_owned(), |name| format!("; did you mean '{name}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let known = ["tmo", "adsorption", "charges", "formation_energy_per_atom", "dft_runs"];
        let nearest = |asked: &str| nearest(asked, known);
        assert_eq!(nearest("tmoo"), Some("tmo"));
        assert_eq!(nearest("Adsorbtion"), Some("adsorption"));
        assert_eq!(nearest("energy"), Some("formation_energy_per_atom"));
        assert_eq!(nearest("quartz"), None);
    }
}
