use super::*;
use crate::read_file;
use crystal::Symmetry;

fn parse(text: &str) -> Result<Structure, FormatError> {
    parse_noted(text).map(|(structure, _)| structure)
}

const RUTILE: &str = "data_rutile
_cell_length_a 4.594(1)
_cell_length_b 4.594(1)
_cell_length_c 2.959
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_chemical_formula_sum 'O2 Ti'
_cell_formula_units_Z 2
_symmetry_space_group_name_H-M 'P 42/m n m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ti1 Ti4+ 0 0 0
O1 O2- 0.305(2) 0.305(2) 0
";

fn fault(text: &str) -> (usize, String) {
    let error = parse(text).unwrap_err();
    (error.position().unwrap().line, error.to_string())
}

#[test]
fn rutile_from_every_statement_of_its_symmetry() {
    let ops = "loop_\n_space_group_symop_id\n_space_group_symop_operation_xyz\n1 x,y,z\n2 -x,-y,z\n3 1/2-y,x+1/2,z+1/2\n\
        4 y+1/2,-x+1/2,z+1/2\n5 -x+1/2,y+1/2,-z+1/2\n6 x+1/2,-y+1/2,-z+1/2\n7 y,x,-z\n8 -y,-x,-z\n9 -x,-y,-z\n10 x,y,-z\n\
        11 y+1/2,-x+1/2,-z+1/2\n12 -y+1/2,x+1/2,-z+1/2\n13 x+1/2,-y+1/2,z+1/2\n14 -x+1/2,y+1/2,z+1/2\n15 -y,-x,z\n16 y,x,z";
    let symbol = "_symmetry_space_group_name_H-M 'P 42/m n m'";
    for statement in [
        symbol,
        ops,
        "_space_group_name_Hall '-P 4n 2n'",
        "_space_group_IT_number 136",
        "_space_group_name_H-M_alt 'P 4_2/m 2_1/n 2/m'\n_space_group_IT_number 136",
        "_symmetry_space_group_name_H-M 'unusual'\n_symmetry_Int_Tables_number 136",
        "_symmetry_space_group_name_Hall ?\n_space_group_IT_number 136",
    ] {
        let rutile = parse(&RUTILE.replace(symbol, statement)).unwrap_or_else(|e| panic!("{statement}: {e}"));
        assert_eq!(rutile.composition().formula(), "Ti2O4", "{statement}");
        assert_eq!(Symmetry::of(&rutile, 0.01).unwrap().number, 136, "{statement}");
    }
}

#[test]
fn without_symmetry_the_sites_are_the_atoms() {
    let text =
        RUTILE.replace("_symmetry_space_group_name_H-M 'P 42/m n m'\n", "").replace("_cell_formula_units_Z 2\n", "");
    let (line, message) = fault(&text);
    assert!(line == 8 && message.contains("'O2 Ti'") && message.contains("TiO"), "{message}");
    assert_eq!(parse(&text.replace("'O2 Ti'", "'O Ti'")).unwrap().len(), 2);
}

/// Spinel, whose space group has two tabulated origins.
fn spinel(symbol: &str, x: &str, b: &str, a: &str) -> String {
    format!(
        "data_spinel\n_cell_length_a 8.08\n_cell_length_b 8.08\n_cell_length_c 8.08\n_chemical_formula_sum 'Al2 Mg O4'\n\
        _space_group_name_H-M_alt '{symbol}'\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n\
        _atom_site_fract_z\nMg1 {a} {a} {a}\nAl1 {b} {b} {b}\nO1 {x} {x} {x}\n"
    )
}

#[test]
fn an_open_origin_is_settled_by_what_fits() {
    for (symbol, x, b, a) in [
        ("F d -3 m :2", "0.2624", "0.5", "0.125"),
        ("F d -3 m Z", "0.2624", "0.5", "0.125"),
        ("Fd-3m:1", "0.3874", "0.625", "0"),
        ("F d -3 m S", "0.3874", "0.625", "0"),
        ("F d -3 m", "0.2624", "0.5", "0.125"),
        ("F d -3 m", "0.3874", "0.625", "0"),
        ("F d 3 m", "0.3874", "0.625", "0"),
    ] {
        let crystal = parse(&spinel(symbol, x, b, a)).unwrap_or_else(|e| panic!("{symbol} {a}: {e}"));
        assert_eq!(crystal.composition().formula(), "Mg8Al16O32", "{symbol} {a}");
        assert_eq!(Symmetry::of(&crystal, 0.01).unwrap().number, 227, "{symbol} {a}");
    }
}

#[test]
fn an_origin_that_stays_open_is_refused() {
    // One silicon at 0,0,0: 8 atoms of diamond under origin 1, 16 atoms under origin 2.
    let text =
        spinel("F d -3 m", "0", "0", "0").replace("Mg1 0 0 0\nAl1 0 0 0\nO1", "Si1").replace("'Al2 Mg O4'", "Si");
    let (line, message) = fault(&text);
    assert!(line == 6 && message.contains("leaves the setting open") && message.contains("1 and 2"), "{message}");
    let z = text.replace("_space_group", "_cell_formula_units_Z 8\n_space_group");
    assert_eq!(parse(&z).unwrap().len(), 8);
    let counted = text.replace("fract_z\nSi1 0 0 0", "fract_z\n_atom_site_symmetry_multiplicity\nSi1 0 0 0 16");
    assert_eq!(parse(&counted).unwrap().len(), 16);
}

#[test]
fn monoclinic_and_rhombohedral_axes_follow_the_cell() {
    let text = |symbol: &str, cell: [f64; 6], natoms: usize| {
        let [a, b, c, alpha, beta, gamma] = cell;
        let text = format!(
            "data_x\n_cell_length_a {a}\n_cell_length_b {b}\n_cell_length_c {c}\n_cell_angle_alpha {alpha}\n\
            _cell_angle_beta {beta}\n_cell_angle_gamma {gamma}\n_space_group_name_H-M_alt '{symbol}'\nloop_\n\
            _atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nO 0.12 0.33 0.64\n"
        );
        match parse(&text) {
            Ok(crystal) => assert_eq!(crystal.len(), natoms, "{symbol} {cell:?}"),
            Err(e) => assert!(natoms == 0 && e.to_string().contains("does not fit the cell"), "{symbol} {cell:?}: {e}"),
        }
    };
    text("P 21/c", [5.0, 6.0, 7.0, 90.0, 103.0, 90.0], 4);
    text("P 1 1 21/b", [5.0, 6.0, 7.0, 90.0, 90.0, 103.0], 4);
    text("P 1 21/c 1", [5.0, 6.0, 7.0, 90.0, 90.0, 103.0], 0);
    text("R -3 m", [8.0, 8.0, 20.0, 90.0, 90.0, 120.0], 36);
    text("R -3 m", [12.0, 12.0, 12.0, 50.0, 50.0, 50.0], 12);
    text("R -3 m :H", [12.0, 12.0, 12.0, 50.0, 50.0, 50.0], 0);
}

#[test]
fn what_a_crystal_lacks_is_said_with_its_line() {
    for (from, to, line, said) in [
        ("_cell_length_b 4.594(1)\n", "", 1, "no _cell_length_b"),
        ("4.594(1)\n_cell_length_b", "-4.594\n_cell_length_b", 2, "not positive"),
        ("4.594(1)\n_cell_length_b", "4,594\n_cell_length_b", 2, "expected a number"),
        ("gamma 90", "gamma 190", 7, "not between"),
        ("0.305(2) 0", "nan 0", 18, "finite"),
        ("0.305(2) 0", "? 0", 18, "no _atom_site_fract_x"),
        ("O1 O2-", "O1 Ox", 18, "'Ox' is not a chemical element"),
        ("Ti1 Ti4+ 0 0 0", "Ti1 Ti4+ 0 0", 17, "5 columns"),
        ("'P 42/m n m'", "'P 43/q'", 10, "not a known Hermann-Mauguin symbol"),
        ("'P 42/m n m'", "'F m -3 m'", 10, "does not fit the cell"),
        ("'P 42/m n m'", "'P 42/m n m'\n_space_group_IT_number 137", 10, "137"),
        ("units_Z 2", "units_Z 4", 8, "Z = 4"),
        ("'O2 Ti'", "'O2 Tj'", 8, "formula"),
        ("_cell_angle_beta 90", "_cell_angle_alpha 95", 6, "as '90' and as '95'"),
        ("'O2 Ti'", "'O2 Ti", 8, "not closed"),
        ("'O2 Ti'", "O2 Ti", 8, "needs quotes"),
        ("data_rutile", "", 2, "heading"),
        ("O1 O2- 0.305(2) 0.305(2) 0", "O1 O2- 0.01 0.01 0", 18, "apart"),
        ("_fract_z\n", "_fract_z\n_atom_site_occupancy\n", 18, "6 columns"),
    ] {
        assert!(RUTILE.contains(from), "{from}");
        let (at, message) = fault(&RUTILE.replacen(from, to, 1));
        assert!(
            at == line && message.contains(said),
            "{from:?} -> {to:?}: expected line {line}, '{said}', got {message}"
        );
    }
    let partial = RUTILE.replacen("_fract_z\n", "_fract_z\n_atom_site_occupancy\n", 1);
    let partial =
        partial.replacen("Ti4+ 0 0 0", "Ti4+ 0 0 0 1.0", 1).replacen("0.305(2) 0\n", "0.305(2) 0 0.95(1)\n", 1);
    let (line, message) = fault(&partial);
    assert!(line == 19 && message.contains("site O1 has occupancy 0.95"), "{message}");
}

#[test]
fn what_a_crystal_does_not_need_may_be_careless() {
    let careless = "_journal_name_full 'Acta Cryst.',\n_publ_section_title A title without quotes\nloop_\n_publ_author_name\n\
        _publ_author_address\n'Pauling, L.'\n'Sturdivant, J. H.',\n'Huggins\nloop_\n_cell_measurement_refln_index_h\n1\n\
        _chemical_formula_sum ''\n_cell_angle_beta ?\n_cell_angle_beta 90.\n_cell_angle_alpha 90\n_journal_issue\n";
    let text =
        RUTILE.replace("data_rutile\n", &format!("data_rutile\n{careless}")).replace("_cell_angle_beta 90\n", "");
    assert_eq!(parse(&text).unwrap(), parse(RUTILE).unwrap());
}

#[test]
fn the_good_blocks_of_a_file_are_read_beside_the_bad() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("two.cif");
    let bad = RUTILE.replace("rutile", "bad").replace("'O2 Ti'", "'O2 Ti");
    let text = format!("data_global\n_journal_year 1999\n{bad}{}{RUTILE}", RUTILE.replace("rutile", "again"));
    std::fs::write(&path, format!("{text}{RUTILE}")).unwrap();
    let read: Vec<_> = read_file(&path).collect();
    let said: Vec<_> = read
        .iter()
        .map(|r| match r {
            Ok(record) => format!("{} {}", record.line, record.id),
            Err(rejection) => format!("{} {}", rejection.line, rejection.reason),
        })
        .collect();
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].starts_with("10 column 23: the quote is not closed"), "{said:?}");
    assert_eq!((said[1].as_str(), said[2].as_str()), ("21 two#again", "39 two#rutile"));
    assert!(said[3].starts_with("57 data block 'rutile' was already given at line 39"), "{said:?}");
}

#[test]
fn printing_and_reading_gives_the_same_crystal() {
    let rutile = parse(RUTILE).unwrap();
    let again = parse(&to_cif(&rutile, "a name")).unwrap();
    assert_eq!((again.species(), again.frac_coords()), (rutile.species(), rutile.frac_coords()));
    // A left-handed lattice comes back right-handed, with every atom in the same place.
    let [a, b, c] = *rutile.lattice().rows();
    let left =
        Structure::new(Lattice::new([b, a, c]).unwrap(), rutile.species().to_vec(), rutile.frac_coords().to_vec())
            .unwrap();
    let again = parse(&to_cif(&left, "left")).unwrap();
    assert!(again.lattice().is_right_handed());
    assert_eq!(again.frac_coords()[3], left.frac_coords()[3].map(|x| -x));
}

/// Rock salt by its magnetic group: the type of antiferromagnetism of NiO in a cell that is doubled along c, in the data names of
/// the dictionary that is given.
fn antiferromagnet(operation: &str, centring: &str) -> String {
    format!(
        "data_nio\n_parent_space_group.name_H-M_alt 'F m -3 m'\n_space_group_magn.number_BNS '140.550'\n\
        _chemical_formula_sum 'Ni O'\n_cell_length_a 2.95\n_cell_length_b 2.95\n_cell_length_c 8.34\n_cell_angle_gamma 90\n\
        loop_\n{id}.id\n{operation}\n1 x,y,z,+1\n2 -x,-y,z,+1\n3 -y,x,z,-1\n4 y,-x,z,-1\n5 -x,-y,-z,+1\n\
        loop_\n{centring}\nx,y,z,+1\nx+1/2,y+1/2,z+1/4,-1\nx,y,z+1/2,-1\nx+1/2,y+1/2,z+3/4,+1\n\
        loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
        Ni1 Ni 0 0 0\nO1 O 0.5 0.5 0\n\
        loop_\n_atom_site_moment.label\n_atom_site_moment.crystalaxis_x\nNi1 1.5\n",
        id = "_space_group_symop_magn_operation"
    )
}

#[test]
fn a_magnetic_group_moves_atoms_as_its_operations_say() {
    let mut found = Vec::new();
    for (operation, centring) in [
        ("_space_group_symop_magn_operation.xyz", "_space_group_symop_magn_centering.xyz"),
        ("_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_centering_xyz"),
        ("_space_group_symop.magn_operation_xyz", "_space_group_symop.magn_centering_xyz"),
    ] {
        let (crystal, notes) =
            parse_noted(&antiferromagnet(operation, centring)).unwrap_or_else(|e| panic!("{operation}: {e}"));
        assert_eq!(crystal.composition().formula(), "Ni4O4", "{operation}");
        assert_eq!(Symmetry::of(&crystal, 0.01).unwrap().number, 225, "{operation}");
        assert_eq!(notes, Notes::from([Note::Magnetic]));
        found.push(crystal);
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
    let text = antiferromagnet("_space_group_symop_magn_operation.xyz", "_space_group_symop_magn_centering.xyz");
    let (line, message) = fault(&text.replace("-y,x,z,-1", "-y,x,z,-2"));
    assert!(line == 14 && message.contains("ends with '-2'"), "{line} {message}");
    let (line, message) =
        fault(&text.replace("_chemical_formula_sum", "_cell_formula_units_Z 8\n_chemical_formula_sum"));
    assert!(line == 5 && message.contains("Z = 8"), "{line} {message}");
}

#[test]
fn symmetry_that_is_not_understood_is_not_taken_for_p1() {
    let text = antiferromagnet("_space_group_symop_magn_operation.xyz", "_space_group_symop_magn_centering.xyz");
    let centrings = antiferromagnet("_my_operations_xyz", "_space_group_symop_magn_centering.xyz");
    assert!(fault(&centrings).1.contains("and no operations"));
    let start = text.find("loop_\n_space_group_symop").unwrap();
    let end = text.find("loop_\n_atom_site_label").unwrap();
    let without = format!("{}{}", &text[..start], &text[end..]);
    for (statement, said) in [
        ("", "_parent_space_group.name_H-M_alt is 'F m -3 m', from which no operations follow"),
        ("_space_group_name_Hall '-F 4 2 7'", "from which no operations follow"),
        (
            "loop_\n_space_group_symop_ssg_operation_algebraic\nx1,x2,x3,x4\n",
            "symop_ssg_operation_algebraic are of a kind",
        ),
        ("loop_\n_space_group_symop_magn_ssg_operation.algebraic\nx1,x2,x3,x4,+1\n", "of a kind that is not read"),
        ("_cell_modulation_dimension 1\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n", "modulated"),
    ] {
        let (_, message) = fault(&without.replacen("_chemical", &format!("{statement}\n_chemical"), 1));
        assert!(message.contains(said), "{statement}: {message}");
    }
    // Nothing is named: the sites are the atoms.
    let nothing = without.replace("_parent_space_group.name_H-M_alt 'F m -3 m'\n", "");
    assert!(parse(&nothing).is_err());
    assert_eq!(parse(&nothing.replace("_space_group_magn.number_BNS '140.550'\n", "")).unwrap().len(), 2);
}

#[test]
fn a_list_that_falls_short_of_the_named_group_is_refused_unless_the_atoms_are_counted() {
    let halite = |extra: &str, sites: &str| {
        format!(
            "data_nio\n_cell_length_a 4.17\n_cell_length_b 4.17\n_cell_length_c 4.17\n_space_group_name_H-M_alt 'F m -3 m'\n{extra}\
            loop_\n_space_group_symop_operation_xyz\nx,y,z\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n\
            _atom_site_fract_z\n{sites}"
        )
    };
    let (two, eight) = (
        "Ni1 0 0 0\nO1 .5 .5 .5\n",
        "Ni1 0 0 0\nNi2 0 .5 .5\nNi3 .5 0 .5\nNi4 .5 .5 0\nO1 .5 .5 .5\nO2 .5 0 0\nO3 0 .5 0\nO4 0 0 .5\n",
    );
    let (line, message) = fault(&halite("", two));
    assert!(line == 5 && message.contains("1 of the 192 operations of F m -3 m"), "{line} {message}");
    let (_, message) = fault(&halite("_chemical_formula_sum 'Ni O'\n_cell_formula_units_Z 4\n", two));
    assert!(message.contains("Z = 4"), "{message}");
    assert_eq!(parse(&halite("", eight)).unwrap().len(), 8);
    assert_eq!(parse(&halite("_chemical_formula_sum 'Ni4 O4'\n_cell_formula_units_Z 4\n", eight)).unwrap().len(), 8);
}

#[test]
fn deuterium_is_hydrogen_with_a_note() {
    let ice = "data_ice\n_cell_length_a 3\n_cell_length_b 3\n_cell_length_c 3\n_chemical_formula_sum 'D2 O'\nloop_\n_atom_site_label\n\
        _atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nO1 0 0 0\nD1 .3 0 0\nD2 0 .3 0\n";
    let (crystal, notes) = parse_noted(ice).unwrap();
    assert_eq!((crystal.composition().formula().as_str(), notes), ("H2O", Notes::from([Note::Isotopes])));
    // A tetrahedral site of a zeolite is labelled T, too.
    assert!(parse(&ice.replace("'D2 O'", "'Si2 O'").replace("\nD", "\nT")).unwrap_err().to_string().contains("'T1'"));
}
