//! A crystal as a pymatgen structure dictionary.

use serde_json::{Value, json};

use crystal::Structure;

/// The dictionary that `pymatgen.core.Structure.from_dict` and [`crate::parse_structure`] read; every number is exact.
pub fn to_json(structure: &Structure) -> Value {
    let lattice = structure.lattice();
    let [a, b, c, alpha, beta, gamma] = lattice.parameters();
    let sites: Vec<Value> = structure
        .species()
        .iter()
        .zip(structure.frac_coords())
        .map(|(element, &abc)| {
            json!({
                "species": [{"element": element.symbol(), "occu": 1}],
                "abc": abc,
                "properties": {},
                "label": element.symbol(),
                "xyz": lattice.to_cartesian(abc),
            })
        })
        .collect();
    json!({
        "@module": "pymatgen.core.structure",
        "@class": "Structure",
        "charge": 0,
        "lattice": {
            "matrix": lattice.rows(),
            "pbc": [true, true, true],
            "a": a, "b": b, "c": c, "alpha": alpha, "beta": beta, "gamma": gamma,
            "volume": lattice.volume(),
        },
        "properties": {},
        "sites": sites,
    })
}
