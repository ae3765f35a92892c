//! What must hold for every crystal, whatever its cell: neighbours, void and the content hash do not depend on how a
//! crystal is listed; what is printed reads back as what it was.

use hollandite::{
    crystal::{Composition, Element, Lattice, Radii, Structure, content_hash, neighbors},
    features::{density, void_fraction},
};
use proptest::prelude::*;

/// Any cell that a crystal may have, mildly to strongly skewed.
fn lattices() -> impl Strategy<Value = Lattice> {
    let length = || 3.5..9.0_f64;
    let angle = || 60.0..115.0_f64;
    (length(), length(), length(), angle(), angle(), angle()).prop_filter_map(
        "angles that close no cell",
        |(a, b, c, alpha, beta, gamma)| {
            Lattice::from_parameters(a, b, c, alpha, beta, gamma).ok().filter(|l| l.volume() > 40.0)
        },
    )
}

/// Crystals of 1 to 7 atoms, oxygen among four metals, coordinates also outside the cell.
fn structures() -> impl Strategy<Value = Structure> {
    let metal = prop::sample::select(vec!["O", "Ti", "V", "Mo", "Sr"]);
    let site = (metal, prop::array::uniform3(-1.5..2.5_f64));
    (lattices(), prop::collection::vec(site, 1..8)).prop_filter_map("overlapping sites", |(lattice, sites)| {
        let (symbols, coords): (Vec<_>, Vec<_>) = sites.into_iter().unzip();
        let species = symbols.into_iter().map(|s| Element::from_symbol(s).unwrap()).collect();
        Structure::new(lattice, species, coords).ok()
    })
}

/// The distances from each site, sorted: what a neighbour list says whatever its order.
fn shells(structure: &Structure, cutoff: f64) -> Vec<Vec<f64>> {
    let found = neighbors(structure, cutoff);
    let mut shells = vec![Vec::new(); structure.len()];
    for (&i, &d) in found.center.iter().zip(&found.distance) {
        shells[i as usize].push(d);
    }
    shells.iter_mut().for_each(|s| s.sort_by(f64::total_cmp));
    shells
}

/// Equal but for rounding, and for a neighbour that rounding moved across the cutoff.
fn alike(a: &[Vec<f64>], b: &[Vec<f64>], cutoff: f64) -> bool {
    let inner = |s: &[f64]| s.iter().copied().filter(|d| *d < cutoff - 1e-6).collect::<Vec<_>>();
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let (a, b) = (inner(a), inner(b));
            a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-8)
        })
}

fn void(structure: &Structure) -> f64 {
    void_fraction(structure, Radii::Atomic, 0.0).unwrap()
}

/// The structure with its sites in the order `order`.
fn reordered(structure: &Structure, order: &[usize]) -> Structure {
    let species = order.iter().map(|&i| structure.species()[i]).collect();
    let coords = order.iter().map(|&i| structure.frac_coords()[i]).collect();
    Structure::new(*structure.lattice(), species, coords).unwrap()
}

/// The structure turned by angles about z and x.
fn turned(structure: &Structure, [z, x]: [f64; 2]) -> Structure {
    let turn = |[a, b, c]: [f64; 3]| {
        let [a, b] = [a * z.cos() - b * z.sin(), a * z.sin() + b * z.cos()];
        [a, b * x.cos() - c * x.sin(), b * x.sin() + c * x.cos()]
    };
    let lattice = Lattice::new(structure.lattice().rows().map(turn)).unwrap();
    Structure::new(lattice, structure.species().to_vec(), structure.frac_coords().to_vec()).unwrap()
}

/// Every pair by trying all images in a box that surely is large enough: slow and plainly right.
fn count_by_brute_force(structure: &Structure, cutoff: f64) -> usize {
    let lattice = structure.lattice();
    let range = lattice.plane_spacings().map(|h| (cutoff / h).ceil() as i32 + 5);
    let x = structure.frac_coords();
    let mut count = 0;
    for (i, j) in (0..x.len()).flat_map(|i| (0..x.len()).map(move |j| (i, j))) {
        for a in -range[0]..=range[0] {
            for b in -range[1]..=range[1] {
                for c in -range[2]..=range[2] {
                    let n = [a, b, c];
                    let step = std::array::from_fn(|k| x[j][k] - x[i][k] + f64::from(n[k]));
                    let d = lattice.to_cartesian(step).iter().map(|d| d * d).sum::<f64>().sqrt();
                    count += usize::from(d <= cutoff + 1e-8 && !(i == j && n == [0; 3]));
                }
            }
        }
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_neighbor_is_found_and_none_is_invented(s in structures(), cutoff in 0.5..7.0_f64) {
        let found = neighbors(&s, cutoff);
        prop_assert_eq!(found.len(), count_by_brute_force(&s, cutoff));
        for k in 0..found.len() {
            let (i, j) = (found.center[k] as usize, found.neighbor[k] as usize);
            let step = std::array::from_fn(|m| s.frac_coords()[j][m] - s.frac_coords()[i][m] + f64::from(found.image[k][m]));
            let d = s.lattice().to_cartesian(step).iter().map(|d| d * d).sum::<f64>().sqrt();
            prop_assert!((d - found.distance[k]).abs() < 1e-9);
        }
    }

    #[test]
    fn order_wrap_and_rotation_change_nothing(
        (s, order) in structures().prop_flat_map(|s| {
            let order = Just((0..s.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(s), order)
        }),
        angles in prop::array::uniform2(0.0..6.3_f64),
        shift in prop::array::uniform3(-3..3_i32),
    ) {
        let cutoff = 5.0;
        let reference = shells(&s, cutoff);

        let shuffled = reordered(&s, &order);
        let expected: Vec<_> = order.iter().map(|&i| reference[i].clone()).collect();
        prop_assert!(alike(&shells(&shuffled, cutoff), &expected, cutoff));

        let coords = s.frac_coords().iter().map(|x| std::array::from_fn(|k| x[k] + f64::from(shift[k]))).collect();
        let shifted = Structure::new(*s.lattice(), s.species().to_vec(), coords).unwrap();
        for other in [shifted, s.wrapped(), turned(&s, angles)] {
            prop_assert!(alike(&shells(&other, cutoff), &reference, cutoff));
            prop_assert!((other.distance_min() - s.distance_min()).abs() < 1e-8);
            prop_assert!((void(&other) - void(&s)).abs() < 1e-8);
        }
        prop_assert!((void(&shuffled) - void(&s)).abs() < 1e-8);
        prop_assert!((density(&shuffled) - density(&s)).abs() < 1e-12);
    }

    #[test]
    fn a_supercell_holds_the_same_crystal_several_times(s in structures(), n in prop::array::uniform3(1..4_usize)) {
        let (cutoff, copies) = (4.0, n.iter().product::<usize>());
        let big = s.supercell(n).unwrap();
        // `supercell` lists the copies of a site one after the other.
        let expected: Vec<_> = shells(&s, cutoff).iter().flat_map(|d| vec![d.clone(); copies]).collect();
        prop_assert!(alike(&shells(&big, cutoff), &expected, cutoff));
        prop_assert!((big.distance_min() - s.distance_min()).abs() < 1e-8);
        prop_assert!((void(&big) - void(&s)).abs() < 1e-8);
    }

    #[test]
    fn another_cell_of_the_same_lattice_is_the_same_crystal(s in structures(), k in prop::array::uniform3(-2..3_i32)) {
        // b' = b + k0 a, c' = c + k1 a + k2 b: unimodular, so no point is lost or gained.
        let [a, b, c] = *s.lattice().rows();
        let add = |u: [f64; 3], v: [f64; 3], m: i32| std::array::from_fn(|i| u[i] + f64::from(m) * v[i]);
        let skewed = Lattice::new([a, add(b, a, k[0]), add(add(c, a, k[1]), b, k[2])]).unwrap();
        let coords = s.cart_coords().into_iter().map(|x| skewed.to_fractional(x)).collect();
        let other = Structure::new(skewed, s.species().to_vec(), coords).unwrap();
        prop_assert!(alike(&shells(&other, 5.0), &shells(&s, 5.0), 5.0));
        prop_assert!((other.distance_min() - s.distance_min()).abs() < 1e-8);
        prop_assert!((void(&other) - void(&s)).abs() < 1e-8);
    }

    #[test]
    fn void_lies_between_none_and_all_and_falls_with_the_probe(s in structures()) {
        let mut last = 1.0;
        for probe in [0.0, 0.3, 0.8, 1.5, 3.0] {
            let v = void_fraction(&s, Radii::Covalent, probe).unwrap();
            prop_assert!((0.0..=last + 1e-9).contains(&v), "{v} at probe {probe}, {last} before");
            last = v;
        }
    }

    #[test]
    fn the_content_hash_ignores_order_wrap_and_rotation_but_no_atom(
        (s, order) in structures().prop_flat_map(|s| {
            let order = Just((0..s.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(s), order)
        }),
    ) {
        let hash = content_hash(&s);
        prop_assert_eq!(hash, content_hash(&reordered(&s, &order)));
        // Quarter turns are exact in floats; an arbitrary angle may round a number across the border of its step.
        let rows = s.lattice().rows().map(|[x, y, z]| [-y, x, z]);
        let quarter = Structure::new(Lattice::new(rows).unwrap(), s.species().to_vec(), s.frac_coords().to_vec()).unwrap();
        prop_assert_eq!(hash, content_hash(&quarter));

        let mut species = s.species().to_vec();
        species[0] = Element::from_symbol("W").unwrap();
        let other = Structure::new(*s.lattice(), species, s.frac_coords().to_vec()).unwrap();
        prop_assert_ne!(hash, content_hash(&other));
        let mut coords = s.frac_coords().to_vec();
        coords[0][1] += 0.01;
        let other = Structure::with_overlaps(*s.lattice(), s.species().to_vec(), coords).unwrap();
        prop_assert_ne!(hash, content_hash(&other));
    }

    #[test]
    fn whole_translations_leave_the_content_hash(s in structures(), shift in prop::array::uniform3(-3..3_i32)) {
        // Coordinates of five decimals, as files have them: adding a whole number cannot cross a step's border.
        let five = |x: f64| (x * 1e5).round() / 1e5;
        let coords: Vec<[f64; 3]> = s.frac_coords().iter().map(|x| x.map(five)).collect();
        let moved = coords.iter().map(|x| std::array::from_fn(|k| x[k] + f64::from(shift[k]))).collect();
        let [a, b] = [coords, moved].map(|x| Structure::with_overlaps(*s.lattice(), s.species().to_vec(), x).unwrap());
        prop_assert_eq!(content_hash(&a), content_hash(&b));
    }

    #[test]
    fn a_formula_reads_back_as_what_it_was(amounts in prop::collection::btree_map(1..119_i64, 1..40_u32, 1..7)) {
        let atoms: Vec<Element> =
            amounts.iter().flat_map(|(&z, &n)| vec![Element::from_z(z).unwrap(); n as usize]).collect();
        let composition = Composition::from_elements(&atoms);
        prop_assert_eq!(&Composition::parse(&composition.formula()).unwrap(), &composition);
        let reduced = Composition::parse(&composition.reduced_formula()).unwrap();
        prop_assert_eq!(&reduced, &composition.reduced());
        prop_assert!(reduced.same_proportions(&composition, 1e-9));
    }

    #[test]
    fn a_formula_of_any_text_gives_an_answer_and_no_panic(text in "[A-Za-z0-9()\\[\\]{}.·* _+-]{0,24}|.{0,12}") {
        let _ = Composition::parse(&text);
    }

    #[test]
    fn lattice_parameters_read_back(lattice in lattices()) {
        let p = lattice.parameters();
        let back = Lattice::from_parameters(p[0], p[1], p[2], p[3], p[4], p[5]).unwrap();
        prop_assert!(back.metric().iter().flatten().zip(lattice.metric().iter().flatten()).all(|(x, y)| (x - y).abs() < 1e-9));
        prop_assert!((back.volume() - lattice.volume()).abs() < 1e-9);
        let x = [0.3, -1.7, 2.4];
        let there = lattice.to_fractional(lattice.to_cartesian(x));
        prop_assert!(x.iter().zip(there).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
