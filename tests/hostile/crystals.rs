//! Hostile crystals: what no laboratory makes but a file may say. Every function of a crystal answers or says why it does not,
//! within seconds and without a panic.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch};
use futures::StreamExt;
use hollandite::columns::structures;
use hollandite::crystal::testing::rutile;
use hollandite::crystal::{Element, Lattice, Structure};
use hollandite::sql::{Session, functions};

/// No function may take longer over one crystal: a bound that a busy machine keeps, a hundred times what is usual.
const LIMIT: Duration = Duration::from_secs(60);

fn element(symbol: &str) -> Element {
    Element::from_symbol(symbol).unwrap()
}

/// A fixed sequence of numbers in [0, 1).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn point(&mut self) -> [f64; 3] {
        [self.next(), self.next(), self.next()]
    }
}

/// `n` x `n` x `n` sites of a simple cubic lattice within the part `share` of the cell, the first of them hydrogen.
fn grid(lattice: Lattice, n: usize, share: f64) -> Structure {
    let step = share / n as f64;
    let sites = (0..n * n * n).map(|m| [m / (n * n), m / n % n, m % n].map(|k| k as f64 * step));
    let mut species = vec![Element::O; n * n * n];
    species[0] = element("H");
    if n > 1 {
        species[1] = element("Ti");
    }
    Structure::new(lattice, species, sites.collect()).unwrap()
}

fn orthogonal(a: f64, b: f64, c: f64) -> Lattice {
    Lattice::from_parameters(a, b, c, 90.0, 90.0, 90.0).unwrap()
}

/// Titanium and oxygen anywhere, each further than `apart` Å from all others.
fn scattered(lattice: Lattice, n: usize, apart: f64) -> Structure {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let mut sites: Vec<[f64; 3]> = Vec::new();
    for _ in 0..200 * n {
        let x = draw.point();
        let near = sites.iter().any(|y| {
            let step = std::array::from_fn(|k| (x[k] - y[k]) - (x[k] - y[k]).round());
            lattice.to_cartesian(step).iter().map(|d| d * d).sum::<f64>() < apart * apart
        });
        if !near {
            sites.push(x);
        }
        if sites.len() == n {
            break;
        }
    }
    let species = (0..sites.len()).map(|i| if i % 3 == 0 { element("Ti") } else { Element::O });
    Structure::new(lattice, species.collect(), sites).unwrap()
}

/// `large`: sites along an edge of the largest cells.
fn hostile(large: usize) -> Vec<(&'static str, Structure)> {
    let small = large / 2;
    let titania = |lattice: Lattice, sites: &[[f64; 3]]| {
        let species = (0..sites.len()).map(|i| if i % 3 == 0 { element("Ti") } else { Element::O });
        Structure::with_overlaps(lattice, species.collect(), sites.to_vec()).unwrap()
    };
    let three = [[0.1, 0.2, 0.3], [0.6, 0.7, 0.4], [0.3, 0.9, 0.8]];
    let skewed = Lattice::new([[4.0, 0.0, 0.0], [60.0, 4.0, 0.0], [-30.0, 24.0, 9.0]]).unwrap();
    let heavy = Structure::new(
        orthogonal(60.0, 5.0, 5.0),
        (1..=118).step_by(5).map(|z| Element::from_z(z).unwrap()).collect(),
        (0..24).map(|i| [f64::from(i) / 24.0, 0.0, 0.0]).collect(),
    );
    vec![
        ("one atom in a vast cell", titania(orthogonal(9e3, 9e3, 9e3), &three[..1])),
        ("three atoms in a vast cell", titania(orthogonal(9e3, 9e3, 9e3), &three)),
        ("a cluster in a vast cell", grid(orthogonal(8e3, 8e3, 8e3), small, 2.5e-4 * small as f64)),
        ("a needle", titania(orthogonal(0.8, 0.8, 9e3), &three)),
        ("a sheet", titania(orthogonal(9e3, 9e3, 0.8), &three)),
        ("a smallest cell", titania(orthogonal(0.8, 0.8, 0.8), &three[..1])),
        ("a skewed cell", titania(skewed, &three)),
        (
            "coordinates far off",
            titania(orthogonal(6.0, 6.0, 6.0), &[[999.1, 0.2, -999.6], [0.6, -998.3, 0.1], [0.2, 0.9, 5.5]]),
        ),
        ("sites on one point", titania(orthogonal(6.0, 6.0, 6.0), &[[0.5; 3]; 12])),
        (
            "sites all but on one point",
            titania(orthogonal(6.0, 6.0, 6.0), &[[0.5; 3], [0.5 + 1e-10; 3], [0.5 - 3e-9; 3]]),
        ),
        ("as dense as may be", scattered(orthogonal(3.0, 3.0, 3.0), 40, 0.51)),
        ("a glass", scattered(orthogonal(12.0, 12.0, 12.0), 100, 1.6)),
        ("all kinds of elements", heavy.unwrap()),
        ("ten thousand sites", grid(orthogonal(44.0, 46.2, 41.8), 22, 1.0)),
        (
            "a large lattice with one hydrogen",
            grid(orthogonal(2.0 * large as f64, 2.1 * large as f64, 1.9 * large as f64), large, 1.0),
        ),
        ("a large cell of rutile", rutile().supercell([large / 2, large / 2, large / 2]).unwrap()),
    ]
}

/// Calls of every function of a crystal `s`; the costliest arguments where they matter.
const CALLS: &[&str] = &[
    "bond_valence_sums(s)",
    "bvse_barrier(s, 'Li')",
    "channels(s)",
    "channels(s, 20.0)",
    "coordination(s)",
    "coulomb_eigenvalues(s)",
    "coulomb_matrix(s, 'matminer')",
    "density(s)",
    "distance_min(s)",
    "electronegativity_balanced(s)",
    "electrostatic_valence(s)",
    "energy_correction(s, 'GGA')",
    "ewald_sum_eigenvalues(s)",
    "ewald_sum_matrix(s, 1e-15)",
    "fingerprint(s)",
    "formula(s)",
    "global_instability_index(s)",
    "has_element(s, 'O')",
    "insert(s, 'Li')",
    "insertion_sites(s, 'Li')",
    "ion_passes(s, 'Li')",
    "is_charge_neutral(s)",
    "largest_free_sphere(s)",
    "largest_free_sphere(s, 'ionic', 1, 'exact')",
    "largest_included_sphere(s)",
    "largest_included_sphere(s, 'ionic', 'exact')",
    "largest_sphere_along_path(s)",
    "magpie(s)",
    "natoms(s)",
    "orbital_field_matrix(s)",
    "oxidation_states(s)",
    "packing_fraction(s)",
    "predict(s, 'cgcnn')",
    "predict_ef(s, 'alignn')",
    "predict_ef(s, 'megnet')",
    "primitive(s)",
    "prototype(s)",
    "reduced_formula(s)",
    "remove(s, 'H')",
    "same_prototype(s, s)",
    "same_structure(s, s)",
    "similarity(s, s)",
    "sine_coulomb_eigenvalues(s)",
    "sine_coulomb_matrix(s)",
    "site_orbital_field_matrices(s)",
    "soap(s)",
    "soap_average(s)",
    "spacegroup(s)",
    "spacegroup(s, 1e6)",
    "spacegroup_symbol(s, 1e-9)",
    "structure(to_cif(s))",
    "structure_hash(s)",
    "structure_match(s, s)",
    "substitute(s, 'O', 'S')",
    "symmetry_functions(s)",
    "symmetry_functions(s, 10.0)",
    "to_cif(s)",
    "to_cif(s, 0.1)",
    "to_poscar(s)",
    "void(s)",
    "void(s, 'ionic', 10.0)",
    "volume(s)",
    "voronoi(s)",
    "xrd(s)",
    "xrd_pattern(s)",
    "xrd_peaks(s)",
];

/// Functions of a crystal that ask an energy model, which a session without a store has not.
const ASK_A_POTENTIAL: &[&str] = &[
    "adsorption",
    "adsorption_interval",
    "adsorption_potential",
    "extraction_voltage",
    "migration_barrier",
    "migration_paths",
    "predict_energy",
    "predict_forces",
    "predict_magmoms",
    "predict_stress",
    "relax",
    "voltage_curve",
];
/// Functions of compositions and tables, which no cell can hurt.
const OF_NO_CELL: &[&str] = &["formation_energy", "most_similar"];

#[test]
fn every_function_of_a_crystal_is_called() {
    let of_crystals = functions().into_iter().filter(|f| {
        let first = f.arguments.first().map_or("", |(name, _)| name.as_str());
        ["structure", "crystal", "a"].contains(&first)
    });
    for f in of_crystals {
        let called = CALLS.iter().any(|call| call.split('(').any(|name| name.ends_with(f.name.as_str())));
        let excused = [ASK_A_POTENTIAL, OF_NO_CELL].concat().contains(&f.name.as_str());
        assert!(called != excused, "{}: call it in CALLS, or say why not", f.name);
    }
}

/// Asks every call of one crystal, as many at once as there are processors; those over the limit.
async fn slow(session: &Session, name: &str, crystal: &Structure) -> Vec<String> {
    let column: ArrayRef = Arc::new(structures(std::iter::once(Some(crystal))));
    let batch = RecordBatch::try_from_iter([("s", column)]).unwrap();
    session.context().register_batch("hostile", batch).unwrap();
    let whole = Instant::now();
    let asked = futures::stream::iter(CALLS).map(|call| ask(session, name, crystal.len(), call));
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let slow = asked.buffer_unordered(processors).filter_map(std::future::ready).collect().await;
    println!("{name} ({} sites): all calls: {:.2?}", crystal.len(), whole.elapsed());
    session.context().deregister_table("hostile").unwrap();
    slow
}

/// Makes one call over the crystal of so many sites; what is said where it takes longer than the limit.
async fn ask(session: &Session, name: &str, sites: usize, call: &str) -> Option<String> {
    let begun = Instant::now();
    let (asked, query) = (session.clone(), format!("SELECT {call} AS x FROM hostile"));
    // On another thread, so that what never ends is noticed.
    let work = tokio::spawn(async move { asked.sql(&query).await?.collect().await.map_err(hollandite::Error::from) });
    let stop = work.abort_handle();
    let slow = match tokio::time::timeout(LIMIT, work).await {
        Ok(Ok(Ok(batches))) => {
            assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1, "{name}: {call}");
            None
        }
        Ok(Ok(Err(error))) => panic!("{name}: {call}: {error}"),
        Ok(Err(panic)) => panic!("{name}: {call}: {panic}"),
        Err(_) => {
            stop.abort();
            Some(format!("{name} ({sites} sites): {call}: more than {LIMIT:?}"))
        }
    };
    let took = begun.elapsed();
    if took > LIMIT / 100 {
        println!("{name} ({sites} sites): {call}: {took:.2?}");
    }
    slow
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_hostile_crystals_or_says_why_not() {
    let session = Session::without_store();
    // HOSTILE_SITES=22 makes the others as large, and takes many minutes.
    let large = std::env::var("HOSTILE_SITES").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let mut slow_calls = Vec::new();
    for (name, crystal) in hostile(large) {
        slow_calls.append(&mut slow(&session, name, &crystal).await);
    }
    for warning in session.warnings() {
        println!("{warning}");
    }
    assert!(slow_calls.is_empty(), "{slow_calls:#?}");
}
