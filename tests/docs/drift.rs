//! The function reference and the models' errors in the documents are what the program says of itself.
//! `UPDATE=1 cargo test --test docs drift` writes them.

use hollandite::models::{DEFAULT_MODEL, Found, find};

const COMMAND: &str = "UPDATE=1 cargo test --test docs drift";

/// Compares what stands in a document between the markers of `section` with `text`, or writes it there.
fn check(document: &str, section: &str, text: &str) {
    // Several tests below may be writing.
    static DOCUMENTS: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = DOCUMENTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let begin = format!("<!-- {section}: begin, written by `{COMMAND}` -->\n");
    let end = format!("<!-- {section}: end -->\n");
    let path = format!("{}/{document}", env!("CARGO_MANIFEST_DIR"));
    let whole = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = whole.split_once(&begin).expect("the document has the marker where the section begins");
    let (written, after) = rest.split_once(&end).expect("the document has the marker where the section ends");
    let text = format!("\n{}\n\n", text.trim());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{before}{begin}{text}{end}{after}")).unwrap();
        return;
    }
    assert!(written == text, "section {section} of {document} is out of date: {COMMAND}");
}

/// What the program prints, run on a new store.
fn printed(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let store = folder.path().join("store");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hollandite"));
        let output = command.env("HOLLANDITE_STORE", store).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["init"]);
    run(args)
}

#[test]
fn the_documents_quote_the_cards_of_the_embedded_models() {
    let default = find(DEFAULT_MODEL, None).unwrap();
    let (name, elements, data) = match &default {
        Found::Model(model) => (model.name(), model.card().elements.len(), model.card().data.clone()),
        // Its members were fitted to the same.
        Found::Ensemble(ensemble) => {
            let data = ensemble.members()[0].0.card().data.clone();
            (ensemble.card().name.as_str(), ensemble.elements().len(), data)
        }
    };
    let mut whole = format!(
        "`predict_ef` without a name asks `{}`. Elements it has seen: {}. Data: {}.\n\n\
         | model | parameters | settings | crystals | epochs | hours | test RMSE | MAE | new formulas RMSE | MAE | formula split \
         RMSE | MAE | paper's RMSE | RMSE of the mean |\n|{}\n",
        name,
        elements,
        data,
        "---|".repeat(14)
    );
    let mut short = format!(
        "`predict_ef` without a name asks `{}`, for {} elements. Errors in eV/atom:\n\n\
         | model | parameters | test RMSE | MAE | new formulas RMSE | MAE | paper's RMSE |\n|{}\n",
        name,
        elements,
        "---|".repeat(7)
    );
    let rows: serde_json::Value = serde_json::from_str(&printed(&["models", "list", "--format", "json"])).unwrap();
    for row in rows.as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let settings = match find(name, None).unwrap() {
            Found::Model(model) => model.card().config.settings(),
            Found::Ensemble(ensemble) => {
                let members: Vec<String> = ensemble.card().members.iter().map(|m| format!("`{}`", m.model)).collect();
                format!("the mean of {}", members.join(" and "))
            }
        };
        let number = |key: &str, digits: usize| row[key].as_f64().map_or("".into(), |x| format!("{x:.digits$}"));
        let name = format!("`{name}`");
        let cells = [
            name.clone(),
            number("parameters", 0),
            settings,
            number("crystals", 0),
            number("epochs", 0),
            number("hours", 1),
            number("test_rmse", 3),
            number("test_mae", 3),
            number("new_formula_rmse", 3),
            number("new_formula_mae", 3),
            number("formula_split_rmse", 3),
            number("formula_split_mae", 3),
            number("paper_rmse", 2),
            number("mean_rmse", 3),
        ];
        whole += &format!("| {} |\n", cells.join(" | "));
        let keys = ["test_rmse", "test_mae", "new_formula_rmse", "new_formula_mae"];
        let errors = keys.map(|key| number(key, 3)).join(" | ");
        short += &format!("| {name} | {} | {errors} | {} |\n", number("parameters", 0), number("paper_rmse", 2));
    }
    whole += "\nErrors in eV/atom.";
    check("queries/models.md", "model", &whole);
    check("README.md", "errors", &short);
}

#[test]
fn the_reference_is_what_the_program_prints() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hollandite"))
        .args(["functions", "--format", "markdown"])
        .output();
    check("queries/FUNCTIONS.md", "functions", &String::from_utf8(output.unwrap().stdout).unwrap());
}

#[test]
fn the_picture_of_the_readme_is_drawn_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = folder.path().join("drawn.svg");
    crate::common::program::stdout(&["plot", "structure", "hollandite-mno2", "--out", drawn.to_str().unwrap()]);
    let (drawn, kept) = (std::fs::read(drawn).unwrap(), "fixtures/screenings/hollandite.svg");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(kept);
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(path, drawn).unwrap();
    }
    assert!(drawn == std::fs::read(path).unwrap(), "{kept} is out of date: {COMMAND}");
}

#[test]
fn the_readme_has_an_index_of_the_functions() {
    let mut sections: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for function in hollandite::sql::functions() {
        sections.entry(function.section).or_default().push(format!("`{}`", function.name));
    }
    let lines = sections.iter().map(|(section, names)| format!("- **{section}**: {}", names.join(", ")));
    check("README.md", "index", &lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_documents_name_every_command() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = std::fs::read_dir(root.join("queries")).unwrap().map(|entry| entry.unwrap().path());
    let documents = guides.filter(|path| path.extension().is_some_and(|e| e == "md")).chain([root.join("README.md")]);
    let text: String = documents.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hollandite")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help.split_once("Commands:\n").unwrap().1;
    for line in commands.lines().take_while(|l| !l.trim().is_empty()) {
        let Some(name) =
            line.strip_prefix("  ").and_then(|l| l.split_whitespace().next()).filter(|_| !line.starts_with("   "))
        else {
            continue;
        };
        let shown = [format!("hollandite {name}"), format!("hollandite --store crystals {name}")];
        assert!(shown.iter().any(|s| text.contains(s)), "neither README.md nor a guide shows `hollandite {name}`");
    }
}
