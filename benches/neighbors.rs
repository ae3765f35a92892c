//! Neighbour lists of rutile cells of 6 to 648 atoms at 5 and 8 Å, and the shortest distance, which every import computes.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hollandite::crystal::{neighbors, testing::rutile};

fn bench(c: &mut Criterion) {
    let cells = [[1, 1, 1], [2, 2, 2], [3, 2, 3], [3, 3, 4], [4, 4, 4], [6, 3, 6]]
        .map(|n| rutile().supercell(n).expect("a supercell"));
    for cutoff in [5.0, 8.0] {
        let mut group = c.benchmark_group(format!("neighbors within {cutoff} Å"));
        for cell in &cells {
            group.bench_with_input(BenchmarkId::from_parameter(cell.len()), cell, |b, s| {
                b.iter(|| neighbors(s, cutoff))
            });
        }
    }
    let mut group = c.benchmark_group("distance_min");
    for cell in &cells {
        group.bench_with_input(BenchmarkId::from_parameter(cell.len()), cell, |b, s| b.iter(|| s.distance_min()));
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
