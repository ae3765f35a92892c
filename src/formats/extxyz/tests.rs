use std::path::PathBuf;

use super::*;

const MGO: &str = "2\nLattice=\"4.2 0 0 0 4.2 0 0 0 4.2\" Properties=species:S:1:pos:R:3:forces:R:3 energy=-12.5 pbc=\"T T T\"\n\
    Mg 0 0 0 0.1 0 0\nO 2.1 2.1 2.1 -0.1 0 0\n";

/// Good records as (line, id, formula), faults as (line, reason).
type Read = Vec<Result<(usize, String, String), (usize, String)>>;

fn read(text: &str) -> Read {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("run.xyz");
    std::fs::write(&path, text).unwrap();
    crate::read_file(&path)
        .map(|item| item.map(|r| (r.line, r.id, r.structure.composition().formula())).map_err(|r| (r.line, r.reason)))
        .collect()
}

fn ok(line: usize, id: &str, formula: &str) -> Result<(usize, String, String), (usize, String)> {
    Ok((line, id.into(), formula.into()))
}

#[track_caller]
fn refused(item: &Result<(usize, String, String), (usize, String)>, line: usize, said: &str) {
    let (at, reason) = item.as_ref().unwrap_err();
    assert!((*at, reason.contains(said)) == (line, true), "{at}: {reason}");
}

#[test]
fn one_frame_with_forces_and_energy() {
    let header = header(MGO.lines().nth(1).unwrap(), 2).unwrap();
    assert_eq!(header.columns, Columns { element: 0, by_number: false, position: 1, total: 7 });
    assert_eq!(header.properties.extra["energy"], -12.5);
    assert_eq!(read(MGO), [ok(1, "run", "MgO")]);
}

#[test]
fn frames_stream_and_name_themselves_or_are_counted() {
    let named = MGO.replacen("energy", "material_id=mp-1265 energy", 1);
    assert_eq!(
        read(&format!("{MGO}{named}\n\n{MGO}")),
        [ok(1, "run#1", "MgO"), ok(5, "mp-1265", "MgO"), ok(11, "run#3", "MgO")]
    );
}

#[test]
fn elements_may_be_numbers_and_columns_in_any_order() {
    let text = "2\nProperties=pos:R:3:tag:I:1:Z:I:1 Lattice={4.2 0 0 0 4.2 0 0 0 4.2}\n0 0 0 7 12\n2.1 2.1 2.1 7 8\n";
    assert_eq!(read(text), [ok(1, "run", "MgO")]);
    let bare = "2\nLattice=[[4.2, 0, 0], [0, 4.2, 0], [0, 0, 4.2]]\nMG 0 0 0\nO 2.1 2.1 2.1\n";
    assert_eq!(read(bare), [ok(1, "run", "MgO")]);
}

#[test]
fn what_is_no_crystal_is_refused_with_its_remedy() {
    refused(&read("2\nwater\nO 0 0 0\nH 0 0 1\n")[0], 2, "plain XYZ is a molecule");
    refused(&read(&MGO.replace("T T T", "F F F"))[0], 2, "pbc is 'F F F'");
    refused(&read(&MGO.replace("T T T", "T T F"))[0], 2, "repeat in three directions");
}

#[test]
fn a_broken_frame_costs_itself_alone() {
    for (from, to, line, said) in [
        ("4.2 0 0 0", "4.2 0 0", 6, "Lattice has 8 values"),
        ("4.2 0 0 0", "nan 0 0 0", 6, "lattice"),
        ("Mg 0 0 0", "Mg 0 0 zero", 7, "atom 1 of 2: expected a finite coordinate, found 'zero'"),
        ("Mg 0 0 0 0.1 0 0", "Mg 0 0 0", 7, "has 4 columns; expected 7"),
        ("Mg 0", "Xx 0", 7, "'Xx' is not"),
        ("2\n", "3\n", 9, "announces 3 atoms and has 2"),
        ("2\n", "1\n", 8, "announces 1 atoms, but here follows 'O 2.1"),
        ("2\n", "two\n", 5, "expected the number of atoms of a frame, found 'two'"),
        ("2\n", "0\n", 5, "no atom"),
        ("2\n", "200000\n", 5, "more than the 100000"),
        ("pos:R:3", "pos:R:2", 6, "pos:R:3"),
        ("species:S:1:", "", 6, "names no elements"),
        ("species:S:1:", "species:Q:1:", 6, "species:S:1"),
        ("forces:R:3", "forces:R", 6, "NAME:TYPE:COLUMNS"),
        ("T T T\"", "T T T", 6, "'pbc' is not closed"),
        ("energy", "band_gap=wide energy", 6, "band_gap is 'wide'"),
        ("O 2.1 2.1 2.1", "O 0.1 0 0", 8, "apart"),
    ] {
        let items = read(&format!("{MGO}{}{MGO}", MGO.replacen(from, to, 1)));
        assert_eq!(items.len(), 3, "{to}: {items:?}");
        refused(&items[1], line, said);
        assert_eq!((&items[0], items[2].is_ok()), (&ok(1, "run#1", "MgO"), true), "{to}");
    }
}

#[test]
fn a_file_cut_short_says_so() {
    let cut = format!("{MGO}{}", &MGO[..MGO.len() - 24]);
    let items = read(&cut);
    assert_eq!(items.len(), 2, "{items:?}");
    refused(&items[1], 8, "the file ends here; expected atom 2 of 2");
    refused(&read("2\n")[0], 2, "the comment line");
}
