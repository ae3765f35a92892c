//! Channels of published hosts, beside what a paper says of them; and what must hold for every crystal, whatever its cell.

use hollandite::{
    crystal::{Element, Lattice, Radii, Structure},
    features::{Channel, Ring, Spheres, channels, exact_spheres, site_radii, spheres, tunnels},
    formats::hosts,
};
use proptest::prelude::*;

fn tunnels_of(id: &str) -> Vec<Channel> {
    let host = hosts::embedded().into_iter().find(|h| h.id == id).unwrap_or_else(|| panic!("no host {id}"));
    let radii = site_radii(&host.structure, Radii::Shannon).unwrap();
    tunnels(&host.structure, &radii).unwrap()
}

#[test]
fn rings_are_those_that_the_field_names() {
    // The widest channel: axis, ring, and how many Mn, W ... close it.
    for (id, axis, ring, formula) in [
        ("pyrolusite", "[001]", "rectangular", "Mn4"),            // 1 x 1
        ("ramsdellite", "[010]", "hexagonal", "Mn6"),             // 1 x 2
        ("hollandite-mno2", "[001]", "octagonal", "Mn8"),         // 2 x 2
        ("todorokite-framework", "[010]", "dodecagonal", "Mn12"), // 3 x 3
        ("h-wo3", "[001]", "hexagonal", "W6"),
        ("w18o49", "[010]", "hexagonal", "W6"),
        ("rhenium-trioxide", "[100]", "rectangular", "Re4"),
        ("nb12wo33", "[010]", "rectangular", "Nb4"),
    ] {
        let widest = &tunnels_of(id)[0];
        let found = widest.ring.as_ref().unwrap_or_else(|| panic!("{id} has no ring"));
        assert_eq!(
            (widest.direction().as_str(), found.name().as_str(), found.formula().as_str()),
            (axis, ring, formula),
            "{id}"
        );
    }
    // Between the layers of MoO3 no ring closes.
    assert_eq!(tunnels_of("molybdite")[0].ring, None);
}

#[test]
fn areas_of_the_paper_are_polygons_of_cations() {
    // "Heptagonal and hexagonal channels have areas of 41.67 and 27.19 Å2" (MoVO), "for NTO, the area is only 15.36 Å2"
    // (Nb12WO33), without a definition. The last is the polygon of the four metals around the channel, a square of
    // 3.92 Å: ours is 15.1 to 15.3. It is not the opening between oxygen ions, which is six times smaller.
    let nb12wo33 = tunnels_of("nb12wo33");
    assert_eq!(nb12wo33.len(), 8);
    for channel in &nb12wo33 {
        let ring = channel.ring.as_ref().unwrap();
        assert!((ring.area / 15.36 - 1.0).abs() < 0.025, "{} Å2, the paper has 15.36", ring.area);
        let opening = channel.area.unwrap();
        assert!((2.0..2.6).contains(&opening), "{opening} Å2");
        // What passes: less than lithium by its radius.
        assert!(channel.bottleneck_radius < 0.76);
    }
    // No refined coordinates of an ordered MoVO were found (fixtures/hosts/MISSING.md), so its two areas have no number of
    // ours beside them; the same hexagons of corner-sharing octahedra in tungsten oxides are larger than the paper's, which
    // is the polygon of a ring in which octahedra share edges too (ramsdellite's, of edge-sharing ones alone, is smaller).
    let hexagon = |id| tunnels_of(id)[0].ring.as_ref().map(|r| (r.size(), r.area)).unwrap();
    let paper = 27.19;
    for (id, low, high) in [("h-wo3", paper, 36.0), ("w18o49", paper, 38.0), ("ramsdellite", 20.0, paper)] {
        let (size, area) = hexagon(id);
        assert!(size == 6 && low < area && area < high, "{id}: {area} Å2, {low} to {high} expected");
    }
}

#[test]
fn ions_pass_where_their_channels_are_wide_enough() {
    let host = |id: &str| hosts::embedded().into_iter().find(|h| h.id == id).unwrap().structure;
    let open = |s: &Structure, probe: f64| channels(s, &site_radii(s, Radii::Shannon).unwrap(), probe).unwrap();
    // Li 0.76, Ca 1.00, Al 0.535 Å.
    let h = host("h-wo3");
    assert!(open(&h, 1.0).iter().any(|c| c.direction() == "[001]" && c.ring.as_ref().is_some_and(|r| r.size() == 6)));
    assert!(open(&host("pyrolusite"), 0.535).is_empty());
    assert!(open(&host("nb12wo33"), 0.76).is_empty() && !open(&host("nb12wo33"), 0.535).is_empty());
    // Barium fills the tunnels of its hollandite.
    assert!(!open(&host("hollandite-mno2"), 1.0).is_empty() && open(&host("barium-hollandite"), 0.535).is_empty());
}

#[test]
fn a_channel_is_as_wide_as_the_spheres_say() {
    for id in ["h-wo3", "hollandite-mno2", "vanadium-pentoxide", "strontium-titanate", "tio2-b", "rutile"] {
        let s = hosts::embedded().into_iter().find(|h| h.id == id).unwrap().structure;
        let radii = site_radii(&s, Radii::Shannon).unwrap();
        let exact = exact_spheres(&s, &radii).unwrap();
        for found in [tunnels(&s, &radii).unwrap(), channels(&s, &radii, 0.2).unwrap()] {
            let widest = 2.0 * found[0].bottleneck_radius;
            assert!((widest - exact.df).abs() < 1e-6, "{id}: {widest}, Df {}", exact.df);
            assert!(found.iter().all(|c| 2.0 * c.included_radius <= exact.di + 1e-6));
        }
        // Just below Df there is a channel, just above there is none; and so for 2 and 3 directions.
        for (rank, df) in (1..).zip(exact.df_by_dimension) {
            let most =
                |probe: f64| channels(&s, &radii, probe).unwrap().iter().map(|c| c.dimensionality).max().unwrap_or(0);
            assert!(
                df <= 0.0 || (most(0.5 * df - 1e-6) >= rank && most(0.5 * df + 1e-6) < rank),
                "{id}: {df} along {rank}"
            );
        }
    }
}

/// Crystals of 2 to 6 atoms with unlike radii.
fn structures() -> impl Strategy<Value = (Structure, Vec<f64>)> {
    let length = || 4.0..7.5_f64;
    let angle = || 65.0..112.0_f64;
    let lattice = (length(), length(), length(), angle(), angle(), angle()).prop_filter_map(
        "angles that close no cell",
        |(a, b, c, alpha, beta, gamma)| {
            Lattice::from_parameters(a, b, c, alpha, beta, gamma).ok().filter(|l| l.volume() > 60.0)
        },
    );
    let metal = prop::sample::select(vec!["O", "O", "Ti", "Sr"]);
    let site = (metal, prop::array::uniform3(-1.5..2.5_f64));
    (lattice, prop::collection::vec(site, 2..7)).prop_filter_map("overlapping sites", |(lattice, sites)| {
        let (symbols, coords): (Vec<_>, Vec<_>) = sites.into_iter().unzip();
        let species: Vec<Element> = symbols.into_iter().map(|s| Element::from_symbol(s).unwrap()).collect();
        let radii = radii_of(&species);
        Some((Structure::new(lattice, species, coords).ok()?, radii))
    })
}

fn radii_of(species: &[Element]) -> Vec<f64> {
    species
        .iter()
        .map(|e| [("O", 1.1), ("Ti", 0.6), ("Sr", 1.4)].iter().find(|r| r.0 == e.symbol()).unwrap().1)
        .collect()
}

fn alike(a: &Spheres, b: &Spheres) -> bool {
    let all = |s: &Spheres| [[s.di, s.df, s.dif], s.df_by_dimension].concat();
    all(a).iter().zip(all(b)).all(|(x, y)| (x - y).abs() < 1e-6)
}

/// Width, dimensionality and ring of each kind of channel, each kind once.
fn kinds(channels: &[Channel]) -> Vec<(i64, i64, usize, usize)> {
    let milli = |x: f64| (x * 1e5).round() as i64;
    let kind = |c: &Channel| {
        (milli(c.bottleneck_radius), milli(c.included_radius), c.dimensionality, c.ring.as_ref().map_or(0, Ring::size))
    };
    let mut kinds: Vec<_> = channels.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup_by(|a, b| (a.0 - b.0).abs() <= 1 && (a.1 - b.1).abs() <= 1 && a.2 == b.2);
    kinds
}

fn volume(channels: &[Channel]) -> f64 {
    channels.iter().map(|c| c.accessible_volume).sum()
}

/// The same crystal, listed in another way.
fn relisted(
    s: &Structure,
    order: &[usize],
    shift: [i32; 3],
    origin: [f64; 3],
    angles: [f64; 2],
    shear: i32,
) -> Structure {
    let [z, x] = angles;
    let turn = |[a, b, c]: [f64; 3]| {
        let [a, b] = [a * z.cos() - b * z.sin(), a * z.sin() + b * z.cos()];
        [a, b * x.cos() - c * x.sin(), b * x.sin() + c * x.cos()]
    };
    // a' = a + shear b: the fraction along b loses what a' brings.
    let mut rows = *s.lattice().rows();
    rows[0] = std::array::from_fn(|k| rows[0][k] + f64::from(shear) * rows[1][k]);
    let lattice = Lattice::new(rows.map(turn)).unwrap();
    let place = |i: usize| {
        let x: [f64; 3] = std::array::from_fn(|k| s.frac_coords()[i][k] + f64::from(shift[k]) + origin[k]);
        [x[0], x[1] - f64::from(shear) * x[0], x[2]]
    };
    let species = order.iter().map(|&i| s.species()[i]).collect();
    Structure::new(lattice, species, order.iter().map(|&i| place(i)).collect()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_listing_of_a_crystal_changes_nothing(
        ((s, radii), order) in structures().prop_flat_map(|case| {
            let order = Just((0..case.0.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(case), order)
        }),
        shift in prop::array::uniform3(-3..3_i32),
        origin in prop::array::uniform3(0.0..1.0_f64),
        angles in prop::array::uniform2(0.0..6.3_f64),
        shear in -1..2_i32,
    ) {
        let other = relisted(&s, &order, shift, origin, angles, shear);
        let other_radii = radii_of(other.species());
        prop_assert!(alike(&spheres(&s, &radii).unwrap(), &spheres(&other, &other_radii).unwrap()));
        let (a, b) = (exact_spheres(&s, &radii).unwrap(), exact_spheres(&other, &other_radii).unwrap());
        prop_assert!(alike(&a, &b), "{a:?} {b:?}");
        let (a, b) = (channels(&s, &radii, 0.3).unwrap(), channels(&other, &other_radii, 0.3).unwrap());
        prop_assert_eq!(a.len(), b.len());
        prop_assert_eq!(kinds(&a).len(), kinds(&b).len());
        prop_assert!((volume(&a) - volume(&b)).abs() < 1e-6 * s.volume());
    }

    #[test]
    fn a_larger_cell_of_the_same_crystal_has_the_same_channels((s, radii) in structures()) {
        let big = s.supercell([2, 1, 1]).unwrap();
        let big_radii = radii_of(big.species());
        let (a, b) = (exact_spheres(&s, &radii).unwrap(), exact_spheres(&big, &big_radii).unwrap());
        prop_assert!(alike(&a, &b), "{a:?} {b:?}");
        let (a, b) = (channels(&s, &radii, 0.3).unwrap(), channels(&big, &big_radii, 0.3).unwrap());
        prop_assert_eq!(kinds(&a).len(), kinds(&b).len());
        prop_assert!((2.0 * volume(&a) - volume(&b)).abs() < 1e-6 * s.volume());
    }

    #[test]
    fn spheres_are_nested((s, radii) in structures()) {
        let e = exact_spheres(&s, &radii).unwrap();
        prop_assert!(e.di >= e.dif - 1e-9 && e.dif >= e.df - 1e-9, "{e:?}");
        prop_assert!(e.df == e.df_by_dimension[0], "{e:?}");
        prop_assert!(e.df >= e.df_by_dimension[1] - 1e-9 && e.df_by_dimension[1] >= e.df_by_dimension[2] - 1e-9, "{e:?}");
    }
}
