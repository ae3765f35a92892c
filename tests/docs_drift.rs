//! The function reference and the model's errors in the README are what the program says of itself.
//! `UPDATE=1 cargo test --test docs_drift` writes them.

use hollandite::models::{DEFAULT_MODEL, Model, network::Config};

/// Compares what stands in the README between the markers of `section` with `text`, or writes it there.
fn check(section: &str, text: &str) {
    // The two tests below may both be writing.
    static README: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = README.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let begin = format!("<!-- {section}: begin, written by `UPDATE=1 cargo test --test docs_drift` -->\n");
    let end = format!("<!-- {section}: end -->\n");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(&begin).expect("README.md has the marker where the section begins");
    let (written, after) = rest.split_once(&end).expect("README.md has the marker where the section ends");
    let text = format!("\n{}\n\n", text.trim());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{before}{begin}{text}{end}{after}")).unwrap();
        return;
    }
    assert!(written == text, "section {section} of README.md is out of date: UPDATE=1 cargo test --test docs_drift");
}

#[test]
fn the_readme_quotes_the_card_of_the_embedded_model() {
    let model = Model::load(DEFAULT_MODEL).unwrap();
    let card = model.card();
    let Config::Megnet(config) = &card.config else { panic!("the embedded model is no MEGNet") };
    let mut text = format!(
        "`{}` is a MEGNet (Chen *et al.*, Chem. Mater. **31** (2019) 3564; {} parameters, cutoff {} Å), fitted to the \
         formation energies of {} oxides in {} epochs. Elements it has seen: {}. Data: {}.\n\n\
         | held-out oxides | number | RMSE | MAE | RMSE of the mean | MAE of the mean |\n|---|---|---|---|---|---|\n",
        card.name,
        card.parameters,
        config.cutoff,
        card.split.train,
        card.training.epochs,
        card.elements.len(),
        card.data
    );
    for (set, m) in &card.metrics {
        text += &format!(
            "| {set} | {} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
            m.count, m.rmse, m.mae, m.baseline_rmse, m.baseline_mae
        );
    }
    text += "\nErrors in eV/atom; the last two columns are those of always answering the training set's mean.";
    check("model", &text);
}

#[test]
fn the_readme_has_the_reference_that_the_program_prints() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hollandite"))
        .args(["functions", "--format", "markdown"])
        .output();
    check("functions", &String::from_utf8(output.unwrap().stdout).unwrap());
}

#[test]
fn the_readme_names_every_command() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
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
        assert!(shown.iter().any(|s| readme.contains(s)), "README.md does not show `hollandite {name}`");
    }
}
