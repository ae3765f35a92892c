//! What must hold for the features of every crystal: they do not depend on how the crystal is written, that is on the order
//! of its sites, the origin, the wrap of coordinates, the orientation, the basis of the lattice or the size of the cell.

use hollandite::{
    crystal::{Element, Lattice, Structure},
    features::{CU_KA, magpie, xrd_peaks, xrd_vector},
};
use proptest::prelude::*;

/// Crystals of 1 to 6 atoms in any cell.
fn structures() -> impl Strategy<Value = Structure> {
    let length = || 3.5..8.0_f64;
    let angle = || 65.0..115.0_f64;
    let lattice = (length(), length(), length(), angle(), angle(), angle()).prop_filter_map(
        "angles that close no cell",
        |(a, b, c, alpha, beta, gamma)| {
            Lattice::from_parameters(a, b, c, alpha, beta, gamma).ok().filter(|l| l.volume() > 40.0)
        },
    );
    let element = prop::sample::select(vec!["O", "Ti", "V", "Mo", "Sr"]);
    let site = (element, prop::array::uniform3(0.0..1.0_f64));
    (lattice, prop::collection::vec(site, 1..7)).prop_filter_map("overlapping sites", |(lattice, sites)| {
        let (symbols, coords): (Vec<_>, Vec<_>) = sites.into_iter().unzip();
        let species = symbols.into_iter().map(|s| Element::from_symbol(s).unwrap()).collect();
        Structure::new(lattice, species, coords).ok()
    })
}

/// Another description of the same crystal.
#[derive(Debug, Clone)]
struct Telling {
    /// Sorts the sites.
    order: Vec<u32>,
    origin: [f64; 3],
    /// Whole steps added to the coordinates of every other site.
    wrap: [i32; 3],
    /// Turns about z and x, radians.
    turn: [f64; 2],
    /// b' = b + k0 a, c' = c + k1 a + k2 b.
    basis: [i32; 3],
    copies: [usize; 3],
}

fn tellings() -> impl Strategy<Value = Telling> {
    let whole = || prop::array::uniform3(-2..3_i32);
    (
        prop::collection::vec(any::<u32>(), 6),
        prop::array::uniform3(0.0..1.0_f64),
        whole(),
        prop::array::uniform2(0.0..6.3_f64),
        whole(),
        prop::array::uniform3(1..3_usize),
    )
        .prop_map(|(order, origin, wrap, turn, basis, copies)| Telling {
            order,
            origin,
            wrap,
            turn,
            basis,
            copies,
        })
}

impl Telling {
    /// The same crystal, described this way.
    fn of(&self, s: &Structure) -> Structure {
        let mut order: Vec<usize> = (0..s.len()).collect();
        order.sort_by_key(|&i| self.order[i]);
        let species = order.iter().map(|&i| s.species()[i]).collect();

        let [a, b, c] = *s.lattice().rows();
        let add = |u: [f64; 3], v: [f64; 3], m: i32| std::array::from_fn(|i| u[i] + f64::from(m) * v[i]);
        let [k0, k1, k2] = self.basis;
        let basis = Lattice::new([a, add(b, a, k0), add(add(c, a, k1), b, k2)]).unwrap();
        let coords = order.iter().enumerate().map(|(n, &i)| {
            let moved = std::array::from_fn(|k| s.frac_coords()[i][k] + self.origin[k]);
            let x = basis.to_fractional(s.lattice().to_cartesian(moved));
            std::array::from_fn(|k| x[k] + f64::from(self.wrap[k] * (n as i32 % 2)))
        });
        let coords = coords.collect();

        let [z, x] = self.turn;
        let turned = basis.rows().map(|[a, b, c]| {
            let [a, b] = [a * z.cos() - b * z.sin(), a * z.sin() + b * z.cos()];
            [a, b * x.cos() - c * x.sin(), b * x.sin() + c * x.cos()]
        });
        let whole = Structure::with_overlaps(Lattice::new(turned).unwrap(), species, coords).unwrap();
        whole.supercell(self.copies).unwrap()
    }
}

/// Angles and intensities of the peaks that rounding cannot make or unmake.
fn strong_peaks(s: &Structure) -> Vec<[f64; 2]> {
    let peaks = xrd_peaks(s, CU_KA, (0.0, 80.0)).unwrap();
    peaks.iter().map(|p| [p.two_theta, p.intensity]).filter(|[_, intensity]| *intensity > 0.01).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_crystal_has_one_powder_pattern(s in structures(), telling in tellings()) {
        let other = telling.of(&s);
        let (want, got) = (strong_peaks(&s), strong_peaks(&other));
        prop_assert_eq!(want.len(), got.len());
        for (want, got) in want.iter().zip(&got) {
            // A larger cell has reflections without intensity, and the first within 1e-5 degrees names the peak's angle.
            prop_assert!((want[0] - got[0]).abs() < 1.1e-5 && (want[1] - got[1]).abs() < 1e-6, "{:?} {:?}", want, got);
        }
        // A crystal so simple that its pattern is a single line has no density, however it is described.
        match (xrd_vector(&s), xrd_vector(&other)) {
            (Ok(want), Ok(got)) => {
                prop_assert!(want.iter().zip(got).all(|(x, y)| (x - y).abs() < 1e-6));
                prop_assert!((want.iter().sum::<f64>() - 1.0).abs() < 0.05);
            }
            (want, got) => prop_assert_eq!(want, got),
        }
    }

    #[test]
    fn a_composition_has_one_set_of_descriptors(s in structures(), telling in tellings()) {
        let (want, got) = (magpie(&s.composition()), magpie(&telling.of(&s).composition()));
        for (want, got) in want.iter().zip(got) {
            prop_assert!((want.unwrap() - got.unwrap()).abs() <= 1e-12 * want.unwrap().abs() + 1e-12);
        }
    }
}
