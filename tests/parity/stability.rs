//! Energies above the hull and decompositions against pymatgen's `PhaseDiagram`, which had one diagram for each
//! chemical system, where here all phases are one; margins against a linear program of scipy. Every third phase of the
//! labelled sample and all that are stable, and, where the real set lies beside the repository, 724 oxides of it in 278
//! systems of two to seven elements.

use std::collections::HashMap;
use std::time::Instant;

use hollandite::crystal::Composition;
use hollandite::formats::{Record, read_file};
use hollandite::stability::{Part, PhaseDiagram};

use crate::data::{beside, golden, labelled};

/// Compositions and formation energies in eV/atom, by id.
type Phases = HashMap<String, (Composition, f64)>;
/// eV/atom above the hull, products by formula, and how far below the others a stable phase lies.
type Hull = (f64, HashMap<String, f64>, Option<f64>);

/// Compares phases with their peer's; phases on the hull, and phases with the same products.
fn compare(known: &Phases, golden: &[(String, Hull)]) -> (usize, usize) {
    let begun = Instant::now();
    let mut diagram = PhaseDiagram::default();
    for (composition, energy) in known.values() {
        diagram.add(composition, *energy).unwrap();
    }
    let (mut stable, mut same_products, mut worst) = (0, 0, 0.0_f64);
    for (id, (above, products, want)) in golden {
        let (composition, energy) = &known[id];
        let ours = diagram.e_above_hull(composition, *energy).unwrap();
        worst = worst.max((ours - above).abs());
        assert!((ours - above).abs() < 1e-6, "{id}: {ours} eV/atom above the hull, pymatgen {above}");
        if let Some(want) = want {
            let margin = diagram.stability_margin(composition, *energy).unwrap();
            assert!((margin - want).abs() < 1e-6, "{id}: margin {margin}, HiGHS {want}");
            stable += 1;
        }
        let parts = diagram.decomposition(composition).unwrap();
        let mixture: f64 = parts.iter().map(|part| part.fraction * part.energy).sum();
        assert!((mixture - (energy - above)).abs() < 1e-6, "{id}: {parts:?}");
        // pymatgen has an order of its own in formulas, and writes the molecules of elements.
        let same = |part: &Part| {
            let formula = Composition::parse(&part.formula).unwrap();
            let product = products.iter().find(|(f, _)| Composition::parse(f).unwrap().reduced() == formula);
            product.is_some_and(|(_, x)| (x - part.fraction).abs() < 1e-5)
        };
        same_products += usize::from(parts.iter().all(same));
    }
    // All of it: every phase against the whole diagram.
    let lowest = known.values().map(|(composition, energy)| diagram.e_above_hull(composition, *energy).unwrap());
    let lowest = lowest.fold(f64::INFINITY, f64::min);
    assert!(lowest >= 0.0, "{lowest}: no phase of a diagram lies below its own hull");
    println!(
        "{} phases, {stable} of them on the hull, differ by at most {worst:.1e} eV/atom; {same_products} have the same products; {:.2} s",
        golden.len(),
        begun.elapsed().as_secs_f64()
    );
    (stable, same_products)
}

#[test]
fn hulls_are_those_of_pymatgen() {
    let known = labelled().into_iter().map(|(id, structure, energy)| (id, (structure.composition(), energy))).collect();
    let entries: HashMap<String, Hull> = serde_json::from_value(golden("hull.json")["values"].take()).unwrap();
    let entries: Vec<_> = entries.into_iter().collect();
    let (stable, same) = compare(&known, &entries);
    assert!(entries.len() >= 100 && stable >= 20, "{stable}");
    // Where several phases lie on one facet the products are a matter of choice.
    assert!(same * 100 >= entries.len() * 99, "{same}");

    let Some(real) = beside("data/tmo.jsonl.gz") else { return };
    let records = read_file(&real).map(Result::unwrap);
    let phase = |r: Record| Some((r.id, (r.structure.composition(), r.properties.formation_energy_per_atom?)));
    let known = records.filter_map(phase).collect();
    let entries: HashMap<String, Hull> = serde_json::from_value(golden("phase_diagram.json")["values"].take()).unwrap();
    let entries: Vec<_> = entries.into_iter().collect();
    let (stable, same) = compare(&known, &entries);
    assert!(entries.len() >= 500 && stable > 200, "{stable}");
    assert!(same * 100 >= entries.len() * 99, "{same}");
}
