//! `hollandite report` from outside: what stands on the page, that it stands alone, what is refused and why; and the page in a browser.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use super::webdriver::Browser;
use crate::common::program::{Store, hollandite, stdout};
use predicates::str::contains;
use resvg::tiny_skia::Pixmap;

/// Oxides in whose tunnels potassium finds room; `small` is NULL for the larger cells.
const OPEN: &str = "SELECT id, formula, spacegroup, void, density, CASE WHEN natoms < 30 THEN natoms END AS small, structure FROM tmo \
                    WHERE void > 0.6 AND ion_passes(structure, 0.8) ORDER BY void DESC";

/// The page that `report` writes with these arguments, and its file.
fn page(name: &str, args: &[&str]) -> (PathBuf, String) {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut all = vec!["report"];
    all.extend(args);
    all.extend(["--to", file.to_str().unwrap()]);
    let output = hollandite(&all).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("wrote {}\n", file.display()));
    assert!(error.is_empty(), "progress is for terminals: {error}");
    let html = std::fs::read_to_string(&file).unwrap();
    (file, html)
}

/// The body rows of the table.
fn rows(html: &str) -> usize {
    html.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap().matches("<tr>").count()
}

#[test]
fn a_stored_query_becomes_a_page_of_its_own() {
    let (_, html) = page("screen.html", &["screen", "--cards", "2"]);
    for part in [
        "<h1>screen</h1>",
        "The twenty most stable oxides whose cell is more than half open",
        "SELECT id, formula, predict_ef(structure) AS ef FROM tmo WHERE void &gt; 0.5 ORDER BY ef LIMIT 20</code>",
        "<span class=\"what\">all of tmo</span>",
        "<span class=\"what\">void &gt; 0.5</span>",
        "The first 2 of the 20 crystals",
        "90 % interval",
        "over 1\u{a0}603 crystals",
        "<dt>snapshot</dt>",
        "<dt>program</dt><dd>hollandite 0.",
        " report screen --to ",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert_eq!((rows(&html), html.matches("<article").count()), (20, 2));
    let all: usize = stdout(&["sql", "SELECT count(*) AS n FROM tmo WHERE void > 0.5", "--format", "csv"])
        .lines()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!(html.contains(&format!("<span class=\"left\">{all} <small>")), "{all} rows are open");
    // The table's numbers are those of the query.
    let first = stdout(&[
        "sql",
        "SELECT predict_ef(structure) AS ef FROM tmo WHERE void > 0.5 ORDER BY ef LIMIT 1",
        "--format",
        "csv",
    ]);
    assert!(html.contains(&format!("data-k=\"{}\"", first.lines().nth(1).unwrap())), "{first}");
}

#[test]
fn a_page_asks_for_nothing() {
    let (_, html) = page("alone.html", &[OPEN, "--cards", "1"]);
    let (before, library) = html.split_once("<script>").unwrap();
    let own = library.rsplit_once("<script>").unwrap().1;
    for text in [before, own] {
        for load in ["src=\"http", "href=\"http", "src=\"//", "url(", "@import", "fetch(", "XMLHttpRequest", "import("]
        {
            assert!(!text.contains(load), "{load}");
        }
    }
    assert!(before.contains("Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-"));
}

#[test]
fn rows_without_crystals_are_a_table_and_ids_find_theirs() {
    let (_, html) = page("classes.html", &["classes"]);
    assert!(html.contains("No cards: the query returns neither a crystal nor an id") && !html.contains("<article"));
    let (_, html) = page(
        "ids.html",
        &[
            "SELECT id, NULL AS nothing FROM tmo WHERE id IN ('rutile', 'anatase') ORDER BY id",
            "--title",
            "Two < three",
        ],
    );
    assert!(html.contains("<h1>Two &lt; three</h1>") && html.contains("<td><span class=\"null\">–</span></td>"));
    assert_eq!(html.matches("<article").count(), 2);
    assert!(html.contains("<a href=\"#card-2\">rutile</a>") && html.contains("P4₂/mnm"));
    let (_, html) = page("cut.html", &["SELECT id FROM tmo", "--rows", "5", "--cards", "0"]);
    assert_eq!((rows(&html), html.matches("<article").count()), (5, 0));
    assert!(html.contains("The first 5 of "), "the rest is counted");
}

#[test]
fn a_funnel_may_be_a_query_of_its_own() {
    let funnel = "SELECT * FROM (VALUES ('oxides', 1000000), ('open', 2000), ('held', 0)) AS t(what, n)";
    let (_, html) = page("funnel.html", &["SELECT id FROM tmo LIMIT 3", "--cards", "0", "--funnel", funnel]);
    for part in ["<span class=\"what\">open</span>", "2\u{a0}000 <small>0.2 %</small>", "Lengths are logarithmic"] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn what_cannot_be_reported_is_refused_with_its_remedy() {
    let file = std::env::temp_dir().join("never-written.html");
    let refused = |args: &[&str], to: &str, code: i32, words: &str| {
        let mut all = vec!["report"];
        all.extend(args);
        all.extend(["--to", to]);
        hollandite(&all).assert().code(code).stderr(contains(words.to_string()));
    };
    let to = file.to_str().unwrap();
    refused(&["SELECT id FROM tmo WHERE void > 5"], to, 1, "returns no row, no page written");
    refused(&["scren"], to, 2, "there is no stored query 'scren'; there are screen,");
    refused(&["screen", "--funnel", "funel"], to, 2, "there is no stored query 'funel'");
    refused(&["screen"], "/no/such/folder/x.html", 2, "there is no such folder; make it first");
    refused(&["screen"], "/", 2, "this is a folder; name a file");
    refused(&["SELECT idd FROM tmo"], to, 1, "idd");
    refused(&["SELECT id FROM tmo LIMIT 1", "--model", "nobody"], to, 1, "nobody");
    refused(
        &["SELECT id FROM tmo LIMIT 1", "--funnel", "SELECT 1"],
        to,
        1,
        "a funnel has the columns step, what and count",
    );
    assert!(!file.exists());
}

/// A store with an id that would run if it were not escaped.
fn hostile() -> (Store, &'static str) {
    let id = "</script><script>document.title='run'</script><img src=x onerror=document.title='run'>";
    let store = Store::new();
    let line = serde_json::json!({"id": id, "lattice": [[3.75,0,0],[0,3.75,0],[0,0,3.75]], "species": ["Re","O","O","O"],
        "frac_coords": [[0,0,0],[0.5,0,0],[0,0.5,0],[0,0,0.5]]});
    let file = store.file("in.jsonl", &format!("{line}\n"));
    store.run(&["import", &file]).assert().success();
    (store, id)
}

#[test]
fn in_a_browser_the_table_sorts_and_the_crystals_turn() {
    let Some(browser) = Browser::start() else { return };
    let (file, _) = page("browser.html", &[OPEN, "--cards", "3", "--title", "Open oxides"]);
    browser.open(&format!("file://{}", file.display()));

    // The table, by mouse and by key: numbers as numbers, NULL last both ways, and the ranking again.
    let keys = |column: usize| -> Vec<Option<f64>> {
        let script =
            format!("return [...document.querySelectorAll('tbody tr')].map(r => r.cells[{column}].dataset.k ?? null)");
        let keys = browser.run(&script);
        keys.as_array().unwrap().iter().map(|k| k.as_str().map(|k| k.parse().unwrap())).collect()
    };
    let is_sorted = |keys: &[Option<f64>], down: bool| {
        let numbers: Vec<f64> = keys.iter().map_while(|k| *k).collect();
        assert!(numbers.len() > 2 && keys[numbers.len()..].iter().all(Option::is_none), "NULL is not last: {keys:?}");
        assert!(numbers.is_sorted_by(|a, b| if down { a >= b } else { a <= b }), "{numbers:?}");
    };
    let sorted =
        |column: usize| browser.run(&format!("return document.querySelectorAll('thead th')[{column}].ariaSort"));
    let ranking = keys(0);
    // #, id, formula, spacegroup, void, density, small
    for (column, by_key) in [(5, false), (6, true)] {
        let button = format!("thead th:nth-child({}) button", column + 1);
        for down in [false, true] {
            if by_key {
                browser.press(&button, "\u{e007}")
            } else {
                browser.click(&button)
            }
            is_sorted(&keys(column), down);
            assert_eq!(sorted(column), if down { "descending" } else { "ascending" });
            assert_eq!(sorted(0), "none");
        }
    }
    assert!(keys(6).last().unwrap().is_none(), "some cells are large");
    assert_ne!(keys(0), ranking);
    browser.click("thead th:first-child button");
    assert_eq!(keys(0), ranking);

    // The crystal: it is drawn, it turns, and the button stops it.
    browser.run("document.querySelector('#card-1 .view').scrollIntoView({block: 'center', behavior: 'instant'})");
    browser.wait("document.querySelector('#card-1 .view')?.viewer");
    let view = || browser.run("return document.querySelector('#card-1 .view').viewer.getView()");
    let pause = || std::thread::sleep(Duration::from_millis(1_500));
    let before = view();
    browser.wait(&format!("JSON.stringify(document.querySelector('#card-1 .view').viewer.getView()) !== '{before}'"));
    browser.click("#card-1 [data-do=spin]");
    assert_eq!(browser.run("return document.querySelector('#card-1 [data-do=spin]').textContent"), "Turn");
    pause();
    let (stopped, picture) = (view(), browser.screenshot(Some("#card-1 .stage")));
    assert_ne!(stopped, before);
    pause();
    assert_eq!(view(), stopped);
    let image = Pixmap::decode_png(&picture).unwrap();
    let colours: HashSet<[u8; 3]> = image.pixels().iter().map(|p| [p.red(), p.green(), p.blue()]).collect();
    assert!(colours.len() > 100, "{} colours are no drawing of balls and tubes", colours.len());
    browser.press("#card-1 .stage", "\u{e014}");
    assert_ne!(view(), stopped, "arrow keys turn it");
    browser.click("#card-1 [data-do=spin]");
    pause();
    browser.click("#card-1 [data-do=spin]");
    assert_ne!(browser.screenshot(Some("#card-1 .stage")), picture, "what has turned looks different");

    // The flat picture takes its place and gives it back.
    browser.click("#card-1 [data-do=flat]");
    browser
        .wait("document.querySelector('#card-1 .flat').checkVisibility() && !document.querySelector('#card-1 canvas')");
    assert!(browser.run("return document.querySelector('#card-1 .flat').naturalWidth").as_f64().unwrap() > 100.0);
    browser.click("#card-1 [data-do=flat]");
    browser.wait("document.querySelector('#card-1 canvas')");

    let screenshot = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report.png");
    std::fs::write(&screenshot, browser.screenshot(None)).unwrap();
    println!("screenshot: {}", screenshot.display());
    let console = browser.console();
    assert!(console.is_empty(), "{console:?}");
    let asked = browser.requests();
    assert!(asked.iter().all(|url| url.starts_with("file:") || url.starts_with("data:")), "{asked:?}");

    // Nothing of a hostile id runs, and its crystal is drawn all the same.
    let (store, id) = hostile();
    let file = PathBuf::from(store.beside("page.html"));
    store
        .run(&["report", "SELECT id, structure FROM tmo", "--to", file.to_str().unwrap(), "--title", "Hostile"])
        .assert()
        .success();
    browser.open(&format!("file://{}", file.display()));
    browser.run("document.querySelector('.view').scrollIntoView({behavior: 'instant'})");
    browser.wait("document.querySelector('.view')?.viewer");
    assert_eq!(browser.run("return document.title"), "Hostile");
    assert_eq!(browser.run("return document.querySelector('td a').textContent"), id);
    assert_eq!(browser.run("return document.querySelectorAll('script').length"), 3);
    assert!(browser.console().is_empty());
}

#[test]
fn a_long_page_has_few_drawings_at_a_time() {
    let Some(browser) = Browser::start() else { return };
    let (file, html) =
        page("long.html", &["SELECT id, structure FROM tmo WHERE natoms < 25 ORDER BY id", "--cards", "20"]);
    assert_eq!(html.matches("<article").count(), 20);
    browser.open(&format!("file://{}", file.display()));
    for card in [1, 7, 14, 20, 2] {
        browser.run(&format!("document.querySelector('#card-{card}').scrollIntoView({{behavior: 'instant'}})"));
        browser.wait(&format!("document.querySelector('#card-{card} canvas')"));
        let drawn = browser.run("return document.querySelectorAll('canvas').length").as_u64().unwrap();
        assert!(drawn <= 8, "{drawn} at card {card}");
    }
    assert!(browser.console().is_empty());
}
