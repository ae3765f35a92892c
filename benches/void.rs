//! Void fractions, exact, of the tunnels of a hollandite MnO2 (24 atoms) and of its supercells, by radii and probe. The column
//! `void` is the first.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hollandite::{
    crystal::{Element, Lattice, Radii, Structure},
    features::void_fraction,
};

/// MnO2, I4/m, a = 9.815, c = 2.847 Å; illustrative coordinates.
fn hollandite() -> Structure {
    let orbit = |[x, y]: [f64; 2]| {
        let four = [[x, y, 0.0], [-x, -y, 0.0], [-y, x, 0.0], [y, -x, 0.0]];
        [four, four.map(|s| s.map(|x| x + 0.5))].concat()
    };
    let coords = [orbit([0.35, 0.167]), orbit([0.153, 0.2]), orbit([0.542, 0.167])].concat();
    let mn = Element::from_symbol("Mn").expect("an element");
    let species = (0..24).map(|i| if i < 8 { mn } else { Element::O }).collect();
    let lattice = Lattice::from_parameters(9.815, 9.815, 2.847, 90.0, 90.0, 90.0).expect("a tetragonal cell");
    Structure::new(lattice, species, coords).expect("hollandite")
}

fn bench(c: &mut Criterion) {
    let cells = [1, 2, 4].map(|n| hollandite().supercell([1, 1, n]).expect("a supercell"));
    let cases = [(Radii::Atomic, 0.0), (Radii::Shannon, 0.0), (Radii::VanDerWaals, 0.0), (Radii::Shannon, 1.0)];
    for (radii, probe) in cases {
        let mut group = c.benchmark_group(format!("void, {} radii, probe {probe} Å", radii.name()));
        for cell in &cells {
            let id = BenchmarkId::from_parameter(cell.len());
            group.bench_with_input(id, cell, |b, s| b.iter(|| void_fraction(s, radii, probe)));
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
