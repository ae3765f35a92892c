//! Void fractions, exact, of the tunnels of a hollandite MnO2 (24 atoms) and of its supercells, by radii and probe. The column
//! `void` is the first.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hollandite::{
    crystal::{Radii, testing::hollandite},
    features::void_fraction,
};

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
