//! What grows: texts, plans, lists and answers that are more than the statement that asks for them.

use super::*;

/// The last of so many steps of `WITH`, each of which reads the one before, `?`.
fn steps(n: usize, first: &str, step: &str) -> String {
    let others = (1..n).map(|k| format!(", a{k} AS ({})", step.replace('?', &format!("a{}", k - 1))));
    format!("WITH a0 AS ({first}){} SELECT a FROM a{}", others.collect::<String>(), n - 1)
}

#[test]
fn what_is_too_long_too_much_or_too_late_ends() {
    let runtime = crate::runtime().unwrap();
    // On one of its threads, and not on this one: the stack is theirs.
    runtime.block_on(runtime.spawn(too_much())).unwrap();
}

async fn too_much() {
    let place = Place::new().await;
    let nested = |n: usize| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n));
    let chain = |n: usize| format!("SELECT 1{}", "+1".repeat(n));
    let union = |n: usize| format!("SELECT 1{}", " UNION SELECT 1".repeat(n));
    let subqueries =
        |n: usize| format!("SELECT * FROM {}(SELECT 1 AS a) AS t{}", "(SELECT * FROM ".repeat(n), ") AS t".repeat(n));
    // Each step names the one before twice.
    let doubled =
        |step: &str, end: &str| format!("{} {end}", steps(40, "SELECT value AS a FROM generate_series(1, 9)", step));
    let cases = format!("SELECT {} 1 {}", "CASE WHEN true THEN ".repeat(1_500), "END ".repeat(1_500));
    let refused: &[(String, &[Kind])] = &[
        (nested(4_000), &[Bad]),
        (nested(10_000), &[Bad]),
        (nested(32_000), &[Bad]),
        (subqueries(300), &[Bad]),
        (subqueries(2_000), &[TooMuch]),
        (cases, &[TooMuch]),
        (format!("SELECT {}1", "-".to_owned() + &" -".repeat(9_000)), &[TooMuch]),
        (format!("SELECT {}true", "NOT ".repeat(9_000)), &[TooMuch]),
        (chain(2_000), &[TooMuch]),
        (chain(32_000), &[TooMuch]),
        (union(1_000), &[TooMuch]),
        (doubled("SELECT a + a AS a FROM ?", "WHERE a > 0"), &[TooMuch]),
        (doubled("SELECT CASE WHEN a > 1 THEN a ELSE -a END AS a FROM ?", "ORDER BY a"), &[TooMuch]),
        (doubled("SELECT x.a FROM ? AS x, ? AS y", ""), &[TooMuch]),
        (doubled("SELECT a FROM ? WHERE a IN (SELECT a FROM ?)", ""), &[TooMuch]),
        (format!("SELECT a{} FROM (SELECT 1 AS a)", "[1]".repeat(2_000)), &[TooMuch]),
        (format!("SELECT 1{}", "::int".repeat(1_000)), &[TooMuch]),
        (format!("SELECT 1 FROM crystals{}", ", crystals".repeat(2_000)), &[TooMuch]),
        ("x".repeat(70_000), &[TooMuch]),
        ("SELECT value FROM generate_series(1, 100000000) ORDER BY value % 1000, value".into(), &[TooMuch, Late]),
        ("SELECT count(DISTINCT value) FROM generate_series(1, 1000000000)".into(), &[TooMuch, Late]),
        ("SELECT array_agg(value) FROM generate_series(1, 1000000000)".into(), &[TooMuch, Late]),
        ("SELECT count(*) FROM generate_series(1, 10000000) a CROSS JOIN generate_series(1, 10000000) b".into(), &[Late, TooMuch]),
        ("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n".into(), &[Late, TooMuch]),
        ("SELECT sum(a.value * b.value) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b ON a.value < b.value".into(), &[Late, TooMuch]),
    ];
    for (statement, kinds) in refused {
        let refusal = place.refused(statement).await;
        assert!(kinds.contains(&refusal.kind), "{}: {refusal:?}", shown(statement));
    }
    // What is deep and still within the bounds is answered or refused, and ends nothing.
    for statement in [chain(1_900), union(300), nested(20)] {
        let _ = place.ask(statement.as_str()).await;
    }
    let many = Question { values: Values::InOrder(vec![sql::Bound::Null; 2000]), ..Question::from("SELECT $1") };
    assert_eq!(place.ask(many).await.unwrap_err().kind, TooMuch);
    place.unharmed().await;
}

/// What makes more of a short statement than there is memory: folded while it is planned, once for every row, or for all rows together.
#[tokio::test(flavor = "multi_thread")]
async fn texts_and_lists_do_not_grow_beyond_the_bounds() {
    let place = Place::within(Duration::from_secs(60)).await;
    let x = |n: usize| "x".repeat(n);
    let (long, short) = (x(60_000), x(2_000));
    let doubled =
        |step: &str, first: &str| steps(15, &format!("SELECT {first} AS a"), &format!("SELECT {step} AS a FROM ?"));
    let text = format!("'{}'", x(8_000));
    let list = format!("string_to_array({text}, NULL)");
    let rows = "FROM generate_series(1, 100000)";
    let gathered = "string_agg(value || '', ',')";
    let one_long =
        format!("SELECT value, 'y' AS a {rows} UNION ALL SELECT 0, {gathered} FROM generate_series(1, 5000)");
    let hostile = [
        format!("SELECT replace(replace('{short}', 'x', '{short}'), 'x', '{short}')"),
        format!("SELECT replace('{}', '', '{}')", x(30_000), x(30_000)),
        format!("SELECT count(*) {rows} WHERE replace('{short}' || value, 'x', '{short}') = 'y'"),
        format!("SELECT regexp_replace('{}', 'x', '{}', 'g')", x(30_000), x(30_000)),
        format!(
            "SELECT count(*) {rows} WHERE regexp_replace('{short}' || value, '(.*)', '{}') = 'y'",
            "\\1".repeat(20_000)
        ),
        format!("SELECT length(string_agg('{long}', ',')) {rows}"),
        format!("SELECT length(string_agg(value || '', '{long}')) {rows}"),
        format!("SELECT array_length(array_agg('{long}')) {rows}"),
        format!("SELECT length(array_to_string(array_agg(value), '{long}')) {rows}"),
        format!("SELECT array_length(array_replace_all(array_agg('a'), 'a', '{long}')) {rows}"),
        format!("SELECT count(*) {rows} WHERE concat('{long}', value) = 'y'"),
        format!("SELECT max('{long}' || value) {rows}"),
        format!("SELECT length(concat_ws('{}', {}''))", x(50_000), "'', ".repeat(900)),
        format!("SELECT count(*) {rows} WHERE to_char(to_timestamp(value), '{}') = 'y'", "%c".repeat(20_000)),
        doubled("a || a", &text),
        doubled("concat(a, a)", &text),
        doubled("overlay(a PLACING a FROM 1 FOR 0)", &text),
        doubled("array_concat(a, a)", &list),
        doubled("a || a", &list),
        format!("SELECT '{long}' AS a {rows}"),
        format!("SELECT CASE WHEN value > 1 THEN '{long}' END AS a {rows}"),
        format!("SELECT coalesce(CASE WHEN value < 0 THEN 'y' END, '{long}') AS a {rows}"),
        format!("SELECT a, value {rows} CROSS JOIN (SELECT '{long}' AS a) AS b"),
        format!("SELECT '{long}' AS a, unnest([1, 2, 3]) AS b"),
        // What is computed first, and copied then.
        format!("SELECT a, value {rows} CROSS JOIN (SELECT {gathered} AS a FROM generate_series(1, 50000)) AS b"),
        format!(
            "SELECT a, value {rows} JOIN (SELECT {gathered} AS a, 7 AS k FROM generate_series(1, 50000)) AS b ON value % 10 = k"
        ),
        format!("SELECT value, (SELECT {gathered} FROM generate_series(1, 50000)) AS a {rows}"),
        format!(
            "SELECT a, unnest(l) AS b FROM (SELECT {gathered} AS a, array_agg(value) AS l FROM generate_series(1, 50000))"
        ),
        // Short enough for a batch of rows, and not for all of a window.
        format!("SELECT first_value(a) OVER () AS b FROM ({one_long})"),
        format!("SELECT max(a || 'y') OVER (ORDER BY value) AS b FROM ({one_long})"),
        format!("SELECT lag(value || '', 100000, '{}') OVER (ORDER BY value) AS b {rows}", x(7_000)),
    ];
    for statement in hostile {
        let refusal = place.refused(&statement).await;
        assert_eq!(refusal.kind, TooMuch, "{}: {refusal:?}", shown(&statement));
    }
    // The arguments of table functions are folded where there is no plan yet, and what is not folded is none.
    let folded = format!(
        "SELECT * FROM generate_series(1, length(replace(replace('{short}', 'x', '{short}'), 'x', '{short}')))"
    );
    assert!([Bad, TooMuch].contains(&place.refused(&folded).await.kind));
    // A long text that is asked about, and not copied, is no harm.
    let rows = "FROM generate_series(1, 9000)";
    for (statement, shows) in [
        (format!("SELECT count(*) AS n {rows} WHERE strpos('{long}', value || '') = 0"), "| 9000 |"),
        (format!("SELECT sum(length(split_part('{long}', 'y', value % 2 + 2))) AS n {rows}"), "| 0 |"),
        (format!("SELECT count(*) AS n FROM crystals WHERE id = '{long}'"), "| 0 |"),
        (format!("SELECT length('{long}' || '{short}') AS n"), "| 62000 |"),
        (
            format!("SELECT length(max(a)) < 5 AS n FROM (SELECT first_value(value || '') OVER () AS a {rows})"),
            "| true |",
        ),
    ] {
        let rows = place.ask(statement.as_str()).await;
        let rows = rows.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", shown(&statement)));
        assert!(rows.contains(shows), "{}\n{rows}", shown(&statement));
    }
    place.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_do_not_make_a_short_statement_long() {
    let place = Place::within(Duration::from_secs(60)).await;
    let with = |text: String, value: sql::Bound| Question {
        values: Values::InOrder(vec![value]),
        ..Question::from(text.as_str())
    };
    let often = |n: usize| format!("SELECT {}$1 AS x", "$1, ".repeat(n));
    let text = |n: usize| sql::Bound::Text("x".repeat(n));
    let list = |n: usize| sql::Bound::List(vec![sql::Bound::Integer(1); n]);
    for hostile in [with(often(900), text(900_000)), with(often(900), list(300_000)), with(often(0), list(1 << 21))] {
        assert_eq!(place.ask(hostile).await.unwrap_err().kind, TooMuch);
    }
    let lengths = place.ask(with("SELECT length($1) AS n, length($1) AS m".into(), text(400_000))).await.unwrap();
    assert!(lengths.contains("| 400000 | 400000 |"), "{lengths}");
    let found = with("SELECT id FROM crystals WHERE array_has($1, natoms(structure) - 5)".into(), list(10_000));
    assert!(place.ask(found).await.unwrap().contains("rutile"));
}
