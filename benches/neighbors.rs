//! Neighbour lists of rutile cells of 6 to 648 atoms at 5 and 8 Å, and the shortest distance, which every import computes.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hollandite::crystal::{Element, Lattice, Structure, neighbors};

/// `n` copies of rutile along each axis.
fn rutile(n: [usize; 3]) -> Structure {
    let lattice = Lattice::from_parameters(4.594, 4.594, 2.959, 90.0, 90.0, 90.0).expect("a tetragonal cell");
    let ti = Element::from_symbol("Ti").expect("an element");
    let x = 0.305;
    let coords = vec![[0.0; 3], [0.5; 3], [x, x, 0.0], [-x, -x, 0.0], [0.5 - x, 0.5 + x, 0.5], [0.5 + x, 0.5 - x, 0.5]];
    let species = vec![ti, ti, Element::O, Element::O, Element::O, Element::O];
    Structure::new(lattice, species, coords).and_then(|s| s.supercell(n)).expect("rutile")
}

fn bench(c: &mut Criterion) {
    let cells = [[1, 1, 1], [2, 2, 2], [3, 2, 3], [3, 3, 4], [4, 4, 4], [6, 3, 6]].map(rutile);
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
