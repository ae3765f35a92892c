//! Printing and reading are inverse: `parse(print(x)) == x` for any crystal, in every format that is written.

use hollandite::{
    crystal::{Element, Lattice, Structure, SymOp},
    formats::{Format, parse_structure, read_file, to_cif, to_extxyz, to_json, to_poscar},
};
use proptest::prelude::*;

/// Any lattice with room for a few atoms, in any orientation and of either hand.
fn lattices() -> impl Strategy<Value = Lattice> {
    let row = || prop::array::uniform3(-12.0..12.0_f64);
    [row(), row(), row()].prop_filter_map("a cell too flat or too small", |rows| {
        Lattice::new(rows).ok().filter(|l| l.plane_spacings().iter().all(|h| *h > 2.0))
    })
}

/// One to eight atoms that do not overlap, inside and outside the cell, with coordinates that are not round.
fn structures() -> impl Strategy<Value = Structure> {
    let site = || (1..=118_i64, prop::array::uniform3(prop_oneof![-2.0..3.0_f64, Just(0.0), Just(-0.25), Just(1e-17)]));
    (lattices(), prop::collection::vec(site(), 1..8)).prop_filter_map("overlapping sites", |(lattice, sites)| {
        let (species, coords): (Vec<_>, Vec<_>) =
            sites.into_iter().map(|(z, x)| (Element::from_z(z).unwrap(), x)).unzip();
        Structure::new(lattice, species, coords).ok()
    })
}

proptest! {
    #[test]
    fn poscar_is_exact(structure in structures(), comment in ".*") {
        prop_assert_eq!(parse_structure(&to_poscar(&structure, &comment)).unwrap(), structure);
    }

    #[test]
    fn json_is_exact(structure in structures()) {
        prop_assert_eq!(parse_structure(&to_json(&structure).to_string()).unwrap(), structure);
    }

    #[test]
    fn extended_xyz_keeps_what_stands_beside(structure in structures(), key in "k[a-z ]{1,8}q", text in ".*", x in any::<f64>()) {
        let said = serde_json::json!({key.as_str(): text, "x": x});
        let frame = to_extxyz(&structure, said.as_object().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.xyz");
        std::fs::write(&path, &frame).unwrap();
        let read: Vec<_> = read_file(&path).collect();
        prop_assert_eq!(read.len(), 1);
        let record = read[0].as_ref().map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(record.structure.species(), structure.species());
        for (got, want) in record.structure.cart_coords().iter().flatten().zip(structure.cart_coords().iter().flatten()) {
            prop_assert!((got - want).abs() < 1e-9, "{} {}", got, want);
        }
        let extra = &record.properties.extra;
        prop_assert_eq!(extra.get(&key).and_then(|v| v.as_str()), Some(text.as_str()), "{}", frame);
        prop_assert_eq!(extra.get("x").and_then(|v| v.as_f64()), x.is_finite().then_some(x));
    }

    #[test]
    fn cif_keeps_sites_exactly_and_the_cell_to_rounding(structure in structures(), name in ".*") {
        let read = parse_structure(&to_cif(&structure, &name)).unwrap();
        let hand = if structure.lattice().is_right_handed() { 1.0 } else { -1.0 };
        let coords: Vec<[f64; 3]> = structure.frac_coords().iter().map(|x| x.map(|x| x * hand)).collect();
        prop_assert_eq!(read.species(), structure.species());
        prop_assert_eq!(read.frac_coords(), &coords[..]);
        for (got, want) in read.lattice().parameters().into_iter().zip(structure.lattice().parameters()) {
            // An arc cosine near 0° or 180° loses digits; elsewhere 1e-12 of the value.
            prop_assert!((got - want).abs() <= 1e-11 * want, "{} {}", got, want);
        }
        // A second round changes nothing but the last bit of the cell.
        let again = parse_structure(&to_cif(&read, "again")).unwrap();
        prop_assert_eq!(again.frac_coords(), read.frac_coords());
    }

    #[test]
    fn operations_read_as_they_print(
        rows in prop::array::uniform3(prop::array::uniform3(-1..=1_i8)),
        twelfths in prop::array::uniform3(-12..=12_i32),
    ) {
        let op = SymOp { rotation: rows, translation: twelfths.map(|n| f64::from(n) / 12.0) };
        prop_assume!(op.determinant().abs() == 1);
        let read = SymOp::parse(&op.to_string()).unwrap();
        prop_assert_eq!(read.rotation, op.rotation);
        prop_assert!((0..3).all(|k| (read.translation[k] - op.translation[k]).abs() < 1e-12));
    }
}

#[test]
fn compressed_files_are_the_same_records() {
    use std::io::Write;
    let text = "x\n1\n4 0 0\n0 4 0\n0 0 4\nPo\n1\nDirect\n0 0 0\n";
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Format::of(&path).map(|format| format.name), Some("POSCAR"));
        let mut records: Vec<_> = read_file(&path).map(Result::unwrap).collect();
        // All but where they lie.
        records.iter_mut().for_each(|record| record.properties.path = None);
        records
    };
    let plain = write("po.vasp", text.as_bytes());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    assert_eq!(plain, write("po.vasp.gz", &gzip.finish().unwrap()));
    assert_eq!(plain, write("po.vasp.zst", &zstd::encode_all(text.as_bytes(), 1).unwrap()));
    assert_eq!((plain.len(), plain[0].id.as_str()), (1, "po"));
}
