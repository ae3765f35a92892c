//! The prototype of a crystal: which structure type it has, whatever elements it is made of.
//!
//! The label is that of the AFLOW encyclopedia (Mehl *et al.*, *Comput. Mater. Sci.* **136** (2017) S1) with the elements
//! made anonymous: `AB2_tP6_136_a_f` is rutile. Its parts are the formula with letters for elements, the rarest first;
//! the Pearson symbol, in which rhombohedral crystals count the atoms of the primitive cell; the space-group number; and
//! for each letter of the formula the Wyckoff positions its atoms occupy, `2c` for two orbits on positions c. Of the
//! names that equivalent choices of origin and axes give to the positions (see `normalizer`), and of the orders of
//! elements that are equally many, the alphabetically first is taken: the label depends on no choice.
//!
//! Crystals of one label may still differ in the parameters that the label does not hold (the x of rutile's oxygen, c/a),
//! and a mirror-image pair of space groups (P4_1 and P4_3) has two labels.

use std::collections::{BTreeMap, BTreeSet};

use super::{Element, Setting, Structure, Symmetry};

/// With more orders than this of elements that have the same part in a structure type, only the first is kept.
const MAX_ORDERS: usize = 24;

/// A structure type, and which element has which part in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructureType {
    /// The anonymous label, as [`Symmetry::prototype`].
    pub label: String,
    /// The elements in the order of the label's letters: every order in which the crystal has this label, the first by atomic
    /// number first. Of CsCl both, of rutile one; two crystals of one type and one order are the same but for the parameters
    /// that the label does not hold.
    pub orders: Vec<Vec<Element>>,
}

/// An element's part in a structure type: how many atoms, on which Wyckoff positions (the 27th letter of the tables, α, is
/// written A and comes last).
type Part = (u64, Vec<(bool, char)>);

impl Symmetry {
    /// The anonymous label of the structure type of `structure`, whose symmetry this is.
    pub fn prototype(&self, structure: &Structure) -> String {
        let choices = self.parts(structure);
        let parts: Vec<&Part> = choices.first().into_iter().flatten().map(|(part, _)| part).collect();
        let counted = |n: u64| if n == 1 { String::new() } else { n.to_string() };
        let formula: String =
            parts.iter().zip('A'..).map(|((amount, _), letter)| format!("{letter}{}", counted(*amount))).collect();
        let positions = parts.iter().map(|(_, letters)| {
            letters
                .chunk_by(|a, b| a == b)
                .map(|run| format!("{}{}", counted(run.len() as u64), run[0].1))
                .collect::<String>()
        });
        let positions: Vec<_> = positions.collect();
        format!("{formula}_{}_{}_{}", self.pearson, self.number, positions.join("_"))
    }

    /// The structure type of `structure`, whose symmetry this is, and the parts of its elements.
    pub fn structure_type(&self, structure: &Structure) -> StructureType {
        let choices = self.parts(structure);
        let mut orders = BTreeSet::new();
        for parts in &choices {
            // Elements of like parts change places.
            let mut found: Vec<Vec<Element>> = vec![Vec::new()];
            for run in parts.chunk_by(|(a, _), (b, _)| a == b) {
                let arrangements = permutations(&run.iter().map(|(_, element)| *element).collect::<Vec<_>>());
                found = found
                    .iter()
                    .flat_map(|order| arrangements.iter().map(move |more| [order.as_slice(), more].concat()))
                    .take(MAX_ORDERS)
                    .collect();
            }
            orders.extend(found);
        }
        StructureType { label: self.prototype(structure), orders: orders.into_iter().collect() }
    }

    /// The parts of the elements in the order of the label, in every choice of origin and axes in which they are the
    /// alphabetically first.
    fn parts(&self, structure: &Structure) -> Vec<Vec<(Part, Element)>> {
        let reduced = structure.composition().reduced();
        // One Wyckoff position for each orbit, whatever the cell.
        let mut orbits: BTreeMap<Element, Vec<char>> = BTreeMap::new();
        for site in (0..structure.len()).filter(|&i| self.orbits[i] == i) {
            orbits.entry(structure.species()[site]).or_default().push(self.wyckoffs[site]);
        }
        let name = |letter: char, renaming: &[(char, char)]| {
            renaming.iter().find(|(old, _)| *old == letter).map_or(letter, |(_, new)| *new)
        };
        let parts = |renaming: &[(char, char)]| {
            let part = |(&element, letters): (&Element, &Vec<char>)| {
                let mut letters: Vec<_> =
                    letters.iter().map(|&l| name(l, renaming)).map(|l| (l.is_uppercase(), l)).collect();
                letters.sort_unstable();
                ((reduced.amount(element).round() as u64, letters), element)
            };
            let mut parts: Vec<(Part, Element)> = orbits.iter().map(part).collect();
            parts.sort_unstable();
            parts
        };
        let renamings = Setting::of_hall_number(self.hall_number).map_or(&[][..], Setting::renamings);
        let mut all: Vec<_> = renamings.iter().map(|renaming| parts(renaming)).collect();
        if all.is_empty() {
            return vec![parts(&[])];
        }
        let bare = |choice: &[(Part, Element)]| choice.iter().map(|(part, _)| part.clone()).collect::<Vec<_>>();
        let best = all.iter().map(|choice| bare(choice)).min();
        all.retain(|choice| Some(bare(choice)) == best);
        all
    }
}

/// Every order of `items`, as given first.
fn permutations(items: &[Element]) -> Vec<Vec<Element>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let first = |i: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(i);
        permutations(&rest).into_iter().map(move |order| [[first].as_slice(), &order].concat())
    };
    (0..items.len()).flat_map(first).take(MAX_ORDERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lattice;

    fn label(lattice: Lattice, sites: &[(&str, [f64; 3])]) -> String {
        let species = sites.iter().map(|(s, _)| Element::from_symbol(s).unwrap()).collect();
        let structure = Structure::new(lattice, species, sites.iter().map(|(_, x)| *x).collect()).unwrap();
        let labels = [[0.0; 3], [0.5; 3], [0.3, 0.1, 0.7]].map(|shift| {
            let moved = structure.frac_coords().iter().map(|x| std::array::from_fn(|k| x[k] + shift[k])).collect();
            let moved = Structure::new(*structure.lattice(), structure.species().to_vec(), moved).unwrap();
            Symmetry::of(&moved, 0.01).unwrap().prototype(&moved)
        });
        assert!(labels.iter().all(|l| *l == labels[0]), "{labels:?}");
        let double = structure.supercell([1, 2, 1]).unwrap();
        assert_eq!(Symmetry::of(&double, 0.01).unwrap().prototype(&double), labels[0]);
        labels[0].clone()
    }

    fn box_of(a: f64, b: f64, c: f64) -> Lattice {
        Lattice::from_parameters(a, b, c, 90.0, 90.0, 90.0).unwrap()
    }

    fn rutile(metal: &str, a: f64, c: f64, x: f64) -> String {
        let o = [[x, x, 0.0], [-x, -x, 0.0], [0.5 - x, 0.5 + x, 0.5], [0.5 + x, 0.5 - x, 0.5]];
        let sites: Vec<_> = [(metal, [0.0; 3]), (metal, [0.5; 3])].into_iter().chain(o.map(|x| ("O", x))).collect();
        label(box_of(a, a, c), &sites)
    }

    #[test]
    fn rutiles_share_one_label() {
        assert_eq!(rutile("Ti", 4.594, 2.959, 0.305), "AB2_tP6_136_a_f");
        assert_eq!(rutile("Sn", 4.738, 3.187, 0.307), "AB2_tP6_136_a_f");
        assert_eq!(rutile("Mn", 4.398, 2.873, 0.305), "AB2_tP6_136_a_f");
    }

    #[test]
    fn perovskites_share_one_label_whichever_cation_is_at_the_corner() {
        let o = |shift: f64| [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]].map(|x| ("O", x.map(|x| x + shift)));
        let cell = |corner, centre, shift| {
            label(box_of(3.9, 3.9, 3.9), &[[(corner, [0.0; 3]), (centre, [0.5; 3])].as_slice(), &o(shift)].concat())
        };
        let expected = "ABC3_cP5_221_a_b_c";
        assert_eq!(cell("Sr", "Ti", 0.0), expected);
        assert_eq!(cell("Ti", "Sr", 0.5), expected);
        assert_eq!(cell("Ba", "Zr", 0.0), expected);
    }

    #[test]
    fn rocksalt_spinel_and_corundum_have_the_names_of_the_encyclopedia() {
        let fcc = [[0.0; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
        let sites = |symbol, x: [f64; 3]| fcc.map(|t| (symbol, std::array::from_fn(|k| x[k] + t[k])));
        let rocksalt = [sites("Ni", [0.0; 3]), sites("O", [0.5; 3])].concat();
        assert_eq!(label(box_of(4.18, 4.18, 4.18), &rocksalt), "AB_cF8_225_a_b");
        // Fd-3m, origin 2: Mg 8a (1/8, 1/8, 1/8), Al 16d (1/2, 1/2, 1/2), O 32e (u, u, u).
        let orbit = |symbol: &'static str, x: [f64; 3]| {
            let mut settings = (1..=530).rev().filter_map(crate::Setting::of_hall_number);
            let ops = settings.find(|setting| setting.number == 227).unwrap().operations();
            let mut images: Vec<[f64; 3]> = Vec::new();
            for op in ops {
                let y = op.apply(x).map(|x| x.rem_euclid(1.0));
                let near = |z: &[f64; 3]| {
                    (0..3).all(|k| {
                        let d = y[k] - z[k];
                        (d - d.round()).abs() < 1e-6
                    })
                };
                if !images.iter().any(near) {
                    images.push(y);
                }
            }
            images.into_iter().map(|x| (symbol, x)).collect::<Vec<_>>()
        };
        let spinel = [orbit("Mg", [0.125; 3]), orbit("Al", [0.5; 3]), orbit("O", [0.2625; 3])].concat();
        assert_eq!(spinel.len(), 56);
        assert_eq!(label(box_of(8.08, 8.08, 8.08), &spinel), "AB2C4_cF56_227_a_d_e");
    }

    #[test]
    fn elements_of_like_parts_have_every_order() {
        let fcc = [[0.0; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
        let sites = |symbol: &str, x: f64| fcc.map(|t| (Element::from_symbol(symbol).unwrap(), t.map(|t| t + x)));
        let of = |sites: Vec<(Element, [f64; 3])>| {
            let (species, frac) = sites.into_iter().unzip();
            let structure = Structure::new(box_of(4.2, 4.2, 4.2), species, frac).unwrap();
            let found = Symmetry::of(&structure, 0.01).unwrap().structure_type(&structure);
            let symbols = |order: &Vec<Element>| order.iter().map(|e| e.symbol()).collect::<Vec<_>>().join(" ");
            (found.label, found.orders.iter().map(symbols).collect::<Vec<_>>())
        };
        // Rock salt: a and b change names with the origin. Zinc blende too, fluorite not.
        let rocksalt = [sites("Ni", 0.0), sites("O", 0.5)].concat();
        assert_eq!(of(rocksalt), ("AB_cF8_225_a_b".into(), vec!["O Ni".into(), "Ni O".into()]));
        let fluorite = [sites("Ca", 0.0), sites("F", 0.25), sites("F", 0.75)].concat();
        assert_eq!(of(fluorite), ("AB2_cF12_225_a_c".into(), vec!["Ca F".into()]));
        let half_heusler = [sites("Li", 0.0), sites("Mg", 0.5), sites("N", 0.25)].concat();
        // a, c, b, d follow each other along the diagonal of the cell; c lies opposite the one that is empty.
        assert_eq!(of(half_heusler).1, ["Li Mg N", "Mg Li N"]);
    }
}
