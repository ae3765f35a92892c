//! A crystal as an entry of OPTIMADE 1.2 (specification, "Structures Entries").

use serde_json::{Map, Value, json};

use crystal::{Composition, Element, Structure, amount_text, content_hash};

/// What the names begin with that OPTIMADE does not define: ours.
pub const PREFIX: &str = "_hollandite_";

/// The name in OPTIMADE of a column or property of ours: lower-case letters, digits and `_` after [`PREFIX`].
pub fn optimade_name(own: &str) -> String {
    let plain = own.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    PREFIX.chars().chain(plain).collect()
}

/// What OPTIMADE derives from the atoms alone.
const ATTRIBUTES: [&str; 16] = [
    "immutable_id",
    "last_modified",
    "elements",
    "nelements",
    "elements_ratios",
    "chemical_formula_descriptive",
    "chemical_formula_reduced",
    "chemical_formula_anonymous",
    "dimension_types",
    "nperiodic_dimensions",
    "lattice_vectors",
    "cartesian_site_positions",
    "nsites",
    "species",
    "species_at_sites",
    "structure_features",
];

/// The attributes that OPTIMADE derives from the atoms alone, each as [`optimade_attribute`] has it.
pub fn to_optimade(structure: &Structure) -> Map<String, Value> {
    ATTRIBUTES.iter().map(|name| ((*name).to_owned(), optimade_attribute(structure, name))).collect()
}

/// One attribute of a crystal; null for what does not follow from its atoms. Lengths are in Å; Cartesian positions lie in the cell's
/// own frame. `immutable_id` is the [content hash](content_hash); when the entry changed last is unknown. A formula in Hill's order is of
/// the molecule (H2O2 and not HO), which a cell does not show: the specification has it null then. The space group takes long, and is
/// separate: [`optimade_space_group`](super::optimade_space_group).
pub fn optimade_attribute(structure: &Structure, name: &str) -> Value {
    let composition = || structure.composition();
    match name {
        "immutable_id" => json!(content_hash(structure).to_string()),
        "elements" => symbols(&elements(structure)).collect(),
        "nelements" => json!(elements(structure).len()),
        "elements_ratios" => elements(structure).iter().map(|(_, n)| json!(n / structure.len() as f64)).collect(),
        "chemical_formula_descriptive" => json!(composition().reduced_formula()),
        "chemical_formula_reduced" => json!(reduced_formula(&composition())),
        "chemical_formula_anonymous" => json!(anonymous_formula(&composition())),
        "dimension_types" => json!([1, 1, 1]),
        "nperiodic_dimensions" => json!(3),
        "lattice_vectors" => json!(structure.lattice().rows()),
        "cartesian_site_positions" => json!(structure.cart_coords()),
        "nsites" => json!(structure.len()),
        "species" => symbols(&elements(structure))
            .map(|symbol| json!({"name": symbol, "chemical_symbols": [symbol], "concentration": [1.0]}))
            .collect(),
        "species_at_sites" => structure.species().iter().map(|e| e.symbol()).collect(),
        "structure_features" => json!([]),
        _ => Value::Null,
    }
}

/// Elements in alphabetical order, as all of OPTIMADE is, with their atoms.
fn elements(structure: &Structure) -> Vec<(Element, f64)> {
    let mut elements: Vec<(Element, f64)> = structure.composition().iter().collect();
    elements.sort_unstable_by_key(|(e, _)| e.symbol());
    elements
}

fn symbols(elements: &[(Element, f64)]) -> impl Iterator<Item = &'static str> {
    elements.iter().map(|(e, _)| e.symbol())
}

/// Elements in alphabetical order with the smallest whole amounts, 1 left out: `O2Ti`.
pub fn reduced_formula(composition: &Composition) -> String {
    let mut amounts: Vec<(&str, f64)> = composition.reduced().iter().map(|(e, n)| (e.symbol(), n)).collect();
    amounts.sort_unstable_by_key(|(symbol, _)| *symbol);
    joined(amounts.into_iter().map(|(symbol, n)| (symbol.to_owned(), n)))
}

/// Letters in place of elements, the most frequent first: `A2B`; after Z come Aa, Ba, ...
pub fn anonymous_formula(composition: &Composition) -> String {
    let mut amounts: Vec<f64> = composition.reduced().iter().map(|(_, n)| n).collect();
    amounts.sort_unstable_by(|a, b| b.total_cmp(a));
    let letter = |i: usize| {
        let first = char::from(b'A' + (i % 26) as u8);
        let round = (i >= 26).then(|| char::from(b'a' + (i / 26 - 1) as u8));
        [Some(first), round].into_iter().flatten().collect::<String>()
    };
    joined(amounts.into_iter().enumerate().map(|(i, n)| (letter(i), n)))
}

fn joined(parts: impl Iterator<Item = (String, f64)>) -> String {
    parts.map(|(symbol, n)| symbol + &amount_text(n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts;

    #[test]
    fn formulas_are_those_of_the_specification() {
        let formulas = |text: &str| {
            let composition = Composition::parse(text).unwrap();
            (reduced_formula(&composition), anonymous_formula(&composition))
        };
        assert_eq!(formulas("Ti2O4"), ("O2Ti".into(), "A2B".into()));
        assert_eq!(formulas("C8H8Na4"), ("C2H2Na".into(), "A2B2C".into()));
        assert_eq!(formulas("O"), ("O".into(), "A".into()));
        let many: Composition = (1..=28).map(|z| (Element::from_z(z).unwrap(), 1.0)).collect();
        assert!(anonymous_formula(&many).ends_with("YZAaBa"));
    }

    #[test]
    fn our_own_reader_gets_the_same_crystal_back() {
        for host in hosts::embedded() {
            let entry = json!({"id": host.id, "type": "structures", "attributes": to_optimade(&host.structure)});
            let read = crate::parse_structure(&entry.to_string()).unwrap();
            assert_eq!(content_hash(&read), content_hash(&host.structure), "{}", host.id);
            assert_eq!(read.species(), host.structure.species());
        }
    }

    #[test]
    fn names_of_ours_have_the_prefix_and_no_strange_letters() {
        assert_eq!(optimade_name("e_above_hull"), "_hollandite_e_above_hull");
        assert_eq!(optimade_name("sum(Volume)"), "_hollandite_sum_volume_");
    }
}
