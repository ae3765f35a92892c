//! `/`: a page to explore the store with. Its files are those of this folder, as they are here: our own scripts, each with one idea, are
//! modules that the browser puts together, and the libraries in `vendor` are as they were published. It calls no other server.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use report::page::{VIEWER_LICENSE, crystal_scripts};

use super::{Asked, end, of_text};
use crate::error::{Kind, Refusal};

const PAGE: &str = include_str!("index.html");

/// The names of files, and their texts.
macro_rules! files {
    ($($folder:literal: $($name:literal)*;)*) => {
        /// The files of the page, by name.
        pub(super) const NAMES: &[&str] = &[$($($name),*),*];
        const TEXTS: &[&str] = &[$($(include_str!(concat!($folder, $name))),*),*];
    };
}

files! {
    "": "page.css" "main.js" "cards.js" "completion.js" "dialect.js" "dom.js" "download.js" "editor.js" "elements.js" "examples.js"
        "funnel.js" "link.js" "plot.js" "reference.js" "result.js" "run.js" "server.js" "table.js" "words.js";
    "vendor/": "codemirror.js" "uPlot.iife.min.js" "uPlot.min.css" "LICENSES.txt";
}

/// The file of all licences: those of `vendor`, and that of the library that turns the crystals, which the page frames.
const LICENSES: &str = "LICENSES.txt";

/// What a file is, by the end of its name.
const KINDS: [(&str, &str); 3] = [(".js", TYPES[0]), (".css", TYPES[1]), (".txt", TYPES[2])];

/// The types of the files.
pub(super) const TYPES: [&str; 3] =
    ["text/javascript; charset=utf-8", "text/css; charset=utf-8", "text/plain; charset=utf-8"];

/// What the browser lets the page do: run the scripts of this server, and those of the crystals that it frames.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let crystals = crystal_scripts().ok()?;
    let policy = format!(
        "default-src 'none'; script-src 'self' {crystals}; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
});

pub(super) async fn answer(asked: Asked) -> Response {
    let Some(policy) = POLICY.clone() else {
        return end(asked.visit, &Refusal::new(Kind::Fault, "the page has no policy"));
    };
    asked.visit.end(None);
    let mut response = of_text("text/html; charset=utf-8", PAGE.to_owned());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// `GET /page/{name}`
pub(super) async fn file(asked: Asked) -> Response {
    let name = asked.request.uri().path().trim_start_matches("/page/");
    let text = served(name);
    let kind = KINDS.iter().find(|(end, _)| name.ends_with(end)).map(|(_, kind)| *kind);
    let Some((text, kind)) = text.zip(kind) else {
        return end(asked.visit, &Refusal::new(Kind::Missing, "the page has no such file"));
    };
    asked.visit.end(None);
    of_text(kind, text)
}

/// The text of a file of the page.
fn served(name: &str) -> Option<String> {
    let text = TEXTS[NAMES.iter().position(|known| *known == name)?];
    Some(if name == LICENSES { format!("{text}\n----\n\n{VIEWER_LICENSE}") } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use crystal::Element;
    use sha2::{Digest, Sha256};

    use super::*;

    fn text(name: &str) -> &'static str {
        TEXTS[NAMES.iter().position(|known| *known == name).unwrap()]
    }

    #[test]
    fn what_lies_in_the_folder_is_served_and_what_is_imported_is_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("http/explorer");
        let here = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let ours: BTreeSet<String> = here.filter(|name| name.ends_with(".js") || name.ends_with(".css")).collect();
        let served: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        assert!(ours.is_subset(&served), "{:?}", ours.difference(&served));
        for name in ours.iter().filter(|name| name.ends_with(".js")) {
            for imported in text(name).split(" from \"./").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(served.contains(imported), "{name} imports {imported}");
            }
            assert!(text(name).starts_with("// "), "{name} says what it is for");
            for forbidden in ["innerHTML", "http:", "https:", "eval("] {
                assert!(!text(name).contains(forbidden), "{name}: {forbidden}");
            }
        }
        for linked in PAGE.split("\"page/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(served.contains(linked), "{linked}");
        }
    }

    #[test]
    fn libraries_are_those_that_the_readme_names() {
        let readme = include_str!("vendor/README.md");
        for name in ["codemirror.js", "uPlot.iife.min.js", "uPlot.min.css"] {
            let hash = crystal::hex(&Sha256::digest(text(name).as_bytes()));
            assert!(readme.contains(&format!("| `{name}` | `{hash}` |")), "the sha256 of {name} is {hash}");
        }
        let versions = include_str!("vendor/package.json")
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\": \""));
        let licences = served(LICENSES).unwrap();
        for (package, version) in versions.filter(|(package, _)| *package != "esbuild") {
            let named = format!("{package} {}\n", version.trim_end_matches([',', '"']));
            assert!(licences.contains(&named), "{named}");
        }
    }

    #[test]
    fn every_library_is_served_with_its_licence() {
        let licences = served(LICENSES).unwrap();
        let parts: Vec<&str> = licences.split("\n----\n").map(str::trim).collect();
        let of = |library: &str| parts.iter().find(|part| part.lines().any(|line| line.starts_with(library)));
        for (library, holder, said) in [
            ("@codemirror/view ", "Marijn Haverbeke", "Permission is hereby granted"),
            ("@lezer/lr ", "Marijn Haverbeke", "Permission is hereby granted"),
            ("uplot ", "Leon Sorokin", "Permission is hereby granted"),
            ("3Dmol.js ", "University of Pittsburgh", "Redistribution and use"),
        ] {
            let part = of(library).unwrap_or_else(|| panic!("no licence of {library}"));
            assert!(part.contains(holder) && part.contains(said), "{library}: {part}");
            assert!(part.contains("WARRANT"), "{library}: {part}");
        }
        // A file of others is named here, with its licence above.
        let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("http/explorer/vendor");
        for file in std::fs::read_dir(vendor).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
            let known = ["codemirror.js", "uPlot.iife.min.js", "uPlot.min.css", LICENSES];
            let made = ["codemirror.entry.js", "package.json", "make", "README.md"];
            assert!(known.contains(&file.as_str()) || made.contains(&file.as_str()), "whose is {file}?");
        }
        assert!(PAGE.contains(">CodeMirror, uPlot and 3Dmol.js</a>"));
    }

    #[test]
    fn the_periodic_table_has_every_element_once() {
        let table = text("elements.js").split("TABLE = [").nth(1).unwrap().split("].map").next().unwrap();
        let mut symbols: Vec<&str> = table.split(['"', ',', ' ', '\n', '.']).filter(|word| !word.is_empty()).collect();
        symbols.sort_by_key(|symbol| Element::from_symbol(symbol).unwrap().z());
        assert_eq!(symbols, Element::all().map(Element::symbol).collect::<Vec<_>>());
    }
}
