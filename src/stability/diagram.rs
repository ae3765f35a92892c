//! Phases and their hull: formation energies, eV/atom, of one functional and correction scheme.
//!
//! Of a composition the lowest energy counts. A query sees the phases made of its own elements and no others; these are
//! gathered once for a chemical system and kept, so that thousands of queries cost thousands of small linear programs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use serde::{Deserialize, Serialize};

use super::simplex::{Columns, Mixture};
use crystal::{Composition, Element};

/// A phase this near to the hull, eV/atom, lies on it.
const ON_HULL: f64 = 1e-8;

/// A product of a decomposition.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Reduced formula.
    pub formula: String,
    /// Share of the atoms.
    pub fraction: f64,
    /// Formation energy, eV/atom.
    pub energy: f64,
}

/// The one scheme that all of `schemes` name, if any do.
///
/// # Errors
/// Two schemes: their energies have no common zero.
pub fn one_scheme<'a>(schemes: impl IntoIterator<Item = &'a str>) -> Result<Option<&'a str>, String> {
    let mut schemes = schemes.into_iter();
    let first = schemes.next();
    match schemes.find(|scheme| Some(*scheme) != first) {
        Some(other) => Err(format!(
            "energies of '{}' and of '{other}' have no common zero: choose one with WHERE or GROUP BY scheme",
            first.unwrap_or_default()
        )),
        None => Ok(first),
    }
}

/// A set of phases; as text, a JSON object of formulas and energies.
#[derive(Debug, Default)]
pub struct PhaseDiagram {
    scheme: Option<String>,
    phases: Vec<Phase>,
    /// Place of a phase, by its reduced formula.
    places: HashMap<String, usize>,
    systems: RwLock<HashMap<u128, Arc<System>>>,
}

#[derive(Debug)]
struct Phase {
    formula: String,
    fractions: Vec<(Element, f64)>,
    elements: u128,
    energy: f64,
}

/// The phases of a chemical system and of all within it.
#[derive(Debug)]
struct System {
    elements: Vec<Element>,
    columns: Columns,
    /// The phase of each column that is no element.
    phases: Vec<usize>,
}

/// The text of a diagram.
#[derive(Serialize, Deserialize)]
struct Text {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    scheme: Option<String>,
    phases: BTreeMap<String, f64>,
}

impl PhaseDiagram {
    /// A diagram without phases but the elements, of energies of that functional and correction scheme.
    pub fn new(scheme: Option<String>) -> Self {
        Self { scheme, ..Self::default() }
    }

    /// The functional and correction scheme of its energies, where they were named.
    pub fn scheme(&self) -> Option<&str> {
        self.scheme.as_deref()
    }

    /// Number of compositions.
    pub fn len(&self) -> usize {
        self.phases.len()
    }

    /// Whether it has the elements only.
    pub fn is_empty(&self) -> bool {
        self.phases.is_empty()
    }

    /// Its compositions, as reduced formulas, each with the lowest energy, eV/atom.
    pub fn phases(&self) -> impl Iterator<Item = (&str, f64)> {
        self.phases.iter().map(|phase| (phase.formula.as_str(), phase.energy))
    }

    /// Adds a phase of formation energy `energy`, eV/atom; of one composition the lowest stays.
    ///
    /// # Errors
    /// An energy that is not finite, or a composition without atoms.
    pub fn add(&mut self, composition: &Composition, energy: f64) -> Result<(), String> {
        let formula = composition.reduced_formula();
        if !energy.is_finite() || composition.nelements() == 0 {
            return Err(format!("a formation energy of {energy} eV/atom for '{formula}'"));
        }
        self.systems.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
        if let Some(&place) = self.places.get(&formula) {
            let phase = &mut self.phases[place];
            phase.energy = phase.energy.min(energy);
            return Ok(());
        }
        self.places.insert(formula.clone(), self.phases.len());
        let fractions = fractions(composition);
        self.phases.push(Phase { formula, elements: mask(&fractions), fractions, energy });
        Ok(())
    }

    /// Energy of the hull at a composition, eV/atom.
    ///
    /// # Errors
    /// A composition without atoms.
    pub fn hull_energy(&self, composition: &Composition) -> Result<f64, String> {
        Ok(self.mixture(composition, None)?.1.energy)
    }

    /// How far a phase of formation energy `energy` lies above the hull, eV/atom: 0 on it, and negative for one that the
    /// diagram lacks and that would be stable.
    ///
    /// # Errors
    /// A composition without atoms.
    pub fn e_above_hull(&self, composition: &Composition, energy: f64) -> Result<f64, String> {
        let above = energy - self.hull_energy(composition)?;
        Ok(if above.abs() < ON_HULL { 0.0 } else { above })
    }

    /// The phases of the hull into which a composition decomposes, the largest share first; a phase of the hull is its own product.
    ///
    /// # Errors
    /// A composition without atoms.
    pub fn decomposition(&self, composition: &Composition) -> Result<Vec<Part>, String> {
        let (system, Mixture { parts, .. }) = self.mixture(composition, None)?;
        let part = |(k, fraction): (usize, f64)| {
            let energy = system.columns.energies[k];
            match k.checked_sub(system.elements.len()) {
                Some(phase) => Part { formula: self.phases[system.phases[phase]].formula.clone(), fraction, energy },
                None => Part { formula: system.elements[k].symbol().to_owned(), fraction, energy },
            }
        };
        let mut parts: Vec<_> = parts.into_iter().map(part).collect();
        parts.sort_by(|a, b| b.fraction.total_cmp(&a.fraction).then_with(|| a.formula.cmp(&b.formula)));
        Ok(parts)
    }

    /// How far the energy of a stable phase may rise before it decomposes into phases of other compositions, eV/atom; of a phase above the
    /// hull, how far it must fall, as a negative number.
    ///
    /// # Errors
    /// An element, which cannot decompose, or a composition without atoms.
    pub fn stability_margin(&self, composition: &Composition, energy: f64) -> Result<f64, String> {
        let above = self.e_above_hull(composition, energy)?;
        if composition.nelements() < 2 {
            return Err(format!("'{}' is an element and falls apart into nothing else", composition.reduced_formula()));
        }
        if above > 0.0 {
            return Ok(-above);
        }
        let itself = self.places.get(&composition.reduced_formula()).copied();
        Ok(self.mixture(composition, itself)?.1.energy - energy)
    }

    fn mixture(&self, composition: &Composition, without: Option<usize>) -> Result<(Arc<System>, Mixture), String> {
        let fractions = fractions(composition);
        if fractions.is_empty() {
            return Err("a composition without atoms".into());
        }
        let system = self.system(&fractions);
        let x: Vec<f64> = fractions.iter().map(|(_, fraction)| *fraction).collect();
        let skipped = without.and_then(|phase| system.phases.iter().position(|&p| p == phase));
        let mixture = system.columns.least(&x, skipped.map(|column| column + system.elements.len()));
        let mixture =
            mixture.ok_or_else(|| format!("the hull at '{}' was not found", composition.reduced_formula()))?;
        Ok((system, mixture))
    }

    fn system(&self, fractions: &[(Element, f64)]) -> Arc<System> {
        let elements = mask(fractions);
        if let Some(system) = self.systems.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&elements) {
            return Arc::clone(system);
        }
        let system = Arc::new(self.gather(elements, fractions.iter().map(|(element, _)| *element).collect()));
        let mut systems = self.systems.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(systems.entry(elements).or_insert(system))
    }

    fn gather(&self, within: u128, elements: Vec<Element>) -> System {
        let rows = elements.len();
        let mut columns = Columns { rows, fractions: vec![0.0; rows * rows], energies: vec![0.0; rows] };
        (0..rows).for_each(|i| columns.fractions[i * rows + i] = 1.0);
        let mut phases = Vec::new();
        for (place, phase) in self.phases.iter().enumerate().filter(|(_, phase)| phase.elements & !within == 0) {
            if let [(element, _)] = phase.fractions.as_slice() {
                // An allotrope below the reference moves the reference; above it, it never matters.
                if let Some(i) = elements.iter().position(|e| e == element) {
                    columns.energies[i] = phase.energy.min(0.0);
                }
                continue;
            }
            let fraction =
                |element: &Element| phase.fractions.iter().find(|(e, _)| e == element).map_or(0.0, |(_, f)| *f);
            columns.fractions.extend(elements.iter().map(fraction));
            columns.energies.push(phase.energy);
            phases.push(place);
        }
        System { elements, columns, phases }
    }

    /// The diagram as text.
    pub fn to_text(&self) -> String {
        let phases = self.phases.iter().map(|phase| (phase.formula.clone(), phase.energy)).collect();
        serde_json::to_string(&Text { scheme: self.scheme.clone(), phases }).unwrap_or_default()
    }

    /// Reads what [`PhaseDiagram::to_text`] wrote.
    ///
    /// # Errors
    /// Other text.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let Text { scheme, phases } = serde_json::from_str(text)
            .map_err(|e| format!("no phase diagram; make one with phase_diagram(formula, ef): {e}"))?;
        let mut diagram = Self::new(scheme);
        for (formula, energy) in phases {
            diagram.add(&Composition::parse(&formula).map_err(|e| e.to_string())?, energy)?;
        }
        Ok(diagram)
    }
}

/// Atomic fractions, by atomic number.
fn fractions(composition: &Composition) -> Vec<(Element, f64)> {
    let atoms = composition.natoms();
    composition.iter().filter(|(_, amount)| *amount > 0.0).map(|(element, amount)| (element, amount / atoms)).collect()
}

/// A bit for each element.
fn mask(fractions: &[(Element, f64)]) -> u128 {
    fractions.iter().fold(0, |mask, (element, _)| mask | 1 << element.z())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(text: &str) -> Composition {
        Composition::parse(text).unwrap()
    }

    /// Ti-O by the Materials Project's energies, rounded.
    fn titanium_oxides() -> PhaseDiagram {
        let mut diagram = PhaseDiagram::new(Some("GGA".into()));
        for (text, energy) in [
            ("TiO2", -3.31),
            ("TiO2", -3.30),
            ("Ti2O3", -3.09),
            ("TiO", -2.60),
            ("Ti3O5", -3.17),
            ("LiTi2O4", -3.0),
            ("O", 0.2),
        ] {
            diagram.add(&formula(text), energy).unwrap();
        }
        diagram
    }

    #[test]
    fn a_binary_hull_by_hand() {
        let diagram = titanium_oxides();
        assert_eq!(diagram.len(), 6);
        let above = |text: &str, energy| diagram.e_above_hull(&formula(text), energy).unwrap();
        assert_eq!(above("TiO2", -3.31), 0.0);
        assert!((above("Ti2O4", -3.30) - 0.01).abs() < 1e-12, "the amounts do not matter");
        // Ti3O5 (x_O = 5/8) lies on the line from Ti2O3 (3/5) to TiO2 (2/3) at -3.09 - 0.22 * (5/8 - 3/5) / (2/3 - 3/5).
        let line = -3.09 - 0.22 * (0.625 - 0.6) / (2.0 / 3.0 - 0.6);
        assert!((above("Ti3O5", -3.17) - (-3.17 - line)).abs() < 1e-12);
        // An element above its reference does not move the hull, and oxygen-rich mixtures give off O.
        let parts = diagram.decomposition(&formula("TiO3")).unwrap();
        assert_eq!(parts.iter().map(|p| p.formula.as_str()).collect::<Vec<_>>(), ["TiO2", "O"]);
        assert!((parts[0].fraction - 0.75).abs() < 1e-12 && (parts[1].fraction - 0.25).abs() < 1e-12);
        // A phase that would be new is below.
        assert!((above("TiO3", -3.0) - (-3.0 + 3.31 * 0.75)).abs() < 1e-12);
        // Other elements than those of the query do not matter; a system without phases is a mixture of its elements.
        assert_eq!(above("NaCl", -2.0), -2.0);
    }

    #[test]
    fn a_margin_is_what_the_others_leave() {
        let diagram = titanium_oxides();
        let margin = |text: &str, energy| diagram.stability_margin(&formula(text), energy);
        // TiO2 without itself: Ti2O3 or Ti3O5 with O; the better at x_O = 2/3.
        let between = |x: f64, e: f64| e * (1.0 - 2.0 / 3.0) / (1.0 - x);
        let others = between(0.6, -3.09).min(between(0.625, -3.17));
        assert!((margin("TiO2", -3.31).unwrap() - (others + 3.31)).abs() < 1e-12);
        assert!((margin("TiO2", -3.21).unwrap() + 0.1).abs() < 1e-12, "above the hull it is what is missing");
        assert!(margin("Ti", 0.0).unwrap_err().contains("element"));
    }

    #[test]
    fn two_schemes_are_refused_by_name() {
        assert_eq!(one_scheme([]), Ok(None));
        assert_eq!(one_scheme(["GGA", "GGA"]), Ok(Some("GGA")));
        let refused = one_scheme(["GGA", "GGA", "r2SCAN"]).unwrap_err();
        assert!(refused.contains("'GGA' and of 'r2SCAN'") && refused.contains("WHERE"), "{refused}");
    }

    #[test]
    fn the_text_gives_the_diagram_back() {
        let diagram = titanium_oxides();
        let text = diagram.to_text();
        let again = PhaseDiagram::from_text(&text).unwrap();
        assert_eq!((again.to_text(), again.scheme(), again.len()), (text.clone(), Some("GGA"), 6));
        assert!(text.contains("\"TiO2\":-3.31"), "{text}");
        for composition in ["Ti5O9", "LiTiO2", "Li2TiO3"].map(formula) {
            assert_eq!(again.hull_energy(&composition).unwrap(), diagram.hull_energy(&composition).unwrap());
        }
        assert!(PhaseDiagram::from_text("TiO2").unwrap_err().contains("phase_diagram(formula, ef)"));
        assert!(PhaseDiagram::default().add(&formula("TiO2"), f64::NAN).is_err());
    }
}
