//! Thousands of random queries with costly calls in every place of them, each asked twice: of crystals, where the plan
//! moves the calls, and of a table that holds their values, where there is nothing to move. The answers must be the same.
//! Where `HOLLANDITE_PYTHON` names a Python with DuckDB, DuckDB answers the second form too, over the same rows in Parquet.
//!
//! `HOLLANDITE_QUERIES` is the number of queries (3000), `HOLLANDITE_SEED` where they begin (1).

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::common::crystals::{Row, batch, few};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use futures::StreamExt;
use hollandite::crystal::{Structure, testing::rutile_of};
use hollandite::error::ModelError;
use hollandite::models::conformal::Calibration;
use hollandite::sql::{PropertyModel, Session};

/// The costly calls, as a query over crystals writes them and as one over the columns that hold their values.
const CALLS: [(&str, &str); 5] = [
    ("predict_ef({}structure)", "ef"),
    ("predict({}structure)['upper']", "p['upper']"),
    ("spacegroup({}structure)", "sg"),
    ("global_instability_index({}structure)", "gii"),
    ("void({}structure, 'ionic', 0.76)", "vi"),
];

/// Numbers near those of the columns, to compare with.
const SCALES: [f64; 5] = [-3.0, -3.0, 230.0, 1.0, 1.0];

/// Answers a number between -3 and 0 that looks like chance and depends on the volume alone.
struct Scattered(Calibration);

impl PropertyModel for Scattered {
    fn id(&self) -> &str {
        "scattered@1"
    }

    fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>> {
        let answer = |s: &Structure| match s.species().iter().find(|e| e.symbol() == "Tc") {
            Some(e) => Err(ModelError::Coverage { element: e.symbol(), model: self.id().into() }),
            None => Ok(-3.0 * (s.lattice().volume() * 7.31).fract()),
        };
        structures.iter().map(answer).collect()
    }

    fn calibration(&self) -> Option<&Calibration> {
        Some(&self.0)
    }
}

fn rows() -> Vec<Row> {
    let mut rows = few();
    let metals = ["Ti", "V", "Cr", "Mn", "Ru", "Tc", "Ir"];
    for i in 0..48_u8 {
        let metal = metals[usize::from(i) % metals.len()];
        let scale = 0.94 + 0.004 * f64::from(i / 3);
        let class = ["binary", "ternary", "quaternary"][usize::from(i) % 3];
        let void = (i % 11 != 5).then_some(f64::from(i % 17) / 17.0);
        rows.push((format!("r{i:02}"), class, void, (i % 13 != 7).then(|| rutile_of(metal, scale))));
    }
    rows
}

/// Random numbers that are the same everywhere (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

/// A query in both forms: `«k:a»` stands for the call k of the table a.
#[derive(Debug)]
struct Query {
    text: String,
    ordered: bool,
}

impl Query {
    fn render(&self, table: &str, call: impl Fn(usize, &str) -> String) -> String {
        let mut text = String::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once('«') {
            let (mark, after) = after.split_once('»').unwrap();
            let (k, alias) = mark.split_once(':').unwrap();
            text += before;
            text += &call(k.parse().unwrap(), alias);
            rest = after;
        }
        (text + rest).replace("TABLE", table)
    }

    fn over_crystals(&self) -> String {
        self.render("tmo", |k, alias| CALLS[k].0.replace("{}", &dotted(alias)))
    }

    fn over_values(&self) -> String {
        self.render("kept", |k, alias| dotted(alias) + CALLS[k].1)
    }
}

fn dotted(alias: &str) -> String {
    if alias.is_empty() { String::new() } else { format!("{alias}.") }
}

/// Writes queries.
struct Writer {
    dice: Dice,
}

impl Writer {
    /// A costly call of the table `a`.
    fn call(&mut self, a: &str) -> String {
        format!("«{}:{a}»", self.dice.below(CALLS.len()))
    }

    /// A number that differs from row to row.
    fn number(&mut self, a: &str) -> String {
        let (call, dot) = (self.call(a), dotted(a));
        match self.dice.below(8) {
            0 => format!("{dot}void"),
            1 => format!("{dot}natoms"),
            2 => format!("abs({call})"),
            3 => format!("CASE WHEN {dot}void > 0.4 THEN {call} ELSE {dot}natoms END"),
            4 => format!("coalesce({call}, {dot}void)"),
            _ => call,
        }
    }

    /// What splits the rows into a few groups.
    fn group(&mut self, a: &str) -> String {
        let dot = dotted(a);
        match self.dice.below(6) {
            0 => format!("{dot}natoms % 3"),
            1 => format!("«2:{a}»"),
            2 => format!("«0:{a}» > -1.5"),
            3 => format!("«3:{a}» IS NULL"),
            _ => format!("{dot}class"),
        }
    }

    fn comparison(&mut self, a: &str) -> String {
        let k = self.dice.below(CALLS.len());
        let (call, dot) = (format!("«{k}:{a}»"), dotted(a));
        let bound = |dice: &mut Dice| format!("{:.3}", SCALES[k] * (dice.below(1000) as f64) / 1000.0);
        let operator = self.dice.of(&["<", "<=", ">", ">=", "<>"]);
        match self.dice.below(9) {
            0 => format!("{dot}void > 0.{}", self.dice.below(10)),
            1 => format!("{dot}natoms < {}", 5 + self.dice.below(12)),
            2 => format!("{call} IS NOT NULL"),
            3 => {
                let (low, high) = (bound(&mut self.dice), bound(&mut self.dice));
                format!("{call} BETWEEN least({low}, {high}) AND greatest({low}, {high})")
            }
            4 => format!("abs({} - {call}) < {}", self.number(a), self.dice.below(4)),
            5 => format!("{dot}class IN ('binary', 'quaternary')"),
            _ => format!("{call} {operator} {}", bound(&mut self.dice)),
        }
    }

    fn condition(&mut self, a: &str) -> String {
        let first = self.comparison(a);
        match self.dice.below(5) {
            0 => format!("({first} AND {})", self.comparison(a)),
            1 => format!("({first} OR {})", self.comparison(a)),
            2 => format!("NOT ({first})"),
            _ => first,
        }
    }

    fn filter(&mut self, a: &str) -> String {
        if self.dice.one_in(4) { String::new() } else { format!(" WHERE {}", self.condition(a)) }
    }

    /// An order that leaves nothing open.
    fn order(&mut self, a: &str) -> String {
        let dot = dotted(a);
        let nulls = self.dice.of(&["NULLS LAST", "NULLS FIRST"]);
        let way = self.dice.of(&["", " DESC"]);
        let key = match self.dice.below(4) {
            0 => self.number(a),
            1 => format!("{dot}natoms"),
            _ => format!("{dot}void"),
        };
        format!(" ORDER BY {key}{way} {nulls}, {dot}id")
    }

    fn limit(&mut self) -> String {
        let mut limit = format!(" LIMIT {}", self.dice.below(40));
        if self.dice.one_in(3) {
            write!(limit, " OFFSET {}", self.dice.below(12)).unwrap();
        }
        limit
    }

    fn aggregate(&mut self, x: &str) -> String {
        let function = self.dice.of(&["sum", "min", "max", "avg", "count"]);
        match self.dice.below(4) {
            0 => "count(*)".into(),
            1 => format!("{function}(DISTINCT {x})"),
            _ => format!("{function}({x})"),
        }
    }

    /// Rows (id, k, x), filtered, perhaps cut after an order that they do not show.
    fn rows(&mut self) -> String {
        let (k, x, filter) = (self.group(""), self.number(""), self.filter(""));
        let id = if self.dice.one_in(3) { "id AS id" } else { "id" };
        let mut text = format!("SELECT {id}, {k} AS k, {x} AS x FROM TABLE{filter}");
        if !self.dice.one_in(4) {
            text += &self.order("");
            text += &self.limit();
        }
        text
    }

    fn query(&mut self) -> Query {
        let mut ordered = false;
        let text = match self.dice.below(16) {
            0 => {
                ordered = true;
                let (x, y, filter, order) = (self.number(""), self.number(""), self.filter(""), self.order(""));
                format!("SELECT id, {x} AS x, {y} AS y FROM TABLE{filter}{order}{}", self.limit())
            }
            // An order below a limit of which the outer query knows nothing.
            1..=3 => {
                let (k, x) = (self.group(""), self.number(""));
                let (filter, order, limit) = (self.filter(""), self.order(""), self.limit());
                let (one, two) = (self.aggregate("q.x"), self.aggregate("q.x"));
                let outer = format!("q.x > {}", -1.5 * self.dice.below(100) as f64 / 100.0);
                let inner = format!("SELECT {k} AS k, {x} AS x FROM TABLE{filter}{order}{limit}");
                match self.dice.below(3) {
                    0 => format!("SELECT {one} AS a, {two} AS b FROM ({inner}) q WHERE {outer}"),
                    1 => format!("SELECT q.k, {one} AS a FROM ({inner}) q GROUP BY q.k"),
                    _ => format!("SELECT q.k, {one} AS a, count(*) AS c FROM ({inner}) q WHERE {outer} GROUP BY 1"),
                }
            }
            4 => {
                let (k, x, filter) = (self.group(""), self.number(""), self.filter(""));
                let again = if self.dice.one_in(2) { x.clone() } else { self.number("") };
                let (one, two) = (self.aggregate(&x), self.aggregate(&again));
                match self.dice.below(3) {
                    0 => format!("SELECT DISTINCT {x} AS k, {again} AS g FROM TABLE{filter}"),
                    1 => format!("SELECT {k} AS k, {one} AS a, {two} AS b FROM TABLE{filter} GROUP BY {k}"),
                    _ => format!(
                        "SELECT {k} AS k, {k} AS j, {one} AS a FROM TABLE{filter} GROUP BY 1, 2 HAVING count(*) > 1"
                    ),
                }
            }
            5 => {
                let (x, y, filter) = (self.number(""), self.number(""), self.filter(""));
                let window = match self.dice.below(4) {
                    0 => format!("rank() OVER (PARTITION BY class ORDER BY {x} NULLS LAST, id)"),
                    1 => format!(
                        "sum({x}) OVER (PARTITION BY class ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)"
                    ),
                    2 => format!("lag({x}) OVER (ORDER BY void NULLS LAST, id)"),
                    _ => format!("row_number() OVER (PARTITION BY {} ORDER BY {x} NULLS FIRST, id)", self.group("")),
                };
                match self.dice.below(3) {
                    0 => format!("SELECT id, {window} AS w, {y} AS y FROM TABLE{filter}"),
                    1 => format!("SELECT id, {y} AS y FROM TABLE{filter} QUALIFY {window} > 2"),
                    _ => format!(
                        "SELECT * FROM (SELECT id, {window} AS w, {y} AS y FROM TABLE{filter}) q WHERE w > 2 AND y > -1"
                    ),
                }
            }
            6 => {
                let (one, two) = (self.rows(), self.rows());
                let operation = self.dice.of(&["UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
                match self.dice.below(2) {
                    0 => format!("SELECT id, x FROM ({one}) p {operation} SELECT id, x FROM ({two}) q"),
                    _ => format!("SELECT x FROM ({one}) p {operation} SELECT x FROM ({two}) q"),
                }
            }
            7 => {
                let (x, inner, outer) = (self.number("b"), self.condition("b"), self.filter("a"));
                let also = if self.dice.one_in(2) { format!(" AND {inner}") } else { String::new() };
                format!(
                    "SELECT a.id, l.m FROM TABLE a, LATERAL (SELECT max({x}) AS m FROM TABLE b WHERE b.class = a.class{also}) l{outer}"
                )
            }
            8 => {
                let (x, filter, inner) = (self.number("b"), self.condition("a"), self.condition("b"));
                let function = self.dice.of(&["max", "min", "avg"]);
                match self.dice.below(3) {
                    0 => format!(
                        "SELECT a.id, (SELECT {function}({x}) FROM TABLE b WHERE b.class = a.class) AS m FROM TABLE a WHERE {filter}"
                    ),
                    1 => format!(
                        "SELECT a.id FROM TABLE a WHERE {filter} AND a.void < (SELECT {function}({x}) + 2 FROM TABLE b WHERE b.natoms = a.natoms AND {inner})"
                    ),
                    _ => format!(
                        "SELECT a.id FROM TABLE a WHERE «0:a» <= (SELECT {function}(«0:b») FROM TABLE b WHERE b.class = a.class)"
                    ),
                }
            }
            9 => {
                let (filter, inner) = (self.condition("a"), self.condition("b"));
                let not = self.dice.of(&["", "NOT "]);
                match self.dice.below(3) {
                    0 => format!(
                        "SELECT a.id, {} AS x FROM TABLE a WHERE {filter} AND {not}EXISTS (SELECT 1 FROM TABLE b WHERE b.class = a.class AND b.void > a.void AND {inner})",
                        self.number("a")
                    ),
                    1 => format!(
                        "SELECT a.id FROM TABLE a WHERE {filter} OR a.natoms IS NOT NULL AND a.natoms {not}IN (SELECT b.natoms FROM TABLE b WHERE {inner} AND b.natoms IS NOT NULL)"
                    ),
                    _ => format!(
                        "SELECT a.id FROM TABLE a WHERE {not}EXISTS (SELECT 1 FROM TABLE b WHERE b.class = a.class AND «0:b» < «0:a» AND {inner})"
                    ),
                }
            }
            10 | 11 => {
                let (x, y) = (self.number("a"), self.number("b"));
                let (on, filter) = (self.condition("b"), self.condition("a"));
                let kind = self.dice.of(&["JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN"]);
                match self.dice.below(4) {
                    0 => format!(
                        "SELECT a.id, b.id AS other, {x} AS x, {y} AS y FROM TABLE a {kind} TABLE b ON a.id = b.id AND {on} WHERE {filter}"
                    ),
                    1 => format!(
                        "SELECT a.class, count(*) AS c, sum({y}) AS s FROM TABLE a JOIN TABLE b ON a.natoms = b.natoms AND «0:a» < «0:b» WHERE {filter} GROUP BY a.class"
                    ),
                    2 => {
                        let (one, two) = (self.rows(), self.rows());
                        format!("SELECT p.id, p.x, q.x AS y FROM ({one}) p {kind} ({two}) q ON p.id = q.id")
                    }
                    _ => format!(
                        "SELECT a.id, q.m FROM TABLE a {kind} (SELECT class, max({}) AS m FROM TABLE GROUP BY class) q ON a.class = q.class WHERE {filter}",
                        self.number("")
                    ),
                }
            }
            12 => {
                let (inner, filter) = (self.rows(), self.comparison("t"));
                let (order, limit) = (self.dice.of(&["x NULLS LAST, id", "id"]), self.limit());
                ordered = true;
                format!(
                    "WITH p AS ({inner}), r AS (SELECT p.id, p.x, p.k, t.void FROM p JOIN TABLE t ON t.id = p.id WHERE {filter}) SELECT id, x, k FROM r ORDER BY {order}{limit}"
                )
            }
            13 => {
                let (inner, x) = (self.rows(), self.aggregate("y"));
                let (middle, limit) = (self.dice.of(&["x DESC NULLS LAST, id", "id DESC"]), self.limit());
                format!(
                    "SELECT k, {x} AS a FROM (SELECT k, x AS y FROM ({inner}) p WHERE x < 200 ORDER BY {middle}{limit}) q GROUP BY k"
                )
            }
            14 => {
                let (k, x, y) = (self.group(""), self.number(""), self.number(""));
                let (filter, guard) = (self.filter(""), self.comparison(""));
                format!(
                    "SELECT {k} AS k, count({x}) FILTER (WHERE {guard}) AS n, sum(CASE WHEN {guard} THEN {y} END) AS s FROM TABLE{filter} GROUP BY 1"
                )
            }
            _ => {
                let inner = self.rows();
                format!(
                    "SELECT count(*) AS n FROM TABLE WHERE id IN (SELECT id FROM ({inner}) p) AND {}",
                    self.condition("")
                )
            }
        };
        Query { text, ordered }
    }
}

/// A cell of an answer.
#[derive(Debug, Clone)]
enum Cell {
    Null,
    Number(f64),
    Text(String),
}

impl Cell {
    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Number(a), Self::Number(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())),
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Number(x) => (*x).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

fn cells(batches: &[RecordBatch]) -> Vec<Vec<Cell>> {
    let mut rows = vec![];
    for batch in batches {
        let columns: Vec<Vec<Cell>> = batch
            .columns()
            .iter()
            .map(|column| match column.data_type() {
                DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => {
                    let texts = cast(column, &DataType::Utf8).unwrap();
                    texts.as_string::<i32>().iter().map(|t| t.map_or(Cell::Null, |t| Cell::Text(t.into()))).collect()
                }
                _ => {
                    let numbers = cast(column, &DataType::Float64).unwrap();
                    let numbers = numbers.as_primitive::<Float64Type>();
                    numbers.iter().map(|x| x.map_or(Cell::Null, Cell::Number)).collect()
                }
            })
            .collect();
        rows.extend((0..batch.num_rows()).map(|i| columns.iter().map(|column| column[i].clone()).collect()));
    }
    rows
}

/// Whether two answers are the same, in order or as sets of rows.
fn agree(a: &[Vec<Cell>], b: &[Vec<Cell>], ordered: bool) -> bool {
    let same = |a: &[Cell], b: &[Cell]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.agrees(b));
    if a.len() != b.len() {
        return false;
    }
    if ordered {
        return a.iter().zip(b).all(|(a, b)| same(a, b));
    }
    let mut left: Vec<&Vec<Cell>> = b.iter().collect();
    a.iter().all(|row| left.iter().position(|other| same(row, other)).map(|i| left.swap_remove(i)).is_some())
}

async fn answer(session: &Session, sql: &str) -> Result<Vec<RecordBatch>, String> {
    let frame = session.sql(sql).await.map_err(|e| e.to_string())?;
    frame.collect().await.map_err(|e| e.to_string())
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test(flavor = "multi_thread")]
async fn random_queries_answer_as_stored_values_would() {
    let calibration = Calibration::of((1..100).map(|k| f64::from(k) / 100.0)).unwrap();
    let session =
        Session::without_store().with_model(hollandite::models::DEFAULT_MODEL, Arc::new(Scattered(calibration)) as _);
    session.context().register_batch("tmo", batch(&rows())).unwrap();

    let part = |text: &'static str| text.split('[').next().unwrap().replace("{}", "");
    let calls: Vec<String> = CALLS.iter().map(|(call, value)| part(call) + " AS " + &part(value)).collect();
    let values = format!("SELECT id, class, void, natoms, {} FROM tmo", calls.join(", "));
    let values = answer(&session, &values).await.unwrap();
    let kept = arrow::compute::concat_batches(&values[0].schema(), &values).unwrap();
    session.context().register_batch("kept", kept.clone()).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer { dice: Dice(0x9E37_79B9_7F4A_7C15 ^ setting("HOLLANDITE_SEED", 1)) };
    let (mut wrong, mut refused, mut answers) = (vec![], 0, String::new());
    let queries = setting("HOLLANDITE_QUERIES", 3000);
    let session = Arc::new(session);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // Planning is what takes the time, and is on one thread for each query.
    let mut asked = futures::stream::iter((0..queries).map(|n| (n, writer.query())))
        .map(|(n, query)| {
            let session = Arc::clone(&session);
            tokio::spawn(async move {
                let (crystals, stored) = (query.over_crystals(), query.over_values());
                let answers = (answer(&session, &crystals).await, answer(&session, &stored).await);
                (n, query, crystals, stored, answers)
            })
        })
        .buffered(threads);
    while let Some(asked) = asked.next().await {
        let (n, query, crystals, stored, answered) = asked.unwrap();
        match answered {
            (Ok(found), Ok(expected)) => {
                let (found, expected) = (cells(&found), cells(&expected));
                if !agree(&found, &expected, query.ordered) {
                    wrong.push(format!("{n}: {} rows for {}\n{crystals}\n{stored}", found.len(), expected.len()));
                }
                let rows: Vec<Vec<_>> = found.iter().map(|row| row.iter().map(Cell::json).collect()).collect();
                let line = serde_json::json!({"sql": stored, "ordered": query.ordered, "rows": rows});
                writeln!(answers, "{line}").unwrap();
            }
            (Err(error), Ok(_)) => wrong.push(format!("{n}: {error}\n{crystals}\n{stored}")),
            // What the engine cannot plan over plain columns is its own limit.
            (_, Err(error)) => {
                println!("{n}: not planned: {error}\n{stored}");
                refused += 1;
            }
        }
    }
    assert!(refused * 50 <= queries, "{refused} of {queries} queries are refused over plain columns");

    let duckdb = duckdb(dir.path(), &kept, &answers);
    let wrong = wrong.join("\n\n");
    assert!(wrong.is_empty() && duckdb.is_ok(), "{wrong}\n\n{}", duckdb.unwrap_or_else(|text| text));
}

/// What DuckDB says to the answers; an error where it answers otherwise.
fn duckdb(dir: &Path, kept: &RecordBatch, answers: &str) -> Result<String, String> {
    let Some(python) = std::env::var_os("HOLLANDITE_PYTHON") else {
        crate::common::skip(
            "HOLLANDITE_PYTHON names no Python with tests/interop/requirements.txt: DuckDB is not asked",
        );
        return Ok(String::new());
    };
    let file = std::fs::File::create(dir.join("kept.parquet")).unwrap();
    let mut parquet = parquet::arrow::ArrowWriter::try_new(file, kept.schema(), None).unwrap();
    parquet.write(kept).unwrap();
    parquet.close().unwrap();
    std::fs::write(dir.join("queries.jsonl"), answers).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/random_queries.py");
    let output = std::process::Command::new(python).arg(script).arg(dir).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(text) } else { Err(text) }
}
