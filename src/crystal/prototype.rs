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

use std::collections::BTreeMap;

use super::normalizer::renamings;
use super::{Element, Structure, Symmetry};

impl Symmetry {
    /// The anonymous label of the structure type of `structure`, whose symmetry this is.
    pub fn prototype(&self, structure: &Structure) -> String {
        let reduced = structure.composition().reduced();
        // One Wyckoff position for each orbit, whatever the cell.
        let mut orbits: BTreeMap<Element, Vec<char>> = BTreeMap::new();
        for site in (0..structure.len()).filter(|&i| self.orbits[i] == i) {
            orbits.entry(structure.species()[site]).or_default().push(self.wyckoffs[site]);
        }
        let name = |letter: char, renaming: &[(char, char)]| {
            renaming.iter().find(|(old, _)| *old == letter).map_or(letter, |(_, new)| *new)
        };
        let kinds = |renaming: &[(char, char)]| {
            let mut kinds: Vec<(u64, Vec<(bool, char)>)> = orbits
                .iter()
                .map(|(&element, letters)| {
                    // The 27th letter of the tables, α, is written A and comes last.
                    let mut letters: Vec<_> =
                        letters.iter().map(|&l| name(l, renaming)).map(|l| (l.is_uppercase(), l)).collect();
                    letters.sort_unstable();
                    (reduced.amount(element).round() as u64, letters)
                })
                .collect();
            kinds.sort_unstable();
            kinds
        };
        let best = renamings(self.hall_number).iter().map(|renaming| kinds(renaming)).min();
        let kinds = best.unwrap_or_else(|| kinds(&[]));
        let counted = |n: u64| if n == 1 { String::new() } else { n.to_string() };
        let formula: String =
            kinds.iter().zip('A'..).map(|((amount, _), letter)| format!("{letter}{}", counted(*amount))).collect();
        let positions = kinds.iter().map(|(_, letters)| {
            letters
                .chunk_by(|a, b| a == b)
                .map(|run| format!("{}{}", counted(run.len() as u64), run[0].1))
                .collect::<String>()
        });
        let positions: Vec<_> = positions.collect();
        format!("{formula}_{}_{}_{}", self.pearson, self.number, positions.join("_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crystal::Lattice;

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
            let hall = (1..=530_u16).rev().find(|&h| super::super::Setting::of_hall_number(h).unwrap().number == 227);
            let ops = super::super::ops_of_hall(hall.unwrap()).unwrap();
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
}
