//! Training through the public API and through the command line: a run that is interrupted ends where a whole one ends,
//! and its weights answer queries.

use std::{ops::ControlFlow, path::Path};

use assert_cmd::Command;
use hollandite::{
    crystal::{Element, Lattice, Structure, content_hash},
    models::{
        Model,
        megnet::MegnetConfig,
        network::Config,
        splits::SplitKind,
        train::{Epoch, Loss, Observer, Sample, TrainOptions, Trained, train},
    },
};

struct Quiet;

impl Observer for Quiet {
    fn step(&self, _: usize, _: usize, _: usize, _: f64) {}
    fn epoch(&self, _: &Epoch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn note(&self, _: &str) {}
}

/// Wants no more than so many epochs.
struct Until(usize);

impl Observer for Until {
    fn step(&self, _: usize, _: usize, _: usize, _: f64) {}
    fn epoch(&self, epoch: &Epoch) -> ControlFlow<()> {
        if epoch.epoch < self.0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
    fn note(&self, _: &str) {}
}

/// Rock-salt cells of four metals at several sizes; the label is a smooth function of metal and size.
fn rock_salts() -> Vec<Sample> {
    let metals = [("Mn", -1.9), ("Ni", -1.2), ("Ti", -2.6), ("V", -2.1)];
    let cells = (0..12).flat_map(|k| metals.iter().map(move |&(m, e)| (m, e, 4.0 + 0.05 * f64::from(k))));
    cells
        .map(|(metal, energy, a)| {
            let lattice =
                Lattice::new([[0.0, a / 2.0, a / 2.0], [a / 2.0, 0.0, a / 2.0], [a / 2.0, a / 2.0, 0.0]]).unwrap();
            let species = vec![Element::from_symbol(metal).unwrap(), Element::O];
            let structure = Structure::new(lattice, species, vec![[0.0; 3], [0.5; 3]]).unwrap();
            Sample {
                id: format!("{metal}-{a:.2}"),
                formula: format!("{metal}O"),
                hash: content_hash(&structure),
                structure,
                target: energy + (a - 4.2).powi(2),
                split: None,
            }
        })
        .collect()
}

fn options(directory: &Path) -> TrainOptions {
    TrainOptions {
        config: Config::Megnet(MegnetConfig::original()),
        split: SplitKind::Random,
        test_fraction: 0.2,
        validation_fraction: 0.2,
        seed: 3,
        epochs: 6,
        batch: 8,
        learning_rate: 3e-3,
        loss: Loss::Mse,
        patience: 100,
        threads: 1,
        directory: directory.to_owned(),
        resume: false,
        time_limit: None,
        name: "rock-salt".into(),
        target: "formation_energy_per_atom".into(),
        data: "rock salts of a test".into(),
    }
}

#[test]
fn an_interrupted_run_ends_where_a_whole_one_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let samples = rock_salts();
    let a = train(&samples, &options(&whole), &Quiet).unwrap();
    // A time limit of nothing stops after each epoch.
    let piece = TrainOptions { resume: true, time_limit: Some(0.0), ..options(&parts) };
    let mut b: Option<Trained> = None;
    for _ in 0..6 {
        b = Some(train(&samples, &piece, &Quiet).unwrap());
    }
    let b = b.unwrap();
    assert_eq!((a.history.len(), b.history.len()), (6, 6));
    for (x, y) in a.history.iter().zip(&b.history) {
        let close = |p: f64, q: f64| (p - q).abs() <= 1e-4 * p.abs().max(1e-3);
        assert!(close(x.train_loss, y.train_loss) && close(x.validation_mae, y.validation_mae), "{x:?} {y:?}");
    }
    assert!(a.history[5].train_loss < a.history[0].train_loss, "{:?}", a.history);

    // What was written answers as what was trained.
    let model = Model::load(&whole.display().to_string()).unwrap();
    assert_eq!(model.card(), &a.card);
    for (id, predicted, _) in &a.test {
        let sample = samples.iter().find(|s| s.id == *id).unwrap();
        let answer = model.predict(std::slice::from_ref(&sample.structure)).remove(0).unwrap();
        assert!((answer - predicted).abs() < 1e-4, "{id}: {answer} against {predicted}");
    }

    // A checkpoint of another division is not continued.
    let other = TrainOptions { resume: true, seed: 4, ..options(&whole) };
    let message = train(&samples, &other, &Quiet).unwrap_err().to_string();
    assert!(message.contains("another run"), "{message}");
}

#[test]
fn an_observer_ends_a_run_which_then_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let samples = rock_salts();
    let ended = train(&samples, &options(folder.path()), &Until(2)).unwrap();
    assert_eq!((ended.history.len(), ended.card.training.epochs), (2, 2));
    let on = train(&samples, &TrainOptions { resume: true, ..options(folder.path()) }, &Until(3)).unwrap();
    assert_eq!(on.history.len(), 3);
    assert_eq!(on.history[..2], ended.history[..]);
}

#[test]
fn the_command_trains_evaluates_and_the_query_asks_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let lines: Vec<String> = rock_salts()
        .iter()
        .map(|s| {
            let species: Vec<_> = s.structure.species().iter().map(|e| e.symbol()).collect();
            serde_json::json!({
                "id": s.id, "lattice": s.structure.lattice().rows(), "species": species,
                "frac_coords": s.structure.frac_coords(), "formation_energy_per_atom": s.target,
            })
            .to_string()
        })
        .collect();
    std::fs::write(at("salts.jsonl"), lines.join("\n")).unwrap();
    let run = |args: &[&str]| {
        let output =
            Command::cargo_bin("hollandite").unwrap().arg("--store").arg(at("store")).args(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    run(&["init"]);
    run(&["import", &at("salts.jsonl")]);
    let said =
        run(&["train", "--epochs", "2", "--batch", "8", "--threads", "1", "--split", "random", "--out", &at("model")]);
    assert!(said.contains("validation: RMSE") && said.contains("predicting the mean"), "{said}");
    for file in ["megnet.safetensors.zst", "checkpoint.json", "learning.svg"] {
        assert!(folder.path().join("model").join(file).exists(), "{file} is missing");
    }
    let said = run(&["evaluate", "--model", &at("model"), "--plot", &at("parity.svg")]);
    assert!(said.contains("all: RMSE"), "{said}");
    assert!(folder.path().join("parity.svg").exists());
    let card = run(&["models", &at("model")]);
    assert!(card.contains("\"kind\": \"random\"") && card.contains("\"O\""), "{card}");
    let query = format!("SELECT count(predict_ef(structure, '{}')) AS n FROM tmo", at("model"));
    assert_eq!(run(&["sql", &query, "--format", "csv"]).trim(), "n\n48");
}
