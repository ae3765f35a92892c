//! Candidates from known crystals: what the program makes, that it makes nothing twice, and what it refuses.

use crate::common::program::{Store, stdout};
use predicates::str::contains;

/// A store with the published structures that the default store has.
pub fn published() -> Store {
    let store = Store::new();
    let parquet = store.beside("hosts.parquet");
    stdout(&["export", "tmo", "--to", &parquet]);
    store.run(&["import", &parquet]).assert().success();
    store
}

/// The only number that a query returns.
pub fn number(store: &Store, query: &str) -> i64 {
    let text = store.stdout(&["sql", query, "--format", "csv"]);
    text.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or_else(|| panic!("{query}: {text}"))
}

const SMALL: &str = "SELECT id, structure FROM tmo WHERE natoms <= 12 ORDER BY id";
const ELEMENTS: &str = "Ca,Zn,Al,Cr,Mn,Ti,Zr,Nb,Mo";

#[test]
fn candidates_are_neutral_new_and_know_their_parents() {
    let store = published();
    let enumerate = ["enumerate", "--prototypes", SMALL, "--elements", ELEMENTS, "--split", "2"];
    let text = store.stdout(&enumerate);
    let added = number(&store, "SELECT count(*) FROM candidates");
    assert!(added > 100, "{text}");
    assert!(text.contains(&format!("{added}  unique candidates")), "{text}");
    for (what, query) in [
        ("neutral", "SELECT count(*) FROM candidates WHERE NOT is_charge_neutral(formula)"),
        ("of a known parent", "SELECT count(*) FROM candidates c LEFT ANTI JOIN tmo p ON p.id = c.parent"),
        ("of the type that is said", "SELECT count(*) FROM candidates WHERE prototype(structure) <> prototype"),
        ("of oxygen as before", "SELECT count(*) FROM candidates WHERE NOT has_element(formula, 'O')"),
        ("of whole lineage", "SELECT count(*) FROM candidates WHERE substitution IS NULL OR source <> 'enumerated'"),
        (
            "of the parent's arrangement where no site is divided",
            "SELECT count(*) FROM candidates c JOIN tmo p ON p.id = c.parent
             WHERE substitution NOT LIKE '%#%' AND NOT same_prototype(p.structure, c.structure)",
        ),
        (
            "new",
            "SELECT count(*) FROM candidates c JOIN tmo t ON t.formula = c.formula
             WHERE t.spacegroup = c.spacegroup AND same_structure(t.structure, c.structure)",
        ),
        (
            "made once",
            "SELECT count(*) FROM candidates a JOIN candidates b ON a.formula = b.formula AND a.prototype = b.prototype
             WHERE a.id < b.id AND same_structure(a.structure, b.structure, 0.01, 0.02, 0.5)",
        ),
    ] {
        assert_eq!(number(&store, query), 0, "not all are {what}");
    }
    assert!(number(&store, "SELECT count(*) FROM candidates WHERE substitution LIKE '%#1'") > 10);
    // Cells follow the ions: a larger cation, a larger cell.
    let zircon = "SELECT count(*) FROM candidates c JOIN tmo p ON p.id = c.parent
                  WHERE c.substitution = 'Ti>Zr' AND c.volume / c.natoms <= p.volume / p.natoms";
    assert_eq!(number(&store, zircon), 0);

    // Nothing is made twice, and what is there is sound.
    let again = store.stdout(&enumerate);
    assert!(again.contains("0  unique candidates") && again.contains("added 0 rows"), "{again}");
    store.run(&["verify"]).assert().success();
    // The columns of every crystal are there, so that whatever asks tmo can ask candidates.
    let dictionary = store.stdout(&[
        "sql",
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'candidates'",
        "--format",
        "csv",
    ]);
    for column in ["void", "spacegroup", "structure_hash", "parent", "substitution", "prototype", "radius_change"] {
        assert!(dictionary.lines().any(|line| line == column), "{dictionary}");
    }
    // The stored query, its last step without the energy model that this store lacks.
    let query = include_str!("../../queries/funnel_candidates.sql")
        .replace("adsorption_potential(structure, 'Ca') > 0", "ef < 0");
    let funnel = store.stdout(&["sql", "-f", &store.file("funnel.sql", &query), "--format", "csv"]);
    let left: Vec<i64> = funnel.lines().skip(1).map(|l| l.rsplit(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!((left.len(), left[0]), (7, added), "{funnel}");
    assert!(left.is_sorted_by(|a, b| a >= b), "{funnel}");
}

#[test]
fn limits_and_dry_runs() {
    let store = published();
    let base = ["enumerate", "--prototypes", SMALL, "--elements", ELEMENTS];
    let dry = store.stdout(&[&base[..], &["--dry-run"]].concat());
    assert!(dry.contains("would add"), "{dry}");
    store.run(&["sql", "SELECT * FROM candidates"]).assert().failure().stderr(contains("candidates"));
    store.run(&[&base[..], &["--limit", "7", "--into", "few"]].concat()).assert().success();
    assert_eq!(number(&store, "SELECT count(*) FROM few"), 7);
    // Again it is the same seven; and twelve that were made in two runs are the twelve of one.
    store.run(&[&base[..], &["--limit", "7", "--into", "few"]].concat()).assert().success();
    assert_eq!(number(&store, "SELECT count(*) FROM few"), 7);
    for into in ["few", "twelve"] {
        store.run(&[&base[..], &["--limit", "12", "--into", into]].concat()).assert().success();
    }
    assert_eq!(number(&store, "SELECT count(*) FROM few JOIN twelve USING (id, structure_hash)"), 12);
    assert_eq!(number(&store, "SELECT count(*) FROM few"), 12);
    let narrow = ["--radius-change", "0.05", "--replaced", "1", "--into", "narrow"];
    store.run(&[&base[..], &narrow].concat()).assert().success();
    let wide =
        "SELECT count(*) FROM narrow WHERE radius_change > 0.05 OR radius_change IS NULL OR substitution LIKE '%,%'";
    assert_eq!(number(&store, wide), 0);
    assert!(number(&store, "SELECT count(*) FROM narrow") > 0);
}

#[test]
fn what_cannot_be_enumerated_says_why() {
    let store = published();
    let refused = |more: &[&str], message: &str| {
        let base = ["enumerate", "--elements", "Ti,Zr"];
        store.run(&[&base[..], more].concat()).assert().failure().stderr(contains(message));
    };
    refused(&["--prototypes", SMALL, "--into", "tmo"], "name another table");
    refused(&["--prototypes", "SELECT id FROM tmo"], "AS structure");
    refused(&["--prototypes", "SELECT id, structure FROM tmo WHERE false"], "no crystal");
    refused(&["--prototypes", SMALL, "--against", "nowhere"], "nowhere");
    refused(&["--prototypes", SMALL, "--radius-change", "x"], "0.2");
    store.run(&["enumerate", "--prototypes", SMALL, "--elements", "Ti,Xx"]).assert().failure().stderr(contains("'Xx'"));
    // A table of crystals that were not made has no place for lineage.
    let file =
        store.file("r.poscar", "NaCl\n1\n0 2.8 2.8\n2.8 0 2.8\n2.8 2.8 0\nNa Cl\n1 1\nDirect\n0 0 0\n.5 .5 .5\n");
    store.run(&["import", &file, "--into", "salts"]).assert().success();
    refused(&["--prototypes", SMALL, "--into", "salts"], "parent");
}
