use super::*;
use formats::hosts::host;

fn ion(text: &str) -> Ion {
    Ion::parse(text).unwrap()
}

#[test]
fn the_grid_holds_the_energies_of_its_points() {
    let host = host("hollandite-mno2").unwrap();
    let (framework, interactions) = framework(&host, &ion("Ca")).unwrap();
    let landscape = Landscape::new(&framework, &interactions, 0.9).unwrap();
    let [n, m, l] = landscape.size;
    let places = (0..n).flat_map(|i| (0..m).flat_map(move |j| (0..l).map(move |k| [i, j, k])));
    let points: Vec<[f64; 3]> =
        places.map(|at| std::array::from_fn(|k| at[k] as f64 / landscape.size[k] as f64)).collect();
    let exact = bvse_energies(&host, &ion("Ca"), &points).unwrap();
    for (got, want) in landscape.energy.iter().zip(&exact).filter(|(_, want)| **want < 20.0) {
        assert!((got - want).abs() < 2e-3 * want.abs().max(1.0), "{got} {want}");
    }
}

#[test]
fn a_barrier_does_not_depend_on_the_cell_and_little_on_the_grid() {
    for (id, text) in [("hollandite-mno2", "K"), ("lambda-mno2", "Li"), ("ramsdellite", "Li")] {
        let host = host(id).unwrap();
        let barrier = |s: &Structure, step| barrier_at(s, &ion(text), 1, step).unwrap().unwrap();
        let usual = barrier(&host, STEP);
        let long = barrier(&host.supercell([1, 1, 2]).unwrap(), STEP);
        assert!((usual - long).abs() < 0.02, "{id}: {usual} {long}");
        let fine = barrier(&host, STEP / 2.0);
        assert!((usual - fine).abs() < 0.1, "{id}: {usual} {fine}");
    }
}

#[test]
fn more_directions_take_more_energy_and_ions_of_the_crystal_are_out_of_the_way() {
    let host = host("hollandite-mno2").unwrap();
    let of = |d| bvse_barrier(&host, &ion("Li"), d).unwrap().unwrap_or(f64::INFINITY);
    assert!(of(1) > 0.0 && of(1) < of(2) && of(2) <= of(3), "{} {} {}", of(1), of(2), of(3));
    // With an ion whose charge changes no other's the framework is the same.
    let (mut species, mut frac) = (host.species().to_vec(), host.frac_coords().to_vec());
    species.push(Element::from_symbol("Li").unwrap());
    frac.push([0.0, 0.0, 0.5]);
    let filled = Structure::new(*host.lattice(), species, frac).unwrap();
    assert_eq!(bvse_barrier(&filled, &ion("Li"), 1).unwrap(), Some(of(1)));
}

#[test]
fn what_softbv_does_not_know_is_said() {
    let host = host("rutile").unwrap();
    for text in ["Ti", "Fe", "H"] {
        let message = bvse_barrier(&host, &ion(text), 1).unwrap_err().to_string();
        assert!(message.contains(&format!("softBV has no parameters for {text}+")), "{text}: {message}");
    }
}
