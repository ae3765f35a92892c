//! The input of a network for an atom: 92 zeros and ones for classes of nine elemental properties (Xie and Grossman, Phys. Rev. Lett. 2018,
//! 120, 145301), read from `schema/elements/cgcnn.csv`.

use std::sync::LazyLock;

use burn::prelude::*;
use burn::tensor::TensorData;

use crystal::Element;

/// Width of the encoding.
pub const ATOM_FEATURES: usize = 92;
/// Largest atomic number of the table.
const LAST: usize = 100;

static TABLE: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mut table = vec![0.0; (LAST + 1) * ATOM_FEATURES];
    let lines = include_str!("../../schema/elements/cgcnn.csv").lines().filter(|l| !l.starts_with('#')).skip(1);
    for (symbol, places) in lines.filter_map(|l| l.split_once(',')) {
        let z = Element::from_symbol(symbol).map_or(0, |e| usize::from(e.z()));
        for place in places.split(' ').filter_map(|p| p.parse::<usize>().ok()) {
            table[z * ATOM_FEATURES + place] = 1.0;
        }
    }
    table
});

/// Whether the table has the element.
pub fn is_encoded(element: Element) -> bool {
    usize::from(element.z()) <= LAST
}

/// The encoding of every element, `[101, 92]`; the row is the atomic number.
pub fn atom_features(device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(TABLE.clone(), [LAST + 1, ATOM_FEATURES]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oxygen_and_molybdenum_have_their_places() {
        let places =
            |z: usize| -> Vec<usize> { (0..ATOM_FEATURES).filter(|k| TABLE[z * ATOM_FEATURES + k] == 1.0).collect() };
        assert_eq!(places(8), [16, 20, 34, 37, 51, 64, 74, 79, 86]);
        assert_eq!(places(42), [6, 23, 30, 41, 51, 61, 73, 80, 84]);
        assert!((1..=LAST).all(|z| (6..=9).contains(&places(z).len())));
        assert!(is_encoded(Element::from_symbol("Fm").unwrap()) && !is_encoded(Element::from_symbol("Og").unwrap()));
    }
}
