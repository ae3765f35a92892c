//! What a model predicts: the label that it was fitted to, and its unit.

/// A quantity by the name of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity<'a> {
    /// Column of the label, such as `formation_energy_per_atom`.
    pub target: &'a str,
    /// Its unit, such as `eV/atom`; empty where it has none, or none is known.
    pub unit: &'a str,
}

impl Quantity<'_> {
    /// What the models that ship with the program predict.
    pub const FORMATION_ENERGY: Quantity<'static> = Quantity { target: "formation_energy_per_atom", unit: "eV/atom" };

    /// Whether it is a formation energy per atom: an energy per atom that is not known to be another.
    pub fn is_formation_energy(self) -> bool {
        let target = self.target.to_ascii_lowercase().replace('-', "_");
        let other = target == "energy_per_atom"
            || ["hull", "total_energy", "final_energy"].into_iter().any(|part| target.contains(part));
        self.unit == Self::FORMATION_ENERGY.unit && !other
    }
}

impl std::fmt::Display for Quantity<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.unit {
            "" => write!(f, "{}", self.target),
            unit => write!(f, "{} in {unit}", self.target),
        }
    }
}

/// A unit behind a number: nothing where there is none.
pub fn behind(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// What an axis shows, with its unit behind a comma.
pub fn axis(what: &str, unit: &str) -> String {
    if unit.is_empty() { what.to_owned() } else { format!("{what}, {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_energy_of_formation_is_one() {
        let is = |target, unit| Quantity { target, unit }.is_formation_energy();
        assert!(Quantity::FORMATION_ENERGY.is_formation_energy() && is("e_form", "eV/atom"));
        for (target, unit) in
            [("band_gap", "eV"), ("e_above_hull", "eV/atom"), ("final-energy-per-atom", "eV/atom"), ("log10k", "")]
        {
            assert!(!is(target, unit), "{target}");
        }
        assert_eq!(Quantity { target: "band_gap", unit: "eV" }.to_string(), "band_gap in eV");
        assert_eq!(Quantity { target: "log10k", unit: "" }.to_string() + &behind("") + &behind("Å"), "log10k Å");
        assert_eq!((axis("label", "eV"), axis("label", "")), ("label, eV".into(), "label".into()));
    }
}
