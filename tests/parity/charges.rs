//! Our densities and Bader charges against those of pymatgen, the `bader` crate and BaderKit: on the sums of Gaussians
//! of fixtures/vasp, and on outputs of real calculations of the larger set.

use std::path::Path;

use bader::analysis::calculate_bader_density;
use bader::atoms::{Atoms, Lattice as BaderLattice};
use bader::io::FileFormat;
use bader::io::vasp::Vasp;
use bader::methods::{maxima_finder, weight};
use bader::utils::index_generator;
use bader::voxel_map::{BlockingVoxelMap, VoxelMap};
use hollandite::adsorption::charge::basins;
use hollandite::crystal::{Composition, Element, Lattice, Structure};
use hollandite::formats::{Quantity, Volumetric, read_volumetric};
use serde_json::Value;

use crate::data::{beside, golden, numbers, read};

/// The Gaussians of fixtures/vasp, by the name that a golden file has for them.
fn fixture(name: &str) -> Volumetric {
    read_volumetric(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vasp").join(name))
        .unwrap_or_else(|r| panic!("{r}"))
}

fn near(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * b.abs().max(1e-12)
}

/// Formula, grid, fields and values as pymatgen's `Chgcar` reads them.
#[test]
fn every_density_has_the_formula_the_grid_and_the_fields_that_pymatgen_finds() {
    let golden = golden("vasp.json");
    let mut seen = 0;
    for (name, want) in golden["values"].as_object().unwrap().iter().filter(|(name, _)| name.starts_with("liwo3")) {
        let read = fixture(name);
        let formula = Composition::parse(want["formula"].as_str().unwrap()).unwrap();
        assert_eq!(
            (read.structure.composition(), Value::from(read.shape.to_vec())),
            (formula, want["shape"].clone()),
            "{name}"
        );
        assert_eq!(read.fields.len() as u64, want["fields"].as_u64().unwrap(), "{name}");
        let ends = [read.total()[0], read.total()[read.total().len() - 1]].map(|x| x * read.structure.volume());
        assert!(ends.iter().zip(numbers(&want["ends"])).all(|(a, b)| near(*a, b, 1e-11)), "{name}: {ends:?}");
        assert!((read.integral() - want["electrons"].as_f64().unwrap()).abs() < 1e-9, "{name}: {}", read.integral());
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
    let Some(folder) = beside("vasp") else { return };
    let table = read(&folder.join("parsed_by_pymatgen.txt"));
    let mut seen = 0;
    for line in table.lines().filter(|l| l.contains("/CHG")) {
        let (file, rest) = line.split_once(' ').unwrap();
        let (formula, rest) = rest.split_once(" (").unwrap();
        let (shape, names) = rest.split_once(") ").unwrap();
        let read = read_volumetric(&folder.join(file)).unwrap_or_else(|r| panic!("{r}"));
        let found = read.shape.map(|n| n.to_string()).join(", ");
        let formula = Composition::parse(formula).unwrap();
        assert_eq!((read.structure.composition(), found.as_str()), (formula, shape), "{file}");
        // pymatgen adds a signed length of the magnetisation to its three components.
        let fields = match names.matches('\'').count() / 2 {
            5 => 4,
            n => n,
        };
        assert_eq!(read.fields.len(), fields, "{file}");
        seen += 1;
    }
    assert!(seen >= 8);
}

/// All values of fixtures/vasp; of the larger set the first and last, as the tests of the `bader` crate state them.
#[test]
fn values_are_those_that_the_bader_crate_reads() {
    let unpacked = tempfile::tempdir().unwrap();
    for name in ["liwo3/host/CHGCAR.gz", "liwo3/inserted/CHGCAR.gz", "liwo3/ion/CHGCAR.gz"] {
        let packed =
            std::fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vasp").join(name)).unwrap();
        let path = unpacked.path().join("CHGCAR");
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::copy(&mut flate2::read::MultiGzDecoder::new(packed), &mut file).unwrap();
        let (_, shape, _, theirs) = Vasp {}.read(path.display().to_string()).unwrap();
        let ours = fixture(name);
        assert_eq!((shape, theirs.len()), (ours.shape, ours.fields.len()), "{name}");
        assert_eq!(theirs[0].len(), ours.total().len(), "{name}");
        assert!(ours.total().iter().zip(&theirs[0]).all(|(a, b)| near(*a, *b, 1e-12)), "{name}");
    }
    let Some(folder) = beside("vasp") else { return };
    let read = |name: &str| read_volumetric(&folder.join("bader-rs").join(name)).unwrap();
    let ends = |v: &Volumetric, k: usize| [v.fields[k][0], v.fields[k][32767]].map(|x| x * v.structure.volume());
    let expect = |found: [f64; 2], expected: [f64; 2]| {
        assert!(found.iter().zip(expected).all(|(a, b)| near(*a, b, 1e-14)), "{found:?} {expected:?}");
    };
    expect(ends(&read("CHGCAR_no_spin"), 0), [0.15246059033E+03, 0.13036296982E+03]);
    expect(ends(&read("CHG_no_spin"), 0), [152.46, 130.36]);
    let spin = read("CHGCAR_spin");
    expect(ends(&spin, 0), [0.15245934681E+03, 0.13036192086E+03]);
    expect(ends(&spin, 1), [-0.10283642961E-07, -0.87468511150E-08]);
    let ncl = read("CHGCAR_ncl");
    expect(ends(&ncl, 1), [-0.50501186231E-02, -0.56304248048E-02]);
    expect(ends(&ncl, 3), [0.16139598297E+02, 0.13834498321E+02]);
    for (name, electrons) in [("CHGCAR_no_spin", 10.0), ("CHGCAR_spin", 10.0), ("CHGCAR_ncl", 10.0), ("CHG_spin", 10.0)]
    {
        assert!((read(name).integral() - electrons).abs() < 1e-3, "{name} {}", read(name).integral());
    }
}

#[test]
fn a_potential_and_a_localisation_function_are_read_as_they_stand() {
    let golden = golden("vasp.json");
    let dir = tempfile::tempdir().unwrap();
    for (name, quantity) in [("LOCPOT", Quantity::Potential), ("ELFCAR", Quantity::Localisation)] {
        let want = &golden["values"][name];
        std::fs::write(dir.path().join(name), want["text"].as_str().unwrap()).unwrap();
        let read = read_volumetric(&dir.path().join(name)).unwrap_or_else(|r| panic!("{r}"));
        assert_eq!((read.quantity, Value::from(read.shape.to_vec())), (quantity, want["shape"].clone()), "{name}");
        let fields: Vec<Vec<f64>> = serde_json::from_value(want["values"].clone()).unwrap();
        assert_eq!(read.fields, fields, "{name}");
    }
    let Some(folder) = beside("vasp") else { return };
    let potential = read_volumetric(&folder.join("pymatgen-core/LOCPOT.gz")).unwrap();
    assert_eq!(
        (potential.quantity, potential.shape, potential.total()[0]),
        (Quantity::Potential, [32; 3], -46.163122510)
    );
    let elf = read_volumetric(&folder.join("pymatgen-core/ELFCAR.gz")).unwrap();
    assert_eq!((elf.quantity, elf.shape), (Quantity::Localisation, [18, 18, 70]));
    assert!(elf.total().iter().all(|x| (0.0..=1.0).contains(x)));
}

/// Electrons and volume of each site.
fn ours(field: &Volumetric, vacuum: f64) -> Vec<(f64, f64)> {
    let found = basins(&field.structure, field.shape, field.total(), &[field.total()], vacuum).unwrap();
    let mut sites = vec![(0.0, 0.0); field.structure.len()];
    for basin in &found.basins {
        sites[basin.site].0 += basin.amounts.integrals[0];
        sites[basin.site].1 += basin.amounts.volume;
    }
    sites
}

/// The same by the `bader` crate, whose grids run fastest along c. Its list of neighbours belongs to the LLL-reduced
/// cell: in any other the flow is not that of the gradient (0.1 e in Fe₃O₄), so the grid of a rhombohedral cell is given
/// in the cell a, b - a, c - a, which is reduced.
fn theirs(field: &Volumetric, vacuum: f64, rhombohedral: bool) -> Vec<(f64, f64)> {
    let n = field.shape[0];
    assert_eq!(field.shape, [n; 3]);
    let [a, b, c] = *field.structure.lattice().rows();
    let less_a = |x: [f64; 3]| std::array::from_fn(|k| x[k] - a[k]);
    let rows = if rhombohedral { [a, less_a(b), less_a(c)] } else { [a, b, c] };
    // Point (i, j, k) of the reduced cell is (i - j - k, j, k) of the file's.
    let first = |i: usize, j: usize, k: usize| if rhombohedral { (i + 2 * n - j - k) % n } else { i };
    let at = |i: usize, j: usize, k: usize| field.total()[first(i, j, k) + n * (j + n * k)];
    let rho: Vec<f64> = (0..n * n * n).map(|p| at(p / n / n, p / n % n, p % n)).collect();
    let atoms = Atoms::new(BaderLattice::new(rows), field.structure.cart_coords(), String::new());
    let map = BlockingVoxelMap::new(field.shape, atoms.lattice.to_cartesian, [0.0; 3]);
    let index = index_generator(&rho, vacuum).unwrap();
    let maxima = maxima_finder(&index, &rho, &map, &2.0, &atoms, 1, false).unwrap();
    for maximum in &maxima {
        map.maxima_store(maximum.position, maximum.atoms[0].0 as isize);
    }
    let _ = weight(&rho, &map, &index, 1e-8, false, 1);
    let map = VoxelMap::from_blocking_voxel_map(map);
    let (charges, volumes, _, _) = calculate_bader_density(&[rho], &map, &atoms, 1, false);
    (0..field.structure.len()).map(|i| (charges[i][0], volumes[i])).collect()
}

/// Electrons and volumes of each site, and their sum, are those of the `bader` crate.
fn compare(name: &str, field: &Volumetric, rhombohedral: bool) {
    let (a, b) = (ours(field, 1e-6), theirs(field, 1e-6, rhombohedral));
    for (site, ((n, v), (m, w))) in a.iter().zip(&b).enumerate() {
        println!("{name} {}: {n:.6} {m:.6} e, {v:.6} {w:.6} Å³", field.structure.species()[site].symbol());
        // Their weights are single precision, and those below 1e-8 are left out.
        assert!(near(*n, *m, 1e-6) && near(*v, *w, 1e-6), "{name} {site}: {n} {m}, {v} {w}");
    }
    let total: f64 = a.iter().map(|x| x.0).sum();
    assert!((total - field.integral()).abs() < 1e-6);
}

#[test]
fn charges_are_those_of_the_bader_crate() {
    for name in ["liwo3/host/CHGCAR.gz", "liwo3/inserted/CHGCAR.gz"] {
        compare(name, &fixture(name), false);
    }
    let Some(folder) = beside("vasp") else { return };
    for name in ["pymatgen-core/CHGCAR.Fe3O4_ref.gz", "bader-rs/CHGCAR_no_spin"] {
        compare(name, &read_volumetric(&folder.join(name)).unwrap(), true);
    }
}

#[test]
fn charges_are_those_of_baderkit() {
    let golden = golden("bader.json");
    let densities = golden["values"].as_object().unwrap();
    assert!(densities.len() >= 2);
    for (name, want) in densities {
        let wanted = numbers(&want["electrons"]).into_iter().zip(numbers(&want["volume"]));
        let found = ours(&fixture(name), 1e-3);
        assert_eq!(found.len(), wanted.len());
        for ((n, v), (m, w)) in found.iter().zip(wanted) {
            println!("{name}: {n:.6} {m:.6} e, {v:.6} {w:.6} Å³");
            assert!((n - m).abs() < 1e-5 && (v - w).abs() < 1e-5, "{name}: {n} {m}, {v} {w}");
        }
    }
    let Some(folder) = beside("vasp/baderkit") else { return };
    let field = cube(&read(&folder.join("CHGCAR.cube")));
    // The electride Ca₂N, whose density BaderKit divided by the same method: atoms.tsv of its own run.
    let expected = [(9.00697, 24.86132), (9.00697, 24.86132), (6.98605, 22.10688)];
    for ((n, v), (m, w)) in ours(&field, 1e-3).iter().zip(expected) {
        println!("{n:.5} {m:.5} e, {v:.5} {w:.5} Å³");
        assert!((n - m).abs() < 1e-3 && (v - w).abs() < 5e-3, "{n} {m}, {v} {w}");
    }
}

/// A density in the format of Gaussian.
fn cube(text: &str) -> Volumetric {
    const BOHR: f64 = 0.529_177_210_9;
    let mut rows =
        text.lines().skip(2).map(|l| l.split_whitespace().map(|w| w.parse::<f64>().unwrap()).collect::<Vec<_>>());
    let sites = rows.next().unwrap()[0] as usize;
    let axes: Vec<Vec<f64>> = rows.by_ref().take(3).collect();
    let shape: [usize; 3] = std::array::from_fn(|k| axes[k][0] as usize);
    let row = |k: usize| std::array::from_fn(|m| axes[k][m + 1] * axes[k][0] * BOHR);
    let lattice = Lattice::new([row(0), row(1), row(2)]).unwrap();
    let atoms: Vec<Vec<f64>> = rows.by_ref().take(sites).collect();
    let species = atoms.iter().map(|a| Element::from_z(a[0] as i64).unwrap()).collect();
    let places = atoms.iter().map(|a| lattice.to_fractional(std::array::from_fn(|m| a[m + 2] * BOHR))).collect();
    let values: Vec<f64> = rows.flatten().collect();
    let [na, nb, nc] = shape;
    // A cube runs fastest along c; its values are e/bohr³.
    let at = |p: usize| values[(p % na * nb + p / na % nb) * nc + p / na / nb] / BOHR.powi(3);
    Volumetric {
        structure: Structure::new(lattice, species, places).unwrap(),
        quantity: Quantity::Density,
        shape,
        fields: vec![(0..values.len()).map(at).collect()],
    }
}
