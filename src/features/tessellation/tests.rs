use super::*;
use crystal::{Element, cross, dot, testing::rutile};
use proptest::prelude::*;
use std::{collections::HashSet, f64::consts::PI};

fn crystal(lattice: Lattice, sites: &[[f64; 3]]) -> Structure {
    Structure::with_overlaps(lattice, vec![Element::O; sites.len()], sites.to_vec()).unwrap()
}

fn cubic(a: f64, sites: &[[f64; 3]]) -> Structure {
    crystal(Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap(), sites)
}

/// Tessellates, and checks what holds for every diagram.
fn diagram(structure: &Structure, radii: &[f64]) -> Tessellation {
    let t = tessellate(structure, radii).unwrap();
    let filled: f64 = t.cells.iter().map(|c| c.volume).sum();
    assert!((filled - structure.volume()).abs() <= 1e-9 * structure.volume());
    let frac = structure.frac_coords();
    for (i, cell) in t.cells.iter().enumerate() {
        assert_eq!(cell.center, i);
        if cell.faces.is_empty() {
            assert_eq!((cell.volume, cell.vertices.len(), cell.edges.len()), (0.0, 0, 0));
            continue;
        }
        assert_eq!(cell.vertices.len() + cell.faces.len(), cell.edges.len() + 2, "Euler");
        assert!(
            cell.faces.windows(2).all(|f| (f[0].neighbor, f[0].image) < (f[1].neighbor, f[1].image)),
            "one face each"
        );
        let mut solid = 0.0;
        for face in &cell.faces {
            let step = std::array::from_fn(|k| frac[face.neighbor][k] + f64::from(face.image[k]) - frac[i][k]);
            let step = structure.lattice().to_cartesian(step);
            assert!((norm(step) - face.distance).abs() < 1e-9);
            let height = (face.distance.powi(2) + radii[i].powi(2) - radii[face.neighbor].powi(2)) / 2.0;
            assert!(face.vertices.iter().all(|&v| (dot(cell.vertices[v as usize], step) - height).abs() < 1e-7));
            let [a, b, c] = [0, 1, 2].map(|k| cell.vertices[face.vertices[k] as usize]);
            let [ab, bc] = [[a, b], [b, c]].map(|[p, q]| std::array::from_fn(|k| q[k] - p[k]));
            assert!(dot(cross(ab, bc), step) > -1e-9, "counter-clockwise from outside");
            solid += face.solid_angle;
            // The neighbour has the same face.
            let back =
                t.cells[face.neighbor].faces.iter().find(|f| f.neighbor == i && f.image == face.image.map(|n| -n));
            let area = back.map_or(0.0, |f| f.area);
            assert!(
                (face.area - area).abs() < 1e-7,
                "face {i} to {} {:?}: {} {area}",
                face.neighbor,
                face.image,
                face.area
            );
        }
        assert!((solid - 4.0 * PI).abs() < 1e-6 || solid.abs() < 1e-6, "{solid}");
    }
    t
}

/// Nodes, edges, generators of a node, generators of an edge, for a diagram all of whose corners are alike.
fn network(structure: &Structure, radii: &[f64]) -> Network {
    let network = diagram(structure, radii).network(structure);
    // Each node and each edge is equally far in power from its generators, and no other is nearer.
    let frac = structure.frac_coords();
    let power = |p: [f64; 3], (j, n): (u32, [i32; 3])| {
        let step = std::array::from_fn(|k| frac[j as usize][k] + f64::from(n[k]) - p[k]);
        norm(structure.lattice().to_cartesian(step)).powi(2) - radii[j as usize].powi(2)
    };
    for node in &network.nodes {
        let powers: Vec<f64> = node.sites.iter().map(|&g| power(node.frac, g)).collect();
        assert!(node.sites.len() >= 4 && powers.iter().all(|p| (p - powers[0]).abs() < 1e-5), "{node:?} {powers:?}");
    }
    let mut degree = vec![0; network.nodes.len()];
    for edge in &network.edges {
        let (a, b) = (network.nodes[edge.from as usize].frac, network.nodes[edge.to as usize].frac);
        let middle: [f64; 3] = std::array::from_fn(|k| (a[k] + b[k] + f64::from(edge.image[k])) / 2.0);
        let powers: Vec<f64> = edge.sites.iter().map(|&g| power(middle, g)).collect();
        assert!(edge.sites.len() >= 3 && powers.iter().all(|p| (p - powers[0]).abs() < 1e-5), "{edge:?} {powers:?}");
        degree[edge.from as usize] += 1;
        degree[edge.to as usize] += 1;
    }
    assert!(degree.iter().all(|&d| d >= 4), "{degree:?}");
    network
}

fn shape(cell: &Cell) -> (usize, usize, usize) {
    (cell.faces.len(), cell.edges.len(), cell.vertices.len())
}

#[test]
fn cubic_lattices_have_the_cube_the_truncated_octahedron_and_the_rhombic_dodecahedron() {
    let sc = cubic(3.0, &[[0.2; 3]]);
    let n = network(&sc, &[0.7]);
    assert_eq!(shape(&diagram(&sc, &[0.7]).cells[0]), (6, 12, 8));
    // One node where 8 cells meet, three edges with 4 cells each.
    assert_eq!((n.nodes.len(), n.edges.len()), (1, 3));
    assert_eq!((n.nodes[0].sites.len(), n.edges[0].sites.len()), (8, 4));
    assert!(n.nodes[0].frac.iter().all(|x| (x - 0.7).abs() < 1e-12));

    let bcc = cubic(3.0, &[[0.0; 3], [0.5; 3]]);
    let cell = &diagram(&bcc, &[0.0; 2]).cells[0];
    assert_eq!(shape(cell), (14, 36, 24));
    assert!((cell.volume - 13.5).abs() < 1e-12);
    let squares: Vec<&Face> = cell.faces.iter().filter(|f| f.vertices.len() == 4).collect();
    assert!(squares.len() == 6 && squares.iter().all(|f| (f.area - 9.0 / 8.0).abs() < 1e-12 && f.neighbor == 0));
    let n = network(&bcc, &[0.0; 2]);
    // Tetrahedral holes: 12 per cell, 4 cells at each, 4 edges from each.
    assert_eq!((n.nodes.len(), n.edges.len()), (12, 24));
    assert!(n.nodes.iter().all(|v| v.sites.len() == 4) && n.edges.iter().all(|e| e.sites.len() == 3));

    let fcc = cubic(4.0, &[[0.0; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]);
    assert_eq!(shape(&diagram(&fcc, &[1.0; 4]).cells[3]), (12, 24, 14));
    let n = network(&fcc, &[1.0; 4]);
    // 4 octahedral holes (6 cells) and 8 tetrahedral ones (4 cells); edges join the two kinds.
    let count = |k: usize| n.nodes.iter().filter(|v| v.sites.len() == k).count();
    assert_eq!((count(6), count(4), n.nodes.len(), n.edges.len()), (4, 8, 12, 32));
}

#[test]
fn a_primitive_cell_has_the_cells_of_the_conventional_one() {
    let fcc = crystal(Lattice::new([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0], [2.0, 2.0, 0.0]]).unwrap(), &[[0.9, -3.2, 0.1]]);
    let n = network(&fcc, &[0.0]);
    assert_eq!(shape(&diagram(&fcc, &[0.0]).cells[0]), (12, 24, 14));
    assert_eq!((n.nodes.len(), n.edges.len()), (3, 8));
}

#[test]
fn the_radical_plane_stands_at_equal_power() {
    // Along x, 2 Å and 6 Å apart: planes at (4 + 1 - 0.25) / 4 from the first site, and (36 + 1 - 0.25) / 12 on the other side.
    let lattice = Lattice::from_parameters(8.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
    let t = diagram(&crystal(lattice, &[[0.1, 0.0, 0.0], [0.35, 0.0, 0.0]]), &[1.0, 0.5]);
    let want = 9.0 * (4.75 / 4.0 + 36.75 / 12.0);
    assert!((t.cells[0].volume - want).abs() < 1e-10);
}

#[test]
fn a_swallowed_site_has_an_empty_cell_and_an_outside_site_sees_no_solid_angle() {
    let s = cubic(6.0, &[[0.0; 3], [0.05, 0.0, 0.0], [0.5; 3]]);
    let t = diagram(&s, &[2.0, 0.2, 1.0]);
    // The plane lies (0.09 - 4 + 0.04) / 0.6 < 0 from the small site: its cell, if any, is on the far side of it.
    assert!(t.cells[1].volume == 0.0 || t.cells[1].faces.iter().map(|f| f.solid_angle).sum::<f64>().abs() < 1e-9);
    let same = cubic(6.0, &[[0.1; 3], [0.1; 3], [0.5; 3]]);
    let volumes = |radii: &[f64]| diagram(&same, radii).cells.iter().map(|c| c.volume).collect::<Vec<_>>();
    assert!(volumes(&[1.0, 1.0, 1.0])[1] == 0.0 && volumes(&[1.0, 1.1, 1.0])[0] == 0.0);
}

#[test]
fn needles_and_plates_need_no_search_radius() {
    let needle = Lattice::from_parameters(3.0, 3.1, 9000.0, 90.0, 90.0, 90.0).unwrap();
    let t = diagram(&crystal(needle, &[[0.1, 0.2, 0.3], [0.6, 0.8, 0.3002], [0.4, 0.4, 0.3004]]), &[0.0; 3]);
    assert!(t.cells[1].volume < 40.0);
    let plate = Lattice::from_parameters(700.0, 800.0, 2.5, 90.0, 95.0, 120.0).unwrap();
    diagram(&crystal(plate, &[[0.1, 0.2, 0.3], [0.101, 0.8, 0.0]]), &[1.0, 0.4]);
    let pore: Vec<[f64; 3]> =
        (0..40).map(|m| [m % 5, m / 5 % 4, m / 20].map(|k| f64::from(k) * 0.07 + 0.01 * f64::from(m % 3))).collect();
    diagram(&cubic(40.0, &pore), &[0.5; 40]);
}

#[test]
fn a_skewed_cell_of_the_same_crystal_has_the_same_cells() {
    let straight = Lattice::new([[4.0, 0.0, 0.0], [0.3, 5.0, 0.0], [0.1, -0.4, 3.7]]).unwrap();
    let rows = *straight.rows();
    let mix = |w: [f64; 3]| std::array::from_fn(|m| (0..3).map(|k| w[k] * rows[k][m]).sum());
    let skewed = Lattice::new([mix([1.0, 0.0, 0.0]), mix([7.0, 1.0, 0.0]), mix([-11.0, 4.0, 1.0])]).unwrap();
    let sites = [[0.1, 0.2, 0.3], [0.8, 0.35, 0.6], [0.45, 0.75, 0.95]];
    let a = crystal(straight, &sites);
    let b = crystal(skewed, &sites.map(|x| skewed.to_fractional(straight.to_cartesian(x))));
    let radii = [1.3, 0.8, 0.2];
    let (ta, tb) = (diagram(&a, &radii), diagram(&b, &radii));
    for (ca, cb) in ta.cells.iter().zip(&tb.cells) {
        assert!((ca.volume - cb.volume).abs() < 1e-9 && shape(ca) == shape(cb));
    }
    let (na, nb) = (network(&a, &radii), network(&b, &radii));
    assert_eq!((na.nodes.len(), na.edges.len()), (nb.nodes.len(), nb.edges.len()));
}

#[test]
fn volumes_agree_with_points_assigned_one_by_one() {
    let lattice = Lattice::from_parameters(4.1, 5.0, 4.6, 75.0, 98.0, 110.0).unwrap();
    let sites = [[0.1, 0.2, 0.3], [0.62, 0.71, 0.9], [0.3, 0.8, 0.55], [0.8, 0.15, 0.6]];
    let s = crystal(lattice, &sites);
    for radii in [[1.4, 0.7, 1.1, 0.9], [0.0; 4], [2.3, 0.2, 1.8, 0.1]] {
        let t = diagram(&s, &radii);
        let images: Vec<[f64; 3]> = (0..125).map(|m| [m / 25, m / 5 % 5, m % 5].map(|x| f64::from(x) - 2.0)).collect();
        let (n, mut count) = (20, [0; 4]);
        for m in 0..n * n * n {
            let p = [m / (n * n), m / n % n, m % n].map(|x| (f64::from(x) + 0.5) / f64::from(n));
            let power = |j: usize| {
                let to = |t: &[f64; 3]| norm(lattice.to_cartesian(std::array::from_fn(|k| sites[j][k] + t[k] - p[k])));
                images.iter().map(to).fold(f64::INFINITY, f64::min).powi(2) - radii[j].powi(2)
            };
            let owner = (0..4).min_by(|&a, &b| power(a).total_cmp(&power(b))).unwrap();
            count[owner] += 1;
        }
        for (cell, count) in t.cells.iter().zip(count) {
            let grid = s.volume() * f64::from(count) / f64::from(n * n * n);
            // 8000 midpoints: a flat face of 10 Å² is off by a few thousandths of the cell.
            assert!((cell.volume - grid).abs() < 5e-3 * s.volume(), "{} {grid}", cell.volume);
        }
    }
}

#[test]
fn a_supercell_repeats_cells_and_network() {
    let rutile = rutile();
    let radii = [0.6, 0.6, 1.36, 1.36, 1.36, 1.36];
    let big = rutile.supercell([2, 3, 2]).unwrap();
    let many: Vec<f64> = radii.iter().flat_map(|&r| [r; 12]).collect();
    let (one, all) = (diagram(&rutile, &radii), diagram(&big, &many));
    for (m, cell) in all.cells.iter().enumerate() {
        assert!((cell.volume - one.cells[m / 12].volume).abs() < 1e-9 && shape(cell) == shape(&one.cells[m / 12]));
    }
    let (small, large) = (network(&rutile, &radii), network(&big, &many));
    assert_eq!((12 * small.nodes.len(), 12 * small.edges.len()), (large.nodes.len(), large.edges.len()));
}

#[test]
fn faces_on_the_verge_of_vanishing_are_no_trouble() {
    // Symmetric crystals with sites moved by 10^-3 to 10^-16 of the cell: every size of face that rounding could confuse.
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    };
    let fcc = [[0.0; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
    let sc: Vec<[f64; 3]> = (0..27).map(|m| [m / 9, m / 3 % 3, m % 3].map(|k| f64::from(k) / 3.0)).collect();
    let perovskite = [[0.5; 3], [0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]];
    for sites in [&fcc[..], &sc, &perovskite] {
        for digits in 3..17 {
            let moved: Vec<_> = sites.iter().map(|x| x.map(|x| x + 10_f64.powi(-digits) * random())).collect();
            let s = cubic(5.0, &moved);
            let radii: Vec<f64> = moved.iter().map(|_| 1.0 + 10_f64.powi(-digits) * random()).collect();
            let n = diagram(&s, &radii).network(&s);
            assert!(n.nodes.iter().all(|v| v.sites.len() >= 4));
            let pieces: HashSet<_> = n.edges.iter().flat_map(|e| [e.from, e.to]).collect();
            assert_eq!(pieces.len(), n.nodes.len(), "every node has an edge");
        }
    }
}

#[test]
fn radii_that_are_none_are_refused() {
    let s = cubic(3.0, &[[0.0; 3]]);
    for radii in [&[][..], &[1.0, 1.0], &[f64::NAN], &[-1.0]] {
        assert!(matches!(tessellate(&s, radii), Err(FeatureError::Argument(_))));
    }
}

/// Any cell that a crystal may have, and 1 to 7 sites with radii, coordinates also outside the cell.
fn crystals() -> impl Strategy<Value = (Structure, Vec<f64>)> {
    let (length, angle) = (|| 2.5..12.0_f64, || 55.0..125.0_f64);
    let lattices = (length(), length(), length(), angle(), angle(), angle()).prop_filter_map(
        "angles that close no cell",
        |(a, b, c, alpha, beta, gamma)| {
            Lattice::from_parameters(a, b, c, alpha, beta, gamma).ok().filter(|l| l.volume() > 20.0)
        },
    );
    // Often on special positions, where corners of more than four cells meet.
    let fraction = prop_oneof![-1.5..2.5_f64, (-4..8).prop_map(|n| f64::from(n) / 4.0)];
    let site = (prop::array::uniform3(fraction), prop_oneof![Just(0.0), Just(1.0), 0.0..2.0_f64]);
    (lattices, prop::collection::vec(site, 1..8)).prop_map(|(lattice, sites)| {
        let (sites, radii): (Vec<_>, Vec<_>) = sites.into_iter().unzip();
        (crystal(lattice, &sites), radii)
    })
}

/// What does not depend on how a crystal is listed: volume, surface and largest solid angle of each cell.
fn sizes(t: &Tessellation) -> Vec<[f64; 3]> {
    let surface = |c: &Cell| c.faces.iter().map(|f| f.area).sum();
    t.cells.iter().map(|c| [c.volume, surface(c), c.max_solid_angle()]).collect()
}

/// Total length of the edges of the network, Å.
fn wire(t: &Tessellation, s: &Structure) -> f64 {
    let n = t.network(s);
    let length = |e: &Link| {
        let (a, b) = (n.nodes[e.from as usize].frac, n.nodes[e.to as usize].frac);
        norm(s.lattice().to_cartesian(std::array::from_fn(|k| b[k] + f64::from(e.image[k]) - a[k])))
    };
    n.edges.iter().map(length).sum()
}

fn alike(a: &[[f64; 3]], b: &[[f64; 3]]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (0..3).all(|k| (x[k] - y[k]).abs() < 1e-6 * (1.0 + x[k].abs())))
}

/// Sites on one point leave their cell to the first of the largest: a matter of order, and not of the crystal.
fn apart(s: &Structure) -> bool {
    s.distance_min() > 1e-3
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn cells_fill_space_and_meet_face_to_face((s, radii) in crystals()) {
        let filled: f64 = tessellate(&s, &radii).unwrap().cells.iter().map(|c| c.volume).sum();
        prop_assert!((filled - s.volume()).abs() <= 1e-9 * s.volume());
        prop_assume!(apart(&s));
        network(&s, &radii);
    }

    #[test]
    fn neither_order_nor_origin_nor_wrap_nor_rotation_matter((s, radii) in crystals(), shift in prop::array::uniform3(-3.0..3.0_f64), turn in 0.0..6.3_f64) {
        prop_assume!(apart(&s));
        let rotated = s.lattice().rows().map(|[x, y, z]| {
            [x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos(), z]
        });
        let mut sites: Vec<[f64; 3]> = s.frac_coords().iter().map(|x| std::array::from_fn(|k| x[k] + shift[k])).collect();
        sites.reverse();
        let other = crystal(Lattice::new(rotated).unwrap(), &sites).wrapped();
        let reversed: Vec<f64> = radii.iter().rev().copied().collect();
        let (a, b) = (tessellate(&s, &radii).unwrap(), tessellate(&other, &reversed).unwrap());
        let mut back = sizes(&b);
        back.reverse();
        prop_assert!(alike(&sizes(&a), &back), "{:?} {back:?}", sizes(&a));
        let (la, lb) = (wire(&a, &s), wire(&b, &other));
        prop_assert!((la - lb).abs() < 1e-3 * la, "{la} {lb}");
    }

    #[test]
    fn neither_basis_nor_supercell_matter((s, radii) in crystals(), shear in prop::array::uniform3(-3..4_i32), n in prop::array::uniform3(1..3_usize)) {
        prop_assume!(apart(&s));
        let rows = *s.lattice().rows();
        let [p, q, r] = shear.map(f64::from);
        let mix = |w: [f64; 3]| std::array::from_fn(|m| (0..3).map(|k| w[k] * rows[k][m]).sum());
        let skewed = Lattice::new([mix([1.0, 0.0, 0.0]), mix([p, 1.0, 0.0]), mix([q, r, 1.0])]);
        prop_assume!(skewed.is_ok());
        let skewed = skewed.unwrap();
        let sites: Vec<_> = s.cart_coords().into_iter().map(|x| skewed.to_fractional(x)).collect();
        let (a, b) = (tessellate(&s, &radii).unwrap(), tessellate(&crystal(skewed, &sites), &radii).unwrap());
        prop_assert!(alike(&sizes(&a), &sizes(&b)), "{:?} {:?}", sizes(&a), sizes(&b));

        let (copies, big) = (n.iter().product(), s.supercell(n).unwrap());
        let many: Vec<f64> = radii.iter().flat_map(|&r| vec![r; copies]).collect();
        let c = tessellate(&big, &many).unwrap();
        let repeated: Vec<_> = sizes(&a).into_iter().flat_map(|x| vec![x; copies]).collect();
        prop_assert!(alike(&repeated, &sizes(&c)), "{repeated:?} {:?}", sizes(&c));
        let (la, lc) = (wire(&a, &s) * copies as f64, wire(&c, &big));
        prop_assert!((la - lc).abs() < 1e-3 * la, "{la} {lc}");
    }
}
