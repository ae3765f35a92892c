//! Pictures from outside: the files appear, PNGs show what the SVGs say, and no word is clipped or covers another.

use std::path::Path;
use std::sync::Arc;

use crate::common::program::{Store, hollandite, stdout};
use predicates::str::contains;
use resvg::tiny_skia::Pixmap;
use resvg::usvg::{self, Node, Options, Tree, fontdb};

/// The SVG that `plot` writes with these arguments.
fn svg(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("picture.svg");
    let mut all = vec!["plot"];
    all.extend(args);
    all.extend(["--out", file.to_str().unwrap()]);
    assert_eq!(stdout(&all), format!("wrote {}\n", file.display()));
    std::fs::read_to_string(file).unwrap()
}

/// An SVG as resvg understands it, its text set in the font of the PNGs.
fn tree(svg: &str) -> Tree {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../fixtures/fonts/DejaVuSans.ttf").to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options { font_family: "DejaVu Sans".into(), fontdb: Arc::new(fonts), ..Options::default() };
    Tree::from_str(svg, &options).unwrap()
}

/// The texts of a picture with the boxes around them.
fn texts(group: &usvg::Group, into: &mut Vec<(String, usvg::Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(inner) => texts(inner, into),
            Node::Text(text) => {
                let words = text.chunks().iter().map(|c| c.text()).collect::<String>();
                into.push((words, node.abs_bounding_box()));
            }
            _ => {}
        }
    }
}

/// Every word lies on the page, and no two of them touch.
fn assert_legible(svg: &str) {
    let tree = tree(svg);
    let mut words = Vec::new();
    texts(tree.root(), &mut words);
    assert_eq!(words.len(), svg.matches("<text").count(), "every text is drawn");
    let (width, height) = (tree.size().width(), tree.size().height());
    for (i, (text, a)) in words.iter().enumerate() {
        assert!(
            a.left() >= 0.0 && a.top() >= 0.0 && a.right() <= width && a.bottom() <= height,
            "'{text}' at {a:?} leaves the page of {width} x {height}"
        );
        for (other, b) in &words[..i] {
            let apart =
                a.right() <= b.left() || b.right() <= a.left() || a.bottom() <= b.top() || b.bottom() <= a.top();
            assert!(apart, "'{text}' at {a:?} covers '{other}' at {b:?}");
        }
    }
}

/// How many pixels of a PNG file are not white, and its size.
fn ink(file: &Path) -> (usize, [u32; 2]) {
    let image = Pixmap::decode_png(&std::fs::read(file).unwrap()).unwrap();
    let white = image.pixels().iter().filter(|p| (p.red(), p.green(), p.blue(), p.alpha()) == (255, 255, 255, 255));
    (image.pixels().len() - white.count(), [image.width(), image.height()])
}

#[test]
fn a_structure_is_drawn_with_its_cell_its_elements_and_its_rules() {
    let picture = svg(&["structure", "rutile"]);
    for text in [
        "rutile · TiO₂ · P4₂/mnm",
        "down [001], 2 × 2 × 1",
        "No channel lets a sphere of radius 0.5 Å through",
        "a = 4.59",
        ">Ti<",
        ">O<",
        "Å",
    ] {
        assert!(picture.contains(text), "{text}");
    }
    // The cells' 9 corners and 4 centres, on two levels and one: Ti. Balls of the same place cover each other.
    let titanium = picture.matches("url(#Ti").count() - 1; // One in the legend.
    assert_eq!(titanium, 9 * 2 + 4);
    assert_legible(&picture);
    for (axis, direction) in [("a", "100"), ("1,-1,0", "11\u{305}0")] {
        let picture = svg(&["structure", "nb12wo33", "--axis", axis, "--cell", "given", "--cells", "1x1x1"]);
        assert!(picture.contains(&format!("down [{direction}], 1 cell:")), "{axis}");
        assert_legible(&picture);
    }
}

#[test]
fn channels_are_drawn_with_their_free_spheres_and_rings() {
    let disc = "fill=\"#0072B2\"";
    let picture = svg(&["structure", "hollandite-mno2"]);
    // The 2 x 2 tunnel in the middle of the cell, with its ring of eight Mn, and those on the four edges.
    assert_eq!(picture.matches(disc).count(), 5, "{picture}");
    assert_eq!(picture.matches("stroke-dasharray").count(), 1);
    for text in ["down [001]", "passes along [001] (ionic radii); octagonal ring, Mn₈", "2 in the cell"] {
        assert!(picture.contains(text), "{text}");
    }
    assert_legible(&picture);
    // A ring whose atoms lie in four cells is drawn whole.
    let picture = svg(&["structure", "todorokite-framework"]);
    assert!(picture.contains("dodecagonal ring, Mn₁₂") && picture.contains("stroke-dasharray"));
    assert_legible(&picture);
    // From the side, bands; for a wider probe nothing; on request the atoms alone.
    let side = svg(&["structure", "hollandite-mno2", "--axis", "a"]);
    assert!(side.contains("<polyline") && !side.contains("stroke-dasharray"));
    assert_legible(&side);
    let wide = svg(&["structure", "hollandite-mno2", "--probe", "2"]);
    assert!(!wide.contains(disc) && wide.contains("No channel lets a sphere of radius 2 Å through (ionic radii)"));
    let alone = svg(&["structure", "hollandite-mno2", "--no-channels"]);
    assert!(!alone.contains(disc) && !alone.contains("channel"));
}

#[test]
fn a_powder_pattern_is_indexed_and_says_its_wavelength() {
    let picture = svg(&["xrd", "rutile"]);
    for text in ["rutile · TiO₂ · P4₂/mnm", "Cu Kα, λ = 1.54184 Å", "2θ, degrees", "0.25° wide"] {
        assert!(picture.contains(text), "{text}");
    }
    // The lines of rutile that every handbook lists first.
    for hkl in ["110", "101", "111", "211", "220"] {
        assert!(picture.lines().any(|l| l.trim() == hkl), "{hkl}");
    }
    assert_legible(&picture);
    // Monoclinic, with negative indices and many peaks; hexagonal, with four indices.
    for id in ["nb12wo33", "h-wo3"] {
        let picture = svg(&["xrd", id, "--wavelength", "MoKa", "--range", "2,40", "--fwhm", "0.1"]);
        assert!(picture.contains("Mo Kα, λ = 0.71073 Å"));
        assert_legible(&picture);
    }
    hollandite(&["plot", "xrd", "rutile", "--wavelength", "XyKa"]).assert().code(2).stderr(contains("CuKa1"));
    hollandite(&["plot", "xrd", "rutile", "--range", "1,2"]).assert().failure().stderr(contains("reflection"));
}

#[test]
fn a_png_has_two_pixels_to_the_px_and_shows_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hollandite.png");
    stdout(&["plot", "structure", "hollandite-mno2", "--out", file.to_str().unwrap()]);
    let size = tree(&svg(&["structure", "hollandite-mno2"])).size().to_int_size();
    let (ink, pixels) = ink(&file);
    assert_eq!(pixels, [2 * size.width(), 2 * size.height()]);
    assert!(ink > (pixels[0] * pixels[1] / 50) as usize, "{ink} pixels are not white");
}

#[test]
fn the_distribution_counts_what_the_condition_leaves() {
    let all = svg(&["distribution"]);
    assert_legible(&all);
    let count = |query: &str| stdout(&["sql", query, "--format", "csv"]).lines().nth(1).unwrap().to_string();
    let n = count("SELECT count(*) FROM tmo");
    assert!(all.contains(&format!("tmo: {n} crystals")) && all.contains("all rows") && all.contains("binary"));
    let molybdates = svg(&["distribution", "--where", "has_element(formula, 'Mo')"]);
    let n = count("SELECT count(*) FROM tmo WHERE has_element(formula, 'Mo')");
    assert!(molybdates.contains(&format!("tmo: {n} crystals")));
    assert!(molybdates.contains("where has_element(formula, 'Mo')"));
    assert_legible(&molybdates);
    assert_legible(&svg(&["distribution", "--where", "id = 'no such crystal'"]));
}

/// A store of six crystals of NiO, four of them for training and two for the test.
fn split_store() -> Store {
    let store = Store::new();
    let lines: Vec<String> = (0..6)
        .map(|i| {
            let split = if i % 3 == 0 { "test" } else { "train" };
            let a = 4.2 + 0.01 * f64::from(i);
            format!(
                r#"{{"id":"c{i}","lattice":[[{a},0,0],[0,{a},0],[0,0,{a}]],"species":["Ni","O"],"frac_coords":[[0,0,0],[0.5,0.5,0.5]],"formation_energy_per_atom":-{i}.5,"split":"{split}"}}"#
            )
        })
        .collect();
    let file = store.file("split.jsonl", &lines.join("\n"));
    hollandite(&["--store", store.path().to_str().unwrap(), "import", &file]).assert().success();
    store
}

#[test]
fn training_and_test_set_stand_apart() {
    let store = split_store();
    let picture = svg(&["distribution", "--store", store.path().to_str().unwrap()]);
    assert!(picture.contains("train: 4, mean −3") && picture.contains("test: 2, mean −2"), "{picture}");
    assert_legible(&picture);
}

#[test]
fn the_numbers_of_the_papers_figure_stand_beside_ours() {
    let store = split_store();
    let dir = store.path();
    let rows = |query: &str| -> Vec<Vec<String>> {
        let text = stdout(&["--store", dir.to_str().unwrap(), "sql", query, "--format", "csv"]);
        text.lines().skip(1).map(|l| l.split(',').map(str::to_string).collect()).collect()
    };
    let sum = |rows: &[Vec<String>], column: usize| rows.iter().map(|r| r[column].parse::<i64>().unwrap()).sum::<i64>();
    let classes = rows("fig2a");
    assert_eq!(classes[0][..4], ["binary", "248", "4", "-244"]);
    assert_eq!((classes[5][0].as_str(), classes[5][1].as_str(), sum(&classes[..5], 1)), ("all", "8098", 8098));
    assert_eq!((sum(&classes[..5], 2), classes[5][2].as_str(), classes[5][9].as_str()), (4, "4", "2"));
    // Each figure counts the same crystals.
    let metals = rows("fig2b");
    assert_eq!(sum(&metals, 1), 248);
    assert_eq!(metals.iter().find(|r| r[0] == "Ni").unwrap()[1..4], ["4", "4", "0"]);
    let bins = rows("fig2d_bins");
    assert_eq!((sum(&bins, 2), sum(&bins, 3), sum(&bins, 5), sum(&bins, 6)), (8098, 4, 2025, 2));
    let elements = rows("fig2_elements");
    assert_eq!((elements.len(), elements[0][..4].join(" ").as_str()), (81, "O 8098 4 -8094"));
    assert!(rows("fig2c").iter().all(|r| r[3] == "0"), "there is no ternary oxide in the store");
    let parts = rows("fig2d");
    assert_eq!(parts.iter().map(|r| r[..4].join(" ")).collect::<Vec<_>>(), ["train 8098 4 -8094", "test 2025 2 -2023"]);
    assert_eq!(rows("porosity")[0][..3], ["void > 0.5", "6500", "8098"]);
}

#[test]
fn a_crystal_may_come_from_a_file() {
    let store = Store::new();
    let cif = stdout(&["sql", "SELECT to_poscar(structure) AS p FROM tmo WHERE id = 'anatase'", "--format", "json"]);
    let poscar = cif.split("\"p\":\"").nth(1).unwrap().split('"').next().unwrap().replace("\\n", "\n");
    let file = store.file("mine.vasp", &poscar);
    assert!(svg(&["structure", &file]).contains("mine · TiO₂ · I4₁/amd"));
    let broken = store.file("broken.cif", "data_x\n_cell_length_a 4.0\n");
    hollandite(&["plot", "structure", &broken]).assert().failure().stderr(contains("broken.cif"));
}

#[test]
fn mistakes_are_named() {
    hollandite(&["plot", "structure", "rutil"]).assert().failure().stderr(contains("most like it: rutile"));
    hollandite(&["plot", "structure", "rutile", "--out", "x.gif"]).assert().failure().stderr(contains(".svg or .png"));
    hollandite(&["plot", "structure", "rutile", "--axis", "0,0,0"])
        .assert()
        .code(2)
        .stderr(contains("three whole numbers"));
    hollandite(&["plot", "structure", "rutile", "--cells", "100x100x100"])
        .assert()
        .failure()
        .stderr(contains("20000 atoms"));
    hollandite(&["plot", "distribution", "--table", "nothing"]).assert().failure().stderr(contains("nothing"));
}

#[test]
fn a_density_is_sliced_and_averaged() {
    let [whole, host, ion] = ["inserted", "host", "ion"].map(|name| format!("fixtures/vasp/liwo3/{name}"));
    let picture = svg(&["density", &whole]);
    for text in [
        "inserted · LiWO₃",
        "slice through a and b at 0 c",
        "27 electrons in 54.44 Å³",
        ">ρ, e/Å³<",
        "mean ρ, e/Å³ over planes",
    ] {
        assert!(picture.contains(text), "{text}");
    }
    assert_legible(&picture);
    let difference =
        svg(&["density", &whole, "--minus", &host, "--minus", &ion, "--axis", "a", "--at", "0", "--limit", "0.2"]);
    for text in [
        "inserted less 2 parts · LiWO₃",
        "slice through b and c at 0 a",
        "electrons moved",
        "Δρ, e/Å³",
        ">0.2<",
        ">−0.04<",
    ] {
        assert!(difference.contains(text), "{text}");
    }
    assert_legible(&difference);
    // Lithium at the four corners, an oxygen at the middle, and each in the colour that the difference has there.
    assert_eq!((difference.matches(">Li<").count(), difference.matches(">O<").count()), (4, 1));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.png");
    hollandite(&["plot", "density", &whole, "--out", file.to_str().unwrap()]).assert().success();
    assert!(ink(&file).0 > 50_000);
    hollandite(&["plot", "density", &whole, "--limit", "1"]).assert().code(2);
}

#[test]
fn a_funnel_narrows_from_step_to_step() {
    let rows = "(VALUES (1, 'all', 1000000), (2, 'charges balance', 20345), (3, 'void > 0.5', 87), (4, 'held', 1))";
    let picture = svg(&["funnel", &format!("SELECT * FROM {rows} AS t (step, what, candidates) ORDER BY step")]);
    for text in ["1 of 1\u{a0}000\u{a0}000 candidates left", "3. void &gt; 0.5", ">87<", ">0.43 %<", "logarithmic"] {
        assert!(picture.contains(text), "{text}: {picture}");
    }
    assert_legible(&picture);
    let near =
        svg(&["funnel", &format!("SELECT what, n / 2 AS oxides FROM {rows} AS t (step, what, n) WHERE step < 2")]);
    assert!(near.contains("in proportion") && near.contains("500\u{a0}000 of 500\u{a0}000 oxides left"));
    assert_legible(&near);
    for (query, remedy) in [
        ("SELECT 1 AS step, 2 AS n", "step (Int64), n (Int64)"),
        ("SELECT 'all' AS what, 1 AS n WHERE false", "UNION ALL"),
        ("SELECT 'all' AS what, -3 AS n", "'all', counts -3: a count is a whole number from 0"),
        ("SELECT 'all' AS what, CAST(NULL AS BIGINT) AS n", "counts NULL"),
        ("SELECT 'all' AS what, 0.5 AS n", "counts 0.5"),
    ] {
        hollandite(&["plot", "funnel", query]).assert().failure().stderr(contains(remedy));
    }
    hollandite(&["plot", "funnel", "fun"]).assert().code(2).stderr(contains("funnel"));
    hollandite(&["plot", "funnel", "SELECT 1; SELECT 2"]).assert().code(2).stderr(contains("one statement"));
}

/// Imports crystals of these atoms, which stand in a row, with their formation energies and correction schemes.
fn import(store: &Store, table: &str, phases: &[(&[&str], f64, &str)]) {
    let line = |(i, (species, energy, scheme)): (usize, &(&[&str], f64, &str))| {
        let n = species.len();
        let places: Vec<String> = (0..n).map(|k| format!("[{},0,0]", k as f64 / n as f64)).collect();
        format!(
            r#"{{"id":"{table}-{i}","lattice":[[{},0,0],[0,{},0],[0,0,5]],"species":{species:?},"frac_coords":[{}],"formation_energy_per_atom":{energy},"correction_scheme":"{scheme}"}}"#,
            2.2 * n as f64,
            5.0 + 0.01 * i as f64,
            places.join(",")
        )
    };
    let lines: Vec<String> = phases.iter().enumerate().map(line).collect();
    let file = store.file(&format!("{table}.jsonl"), &lines.join("\n"));
    hollandite(&["--store", store.path().to_str().unwrap(), "import", &file, "--into", table]).assert().success();
}

#[test]
fn a_hull_is_a_line_over_two_elements_and_facets_over_three() {
    let store = Store::new();
    let oxides: [(&[&str], f64, &str); 9] = [
        (&["Ti", "O", "O"], -3.4, "GGA"),
        (&["Ti", "O", "O"], -3.3, "GGA"),
        (&["Ti", "Ti", "O", "O", "O"], -3.2, "GGA"),
        (&["Ti", "O"], -2.7, "GGA"),
        (&["Ti", "O", "O", "O"], -1.0, "GGA"),
        (&["Ca", "Ti", "O", "O", "O"], -3.6, "GGA"),
        (&["Ca", "Ti", "Ti", "O", "O", "O", "O", "O"], -3.4, "GGA"),
        (&["Mn", "O"], -1.9, "GGA"),
        (&["Mn", "O", "O"], -1.8, "r2SCAN"),
    ];
    import(&store, "tmo", &oxides);
    import(&store, "other", &[(&["Ca", "O"], -3.2, "GGA")]);
    let at = store.path().to_str().unwrap().to_owned();
    let binary = svg(&["hull", "Ti-O", "--store", &at]);
    for text in
        ["Ti–O: formation", "5 crystals of tmo, 4 compounds, 3 of them on the hull", ">TiO₂<", ">Ti₂O₃<", ">TiO<"]
    {
        assert!(binary.contains(text), "{text}: {binary}");
    }
    assert!(!binary.contains("TiO₃"));
    assert_legible(&binary);
    let mut args = vec!["hull", "Ca-Ti-O", "--store", &at, "--energy", "formation_energy_per_atom"];
    assert!(svg(&args).contains("; no phase of Ca–Ti, Ca–O; energy"));
    args.extend(["--table", "tmo", "--table", "other"]);
    let ternary = svg(&args);
    for text in [
        "Ca–Ti–O",
        ">CaTiO₃<",
        ">CaO<",
        ">TiO₂<",
        "8 crystals of tmo and other",
        "; no phase of Ca–Ti; energy: formation_energy_per_atom<",
    ] {
        assert!(ternary.contains(text), "{text}: {ternary}");
    }
    // CaTiO3 with CaO, TiO2, Ti2O3 or TiO and O: facets meet at it.
    assert!(ternary.matches("stroke=\"#7A7A7A\"").count() >= 9);
    assert_legible(&ternary);

    let fails = |args: &[&str], remedy: &str| {
        let all: Vec<&str> = ["plot", "hull"].iter().chain(args).copied().chain(["--store", &at]).collect();
        hollandite(&all).assert().failure().stderr(contains(remedy));
    };
    fails(&["Mn-O"], "--where");
    let chosen = svg(&["hull", "Mn-O", "--store", &at, "--where", "correction_scheme = 'GGA'"]);
    assert!(chosen.contains("1 crystal of tmo, 1 compound, 1 of them"), "{chosen}");
    fails(&["Zr-O"], "no row of tmo is made of Zr-O alone");
    fails(&["Li-Ca-Mn-O"], "no page shows");
    fails(&["Ti-Ti"], "twice");
    fails(&["Ti-O", "--table", "nothing"], "nothing");
}

#[test]
fn the_label_and_the_prediction_of_a_query_are_drawn() {
    let rows = "(VALUES (1.5, 1.4, 'Li'), (3.4, 3.6, 'Li'), (2.0, NULL, 'Ca')) AS t (label, prediction, ion)";
    let picture = svg(&["parity", &format!("SELECT ion, prediction, label FROM {rows}")]);
    assert_eq!(picture.matches("<circle").count(), 2);
    assert!(picture.contains("MAE 0.150 over 2 crystals"), "{picture}");
    assert_legible(&picture);
    assert_legible(&svg(&["errors", &format!("SELECT prediction, label FROM {rows}")]));
    for (query, remedy) in [
        (format!("SELECT ion, label FROM {rows}"), "no column prediction"),
        (format!("SELECT label, prediction FROM {rows} WHERE ion = 'Ca'"), "no row of the query"),
        (format!("SELECT ion AS label, prediction FROM {rows}"), "are numbers"),
    ] {
        hollandite(&["plot", "parity", &query]).assert().failure().stderr(contains(remedy));
    }
    let query = format!("SELECT label, prediction FROM {rows}");
    hollandite(&["plot", "parity", &query, "--where", "true"]).assert().code(2).stderr(contains("into the query"));
}

#[test]
fn the_way_of_an_ion_is_drawn_over_its_crystal() {
    let image = |z: f64, energy: f64| {
        let cell = format!(
            "WO3 Li\n1.0\n4 0 0\n0 5 0\n0 0 6\nW O Li\n1 3 1\nDirect\n0 0 0\n.5 0 0\n0 .5 0\n0 0 .5\n.5 .5 {z}\n"
        );
        format!("({}, {energy}, '{cell}')", 6.0 * z)
    };
    let rows = [image(0.2, 0.0), image(0.5, 0.4), image(0.8, 0.1)].join(", ");
    let query = format!(
        "SELECT d AS distance, e AS energy, structure(cell) AS structure FROM (VALUES {rows}) AS t (d, e, cell) ORDER BY d"
    );
    let picture = svg(&["path", &query]);
    assert_eq!(picture.matches("class=\"ion\"").count(), 3);
    assert!(picture.contains("barrier 0.4 eV") && picture.contains("seen down [100]"), "{picture}");
    assert_legible(&picture);
    let alone = svg(&["path", &format!("SELECT distance, energy FROM ({query})")]);
    assert!(!alone.contains("class=\"ion\"") && alone.contains("3 images"));
    let other = format!(
        "SELECT distance, energy, CASE WHEN energy > 0.2 THEN structure('{OTHER}') ELSE structure END AS structure FROM ({query})"
    );
    hollandite(&["plot", "path", &other]).assert().failure().stderr(contains("not images of one path"));
    hollandite(&["plot", "path", "nothing"]).assert().code(2).stderr(contains("is not a query"));
}

const OTHER: &str = "Li\n1.0\n4 0 0\n0 5 0\n0 0 6\nLi\n1\nDirect\n0 0 0\n";
