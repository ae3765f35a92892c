//! The program from outside: each command, each format, what a mistake is answered with, and the exit codes.

use crate::common::program::{HOME, Store, hollandite, stdout};
use crate::common::skip;
use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, is_empty, starts_with};

/// Rutile, one atom of oxygen off the special position of the cell in the tests that need a second crystal.
const RUTILE: &str = "rutile
1.0
4.5922 0.0 0.0
0.0 4.5922 0.0
0.0 0.0 2.9574
Ti O
2 4
Direct
0.0 0.0 0.0
0.5 0.5 0.5
0.30496 0.30496 0.0
0.69504 0.69504 0.0
0.19504 0.80496 0.5
0.80496 0.19504 0.5
";

const ROCK_SALT: &str = "halite
1.0
0.0 2.82 2.82
2.82 0.0 2.82
2.82 2.82 0.0
Na Cl
1 1
Direct
0 0 0
0.5 0.5 0.5
";

/// One crystal that belongs into tmo, one that does not, and one that is broken.
fn three_files(store: &Store) -> [String; 3] {
    [
        store.file("rutile.poscar", RUTILE),
        store.file("halite.poscar", ROCK_SALT),
        store.file("broken.cif", "data_x\n_cell_length_a 4.0\nloop_\n"),
    ]
}

#[test]
fn the_first_command_answers_the_example_query_from_the_embedded_store() {
    let query = "SELECT id, formula, predict_ef(structure) AS ef FROM tmo WHERE void > 0.5 ORDER BY ef LIMIT 20";
    let text = stdout(&["sql", query, "--format", "csv"]);
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 20, "{text}");
    let energies: Vec<f64> = rows.iter().map(|r| r[2].parse().unwrap()).collect();
    assert!(energies.is_sorted(), "{energies:?}");
    assert!(energies.iter().all(|e| (-6.0..1.0).contains(e)), "eV/atom of oxides: {energies:?}");
    assert_eq!(stdout(&["sql", query, "--format", "csv"]), text, "the cache answers as the model did");
}

#[test]
fn machine_formats_lose_nothing() {
    let query = "SELECT 'a,\"b\"' AS t, CAST(NULL AS DOUBLE) AS n, 1.0/3.0 AS x, [1, 2] AS l, {'k': 'v'} AS s";
    assert_eq!(
        stdout(&["sql", query, "--format", "csv"]),
        "t,n,x,l,s\n\"a,\"\"b\"\"\",,0.3333333333333333,\"[1,2]\",\"{\"\"k\"\":\"\"v\"\"}\"\n"
    );
    let row = "{\"t\":\"a,\\\"b\\\"\",\"n\":null,\"x\":0.3333333333333333,\"l\":[1,2],\"s\":{\"k\":\"v\"}}";
    assert_eq!(stdout(&["sql", query, "--format", "json"]), format!("[{row}]\n"));
    assert_eq!(stdout(&["sql", query, "--format", "jsonl"]).trim_end(), row);
    let table = stdout(&["sql", query]);
    assert!(table.contains("NULL") && table.contains("0.333333") && table.ends_with("(1 row)\n"), "{table}");
}

#[test]
fn an_empty_result_is_well_formed() {
    let query = "SELECT id, void FROM tmo WHERE id = 'no such crystal'";
    assert_eq!(stdout(&["sql", query, "--format", "csv"]), "id,void\n");
    assert_eq!(stdout(&["sql", query, "--format", "json"]), "[]\n");
    assert!(stdout(&["sql", query]).ends_with("(0 rows)\n"));
}

#[test]
fn crystals_are_abbreviated_for_people_only() {
    let query = "SELECT structure FROM tmo WHERE id = 'rutile'";
    assert!(stdout(&["sql", query]).contains("TiO2 [6 atoms]"));
    let json: serde_json::Value = serde_json::from_str(&stdout(&["sql", query, "--format", "json"])).unwrap();
    assert_eq!(json[0]["structure"]["numbers"], serde_json::json!([22, 22, 8, 8, 8, 8]));
    assert_eq!(json[0]["structure"]["lattice"].as_array().unwrap().len(), 9);
}

#[test]
fn results_go_to_files_by_their_extension_and_copy_works() {
    let store = Store::new();
    let (csv, parquet, copy) = (store.beside("r.csv"), store.beside("r.parquet"), store.beside("copy.parquet"));
    hollandite(&["sql", "SELECT 1 AS one", "-o", &csv]).assert().success().stdout(is_empty());
    assert_eq!(std::fs::read_to_string(&csv).unwrap(), "one\n1\n");
    hollandite(&["sql", "SELECT id, structure FROM tmo", "--format", "parquet", "-o", &parquet]).assert().success();
    let copied = format!("COPY (SELECT id, structure FROM tmo) TO '{copy}'");
    hollandite(&["sql", &copied]).assert().success();
    let count = stdout(&["sql", "SELECT count(*) AS n FROM tmo", "--format", "csv"]);
    for file in [parquet, copy] {
        let query = format!(
            "CREATE EXTERNAL TABLE back STORED AS PARQUET LOCATION '{file}'; SELECT count(*) AS n FROM back WHERE natoms(structure) > 0"
        );
        assert_eq!(store.stdout(&["sql", &query, "--format", "csv"]), count, "{file}");
    }
}

#[test]
fn of_several_statements_the_failed_one_is_named_and_the_others_listed() {
    let store = Store::new();
    let script = "CREATE TABLE a AS SELECT 1 AS n; SELECT n FROM a; SELECT nothing FROM a; DROP TABLE a";
    let told = starts_with("error: statement 3 of 4: ")
        .and(contains("nothing"))
        .and(contains("statement 1 took effect and stays; the one after it was not run"));
    store.run(&["sql", script, "--format", "csv"]).assert().code(1).stdout("n\n1\n").stderr(told);
    assert_eq!(store.stdout(&["sql", "SELECT n FROM a", "--format", "csv"]), "n\n1\n");
    store.run(&["sql", "SELECT nothing FROM a"]).assert().code(1).stderr(contains("statement").not());
    store.run(&["verify", "--deep"]).assert().success().stdout(contains("all are what their crystals give"));
}

#[test]
fn mistakes_are_one_error_with_a_remedy() {
    let failed = |args: &[&str], code: i32, word: &str| {
        let error = starts_with("error: ")
            .and(contains(word))
            .and(predicate::function(|e: &str| e.matches("error:").count() == 1));
        hollandite(args).assert().code(code).stdout(is_empty()).stderr(error);
    };
    failed(&["sql", "SELEC 1"], 1, "SELEC");
    failed(&["sql", "SELECT nothing FROM tmo"], 1, "nothing");
    failed(&["sql", "SELECT * FROM tmoo"], 1, "tmoo");
    failed(&["sql", "SELECT void(natoms) FROM tmo"], 1, "void");
    failed(&["sql", "SELECT predict_ef(structure, 'no such model') FROM tmo"], 1, "megnet");
    failed(&["sql", "tunnel"], 2, "tunnels");
    failed(&["sql", "SELECT 1", "--format", "parquet"], 2, "--output");
    failed(&["sql", " -- nothing"], 2, "no statement");
    failed(&["sql", "-f", "/no/such/file.sql"], 1, "/no/such/file.sql");
    failed(&["sql", "SELECT 1", "--snapshot", "9999"], 1, "9999");
    failed(&["sql", "SELECT 1", "-o", "/tmp/x/"], 2, "hollandite export");
    failed(&["sql", "SELECT 1", "-o", "/tmp/hollandite-none.xyz"], 1, "structure");
    failed(&["export", "tmo", "--to", "/tmp/x.xyz", "--symprec", "0.1"], 2, "CIFs");
    failed(&["export", "tmo", "--to", "/tmp/x.xlsx"], 2, "--format");
    failed(&["export", "SELECT id FROM tmo", "--to", "/tmp/hollandite-none/"], 1, "structure");
    failed(&["functions", "no_such"], 1, "hollandite functions");
    failed(&["--store", "/no/such/store", "info"], 1, "hollandite --store /no/such/store init");
    failed(&["import", "/no/such/file.cif"], 1, "/no/such/file.cif");
}

#[test]
fn the_command_line_itself_is_checked() {
    hollandite(&["fly"]).assert().code(2).stderr(contains("fly"));
    hollandite(&["sql", "SELECT 1", "--format", "xml"]).assert().code(2).stderr(contains("jsonl"));
    hollandite(&[]).assert().code(2).stderr(contains("import"));
    hollandite(&["--version"]).assert().success().stdout(starts_with("hollandite "));
    let help = stdout(&["--help"]);
    for command in ["init", "import", "sql", "shell", "export", "functions", "info", "verify"] {
        assert!(help.contains(command), "{command}");
    }
}

#[test]
fn a_store_is_made_once() {
    let store = Store::new();
    hollandite(&["init", store.path().to_str().unwrap()]).assert().code(1).stderr(contains("already"));
    hollandite(&["init"]).assert().code(2).stderr(contains("init DIR"));
    assert_eq!(store.stdout(&["sql", "SELECT count(*) AS n FROM tmo", "--format", "csv"]), "n\n0\n");
}

#[test]
fn an_import_adds_once_and_says_what_it_refused() {
    let store = Store::new();
    let files = three_files(&store);
    let args = ["import", &files[0], &files[1], &files[2]];
    store.run(&args).assert().success().stdout(contains("added 1 row to tmo")).stderr(contains("--quarantine"));
    store.run(&args).assert().success().stdout(contains("added 0 rows").and(contains("1 already")));
    assert_eq!(
        store.stdout(&["sql", "SELECT id, spacegroup FROM tmo", "--format", "csv"]),
        "id,spacegroup\nrutile,136\n"
    );

    let quarantine = store.stdout(&["info", "--quarantine", "--format", "jsonl"]);
    assert_eq!(quarantine.lines().count(), 2, "{quarantine}");
    assert!(quarantine.contains("broken.cif") && quarantine.contains("halite.poscar"));
    let rows = store.stdout(&["sql", "SELECT line FROM quarantine WHERE path LIKE '%broken.cif'", "--format", "csv"]);
    assert!(rows.lines().nth(1).is_some_and(|line| line.parse::<u32>().is_ok()), "the line is known: {rows}");

    store.run(&["import", &files[1], "--into", "salts"]).assert().success().stdout(contains("salts"));
    assert_eq!(store.stdout(&["sql", "SELECT formula FROM salts", "--format", "csv"]), "formula\nNaCl\n");
    store.run(&["import", &files[0], "--dry-run"]).assert().success().stdout(contains("would add 0 rows"));
}

/// Rock salt whose cations share one site, in so many parts of Li and Fe.
fn shared_site(li: f64, fe: f64) -> String {
    format!(
        "data_x\n_cell_length_a 4.14\n_cell_length_b 4.14\n_cell_length_c 4.14\n_space_group_name_H-M_alt 'F m -3 m'\n\
         _chemical_formula_sum 'Li{li} Fe{fe} O1'\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n\
         _atom_site_fract_z\n_atom_site_occupancy\nLi1 0 0 0 {li}\nFe1 0 0 0 {fe}\nO1 0.5 0.5 0.5 1\n"
    )
}

#[test]
fn shared_sites_are_refused_or_ordered_on_request() {
    let store = Store::new();
    let halves = store.file("halves.cif", &shared_site(0.5, 0.5));
    let odd = store.file("odd.cif", &shared_site(0.945, 0.055));
    let site = |x: f64, species: &[(&str, f64)]| {
        let species: Vec<_> = species.iter().map(|(e, n)| serde_json::json!({"element": e, "occu": n})).collect();
        serde_json::json!({"species": species, "abc": [x, x, x], "label": "M"})
    };
    let document = serde_json::json!({
        "id": "p", "band_gap": 1.5,
        "structure": {
            "lattice": {"matrix": [[0.0, 2.1, 2.1], [2.1, 0.0, 2.1], [2.1, 2.1, 0.0]]},
            "sites": [site(0.0, &[("Mg", 0.5), ("Ni", 0.5)]), site(0.5, &[("O", 1.0)])],
        },
    });
    let json = store.file("p.json", &document.to_string());
    let args = ["import", &halves, &odd, &json];
    store.run(&args).assert().success().stdout(contains("added 0 rows").and(contains("3 refused")));
    let reasons = ["sql", "SELECT reason FROM quarantine ORDER BY path", "--format", "csv"];
    let said = store.stdout(&reasons);
    assert_eq!(said.matches("import --order").count(), 3, "{said}");

    let ordered = [args.as_slice(), &["--order"]].concat();
    let added = contains("added 2 rows").and(contains("2 rows: ordered, from sites")).and(contains("1 refused"));
    store.run(&ordered).assert().success().stdout(added);
    store.run(&ordered).assert().success().stdout(contains("added 0 rows").and(contains("2 already")));
    let said = store.stdout(&reasons);
    assert!(said.contains("site Li1 has occupancy 0.945; it cannot be ordered"), "{said}");
    assert!(said.contains("--order=0.06"), "{said}");
    let rows = store.stdout(&[
        "sql",
        "SELECT id, formula, spacegroup, band_gap, extra FROM tmo ORDER BY id",
        "--format",
        "jsonl",
    ]);
    let rows: Vec<serde_json::Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["formula"], &rows[0]["spacegroup"]), (&"LiFeO2".into(), &123.into()), "{rows:?}");
    assert_eq!((&rows[1]["formula"], &rows[1]["band_gap"]), (&"MgNiO2".into(), &1.5.into()), "{rows:?}");
    let extra: serde_json::Value = serde_json::from_str(rows[0]["extra"].as_str().unwrap()).unwrap();
    let lineage = ["ordered_from", "ordered_cells", "ordered_change"].map(|key| extra[key].clone());
    assert_eq!(serde_json::json!(lineage), serde_json::json!(["Li0.5Fe0.5O", 2, 0.0]), "{extra}");
    store.run(&["import", &odd, "--order=0.06"]).assert().success().stdout(contains("added 1 row"));
    store.run(&["import", &odd, "--order=2"]).assert().code(2).stderr(contains("as in 0.05"));
}

#[test]
fn an_older_snapshot_is_read_as_it_was() {
    let store = Store::new();
    let [rutile, ..] = three_files(&store);
    let newest = || -> i64 {
        let text = store.stdout(&["info", "--snapshots", "--format", "jsonl"]);
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        last["snapshot"].as_i64().unwrap()
    };
    let before = newest();
    store.run(&["import", &rutile]).assert().success();
    assert!(newest() > before);
    let count =
        |args: &[&str]| store.stdout(&[&["sql", "SELECT count(*) AS n FROM tmo", "--format", "csv"], args].concat());
    assert_eq!(count(&[]), "n\n1\n");
    assert_eq!(count(&["--snapshot", &before.to_string()]), "n\n0\n");
}

#[test]
fn exports_read_back() {
    let store = Store::new();
    let [rutile, ..] = three_files(&store);
    store.run(&["import", &rutile]).assert().success();
    for name in ["t.parquet", "t.csv", "t.json", "t.jsonl", "t.arrow"] {
        let file = store.beside(name);
        store
            .run(&["export", "tmo", "--to", &file])
            .assert()
            .success()
            .stdout(is_empty())
            .stderr(contains("wrote 1 row"));
        assert!(std::fs::metadata(&file).unwrap().len() > 100, "{name}");
    }
    let hash = "SELECT id, structure_hash FROM tmo";
    for name in ["t.xyz", "t.db", "p.json.gz", "poscars/"] {
        let file = store.beside(name);
        let format: &[&str] = match name {
            "p.json.gz" => &["--format", "pymatgen"],
            "poscars/" => &["--format", "poscar"],
            _ => &[],
        };
        store.run(&[&["export", "tmo", "--to", &file], format].concat()).assert().success();
        let again = Store::new();
        again.run(&["import", &file]).assert().success().stdout(contains("added 1 row"));
        let [was, is] = [&store, &again].map(|store| store.stdout(&["sql", hash, "--format", "csv"]));
        assert_eq!(was, is, "{name}");
    }
    store.run(&["sql", "SELECT id, structure FROM tmo", "-o", &store.beside("s.xyz")]).assert().success();
    assert!(std::fs::read_to_string(store.beside("s.xyz")).unwrap().contains("id=\"rutile\""));
    let parquet = std::fs::File::open(store.beside("t.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(parquet).unwrap();
    let unit = |name: &str| reader.schema().field_with_name(name).unwrap().metadata().get("unit").cloned();
    assert_eq!([unit("density"), unit("void")], [Some("g/cm³".to_owned()), None]);
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(store.beside("t.json")).unwrap()).unwrap();
    assert_eq!(json[0]["formula"], "TiO2");
    let cifs = store.beside("cifs/");
    store.run(&["export", "SELECT id, structure FROM tmo", "--to", &cifs]).assert().success();
    let again = Store::new();
    again.run(&["import", &cifs]).assert().success().stdout(contains("added 1 row"));
    let hash = ["sql", "SELECT id, structure_hash FROM tmo", "--format", "csv"];
    assert_eq!(store.stdout(&hash), again.stdout(&hash), "a crystal is the same after a journey through a CIF");
}

#[test]
fn pandas_polars_and_pyarrow_read_an_export() {
    let Some(python) = std::env::var_os("HOLLANDITE_PYTHON") else {
        skip("HOLLANDITE_PYTHON names no Python with tests/interop/requirements.txt");
        return;
    };
    let store = Store::new();
    let file = store.beside("tmo.parquet");
    hollandite(&["export", "tmo", "--to", &file]).assert().success();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/exports.py");
    let output = std::process::Command::new(python).args([script, &file]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&seen["units"]["volume"], &seen["units"]["e_above_hull"]), (&"Å³".into(), &"eV/atom".into()));
    assert!(seen["units"].get("formula").is_none() && seen["units"].get("void").is_none());
    let count = stdout(&["sql", "SELECT count(*) FROM tmo", "--format", "csv"]);
    assert_eq!(Some(seen["rows"].to_string().as_str()), count.lines().nth(1));
}

#[test]
fn the_shell_works_from_a_pipe() {
    let store = Store::new();
    let file = store.beside("out.csv");
    let input = format!(
        "\\dt\n\\d tmo\nSELECT 1 AS one,\n  ';' AS two;\n\\timing\n\\df void\n\\o {file}\nSELECT 3 AS three;\n\\o\n\\describe SELECT id FROM tmo;\nSELECT 4 AS four"
    );
    let assert = store
        .run(&["shell"])
        .write_stdin(input)
        .assert()
        .success()
        .stderr(contains("timing is on").and(contains("Time: ")));
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    for part in ["tmo", "quarantine", "STRUCT(lattice DOUBLE[]", "one  two", "void(structure", "null_count", "four"] {
        assert!(text.contains(part), "'{part}' is missing in\n{text}");
    }
    assert!(!text.contains("three"), "that went to the file");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "three\n3\n");
    let stopped = store.run(&["shell"]).write_stdin("SELECT broken;\nSELECT 'not reached';\n").assert();
    stopped.code(1).stdout(is_empty()).stderr(starts_with("error: "));
    store.run(&["shell"]).write_stdin("\\q\nSELECT broken;\n").assert().success().stdout(is_empty());
    store.run(&["shell"]).write_stdin("\\nonsense\n").assert().failure().stderr(contains("\\?"));
}

#[test]
fn statements_come_from_files_pipes_and_one_after_the_other() {
    let store = Store::new();
    let script = store.file("s.sql", "-- a comment; with a semicolon\nSELECT 1 AS a;\nSELECT 2 AS b;\n");
    assert_eq!(store.stdout(&["sql", "-f", &script, "--format", "csv"]), "a\n1\nb\n2\n");
    store.run(&["sql", "--format", "csv"]).write_stdin("SELECT 3 AS c").assert().success().stdout("c\n3\n");
    store.run(&["sql", "-f", &script, "-o", &store.beside("x.csv")]).assert().code(2).stderr(contains("one statement"));
}

#[test]
fn options_last_as_long_as_the_statements_of_one_call() {
    let explain = "EXPLAIN SELECT predict_ef(structure) AS ef FROM tmo";
    assert!(stdout(&["sql", &format!("SET hollandite.cache = false; {explain}")]).contains("cache=false"));
    assert!(!stdout(&["sql", explain]).contains("cache=false"));
}

/// What a query prints; `None` where it asks an energy model, of which none is built in, and says how to install one
/// (`tests/sql/energy.rs` has one), or candidates or generated crystals, of which the default store has none (`enumerate` and `generate`
/// make some).
fn answer(query: &mut Command) -> Option<String> {
    let output = query.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let missing = [
        "`pip download chgnet --no-deps`, then `hollandite models add",
        "no table 'candidates'",
        "no table 'generated'",
    ];
    if missing.iter().any(|missing| error.contains(missing)) {
        return None;
    }
    assert!(output.status.success(), "{query:?} failed: {error}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_stored_query_runs_by_its_name() {
    let list = stdout(&["sql", "--list", "--format", "csv"]);
    let names: Vec<&str> = list.lines().skip(1).filter_map(|l| l.split(',').next()).collect();
    // Guides stand beside the queries.
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/queries")).unwrap();
    let is_query =
        |file: &std::io::Result<std::fs::DirEntry>| file.as_ref().unwrap().path().extension() == Some("sql".as_ref());
    assert_eq!(names.len(), files.filter(is_query).count());
    for name in names {
        let Some(answer) = answer(&mut hollandite(&["sql", name, "--format", "jsonl"])) else { continue };
        let rows = answer.lines().count();
        // The embedded structures carry no DFT labels to check, and no model was evaluated on them: its errors are an empty list there.
        let of_errors = name.contains("error")
            || ["fig10b", "worst", "coverage", "coverage_by_kind", "label_check"].contains(&name);
        assert_eq!(rows == 0, of_errors, "{name} returned {rows} rows");
    }
    let polymorphs = stdout(&["sql", "polymorphs", "--format", "csv"]);
    assert!(polymorphs.contains("rutile") && polymorphs.contains("anatase"), "{polymorphs}");
}

#[test]
fn describe_is_that_of_the_column() {
    let text =
        stdout(&["sql", "--describe", "SELECT * FROM (VALUES (1.0), (2.0), (6.0), (NULL)) AS t(x)", "--format", "csv"]);
    let value = |name: &str| text.lines().find_map(|l| l.strip_prefix(&format!("{name},"))).map(str::to_string);
    let expected = [
        ("count", "3.0"),
        ("null_count", "1.0"),
        ("mean", "3.0"),
        ("min", "1.0"),
        ("25%", "1.5"),
        ("50%", "2.0"),
        ("75%", "4.0"),
        ("max", "6.0"),
    ];
    for (name, number) in expected {
        assert_eq!(value(name).as_deref(), Some(number), "{name} in\n{text}");
    }
    let std: f64 = value("std").unwrap().parse().unwrap();
    assert!((std - 7f64.sqrt()).abs() < 1e-12, "sample standard deviation, {std}");
}

#[test]
fn functions_are_listed_and_explained() {
    assert!(stdout(&["functions"]).contains("predict_ef(structure"));
    assert!(stdout(&["functions", "--format", "markdown"]).starts_with("| function"));
    let json: serde_json::Value = serde_json::from_str(&stdout(&["functions", "--format", "json"])).unwrap();
    assert!(json.as_array().unwrap().len() >= 15);
    let page = stdout(&["functions", "void"]);
    assert!(page.contains("Example") && page.contains("probe"), "{page}");
}

#[test]
fn every_functions_example_runs() {
    // In a folder as the examples have it: crystals of the default store, and energies of one's own.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("exported")).unwrap();
    std::fs::write(folder.path().join("measured.csv"), "id;my_energy\nrutile;-3.4\n").unwrap();
    std::fs::write(folder.path().join("measured.jsonl"), "{\"id\": \"rutile\", \"my_energy\": -3.4}\n").unwrap();
    for to in ["cifs/", "exported/two.parquet"] {
        let export = ["export", "SELECT id, structure FROM tmo LIMIT 2", "--to", to];
        hollandite(&export).current_dir(folder.path()).assert().success();
    }
    let json: serde_json::Value = serde_json::from_str(&stdout(&["functions", "--format", "json"])).unwrap();
    for function in json.as_array().unwrap() {
        let example = function["example"].as_str().unwrap();
        let Some(answer) = answer(hollandite(&["sql", example, "--format", "csv"]).current_dir(folder.path())) else {
            continue;
        };
        // Of a NULL in the last column a comma is left, or an empty line.
        let shows = answer.lines().skip(1).any(|line| !line.is_empty() && !line.ends_with(','));
        assert!(shows, "{example} shows nothing:\n{answer}");
    }
}

#[test]
fn info_and_verify_tell_the_state_of_the_store() {
    let store = Store::new();
    let [rutile, ..] = three_files(&store);
    store.run(&["import", &rutile]).assert().success();
    store
        .run(&["info"])
        .assert()
        .success()
        .stdout(contains("table tmo").and(contains("1 row")).and(contains("imports")));
    store.run(&["info", "--format", "json"]).assert().success().stdout(starts_with("["));
    store.run(&["verify"]).assert().success().stdout(contains("all agree"));

    let parquet = first_parquet(&store.path().join("data")).expect("a Parquet file");
    let mut bytes = std::fs::read(&parquet).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&parquet, bytes).unwrap();
    store.run(&["verify"]).assert().code(1).stdout(contains("1 problem")).stderr(starts_with("error: "));
}

fn first_parquet(folder: &std::path::Path) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).find_map(|path| match path.is_dir() {
        true => first_parquet(&path),
        false => path.extension().is_some_and(|e| e == "parquet").then_some(path),
    })
}

#[test]
fn models_come_answer_and_go() {
    let store = Store::new();
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/models/megnet.safetensors.zst");
    store.run(&["models", "add", weights, "--name", "mine"]).assert().success().stdout(contains("model mine ("));
    store
        .run(&["models", "add", weights, "--name", "mine"])
        .assert()
        .code(1)
        .stderr(contains("has a model of that name"));
    store
        .run(&["models", "add", weights, "--name", "megnet"])
        .assert()
        .code(1)
        .stderr(contains("ships with the program"));
    store.run(&["models", "add", weights, "--name", "../mine"]).assert().code(1).stderr(contains("letters, digits"));
    store.run(&["models", "list", "--format", "csv"]).assert().success().stdout(contains("\nmine,"));
    let json = store.stdout(&["models", "show", "mine", "--format", "json"]);
    assert!(json.contains("\"architecture\": \"megnet\"") && json.contains("\"name\": \"mine\""), "{json}");
    let words = store.stdout(&["models", "show", "MINE"]);
    assert!(words.starts_with("model ") && words.contains("mine, id ") && words.lines().count() < 60, "{words}");
    store.run(&["models", "show", "mine", "--format", "csv"]).assert().code(2);

    let query = format!("SELECT predict_ef('{RUTILE}', 'mine') = predict_ef('{RUTILE}', 'megnet') AS same");
    store.run(&["sql", &query, "--format", "csv"]).assert().success().stdout("same\ntrue\n");
    let known = "SELECT count(*) AS n FROM models WHERE name = 'mine'";
    store.run(&["sql", known, "--format", "csv"]).assert().success().stdout("n\n1\n");

    store.run(&["models", "rm", "mine"]).assert().success();
    store.run(&["models", "remove", "mine"]).assert().code(1).stderr(contains("the store keeps none"));
    let gone = format!("SELECT predict_ef('{RUTILE}', 'mine')");
    store.run(&["sql", &gone]).assert().code(1).stderr(contains("no model 'mine'; known models: "));
}

#[test]
fn a_folder_with_the_name_of_a_model_of_the_program_is_not_asked_under_it() {
    let store = Store::new();
    let home = store.path().join("models/cgcnn");
    std::fs::create_dir_all(&home).unwrap();
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/models/megnet.safetensors.zst");
    // As an older program left it: the weights of another network, which call themselves cgcnn.
    let megnet = hollandite::models::Model::load("megnet").unwrap();
    std::fs::copy(weights, home.join("cgcnn.safetensors.zst")).unwrap();
    let list = store.run(&["models", "list", "--format", "csv"]).assert().success();
    let list = list.stderr(contains("--name ANOTHER").and(contains("models remove cgcnn")));
    let list = String::from_utf8(list.get_output().stdout.clone()).unwrap();
    let names: Vec<&str> = list.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!(names.iter().filter(|name| **name == "cgcnn").count(), 1, "{names:?}");
    let path = home.display().to_string();
    assert!(names.contains(&path.as_str()), "{names:?}");
    let shown: serde_json::Value =
        serde_json::from_str(&store.stdout(&["models", "show", &path, "--format", "json"])).unwrap();
    assert_eq!(shown["id"], megnet.id());
    store.run(&["models", "rm", "cgcnn"]).assert().success();
    store.run(&["models", "list"]).assert().success().stderr(predicates::str::is_empty());
    store.run(&["models", "rm", "cgcnn"]).assert().code(1).stderr(contains("ships with the program"));
}

#[test]
fn weights_that_would_run_something_are_refused() {
    let store = Store::new();
    let witness = store.path().join("ran");
    let command = format!("touch {}", witness.display());
    // What pickle writes of an object whose __reduce__ is os.system.
    let mut bytes = b"\x80\x02cposix\nsystem\nX".to_vec();
    bytes.extend((command.len() as u32).to_le_bytes());
    bytes.extend(command.as_bytes());
    bytes.extend(b"\x85R.");
    let file = store.path().join("evil.pt");
    std::fs::write(&file, bytes).unwrap();
    let file = file.display().to_string();
    store
        .run(&["models", "add", &file])
        .assert()
        .code(1)
        .stderr(contains("posix.system").and(contains("nothing was run")));
    assert!(!witness.exists());
    let noise = store.file("noise.pt", "no weights at all");
    store.run(&["models", "add", &noise]).assert().code(1).stderr(contains("not a checkpoint of torch"));
    let keras = store.path().join("formation_energy.hdf5");
    std::fs::write(&keras, b"\x89HDF\r\n\x1a\n").unwrap();
    let keras = keras.display().to_string();
    store.run(&["models", "add", &keras]).assert().code(1).stderr(contains("queries/models.md"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut command = Command::new(env!("CARGO_BIN_EXE_hollandite"));
    command.env_remove("HOLLANDITE_STORE").env("HOME", HOME.path()).env("XDG_DATA_HOME", HOME.path().join("data"));
    command.args(["sql", "SELECT a.value FROM generate_series(1, 300000) AS a", "--format", "csv"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn calculations_come_in_once_and_what_is_refused_is_named() {
    let store = Store::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/vasp/insertion");
    let would = store.stdout(&["import-dft", folder, "--dry-run"]);
    assert!(
        would.contains("would add 7 rows to dft_runs") && would.contains("would add 3 rows to adsorption"),
        "{would}"
    );
    store.run(&["sql", "SELECT * FROM dft_runs"]).assert().code(1);
    store
        .run(&["import-dft", folder])
        .assert()
        .success()
        .stdout(
            starts_with("added 7 rows to dft_runs from 7 calculations (snapshot")
                .and(contains("mno2 + 1 Ca: 3.500 eV")),
        )
        .stderr(contains("refused mno2-al: mno2 was computed otherwise: ENCUT 520 eV there, 400 eV here"));
    let snapshots = || store.stdout(&["info", "--snapshots", "--format", "csv"]).lines().count();
    let before = snapshots();
    let again = store.stdout(&["import-dft", folder]);
    assert!(
        again.contains("added 0 rows to dft_runs from 7 calculations in") && again.contains("7 already"),
        "{again}"
    );
    assert!(again.contains("added 0 rows to adsorption; 3 already there"), "{again}");
    assert_eq!(snapshots(), before, "nothing new, no snapshot");
    let query = "SELECT name, status, functional, encut, round(energy, 4) AS energy, hubbard[1]['element'] AS u_of, \
                 hubbard[1]['u'] AS u, kpoint_mesh, potcars[1] AS potcar, natoms(structure) AS n, magnetization \
                 FROM dft_runs WHERE name LIKE 'm%' AND natoms < 7 ORDER BY name";
    assert_eq!(
        store.stdout(&["sql", query, "--format", "csv"]),
        "name,status,functional,encut,energy,u_of,u,kpoint_mesh,potcar,n,magnetization\n\
         metals/li,converged,PBE,520.0,-1.9,,,\"[17,17,17]\",PAW_PBE Li_sv 10Sep2004,1,\n\
         mno2,converged,PBE+U,520.0,-47.5,Mn,3.9,\"[4,4,6]\",PAW_PBE Mn_pv 02Aug2007,6,6.08\n"
    );
    // 2 Mn of -1.668 eV and 4 O of -0.687 eV; the elements of the Materials Project.
    let query = "SELECT name, correction_scheme AS scheme, round(corrected_energy - energy, 6) AS added, oxide_type AS oxide, \
                 oxidation_states[1]['state'] AS state, correction_parts[2]['species'] AS part, \
                 round(formation_energy_per_atom, 5) AS ef FROM dft_runs WHERE name LIKE 'm%' AND natoms < 7 ORDER BY name";
    assert_eq!(
        store.stdout(&["sql", query, "--format", "csv"]),
        "name,scheme,added,oxide,state,part,ef\n\
         metals/li,MP2020,0.0,,,,0.00892\n\
         mno2,MP2020,-6.084,oxide,-2.0,Mn,-2.57887\n"
    );
    // Every number of a row follows from the calculations that it names.
    let lineage = "SELECT count(*) AS n, max(abs(a.adsorption_potential + (i.energy - h.energy - a.n * a.e_ion) / a.n)) < 1e-9 AS same \
                   FROM adsorption a JOIN dft_runs h ON h.run = a.host_run JOIN dft_runs i ON i.run = a.inserted_run";
    assert_eq!(store.stdout(&["sql", lineage, "--format", "csv"]), "n,same\n3,true\n");
    let refused = "SELECT table_name, record_id, reason FROM quarantine ORDER BY record_id";
    let refused = store.stdout(&["sql", refused, "--format", "csv"]);
    assert_eq!(refused.lines().count(), 3, "{refused}");
    assert!(refused.contains("adsorption,mno2-al,") && refused.contains("adsorption,mno2-mg,"), "{refused}");
    let comments = store.run(&["shell"]).write_stdin("\\d dft_runs\n").output().unwrap();
    let comments = String::from_utf8(comments.stdout).unwrap();
    assert!(comments.contains("E(sigma -> 0) of the cell") && comments.contains("Hubbard terms"), "{comments}");
    assert!(store.stdout(&["verify"]).contains("all agree with the catalog"));
}

#[test]
fn damaged_calculations_are_refused_and_the_rest_imported() {
    let store = Store::new();
    let root = env!("CARGO_MANIFEST_DIR");
    let [good, bad] = ["vasp/insertion", "malformed/vasp"].map(|name| format!("{root}/fixtures/{name}"));
    let printed = store.stdout(&["import-dft", &good, &bad]);
    assert!(printed.starts_with("added 7 rows to dft_runs from 25 calculations"), "{printed}");
    assert!(printed.contains("23 files refused, in quarantine"), "{printed}");
    let query = "SELECT count(*) AS n, count(line) AS lines FROM quarantine WHERE table_name = 'dft_runs'";
    assert_eq!(store.stdout(&["sql", query, "--format", "csv"]), "n,lines\n23,21\n");
    store.run(&["import-dft", &store.beside("nothing")]).assert().code(1).stderr(contains("no such folder"));
    store
        .run(&["import-dft", &format!("{root}/src")])
        .assert()
        .code(1)
        .stderr(contains("expected vasprun.xml or OUTCAR"));
}

#[test]
fn a_person_may_name_the_triples_and_the_reference() {
    let store = Store::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/vasp/insertion");
    let table = "host,inserted,ion,n,channel\nmno2,mno2-li,Li,1,1x1\nmno2,mno2-al,Al,1,\n";
    let table = store.file("triples.csv", table);
    store
        .run(&["import-dft", folder, "--triples", &table, "--reference", "datta"])
        .assert()
        .success()
        .stdout(contains("added 1 row to adsorption; 1 refused").and(contains("mno2 + 1 Li, 1x1: 3.202 eV")))
        .stderr(contains("triples.csv:3: mno2 with Al: mno2 was computed otherwise: ENCUT"));
    let query = "SELECT channel, e_ion, ion_run, note FROM adsorption WHERE host_run IS NOT NULL";
    assert_eq!(
        store.stdout(&["sql", query, "--format", "csv"]),
        "channel,e_ion,ion_run,note\n1x1,-1.8978,,\"e_ion: Datta et al., Energy Adv. 2024, 3, 968, pseudopotential not stated\"\n"
    );
    let wrong = store.file("wrong.csv", "host,with\na,b\n");
    store
        .run(&["import-dft", folder, "--triples", &wrong])
        .assert()
        .code(1)
        .stderr(contains("expected the columns host"));
}

#[test]
fn a_whole_table_goes_only_when_that_is_said_and_comes_back() {
    let store = Store::new();
    let file = store.file("rutile.poscar", RUTILE);
    store.run(&["import", &file]).assert().success();
    let count = || store.stdout(&["sql", "SELECT count(*) AS n FROM tmo", "--format", "csv"]);
    for statement in [
        "DELETE FROM tmo",
        "DELETE FROM tmo WHERE true",
        "UPDATE tmo SET split = 'x'",
        "DROP TABLE tmo",
        "CREATE OR REPLACE TABLE tmo AS SELECT 1 AS x",
    ] {
        store
            .run(&["sql", statement])
            .assert()
            .code(2)
            .stderr(contains("the one row of tmo: pass --yes").and(contains("hollandite restore tmo --to")));
        store.run(&["shell"]).write_stdin(format!("{statement};\n")).assert().code(2).stderr(contains("pass --yes"));
    }
    assert_eq!(count(), "n\n1\n");
    let snapshots = store.stdout(&["sql", "SELECT max(snapshot_id) AS s FROM snapshots", "--format", "csv"]);
    let snapshot = snapshots.lines().last().unwrap();
    // What was done before the refusal is said.
    let both = "CREATE TABLE before AS SELECT 1 AS x; DELETE FROM tmo";
    store.run(&["sql", both]).assert().code(2).stderr(
        contains("statement 2 of 2").and(contains("pass --yes")).and(contains("statement 1 took effect and stays")),
    );
    store.run(&["sql", "--yes", "DELETE FROM tmo"]).assert().success();
    assert_eq!(count(), "n\n0\n");
    store
        .run(&["restore", "tmo", "--to", snapshot])
        .assert()
        .success()
        .stdout(starts_with(format!("tmo: 1 row as of snapshot {snapshot}\nundo: hollandite restore --to ")));
    assert_eq!(count(), "n\n1\n");
    store.run(&["shell", "--yes"]).write_stdin("DROP TABLE tmo;").assert().success();
    store.run(&["sql", "SELECT * FROM tmo"]).assert().code(1).stderr(contains("no table 'tmo'"));
    store.run(&["restore", "--to", "2999-01-01"]).assert().success().stdout(contains("nothing has changed"));
    store.run(&["restore", "--to", snapshot]).assert().success().stdout(contains("tmo: 1 row"));
    assert_eq!(count(), "n\n1\n");
    store.run(&["restore", "--to", "1999-01-01"]).assert().code(1).stderr(contains("no snapshot then"));
    store.run(&["restore", "--to", "soon"]).assert().code(1).stderr(contains("is not a date"));
}

/// What is no plain file is written through, and stays what it is; for any user, root too.
#[cfg(unix)]
#[test]
fn pipes_devices_and_links_stay_what_they_are() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let query = "SELECT 1 AS one";
    let into = |target: &str| {
        [
            vec!["sql".to_owned(), query.into(), "--format".into(), "csv".into(), "-o".into(), target.into()],
            vec!["export".to_owned(), query.into(), "--format".into(), "csv".into(), "--to".into(), target.into()],
        ]
    };
    let run = |arguments: &[String]| stdout(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    for arguments in into("/dev/stdout") {
        let before = std::fs::symlink_metadata("/dev/stdout").unwrap().file_type();
        assert_eq!(run(&arguments), "one\n1\n", "{arguments:?}");
        assert_eq!(std::fs::symlink_metadata("/dev/stdout").unwrap().file_type(), before);
    }
    for arguments in into("/dev/null") {
        assert_eq!(run(&arguments), "");
        assert!(std::fs::symlink_metadata("/dev/null").unwrap().file_type().is_char_device());
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).to_str().unwrap().to_owned();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    for arguments in into(&text("pipe")) {
        let pipe = at("pipe");
        let reader = std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap());
        run(&arguments);
        assert_eq!(reader.join().unwrap(), "one\n1\n");
        assert!(std::fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
    }
    std::fs::write(at("target.csv"), "old").unwrap();
    symlink("target.csv", at("link.csv")).unwrap();
    let copy = vec!["sql".to_owned(), format!("COPY ({query}) TO '{}'", text("link.csv"))];
    for arguments in into(&text("link.csv")).into_iter().chain([copy]) {
        std::fs::write(at("target.csv"), "old").unwrap();
        run(&arguments);
        assert_eq!(std::fs::read_to_string(at("target.csv")).unwrap(), "one\n1\n", "{arguments:?}");
        assert!(std::fs::symlink_metadata(at("link.csv")).unwrap().is_symlink());
    }
    let copy = format!("COPY ({query}) TO '{}' STORED AS CSV", text("pipe"));
    hollandite(&["sql", &copy]).assert().code(1).stderr(contains("hollandite export"));
}

#[test]
fn several_results_in_json_are_json_lines() {
    let text = stdout(&["sql", "SELECT 1 AS a, 'x\ny' AS b; SELECT 2 AS a UNION ALL SELECT 3", "--format", "json"]);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], serde_json::json!([{"a": 1, "b": "x\ny"}]));
    assert_eq!(lines[1].as_array().unwrap().len(), 2);
}

#[test]
fn headings_are_what_a_person_wrote() {
    let query = "SELECT substr('hollandite', 1, 4), 2 > 1.5";
    let csv = stdout(&["sql", query, "--format", "csv"]);
    assert!(csv.starts_with("\"substr('hollandite',1,4)\",2 > 1.5\n"), "{csv}");
}

#[test]
fn tables_are_described_and_summarized_without_the_shell() {
    let meanings = stdout(&["sql", r"\d tmo"]);
    assert!(meanings.contains("meaning") && meanings.contains("void"), "{meanings}");
    assert_eq!(stdout(&["sql", "DESCRIBE tmo"]), meanings);
    assert_eq!(stdout(&["sql", "desc tmo; "]), meanings);
    assert!(stdout(&["sql", r"\dt"]).contains("tmo"));
    assert!(stdout(&["sql", r"\df void"]).contains("void("));
    let summary = stdout(&["sql", "SUMMARIZE tmo", "--format", "csv"]);
    assert!(summary.lines().next().unwrap().contains("void") && summary.contains("mean"), "{summary}");
    let query = "SUMMARIZE SELECT void FROM tmo";
    assert_eq!(stdout(&["sql", query]), stdout(&["sql", "SELECT void FROM tmo", "--describe"]));
    hollandite(&["sql", r"\timing"]).assert().code(2).stderr(contains("hollandite shell"));
    hollandite(&["sql", r"\dd"]).assert().code(2).stderr(contains(r"there is no command \dd"));
}

#[test]
fn shells_complete_and_the_manual_is_written() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&["completions", shell]);
        assert!(script.contains("hollandite") && script.contains("featurize"), "{shell}: {script}");
    }
    assert!(stdout(&["man"]).contains(".TH hollandite 1"));
    let folder = tempfile::tempdir().unwrap();
    hollandite(&["man", "--to", folder.path().to_str().unwrap()]).assert().success();
    let page = std::fs::read_to_string(folder.path().join("hollandite-import.1")).unwrap();
    assert!(page.contains("dry\\-run"), "{page}");
}

#[test]
fn a_shell_in_a_pipe_expands_whole_values_and_leaves_at_a_word() {
    let store = Store::new();
    let lines = "\\x on\nSELECT 'rutile' AS id, [1.0/3.0, 2.0] AS list;\n\\x off\n\\full\nSELECT range(1, 40) AS r;\nquit\nSELECT 'never';\n";
    let output = store.run(&["shell"]).write_stdin(lines).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("── row 1 ─"), "{text}");
    assert!(text.contains("\nid    rutile\nlist  [0.333333, 2]\n(1 row)\n"), "{text}");
    assert!(text.contains("37, 38, 39]\n(1 row)\n") && !text.contains("never"), "{text}");
}

/// What needs an energy model asks for it before any row is looked at: the table is empty, and no row would have asked.
#[test]
fn a_screening_asks_for_its_energy_model_first() {
    let store = Store::new();
    let screening = "SELECT 1 AS step, 'all' AS what, count(*) AS n FROM tmo UNION ALL \
                     SELECT 2, 'held', count(*) FROM tmo WHERE adsorption_potential(structure, 'Ca') > 0";
    let (picture, page) = (store.beside("funnel.svg"), store.beside("page.html"));
    let asked = "SELECT id, relax(structure)['energy'] AS e FROM tmo";
    for arguments in [
        vec!["plot", "funnel", screening, "--out", &picture],
        vec!["sql", screening],
        vec!["sql", asked],
        vec!["report", asked, "--to", &page],
    ] {
        let missing = contains("no energy model 'chgnet' is installed").and(contains("models add"));
        store.run(&arguments).assert().code(1).stderr(missing);
    }
}

#[test]
fn an_import_says_for_whom_it_waits() {
    use std::io::{BufRead, BufReader, Write};
    let store = Store::new();
    let file = store.file("rutile.poscar", RUTILE);
    let mut lock = std::fs::File::options().append(true).open(store.path().join("writer.lock")).unwrap();
    lock.lock().unwrap();
    write!(lock, "4711 0 hollandite import everything").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hollandite"));
    command.arg("--store").arg(store.path()).args(["import", &file]).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("waiting for process 4711, which has written for "), "{line}");
    assert!(line.ends_with("min: hollandite import everything\n"), "{line}");
    lock.unlock().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_statement_that_is_too_deep_is_refused_and_does_not_end_the_program() {
    let nested = |open: &str, close: &str| format!("SELECT {}1{}", open.repeat(100_000), close.repeat(100_000));
    let chain = |link: &str, n: usize| format!("SELECT 1{}", link.repeat(n));
    for (text, said) in [
        (nested("(", ")"), "lie in one another too deep"),
        (nested("[", "]"), "lie in one another too deep"),
        (nested("abs(", ")"), "words and operators"),
        (chain("+1", 100_000), "words and operators"),
        (chain("::int", 20_000), "words and operators"),
        (chain(" UNION SELECT 1", 3_000), "words and operators"),
        (format!("SELECT a{} FROM (SELECT 1 AS a)", "['x']".repeat(20_000)), "words and operators"),
    ] {
        hollandite(&["sql"]).write_stdin(text).assert().code(1).stderr(contains(said)).stdout(is_empty());
    }
    // What is only long is answered.
    let long = format!("SELECT count(*) AS n FROM (VALUES {}(0))", "(-1), ".repeat(20_000));
    hollandite(&["sql", "--format", "csv"]).write_stdin(long).assert().success().stdout("n\n20001\n");
    // And what is as deep as it may be.
    hollandite(&["sql", "--format", "csv"]).write_stdin(chain("::int", 2_400)).assert().success();
}
