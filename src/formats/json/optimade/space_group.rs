//! The space group of a crystal, as an entry of OPTIMADE states it (specification, "space_group_it_number" and its neighbours).

use serde_json::{Map, Value, json};

use crystal::{Setting, Structure, Symmetry};

/// The attributes of the space group, in the order of [`optimade_space_group`].
pub const SPACE_GROUP: [&str; 4] = [
    "space_group_it_number",
    "space_group_symbol_hermann_mauguin",
    "space_group_symbol_hall",
    "space_group_symmetry_operations_xyz",
];

/// The space group that is found with distances up to `symprec` Å taken as equal; nulls where none is. Number and Hermann-Mauguin symbol
/// are those of the group. The Hall symbol and the operations belong to axes and an origin: they are stated where those of the crystal,
/// as it is, are those of a tabulated setting, and null elsewhere, as in a primitive cell of a centred lattice.
pub fn optimade_space_group(structure: &Structure, symprec: f64) -> Map<String, Value> {
    let symmetry = Symmetry::of(structure, symprec).ok();
    let own = symmetry.as_ref().and_then(|symmetry| symmetry.setting(structure, symprec));
    let named = own.or_else(|| Setting::usual(symmetry.as_ref()?.number));
    let values = [
        json!(symmetry.as_ref().map(|symmetry| symmetry.number)),
        json!(named.map(|setting| setting.short.replace('_', ""))),
        json!(own.map(hall)),
        json!(own.map(operations)),
    ];
    SPACE_GROUP.iter().map(|name| (*name).to_owned()).zip(values).collect()
}

/// The Hall symbol, for whose quotes the table has signs of its own.
fn hall(setting: &Setting) -> String {
    setting.hall.replace('=', "\"").replace('^', "'")
}

fn operations(setting: &Setting) -> Vec<String> {
    setting.operations().iter().map(|operation| operation.to_string().replace(' ', "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts;
    use crystal::SymOp;

    #[test]
    fn rutile_is_in_its_setting_and_a_supercell_of_it_in_none() {
        let rutile = hosts::host("rutile").unwrap();
        let stated = optimade_space_group(&rutile, 0.1);
        assert_eq!(stated["space_group_it_number"], 136);
        assert_eq!(stated["space_group_symbol_hermann_mauguin"], "P 42/m n m");
        assert_eq!(stated["space_group_symbol_hall"], "-P 4n 2n");
        let operations = stated["space_group_symmetry_operations_xyz"].as_array().unwrap();
        assert_eq!((operations.len(), &operations[0]), (16, &json!("x,y,z")));
        let doubled = optimade_space_group(&rutile.supercell([1, 1, 2]).unwrap(), 0.1);
        assert_eq!(doubled["space_group_it_number"], 136);
        assert_eq!(doubled["space_group_symbol_hermann_mauguin"], "P 42/m n m");
        assert!(doubled["space_group_symbol_hall"].is_null() && doubled[SPACE_GROUP[3]].is_null());
    }

    /// What is stated is of the very cell: each operation maps its sites onto sites of the same element.
    #[test]
    fn operations_are_of_the_cell_that_is_answered() {
        let (mut stated, mut unstated) = (0, 0);
        for host in hosts::embedded() {
            let (structure, symprec) = (&host.structure, 0.1);
            let said = optimade_space_group(structure, symprec);
            let Some(operations) = said[SPACE_GROUP[3]].as_array() else {
                assert!(said["space_group_symbol_hall"].is_null(), "{}", host.id);
                unstated += 1;
                continue;
            };
            stated += 1;
            let operations: Vec<SymOp> =
                operations.iter().map(|text| SymOp::parse(text.as_str().unwrap()).unwrap()).collect();
            let sites = || structure.species().iter().zip(structure.frac_coords());
            for (operation, (element, x)) in operations.iter().flat_map(|op| sites().map(move |site| (op, site))) {
                let image = operation.apply(*x);
                let lands = sites().any(|(other, y)| {
                    let step = std::array::from_fn(|k| (image[k] - y[k]) - (image[k] - y[k]).round());
                    other == element && crystal::norm(structure.lattice().to_cartesian(step)) < 3.0 * symprec
                });
                assert!(lands, "{}: {operation} of {element} at {x:?}", host.id);
            }
            let hall = said["space_group_symbol_hall"].as_str().unwrap();
            let named = Setting::of_hall_symbol(hall).unwrap();
            assert_eq!(json!(named.number), said["space_group_it_number"], "{}", host.id);
        }
        assert!(stated > unstated, "{stated} and {unstated}");
    }

    /// Of the operations that the specification allows: at most two letters, and fractions that it lists.
    #[test]
    fn every_tabulated_operation_is_spelled_as_the_specification_has_it() {
        let mut seen = 0;
        for text in (1..=530).filter_map(Setting::of_hall_number).flat_map(operations) {
            seen += 1;
            for part in text.split(',') {
                let letters = part.chars().filter(|c| "xyz".contains(*c)).count();
                let shift = part.split(['x', 'y', 'z']).next_back().unwrap_or_default().trim_start_matches(['+', '-']);
                let known = ["", "1/2", "1/3", "2/3", "1/4", "3/4", "1/6", "5/6"].contains(&shift);
                assert!((1..=2).contains(&letters) && known && !part.contains(' '), "{text}");
            }
        }
        assert!(seen > 530);
    }
}
