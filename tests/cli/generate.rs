//! Hypothetical crystals: what the program draws and counts, that it goes on where it was, and what it refuses.

use super::enumerate::{number, published};
use predicates::str::contains;

const BASE: [&str; 6] = ["generate", "Ca,Mn,Ti,O", "--sites", "30", "--seed", "3"];

/// The numbers of a funnel, from the first step on.
fn funnel(text: &str) -> Vec<u64> {
    text.lines().map_while(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

#[test]
fn draws_are_counted_kept_and_continued() {
    let store = published();
    let first = store.stdout(&[&BASE[..], &["--n", "40"]].concat());
    let counts = funnel(&first);
    let [drawn, neutral, roomy, crystals, unique, novel] = counts[..] else { panic!("{first}") };
    assert!(drawn == 40 && neutral <= drawn && roomy <= neutral && crystals <= roomy, "{first}");
    assert!(unique <= crystals && novel <= unique && novel > 5, "{first}");
    // Of draws that end in the very same crystal there is one row.
    let rows = number(&store, "SELECT count(*) FROM generated") as u64;
    assert!(unique <= rows && rows <= crystals, "{rows} rows: {first}");
    for (what, query) in [
        ("neutral", "SELECT count(*) FROM generated WHERE NOT is_charge_neutral(formula)"),
        ("of a known template", "SELECT count(*) FROM generated g LEFT ANTI JOIN tmo t ON t.id = g.template"),
        (
            "of whole lineage",
            "SELECT count(*) FROM generated WHERE tokens IS NULL OR draw IS NULL OR seed <> 3 OR source <> 'generated'",
        ),
        ("within the largest cell", "SELECT count(*) FROM generated WHERE natoms > 30"),
        (
            "those of the table function",
            "SELECT count(*) FROM generated g LEFT ANTI JOIN generate('Ca,Mn,Ti,O', 40, 3, 30) f ON g.id = f.id AND g.draw = f.draw",
        ),
    ] {
        assert_eq!(number(&store, query), 0, "not all are {what}");
    }
    // Again nothing is drawn; more draws begin where those ended, and are those of one run.
    let again = store.stdout(&[&BASE[..], &["--n", "40"]].concat());
    assert!(funnel(&again) == counts && again.contains("added 0 rows"), "{again}");
    let more = store.stdout(&[&BASE[..], &["--n", "70"]].concat());
    let whole = store.stdout(&[&BASE[..], &["--n", "70", "--into", "whole"]].concat());
    assert_eq!((funnel(&more), funnel(&more)[0]), (funnel(&whole), 70));
    assert_eq!(number(&store, "SELECT count(*) FROM generated_draws"), 2);
    assert_eq!(
        number(&store, "SELECT count(*) FROM generated a JOIN whole b USING (id, draw, tokens)"),
        number(&store, "SELECT count(*) FROM whole")
    );
    // Crystals of a table that is named besides are not new.
    let known = store.stdout(&[&BASE[..], &["--n", "40", "--into", "repeated", "--against", "whole"]].concat());
    assert_eq!(funnel(&known)[5], 0, "{known}");
    // One composition.
    let oxide = store.stdout(&["generate", "MnO2", "--n", "30", "--into", "dioxides"]);
    assert!(funnel(&oxide)[3] > 5, "{oxide}");
    assert_eq!(number(&store, "SELECT count(*) FROM dioxides WHERE formula <> 'MnO2'"), 0);
    store.run(&["verify"]).assert().success();
}

#[test]
fn a_network_draws_beside_the_templates() {
    let store = published();
    let wyckoff = [&BASE[..], &["--sampler", "wyckoff", "--n", "12"]].concat();
    let said = store.stdout(&wyckoff);
    assert!(funnel(&said)[0] == 12 && funnel(&said)[3] > 1, "{said}");
    let other = "SELECT count(*) FROM generated g LEFT ANTI JOIN \
                 generate('Ca,Mn,Ti,O', 12, 3, 30, sampler => 'wyckoff') f ON g.id = f.id AND g.tokens = f.tokens";
    assert_eq!(number(&store, other), 0);
    // Each way of drawing begins with its own first draw, and goes on there.
    let wanted = [&wyckoff[..], &["--void", "0.65"]].concat();
    let templates = [&BASE[..], &["--n", "8"]].concat();
    for arguments in [&wanted, &templates, &wanted] {
        store.stdout(arguments);
    }
    for (words, draws) in [("network wyckoff", 24), ("void = 0.65", 12), ("templates of tmo", 8)] {
        let drawn = format!("SELECT sum(drawn) FROM generated_draws WHERE strpos(request, '{words}') > 0");
        assert_eq!(number(&store, &drawn), draws, "{words}");
    }
    let samplers = "SELECT count(*) FROM generated WHERE (sampler = 'wyckoff') <> (strpos(request, 'wyckoff') > 0)";
    assert_eq!((number(&store, samplers), number(&store, "SELECT count(DISTINCT sampler) FROM generated")), (0, 2));
    store.run(&["verify"]).assert().success();
}

#[test]
fn what_cannot_be_generated_says_why() {
    let store = published();
    let refused = |arguments: &[&str], message: &str| {
        store.run(&[&["generate"], arguments].concat()).assert().failure().stderr(contains(message));
    };
    refused(&["Mn,Ti"], "add one, such as O");
    refused(&["Mn,Xx,O"], "'Xx'");
    refused(&["TiO3"], "not charge-neutral");
    refused(&["Mn,O", "--n", "0"], "0");
    refused(&["Mn,O", "--from", "nowhere"], "nowhere");
    refused(&["Mn,O", "--sites", "1"], "allow more sites");
    refused(&["Mn,O", "--n", "5", "--into", "tmo"], "name another table");
    refused(&["Mn,O", "--sampler", "magic"], "templates, wyckoff");
    refused(&["Mn,O", "--void", "0.5"], "sampler 'templates' knows nothing of void: take sampler 'wyckoff'");
    refused(&["Mn,O", "--sampler", "wyckoff", "--void", "1.5"], "void = 1.5; it must be a number from 0 to 1");
    refused(&["Mn,Ar,O", "--sampler", "wyckoff"], "no crystal with Ar");
    // The embedded models answer no forces.
    refused(&["Mn,O", "--n", "5", "--relax", "1"], "models add chgnet");
}
