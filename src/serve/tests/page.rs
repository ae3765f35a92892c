//! The page at `/` in a browser, before a server with a store of published oxides: each thing that it offers is used, by mouse and by
//! keyboard, and the console stays empty.

#[path = "../../../tests/common/skip.rs"]
mod skip;
#[path = "../../../tests/cli/webdriver.rs"]
mod webdriver;

mod common {
    pub use crate::skip::skip;
}

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, mpsc};
use std::time::{Duration, Instant};

use arrow::ipc::reader::StreamReader;
use formats::hosts::host;
use hollandite_serve::{Allowed, Limits, Options, StoredQuery, runtime, serve};
use serde_json::{Value, json};
use sql::Session;
use store::Store;
use webdriver::{Browser, ELEMENT};

/// Oxides of a first snapshot, and those that a second one adds.
const FIRST: [&str; 8] =
    ["rutile", "anatase", "brookite", "pyrolusite", "hollandite-mno2", "h-wo3", "rhenium-trioxide", "molybdite"];
const LATER: [&str; 2] = ["ramsdellite", "vanadium-pentoxide"];

const TOKEN: &str = "a-token-of-the-tests";

struct Server {
    at: SocketAddr,
    /// The snapshot before the last.
    before: i64,
}

/// One for all tests, which runs until they end.
static SERVER: LazyLock<Server> = LazyLock::new(|| start(None));

fn start(token: Option<PathBuf>) -> Server {
    let (ready, at) = mpsc::channel();
    std::thread::spawn(move || {
        // Statics are not dropped: what is left stays in the build folder.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let runtime = runtime().unwrap();
        let store = runtime.block_on(Store::init(&folder.path().join("store"))).unwrap();
        let before = runtime.block_on(runtime.spawn(fill(store.clone()))).unwrap();
        let query = StoredQuery {
            name: "open",
            answers: "The most open oxides.".into(),
            sql: "-- What: The most open oxides.\nSELECT id, void FROM oxides ORDER BY void DESC",
        };
        let options = Options {
            flight: None,
            http: Some("127.0.0.1:0".parse().unwrap()),
            token,
            tls: None,
            limits: Limits { rows: 200_000, ..Limits::default() },
            allowed: Allowed::default(),
            queries: vec![query],
            logs: false,
        };
        let tell = move |listening: hollandite_serve::Listening| {
            ready.send(Server { at: listening.http.unwrap(), before }).unwrap();
        };
        // On the threads that have room for plans.
        let served = async move { serve(&store, options, tell, std::future::pending()).await };
        runtime.block_on(runtime.spawn(served)).unwrap().unwrap();
    });
    at.recv_timeout(Duration::from_secs(300)).expect("the server listens")
}

/// Makes the table `oxides`; the snapshot at which it has the first of them.
async fn fill(store: Store) -> i64 {
    let session = Session::open(&store, None).await.unwrap();
    let crystal = |id: &&str| {
        let poscar = formats::to_poscar(&host(id).unwrap(), id);
        format!("SELECT '{id}' AS id, structure('{poscar}') AS structure")
    };
    let rows = |ids: &[&str]| {
        let crystals = ids.iter().map(crystal).collect::<Vec<_>>().join(" UNION ALL ");
        format!(
            "SELECT id, reduced_formula(structure) AS formula, natoms(structure) AS natoms, void(structure) AS void, \
             density(structure) AS density, CASE WHEN natoms(structure) < 20 THEN natoms(structure) END AS small, structure \
             FROM ({crystals}) AS c"
        )
    };
    let run = async |statement: String| {
        session.sql(&statement).await.unwrap().collect().await.unwrap();
    };
    run(format!("CREATE TABLE oxides AS {}", rows(&FIRST))).await;
    let before = store.newest_snapshot().unwrap();
    run(format!("INSERT INTO oxides {}", rows(&LATER))).await;
    before
}

/// A browser on the page.
struct Reader(Browser);

impl Reader {
    /// `None` where there is no browser, which is said.
    fn start() -> Option<Self> {
        Self::before(&SERVER)
    }

    fn before(server: &Server) -> Option<Self> {
        let reader = Self(Browser::start()?);
        reader.0.open(&format!("http://{}/", server.at));
        reader.0.wait("document.querySelector('.cm-content')");
        Some(reader)
    }

    fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({}).textContent", json!(selector));
        self.0.run(&script).as_str().unwrap_or_default().to_owned()
    }

    /// The texts of all elements.
    fn texts(&self, selector: &str) -> Vec<String> {
        let script = format!("return [...document.querySelectorAll({})].map(e => e.textContent)", json!(selector));
        serde_json::from_value(self.0.run(&script)).unwrap()
    }

    fn said(&self) -> String {
        self.text("#said")
    }

    /// Puts a query into the page by a link.
    fn follow(&self, query: &str, snapshot: Option<i64>) {
        let snapshot = snapshot.map(|s| s.to_string()).unwrap_or_default();
        let held = json!({ "q": query, "snapshot": snapshot });
        self.0.run(&format!("location.hash = new URLSearchParams({held})"));
        self.0.wait("/came with the link/.test(document.querySelector('#said').textContent)");
    }

    /// Runs a query and waits for its rows.
    fn ask(&self, query: &str) {
        self.follow(query, None);
        self.0.click("#run");
        self.answered();
    }

    fn answered(&self) {
        self.0.wait("/ in [0-9.]+ s, at snapshot [0-9]+/.test(document.querySelector('#said').textContent)");
        // The last rows are drawn in the next frame: what is found before is not what is clicked.
        self.0
            .run("return new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))");
    }

    /// The cells of a column that are drawn.
    fn column(&self, number: usize) -> Vec<String> {
        self.texts(&format!("#rows tbody tr:not(.gap) td:nth-child({number})"))
    }

    fn numbers(&self, column: usize) -> Vec<f64> {
        self.column(column).iter().map(|text| text.parse().unwrap()).collect()
    }

    /// How many rows the table has, drawn or not.
    fn rows(&self) -> i64 {
        let count = self.0.run("return document.querySelector('#rows table')?.ariaRowCount ?? '1'");
        count.as_str().unwrap().parse::<i64>().unwrap() - 1
    }

    fn devtools(&self, command: &str, params: Value) {
        self.0.call("POST", "/goog/cdp/execute", Some(&json!({ "cmd": command, "params": params })));
    }

    /// The file that a click on a button gives.
    fn download(&self, button: &str, ending: &str) -> Vec<u8> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let params = json!({ "behavior": "allow", "downloadPath": folder.path() });
        self.devtools("Browser.setDownloadBehavior", params);
        self.0.click(button);
        let begun = Instant::now();
        loop {
            let mut files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            if let Some(file) = files.find(|file| file.extension().is_some_and(|e| e == ending)) {
                return fs::read(file).unwrap();
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no file .{ending}: {}", self.said());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Moves the mouse over an element with its button down, from and to fractions of width and height.
    fn drag(&self, selector: &str, from: [f64; 2], to: [f64; 2]) {
        let script = format!(
            "const e = document.querySelector({}); e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]",
            json!(selector)
        );
        let [x, y, width, height]: [f64; 4] = serde_json::from_value(self.0.run(&script)).unwrap();
        let at = |[a, b]: [f64; 2]| json!({ "type": "pointerMove", "duration": 100, "x": (x + a * width) as i64, "y": (y + b * height) as i64 });
        let button = |what: &str| json!({ "type": what, "button": 0 });
        let moves = json!([at(from), button("pointerDown"), at(to), button("pointerUp")]);
        let mouse =
            json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": moves });
        self.0.call("POST", "/actions", Some(&json!({ "actions": [mouse] })));
    }

    /// Looks at the console, and at the hosts of the page's requests.
    fn end(self) {
        let console = self.0.console();
        assert!(console.is_empty(), "{console:?}");
        let asked = self.0.requests();
        let own =
            |url: &String| url.starts_with("http://127.0.0.1:") || url.starts_with("data:") || url.starts_with("blob:");
        assert!(!asked.is_empty() && asked.iter().all(own), "{asked:?}");
    }
}

const ENTER: &str = "\u{e007}";
const CONTROL: &str = "\u{e009}";
const RELEASED: &str = "\u{e000}";
const DELETE: &str = "\u{e017}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";
const RIGHT: &str = "\u{e014}";

#[test]
fn a_query_is_typed_completed_run_and_sorted_by_keys_alone() {
    let Some(page) = Reader::start() else { return };
    page.0.wait("document.querySelectorAll('#functions details').length > 50");
    let offered = |typed: &str| {
        page.0.press(".cm-content", &format!("{CONTROL}a{RELEASED}{DELETE}{typed}{ESCAPE}"));
        page.0.wait("!document.querySelector('.cm-tooltip-autocomplete')");
        page.0.press(".cm-content", &format!("{CONTROL} "));
        page.0.wait("document.querySelector('.cm-tooltip-autocomplete')");
        let offers = page.texts(".cm-tooltip-autocomplete .cm-completionLabel");
        page.0.press(".cm-content", ESCAPE);
        offers
    };
    let has = |offers: &[String], name: &str| offers.iter().any(|offer| offer == name);
    let of_all = offered("SELECT predict_");
    assert!(has(&of_all, "predict_ef"), "{of_all:?}");
    let tables = offered("SELECT * FROM oxi");
    assert!(has(&tables, "oxides"), "{tables:?}");
    let columns = offered("SELECT oxides.de");
    assert!(has(&columns, "density") && !has(&columns, "predict_ef"), "{columns:?}");
    let keywords = offered("SELECT id FROM oxides ORD");
    assert!(has(&keywords, "ORDER"), "{keywords:?}");

    // Enter takes what is offered, Ctrl and Enter run the query.
    let typed = "SELECT id, small, densi";
    assert!(has(&offered(typed), "density"));
    page.0.press(".cm-content", &format!("{CONTROL} "));
    page.0.wait("document.querySelector('.cm-tooltip-autocomplete [aria-selected]')");
    // What has only just been shown takes no key yet.
    std::thread::sleep(Duration::from_millis(300));
    page.0.press(".cm-content", &format!("{ENTER} FROM oxides{ESCAPE}{CONTROL}{ENTER}"));
    page.answered();
    assert!(page.said().starts_with("10 rows in "), "{}", page.said());
    assert_eq!(page.texts("#rows th button"), ["id", "small", "density g/cm³"]);

    // Columns sort by a key on their heads: numbers as numbers, NULL last both ways.
    let sorted = || page.0.run("return [...document.querySelectorAll('#rows th')].map(th => th.ariaSort)");
    for (times, down) in [(1, false), (2, true)] {
        page.0.press("#rows th:nth-child(2) button", ENTER);
        page.0.wait(&format!(
            "document.querySelectorAll('#rows th')[1].ariaSort === '{}ending'",
            if down { "desc" } else { "asc" }
        ));
        let values = page.column(2);
        let numbers: Vec<f64> = values.iter().map_while(|text| text.parse().ok()).collect();
        assert!(numbers.len() < 10 && values[numbers.len()..].iter().all(|text| text == "NULL"), "{times}: {values:?}");
        assert!(numbers.is_sorted_by(|a, b| if down { a >= b } else { a <= b }), "{numbers:?}");
        assert_eq!(sorted()[2], "none");
    }
    // Tab leaves the editor and reaches what stands after it.
    page.0.press(".cm-content", TAB);
    assert_eq!(page.0.run("return document.activeElement.id"), "run");
    page.end();
}

#[test]
fn an_example_is_a_stored_query() {
    let Some(page) = Reader::start() else { return };
    page.0.wait("document.querySelectorAll('#examples option').length === 2");
    // A change that comes at once after another is one step with it.
    std::thread::sleep(Duration::from_millis(600));
    page.0.press("#examples", "open");
    page.0.wait("/The most open/.test(document.querySelector('#answers').textContent)");
    page.0.click("#run");
    page.answered();
    let void = page.numbers(2);
    assert!(void.len() == 10 && void.is_sorted_by(|a, b| a >= b), "{void:?}");
    // What stood there before is one step back.
    page.0.press(".cm-content", &format!("{CONTROL}z{RELEASED}"));
    page.0.wait("/predict_ef/.test(document.querySelector('.cm-content').textContent)");
    page.end();
}

#[test]
fn tables_and_functions_are_found_and_put_into_the_query() {
    let Some(page) = Reader::start() else { return };
    page.0.wait("document.querySelectorAll('#functions details').length > 50");
    let shown = || page.texts("aside details details:not([hidden]) > summary");
    let all = shown().len();
    page.0.press("#wanted", "structure oxides");
    page.0.wait(&format!("document.querySelectorAll('aside details details:not([hidden])').length < {all}"));
    assert!(shown().contains(&"oxides".to_owned()), "{:?}", shown());
    page.0.press("#wanted", " nothing-has-this-word");
    page.0.wait("document.querySelectorAll('aside details details:not([hidden])').length === 0");
    page.0.run("const w = document.querySelector('#wanted'); w.value = 'spacegroup_symbol'; w.dispatchEvent(new Event('input'))");
    page.0.wait("document.querySelectorAll('aside details details:not([hidden])').length > 0");
    assert!(
        shown().contains(&"spacegroup_symbol".to_owned()) && !shown().contains(&"oxides".to_owned()),
        "{:?}",
        shown()
    );
    page.0.press(".cm-content", &format!("{CONTROL}a{RELEASED}{DELETE}SELECT {ESCAPE}"));
    page.0.run("const w = document.querySelector('#wanted'); w.value = 'oxides'; w.dispatchEvent(new Event('input'))");
    page.0.click("#tables details:not([hidden]) summary");
    page.0.click("#tables details:not([hidden]) li:nth-child(4) button");
    assert_eq!(page.text(".cm-content"), "SELECT void");
    assert_eq!(
        page.0.run("return document.activeElement.closest('#editor') !== null"),
        true,
        "the editor has the keys again"
    );
    page.end();
}

#[test]
fn many_rows_stream_in_and_scroll_and_a_query_is_stopped() {
    let Some(page) = Reader::start() else { return };
    let watch = "window.heard = []; new MutationObserver(() => heard.push(document.querySelector('#said').textContent))\
                 .observe(document.querySelector('#said'), { childList: true })";
    page.0.run(watch);
    page.ask("SELECT a.value AS a, a.value * 2 AS b FROM generate_series(1, 150000) a");
    assert!(page.said().starts_with("the first 100\u{202f}000 rows of more in "), "{}", page.said());
    let heard: Vec<String> = serde_json::from_value(page.0.run("return heard")).unwrap();
    assert!(heard.iter().any(|text| text.contains("rows so far, ")), "{heard:?}");
    assert_eq!(page.rows(), 100_000);
    let drawn = || page.0.run("return document.querySelectorAll('#rows tr').length").as_u64().unwrap();
    assert!(drawn() < 120, "{} rows are drawn", drawn());
    page.0.run("document.querySelector('#rows').scrollTop = 1e9");
    page.0.wait("[...document.querySelectorAll('#rows td:first-child')].at(-1).textContent === '100000'");
    assert!(drawn() < 120);
    page.0.click("#rows th:nth-child(2) button");
    page.0.click("#rows th:nth-child(2) button");
    page.0.run("document.querySelector('#rows').scrollTop = 0");
    page.0.wait("document.querySelector('#rows tbody td').textContent === '100000'");

    page.follow(
        "SELECT count(*) AS n FROM generate_series(1, 300000) a JOIN generate_series(1, 300000) b ON a.value < b.value",
        None,
    );
    page.0.click("#run");
    page.0.wait("!document.querySelector('#stop').hidden");
    page.0.click("#stop");
    page.0.wait("/^stopped after 0 rows/.test(document.querySelector('#said').textContent)");
    page.end();
}

#[test]
fn explain_is_a_funnel() {
    let Some(page) = Reader::start() else { return };
    page.follow("SELECT id FROM oxides WHERE has_element(formula, 'Mn') AND void > 0.5 ORDER BY id", None);
    page.0.click("#explain");
    page.0.wait("document.querySelectorAll('#steps li').length === 3");
    assert_eq!(page.texts("#steps .what"), ["all of oxides", "has_element(formula, 'Mn')", "void > 0.5"]);
    let left = page.texts("#steps .left");
    assert!(left[0].trim() == "10" && left[1].starts_with("3 30 %"), "{left:?}");
    let widths = page.0.run("return [...document.querySelectorAll('#steps .bar')].map(bar => bar.offsetWidth)");
    let widths: Vec<f64> = serde_json::from_value(widths).unwrap();
    assert!(widths[0] > 300.0 && (widths[1] / widths[0] - 0.3).abs() < 0.01 && widths[2] <= widths[1], "{widths:?}");
    assert!(page.text("#plan").contains("DataSourceExec"), "{}", page.text("#plan"));
    keep("funnel.png", &page.0.screenshot(None));
    // A join has the rows of its plan.
    page.follow(
        "SELECT a.formula, count(*) AS n FROM oxides a JOIN oxides b ON a.formula = b.formula GROUP BY a.formula",
        None,
    );
    page.0.click("#explain");
    page.0.wait("document.querySelectorAll('#steps li').length > 3");
    let steps = page.texts("#steps .what");
    assert!(steps[0].starts_with("read") && steps.iter().any(|step| step.starts_with("join")), "{steps:?}");
    let left = page.texts("#steps .left");
    assert!(left[0].starts_with("10"), "{left:?}");
    page.end();
}

#[test]
fn a_crystal_turns_with_its_channels_and_is_a_file() {
    let Some(page) = Reader::start() else { return };
    page.ask("SELECT id, void FROM oxides WHERE id = 'hollandite-mno2'");
    page.0.click("#rows td button");
    page.0.wait("document.querySelector('.card iframe')");
    assert!(
        page.0.run("return document.querySelector('.card').ariaLabel") == "hollandite-mno2"
            && page.text(".card dl").starts_with("void0.")
    );
    for (format, ending, at) in [("CIF", "cif", 1), ("POSCAR", "vasp", 2), ("JSON", "json", 3)] {
        assert_eq!(page.text(&format!(".card .row button:nth-child({at})")), format);
        let file = page.download(&format!(".card .row button:nth-child({at})"), ending);
        let crystal = formats::parse_structure(std::str::from_utf8(&file).unwrap()).unwrap();
        assert_eq!(crystal.len(), host("hollandite-mno2").unwrap().len(), "{format}");
    }
    let frame = page.0.element(".card iframe");
    page.0.call("POST", "/frame", Some(&json!({ "id": { ELEMENT: frame } })));
    page.0.wait("document.querySelector('.view')?.viewer");
    assert!(page.text(".channels").contains("octagonal ring, Mn₈"), "{}", page.text(".channels"));
    let view = page.0.run("return document.querySelector('.view').viewer.getView()");
    page.0.wait(&format!("JSON.stringify(document.querySelector('.view').viewer.getView()) !== '{view}'"));
    let apart = page.0.run("try { return parent.document.title } catch { return 'apart' }");
    assert_eq!(apart, "apart", "the frame sees the page around it");
    let high = page.0.run("return document.body.scrollHeight").as_f64().unwrap();
    page.0.click("[data-do=spin]");
    page.0.call("POST", "/frame/parent", Some(&json!({})));
    page.0.wait(&format!("Math.abs(document.querySelector('.card iframe').offsetHeight - {high}) < 40"));
    keep("crystal.png", &page.0.screenshot(Some(".card")));
    page.0.click(".card .row button:last-child");
    assert_eq!(page.0.run("return document.querySelectorAll('.card').length"), 0);
    page.end();
}

#[test]
fn elements_are_chosen_in_a_periodic_table() {
    let Some(page) = Reader::start() else { return };
    page.0.wait("[...document.querySelectorAll('#crystals option')].some(option => option.value === 'oxides')");
    page.0.click("#search summary");
    page.0.press("#crystals", "oxides");
    let element = |symbol: &str| format!("#elements button[aria-label^='{symbol},']");
    page.0.click(&element("O"));
    // By keys: from titanium to the right, chosen once; vanadium twice.
    page.0.press(&element("Ti"), ENTER);
    page.0.press(&element("Ti"), RIGHT);
    assert_eq!(page.0.run("return document.activeElement.textContent"), "V");
    page.0.press(&element("V"), ENTER);
    page.0.press(&element("V"), ENTER);
    assert_eq!(
        page.0.run(&format!("return document.querySelector(\"{}\").ariaLabel", element("V"))),
        "V, must not be there"
    );
    assert_eq!(page.text("#chosen"), "with O, Ti; without V");
    page.0.click("#find");
    page.answered();
    assert_eq!(page.column(1), ["anatase", "brookite", "rutile"]);
    assert!(page.text(".cm-content").contains("NOT has_element(formula, 'V')"));
    page.0.click("#forget");
    assert_eq!(page.text("#chosen"), "");
    // Where a table counts its elements, others can be shut out.
    assert_eq!(page.0.run("return document.querySelector('#alone').hidden"), true);
    page.0.press("#crystals", "tmo");
    page.0.wait("!document.querySelector('#alone').hidden");
    page.0.click(&element("O"));
    page.0.click(&element("Ti"));
    page.0.click("#alone input");
    page.0.click("#find");
    page.answered();
    assert!(page.text(".cm-content").contains("AND nelements = 2"), "{}", page.text(".cm-content"));
    page.end();
}

#[test]
fn a_plot_is_brushed_by_mouse_and_by_keys() {
    let Some(page) = Reader::start() else { return };
    page.ask("SELECT id, void, density FROM oxides ORDER BY id");
    page.0.click("#plot summary");
    page.0.wait("document.querySelector('#canvas canvas')");
    page.drag(".u-over", [0.5, 0.02], [0.98, 0.98]);
    page.0.wait("!document.querySelector('#picked').hidden");
    let bounds = page.0.run("return [...document.querySelectorAll('#brush input')].map(input => Number(input.value))");
    let [low, high, below, above]: [f64; 4] = serde_json::from_value(bounds).unwrap();
    assert!(low < high && below < above);
    page.0.wait("document.querySelector('#rows table').ariaRowCount !== '11'");
    let (void, density) = (page.numbers(2), page.numbers(3));
    assert!(!void.is_empty() && void.iter().all(|v| (low..=high).contains(v)), "{void:?} in {low} to {high}");
    assert!(density.iter().all(|d| (below..=above).contains(d)), "{density:?}");
    assert_eq!(page.text("#picked span"), format!("{} of 10 rows are within the bounds.", void.len()));
    keep("plot.png", &page.0.screenshot(None));
    page.0.click("#picked button");
    page.0.wait("document.querySelector('#rows table').ariaRowCount === '11'");
    // Bounds that are typed do the same.
    page.0.press("[data-end=y1]", "4.5");
    page.0.wait("document.querySelector('#rows table').ariaRowCount !== '11'");
    let density = page.numbers(3);
    assert!(!density.is_empty() && density.iter().all(|d| *d <= 4.5), "{density:?}");
    page.end();
}

#[test]
fn axes_are_chosen_and_a_point_opens_its_card() {
    let Some(page) = Reader::start() else { return };
    page.ask("SELECT id, void, density, natoms FROM oxides ORDER BY id");
    page.0.click("#plot summary");
    page.0.wait("document.querySelector('#canvas canvas')");
    assert_eq!(page.texts("#plot-y option"), ["void", "density", "natoms"]);
    page.0.press("#plot-y", "natoms");
    page.0.press("[data-end=y1]", "12");
    // The first digit alone leaves no row.
    page.0.wait("!['1', '11'].includes(document.querySelector('#rows table').ariaRowCount)");
    let atoms = page.numbers(4);
    assert!(!atoms.is_empty() && atoms.iter().all(|n| *n <= 12.0), "{atoms:?}");
    // Twice on the plot, and all rows are there again.
    page.0.run("document.querySelector('.u-over').dispatchEvent(new MouseEvent('dblclick'))");
    page.0.wait("document.querySelector('#rows table').ariaRowCount === '11'");
    assert_eq!(page.0.run("return document.querySelector('[data-end=y1]').value"), "");
    // The point of a single row is in the middle.
    page.ask("SELECT id, void, density FROM oxides WHERE id = 'rutile'");
    page.drag(".u-over", [0.5, 0.5], [0.5, 0.5]);
    page.0.wait("document.querySelector('.card iframe')");
    assert_eq!(page.0.run("return document.querySelector('.card').ariaLabel"), "rutile");
    // A second time it is the card that is there.
    page.drag(".u-over", [0.5, 0.5], [0.5, 0.5]);
    page.0.click("#rows td button");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(page.0.run("return document.querySelectorAll('.card').length"), 1);
    page.end();
}

#[test]
fn a_link_is_copied_with_the_snapshot_that_was_typed() {
    let Some(page) = Reader::start() else { return };
    let query = "SELECT id FROM oxides ORDER BY id";
    page.follow(query, None);
    page.0.press("#snapshot", &SERVER.before.to_string());
    page.0.press("#run", ENTER);
    page.answered();
    assert_eq!(page.rows(), 8, "the rows of the older snapshot");
    let permissions = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    page.devtools("Browser.grantPermissions", permissions);
    page.0.click("#copy");
    page.0.wait("/^The link is copied/.test(document.querySelector('#said').textContent)");
    let copied = page.0.run("return navigator.clipboard.readText()");
    assert_eq!(copied, page.0.run("return location.href"));
    let held = page.0.run("return Object.fromEntries(new URLSearchParams(location.hash.slice(1)))");
    assert_eq!(held, json!({ "q": query, "snapshot": SERVER.before.to_string() }));
    page.end();
}

#[test]
fn a_link_holds_query_and_snapshot_and_runs_nothing() {
    let Some(page) = Reader::start() else { return };
    page.ask("SELECT id FROM oxides ORDER BY id");
    assert_eq!(page.rows(), 10);
    let held = page.0.run("return Object.fromEntries(new URLSearchParams(location.hash.slice(1)))");
    let newest = SERVER.before + 1;
    assert_eq!(held, json!({ "q": "SELECT id FROM oxides ORDER BY id", "snapshot": newest.to_string() }));
    // An older snapshot has fewer rows, and a followed link does not run by itself.
    page.follow("SELECT id FROM oxides ORDER BY id", Some(SERVER.before));
    std::thread::sleep(Duration::from_millis(500));
    assert!(page.said().contains("run it to see"), "{}", page.said());
    assert_eq!(page.0.run("return document.activeElement.id"), "run");
    page.0.press("#run", ENTER);
    page.0.wait(&format!("document.querySelector('#said').textContent.endsWith('at snapshot {}')", SERVER.before));
    page.0.wait("document.querySelector('#rows table').ariaRowCount === '9'");
    page.end();
}

#[test]
fn rows_are_files_of_four_formats() {
    let Some(page) = Reader::start() else { return };
    page.ask("SELECT id, density FROM oxides ORDER BY id");
    let file = |format: &str, ending: &str| page.download(&format!("[data-format={format}]"), ending);
    let csv = String::from_utf8(file("csv", "csv")).unwrap();
    assert!(csv.lines().count() == 11 && csv.lines().nth(1).unwrap().starts_with("anatase,3."), "{csv}");
    let rows: Vec<Value> = serde_json::from_slice(&file("json", "json")).unwrap();
    assert!(rows.len() == 10 && rows[0]["id"] == "anatase");
    let parquet = file("parquet", "parquet");
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let batches = StreamReader::try_new(Cursor::new(file("arrow", "arrows")), None).unwrap();
    assert_eq!(batches.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 10);
    page.end();
}

#[test]
fn it_is_read_on_a_phone_and_in_the_dark() {
    let Some(page) = Reader::start() else { return };
    page.0.wait("document.querySelectorAll('#functions details').length > 50");
    page.devtools(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true }),
    );
    page.ask("SELECT id, formula, void, density, natoms, structure FROM oxides ORDER BY void DESC");
    let fits = "document.documentElement.scrollWidth <= 390";
    page.0.wait(fits);
    let small = "return [...document.querySelectorAll('#ask button, #downloads button')].filter(b => !b.hidden).every(b => b.offsetHeight >= 36)";
    assert_eq!(page.0.run(small), true, "a finger does not find the buttons");
    page.0.run("for (const details of document.querySelectorAll('#search, #plot')) details.open = true");
    page.0.wait(fits);
    page.0.run("for (const details of document.querySelectorAll('#search, #plot')) details.open = false");
    keep("phone.png", &page.0.screenshot(None));
    let colours = || page.0.run("const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]");
    let light = colours();
    assert_eq!(light[1], "rgb(255, 255, 255)");
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    page.devtools("Emulation.setEmulatedMedia", dark);
    page.0.wait("getComputedStyle(document.body).backgroundColor === 'rgb(20, 23, 27)'");
    assert_ne!(colours()[0], light[0]);
    keep("dark.png", &page.0.screenshot(None));
    let image = page.0.screenshot(None);
    assert!(image.len() > 10_000);
    page.end();
}

#[test]
fn a_token_is_asked_for_and_a_refusal_is_read() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("token");
    fs::write(&file, TOKEN).unwrap();
    private(&file);
    let server = start(Some(file));
    let Some(page) = Reader::before(&server) else { return };
    page.0.wait("!document.querySelector('#token').hidden");
    page.0.press("#token input", &format!("{TOKEN}{ENTER}"));
    page.0.wait("document.querySelector('#token').hidden && document.querySelectorAll('#tables details').length > 0");
    page.ask("SELECT id FROM oxides ORDER BY id");
    assert_eq!(page.rows(), 10);
    // What the browser notes of a refusal is the refusal itself, and nothing else.
    page.0.console();
    page.follow("SELECT nothing FROM oxides", None);
    page.0.click("#run");
    page.0.wait("document.querySelector('#said.wrong')");
    assert!(page.said().contains("nothing"), "{}", page.said());
    let noted: HashSet<bool> = page.0.console().iter().map(|line| line.contains("400 (Bad Request)")).collect();
    assert_eq!(noted, HashSet::from([true]));
    page.end();
}

#[cfg(unix)]
fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}

/// Keeps a picture to look at. Those of fixtures/screenings are these, with 256 colours, and of the phone at half the size.
fn keep(name: &str, picture: &[u8]) {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("explorer-{name}"));
    fs::write(&file, picture).unwrap();
    println!("screenshot: {}", file.display());
}
