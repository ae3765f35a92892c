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

/// The attributes that OPTIMADE derives from the atoms alone. Lengths are in Å; Cartesian positions lie in the cell's own frame.
/// `immutable_id` is the [content hash](content_hash); nobody has noted when the entry changed last.
pub fn to_optimade(structure: &Structure) -> Map<String, Value> {
    let (lattice, composition) = (structure.lattice(), structure.composition());
    // Alphabetical, as all of OPTIMADE is.
    let mut elements: Vec<(Element, u64)> = composition.iter().map(|(e, n)| (e, n.round() as u64)).collect();
    elements.sort_unstable_by_key(|(e, _)| e.symbol());
    let symbols: Vec<&str> = elements.iter().map(|(e, _)| e.symbol()).collect();
    let ratios: Vec<f64> = elements.iter().map(|(_, n)| *n as f64 / structure.len() as f64).collect();
    let species =
        symbols.iter().map(|symbol| json!({"name": symbol, "chemical_symbols": [symbol], "concentration": [1.0]}));
    let attributes = json!({
        "immutable_id": content_hash(structure).to_string(),
        "last_modified": null,
        "elements": symbols,
        "nelements": symbols.len(),
        "elements_ratios": ratios,
        "chemical_formula_descriptive": composition.reduced_formula(),
        "chemical_formula_reduced": reduced_formula(&composition),
        "chemical_formula_anonymous": anonymous_formula(&composition),
        "dimension_types": [1, 1, 1],
        "nperiodic_dimensions": 3,
        "lattice_vectors": lattice.rows(),
        "cartesian_site_positions": structure.cart_coords(),
        "nsites": structure.len(),
        "species": species.collect::<Vec<_>>(),
        "species_at_sites": structure.species().iter().map(|e| e.symbol()).collect::<Vec<_>>(),
        "structure_features": [],
    });
    let Value::Object(attributes) = attributes else { unreachable!("an object was written above") };
    attributes
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
