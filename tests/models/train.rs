//! Training through the public API and through the command line: a run that is interrupted ends where a whole one ends,
//! and its weights answer queries.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex},
};

use assert_cmd::Command;
use burn::prelude::Device;
use hollandite::{
    crystal::{Element, Lattice, Structure, content_hash},
    generation::{Request, Sampler, WyckoffModel, WyckoffSampler},
    models::{
        Model, ModelCard,
        chgnet::ChgnetConfig,
        megnet::MegnetConfig,
        network::{Config, Net, architectures},
        splits::{Group, SplitKind},
        train::{Criterion, Epoch, Loss, Observer, Recipe, Sample, Schedule, TrainOptions, Trained, train, train_with},
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
        seed: 3,
        epochs: 6,
        batch: 8,
        learning_rate: 3e-3,
        loss: Loss::Mse,
        patience: 100,
        threads: 1,
        name: "rock-salt".into(),
        data: "rock salts of a test".into(),
        ..TrainOptions::new(Config::Megnet(MegnetConfig::original()), directory)
    }
}

/// Every architecture, narrow enough to be fitted in moments.
fn narrow() -> Vec<(&'static str, Config)> {
    let settings = |name: &str| -> &[&str] {
        match name {
            "megnet" => &["blocks=1", "cutoff=3"],
            "alignn" | "alignn-atomwise" => {
                &["hidden=8", "embedding=8", "alignn_layers=1", "gcn_layers=1", "edges.nearest.count=6"]
            }
            "deeper-gatgnn" => &["hidden=8", "layers=2", "edges.nearest.count=6"],
            "cgcnn" => &["atom=8", "crystal=8", "convolutions=2", "edges.nearest.count=6"],
            "schnet" => &["hidden=16", "layers=2", "readout=8", "points=40", "edges.nearest.count=6"],
            "trees-magpie" => &["trees=40", "each=8", "depth=3", "least=2"],
            "cnn-magpie" | "cnn-xrd" => {
                &[r#"convolutions=[{"filters":4,"kernel":3,"dropout":0.3}]"#, r#"dense=[{"units":8,"dropout":0.3}]"#]
            }
            _ => &["hidden=8"],
        }
    };
    let of = |(name, usual): (&'static str, Config)| {
        let settings: Vec<String> = settings(name).iter().map(|s| (*s).to_owned()).collect();
        (name, usual.with(&settings).unwrap())
    };
    architectures().into_iter().map(of).collect()
}

/// All that a run comes to, to the last bit: errors and rates, predictions, and the id of the weights.
#[derive(Debug, PartialEq)]
struct Bits {
    epochs: Vec<[u64; 4]>,
    test: Vec<(String, u64)>,
    id: String,
}

impl Bits {
    fn of(run: &Trained) -> Self {
        let epoch = |e: &Epoch| [e.train_loss, e.validation_rmse, e.validation_mae, e.learning_rate].map(f64::to_bits);
        Self {
            epochs: run.history.iter().map(epoch).collect(),
            test: run.test.iter().map(|(id, predicted, _)| (id.clone(), predicted.to_bits())).collect(),
            id: run.card.id.clone(),
        }
    }
}

/// With dropout, statistics of batches, momenta, a moving average, and rates that depend on the errors so far.
#[test]
fn a_run_that_goes_on_from_a_checkpoint_is_the_run_that_was_not_stopped() {
    let samples = rock_salts();
    for (name, config) in narrow() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = Recipe {
            schedule: Schedule::Plateau { factor: 0.5, patience: 0, minimum: 1e-5 },
            average: Some(0.9),
            ..Recipe::default()
        };
        let at = |place: &str| {
            let usual = options(&folder.path().join(place));
            TrainOptions { config: config.clone(), recipe, epochs: 5, batch: 10, ..usual }
        };
        let whole = train(&samples, &at("whole"), &Quiet).unwrap();
        train(&samples, &at("parts"), &Until(2)).unwrap();
        let parts = train(&samples, &TrainOptions { resume: true, ..at("parts") }, &Quiet).unwrap();
        assert_eq!(Bits::of(&whole), Bits::of(&parts), "{name}");
        assert_eq!(whole.history.len(), 5);
        // The seed decides, the number of threads does not.
        let threads = train(&samples, &TrainOptions { threads: 3, ..at("threads") }, &Quiet).unwrap();
        assert_eq!(Bits::of(&whole), Bits::of(&threads), "{name}");
        let other = train(&samples, &TrainOptions { seed: 4, epochs: 1, ..at("other") }, &Quiet).unwrap();
        assert_ne!(Bits::of(&whole).epochs[0], Bits::of(&other).epochs[0], "{name}");
    }
}

#[test]
fn a_time_limit_stops_after_each_epoch_and_what_was_written_answers_as_what_was_trained() {
    let folder = tempfile::tempdir().unwrap();
    let samples = rock_salts();
    let piece = TrainOptions { resume: true, time_limit: Some(0.0), epochs: 4, ..options(folder.path()) };
    let runs: Vec<Trained> = (0..4).map(|_| train(&samples, &piece, &Quiet).unwrap()).collect();
    assert_eq!(runs.iter().map(|run| run.history.len()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let run = &runs[3];
    assert!(run.history[3].train_loss < run.history[0].train_loss, "{:?}", run.history);
    let model = Model::load(&folder.path().display().to_string()).unwrap();
    assert_eq!(model.card(), &run.card);
    for (id, predicted, _) in &run.test {
        let sample = samples.iter().find(|s| s.id == *id).unwrap();
        let answer = model.predict(std::slice::from_ref(&sample.structure)).remove(0).unwrap();
        assert!((answer - predicted).abs() < 1e-4, "{id}: {answer} against {predicted}");
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let samples = rock_salts();
    let first = TrainOptions { epochs: 1, ..options(folder.path()) };
    train(&samples, &first, &Quiet).unwrap();
    let refused = |options: TrainOptions, samples: &[Sample]| {
        train(samples, &TrainOptions { resume: true, ..options }, &Quiet).unwrap_err().to_string()
    };
    let message = refused(TrainOptions { seed: 4, ..first.clone() }, &samples);
    assert!(message.contains("another run") && message.contains("seed was 3, is 4"), "{message}");
    let message = refused(TrainOptions { loss: Loss::Mae, ..first.clone() }, &samples);
    assert!(message.contains("loss was mse, is mae"), "{message}");
    let mut relabelled = samples.clone();
    relabelled.iter_mut().for_each(|s| s.target += 1.0);
    assert!(refused(first.clone(), &relabelled).contains("data was"));
    std::fs::write(folder.path().join("checkpoint.json"), "{").unwrap();
    assert!(refused(first, &samples).contains("checkpoint.json"));
}

#[test]
fn a_run_stops_early_and_goes_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let samples = rock_salts();
    // At a rate that forgets what was learned an early epoch is the best.
    let recipe = Recipe { schedule: Schedule::Constant, ..Recipe::default() };
    let hasty = TrainOptions { patience: 2, epochs: 40, learning_rate: 0.02, recipe, ..options(folder.path()) };
    let run = train(&samples, &hasty, &Quiet).unwrap();
    let (epochs, best) = (run.card.training.epochs, run.card.training.best_epoch);
    assert!(epochs < 40 && epochs == best + 2, "{epochs} {best}");
    let lowest = run.history.iter().map(|e| e.validation_mae).fold(f64::INFINITY, f64::min);
    assert_eq!(run.history[best - 1].validation_mae, lowest);
    assert!((run.card.metrics["validation"].mae - lowest).abs() < 1e-9, "the weights of the best epoch are kept");
    let again = train(&samples, &TrainOptions { resume: true, ..hasty }, &Quiet).unwrap();
    assert_eq!(Bits::of(&run), Bits::of(&again));
}

/// Records the reports of progress.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn step(&self, _: usize, _: usize, _: usize, _: f64) {}
    fn epoch(&self, _: &Epoch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn note(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe { schedule: Schedule::Constant, clip: None, ..Recipe::default() };
    let wild = TrainOptions { learning_rate: 1e30, recipe, ..options(folder.path()) };
    let notes = Notes::default();
    let message = train(&rock_salts(), &wild, &notes).unwrap_err().to_string();
    assert!(message.contains("learning rate"), "{message}");
    assert!(notes.0.into_inner().unwrap().iter().any(|note| note.contains("not a number")));
}

#[test]
fn an_energy_model_is_not_fitted_to_energies_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::Chgnet(ChgnetConfig { radial: 7, angular: 7, convolutions: 2, ..ChgnetConfig::published() });
    let net = Net::new(&config, 1, &Device::flex());
    let card = ModelCard { config, ..Model::load("cgcnn").unwrap().card().clone() };
    let options = TrainOptions { start: Some(Model::new(net, card)), ..options(&folder.path().join("fitted")) };
    let message = train(&rock_salts(), &options, &Quiet).unwrap_err().to_string();
    assert!(message.contains("chgnet is an energy model") && message.contains("megnet, alignn"), "{message}");
    assert!(!folder.path().join("fitted").exists());
}

#[test]
fn fine_tuning_begins_with_the_weights_and_the_scale_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let samples = rock_salts();
    for (name, config) in narrow().into_iter().filter(|(name, _)| ["megnet", "cgcnn", "cnn-magpie"].contains(name)) {
        let at = |place: &str| folder.path().join(name).join(place);
        let first = train(&samples, &TrainOptions { config, ..options(&at("first")) }, &Quiet).unwrap();
        let start = Model::load(&at("first").display().to_string()).unwrap();
        // A rate of nothing leaves the weights as they were: the errors of the first run come out.
        let still = TrainOptions {
            start: Some(Arc::clone(&start)),
            learning_rate: 0.0,
            epochs: 1,
            recipe: Recipe { weight_decay: 0.0, ..Recipe::default() },
            ..options(&at("still"))
        };
        let tuned = train(&samples, &still, &Quiet).unwrap();
        assert_eq!(tuned.card.config, first.card.config);
        assert_eq!((tuned.card.mean, tuned.card.scale), (first.card.mean, first.card.scale));
        assert_eq!(tuned.card.training.start, Some(format!("rock-salt ({})", start.id())));
        // Statistics of batches move even so.
        let near = if name == "cgcnn" { 0.3 } else { 1e-6 };
        for ((id, a, _), (_, b, _)) in first.test.iter().zip(&tuned.test) {
            assert!((a - b).abs() < near, "{name} {id}: {a} {b}");
        }
        // The learned statistics of a descriptor are kept, though the new data has others.
        let few = TrainOptions { directory: at("few"), ..still };
        assert_eq!(train(&samples[..24], &few, &Quiet).unwrap().card.config, first.card.config);
    }
}

#[test]
fn more_crystals_are_trained_on_and_held_out_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let all = rock_salts();
    let (some, more): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|s| !s.id.starts_with("Ti"));
    let at = |place: &str| TrainOptions { epochs: 1, ..options(&folder.path().join(place)) };
    let alone = train(&some, &at("alone"), &Quiet).unwrap();
    // The second table holds everything: what is new of it are the titanium oxides.
    let both = train_with(&some, &all, &at("both"), &Quiet).unwrap();
    let (a, b) = (&alone.card, &both.card);
    assert_eq!((a.split.validation, a.split.test), (b.split.validation, b.split.test));
    assert_eq!((b.split.train, b.training.more), (a.split.train + more.len(), more.len()));
    assert_eq!(b.elements.get("Ti"), Some(&more.len()));
    assert!(!a.elements.contains_key("Ti") && a.training.more == 0);
}

#[test]
fn what_is_left_out_is_not_fitted_but_judges_as_the_others_do() {
    let folder = tempfile::tempdir().unwrap();
    let samples = rock_salts();
    let at = |place: &str| TrainOptions { epochs: 1, ..options(&folder.path().join(place)) };
    let usual = train(&samples, &at("usual"), &Quiet).unwrap();
    let unfitted = samples.iter().filter(|s| s.id.starts_with("Ti")).map(|s| s.hash).collect();
    let without = train(&samples, &TrainOptions { unfitted, ..at("without") }, &Quiet).unwrap();
    let (a, b) = (&usual.card, &without.card);
    assert_eq!((a.split.validation, a.split.test), (b.split.validation, b.split.test));
    assert!(without.test.iter().any(|(id, ..)| id.starts_with("Ti")), "{:?}", without.test);
    assert!(a.elements["Ti"] > 0 && b.split.train == a.split.train - a.elements["Ti"]);
    assert!(!b.elements.contains_key("Ti"));
}

#[test]
fn what_is_chosen_is_in_the_card() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe {
        schedule: Schedule::OneCycle { warm_up: 0.5 },
        weight_decay: 1e-3,
        clip: None,
        average: Some(0.99),
        batch_atoms: Some(12),
        criterion: Criterion::Rmse,
    };
    let mut samples = rock_salts();
    // Two atoms so far apart that no bond is found.
    let lattice = Lattice::from_parameters(90.0, 90.0, 90.0, 90.0, 90.0, 90.0).unwrap();
    samples[5].structure =
        Structure::new(lattice, samples[5].structure.species().to_vec(), vec![[0.0; 3], [0.5; 3]]).unwrap();
    let split = SplitKind::KFold { folds: 3, fold: 1, by: Group::Id };
    let options = TrainOptions { recipe, split, epochs: 2, loss: Loss::Huber { delta: 0.5 }, ..options(folder.path()) };
    let card = train(&samples, &options, &Quiet).unwrap().card;
    let t = &card.training;
    assert_eq!((t.schedule.as_str(), t.loss.as_str(), t.epochs), ("one-cycle:0.5", "huber:0.5", 2));
    assert_eq!((t.weight_decay, t.clip, t.average, t.batch_atoms), (1e-3, None, Some(0.99), Some(12)));
    assert_eq!((t.left_out, card.split.kind.as_str()), (1, "kfold:3:1"));
    assert_eq!(card.split.train + card.split.validation + card.split.test, samples.len() - 1);
    let text = serde_json::to_string(&card).unwrap();
    assert_eq!(serde_json::from_str::<ModelCard>(&text).unwrap(), card);
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

/// The sentence with which a command is refused.
fn refusal(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::cargo_bin("hollandite").unwrap();
    let output = command.arg("--store").arg(folder.join("store")).args(args).output().unwrap();
    assert!(!output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A store with the rock salts in `folder`, and what runs a command on it.
fn store_of_rock_salts(folder: &Path) -> impl Fn(&[&str]) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let lines: Vec<String> = rock_salts()
        .iter()
        .map(|s| {
            let species: Vec<_> = s.structure.species().iter().map(|e| e.symbol()).collect();
            serde_json::json!({
                "id": s.id, "lattice": s.structure.lattice().rows(), "species": species,
                "frac_coords": s.structure.frac_coords(), "formation_energy_per_atom": s.target,
                "band_gap": 2.0 - 0.5 * s.target,
            })
            .to_string()
        })
        .collect();
    std::fs::write(at("salts.jsonl"), lines.join("\n")).unwrap();
    let store = at("store");
    let run = move |args: &[&str]| {
        let output = Command::cargo_bin("hollandite").unwrap().arg("--store").arg(&store).args(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    run(&["init"]);
    run(&["import", &at("salts.jsonl")]);
    run
}

#[test]
fn the_command_trains_evaluates_and_the_query_asks_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let run = store_of_rock_salts(folder.path());
    let said =
        run(&["train", "--epochs", "2", "--batch", "8", "--threads", "1", "--layers", "1", "--out", &at("model")]);
    assert!(said.contains("validation: RMSE") && said.contains("predicting the mean"), "{said}");
    for file in ["model.safetensors.zst", "checkpoint.json", "learning.svg"] {
        assert!(folder.path().join("model").join(file).exists(), "{file} is missing");
    }
    let said = run(&["evaluate", "--model", &at("model"), "--plot", &at("parity.svg")]);
    assert!(said.contains("all: RMSE"), "{said}");
    assert!(folder.path().join("parity.svg").exists());
    // Fine-tuned, on one more table, with all that can be chosen.
    let line = format!(
        "train --from {} --also tmo --split system --epochs 1 --batch-atoms 40 --schedule plateau --loss huber:0.1 \
         --ema 0.9 --clip 0 --weight-decay 0 --best rmse --threads 1 --test 0.3 --validation 0.3 --seed 6 --out {}",
        at("model"),
        at("tuned")
    );
    run(&line.split_whitespace().collect::<Vec<_>>());
    let card = run(&["models", &at("tuned"), "--format", "json"]);
    assert!(card.contains("\"kind\": \"system\"") && card.contains("\"start\": \"model ("), "{card}");
    // Other first weights, the same division; the card quotes the first run.
    let line = format!(
        "train --layers 1 --epochs 1 --batch 8 --threads 1 --seed 9 --split-seed 42 --quote {} --name twin --out {}",
        at("model"),
        at("twin")
    );
    run(&line.split_whitespace().collect::<Vec<_>>());
    let [first, twin] = ["model", "twin"].map(|name| Model::load(&at(name)).unwrap());
    assert_ne!(first.id(), twin.id());
    assert_eq!(first.card().split, twin.card().split);
    let quoted = twin.card().metrics.iter().find(|(set, _)| set.starts_with("test of a run split by random"));
    assert_eq!(quoted.unwrap().1, &first.card().metrics["test"]);
    let refused = |args: &[&str]| {
        let mut command = Command::cargo_bin("hollandite").unwrap();
        let output = command.arg("--store").arg(at("store")).arg("train").args(args).output().unwrap();
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (args, said) in [
        (&["--layers", "2", "--quote", &at("model")][..], "--quote"),
        (&["--set", "hidden=64"], "the settings of megnet are"),
        (&["--hidden", "64"], "cutoff=5"),
        (&["--split", "kfold:5:5"], "kfold:FOLDS:FOLD"),
        (&["--schedule", "fast"], "one-cycle"),
        (&["--loss", "hinge"], "huber:DELTA"),
        (&["--ema", "1.5"], "share from 0 to 1"),
        (&["--device", "cuda"], "--features cuda"),
        (&["--from", "nobody"], "known models"),
        (&["--from", "megnet", "--layers", "2"], "cannot be used with"),
    ] {
        let message = refused(args);
        assert!(message.contains(said), "{args:?}: {message}");
    }
    let card = run(&["models", "show", &at("model"), "--format", "json"]);
    assert!(card.contains("\"kind\": \"random\"") && card.contains("\"O\""), "{card}");
    let query = format!("SELECT count(predict_ef(structure, '{}')) AS n FROM tmo", at("model"));
    assert_eq!(run(&["sql", &query, "--format", "csv"]).trim(), "n\n48");
}

#[test]
fn a_trained_model_is_what_its_name_means() {
    let folder = tempfile::tempdir().unwrap();
    let run = store_of_rock_salts(folder.path());
    let refused = |args: &[&str]| refusal(folder.path(), args);
    const SHORT: [&str; 9] = ["train", "--layers", "1", "--epochs", "1", "--batch", "16", "--threads", "1"];
    let train = |more: &[&str]| run(&[&SHORT[..], more].concat());
    let said = train(&[]);
    assert!(said.contains("model megnet-1 (") && said.contains("predict_ef(structure, 'megnet-1')"), "{said}");
    assert!(train(&["--seed", "7"]).contains("model megnet-2 ("), "the first is not overwritten");
    assert!(train(&["--name", "mine", "--seed", "8"]).contains("model mine ("));
    // Each is asked under its name, as under its path; and the name of the program's own is still that.
    let path = folder.path().join("store/models/megnet-2").display().to_string();
    let query = format!(
        "SELECT predict_ef(structure, 'megnet-2') = predict_ef(structure, '{path}') AS same, \
         predict_ef(structure, 'megnet-2') = predict_ef(structure, 'megnet-1') AS twin, \
         predict_ef(structure, 'megnet-2') = predict_ef(structure, 'megnet') AS built_in FROM tmo WHERE id = 'Ti-4.20'"
    );
    assert_eq!(run(&["sql", &query, "--format", "csv"]), "same,twin,built_in\ntrue,false,false\n");
    let list = run(&["models", "list", "--format", "csv"]);
    let mut names: Vec<&str> = list.lines().filter_map(|line| line.split(',').next()).collect();
    assert!(["megnet", "megnet-1", "megnet-2", "mine"].iter().all(|name| names.contains(name)), "{names:?}");
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    // What is kept under a name tells the weights apart, of whatever folder they were read.
    run(&["evaluate", "--model", "megnet-2"]);
    run(&["evaluate", "--model", &path]);
    run(&["evaluate", "--model", "megnet"]);
    let kept = "SELECT model, count(*) AS n, count(DISTINCT model_id) AS ids FROM predictions WHERE id IS NOT NULL GROUP BY 1 ORDER BY 1";
    assert_eq!(run(&["sql", kept, "--format", "csv"]), "model,n,ids\nmegnet,48,1\nmegnet-2,48,1\n");
    for (name, part) in
        [("megnet", "ships with"), ("MEGNet", "ships with"), ("mine", "models remove mine"), ("a/b", "letters")]
    {
        let message = refused(&[&SHORT[..], &["--name", name]].concat());
        assert!(message.contains(part) && message.contains("--name"), "{name}: {message}");
    }
    // To go on is no other model.
    let more = |args: &[&str]| {
        run(&[&SHORT[..3], &["--epochs", "2", "--batch", "16", "--threads", "1", "--resume"], args].concat())
    };
    assert!(more(&["--name", "mine", "--seed", "8"]).contains("model mine ("));
    assert!(more(&["--seed", "7"]).contains("model megnet-2 ("));
    // A name that nothing came of is free.
    assert!(
        refused(&[&SHORT[..], &["--model", "cgcnn", "--test", "0.9", "--where", "id = 'Ti-4.20'"]].concat())
            .contains("error")
    );
    assert!(!folder.path().join("store/models/cgcnn-1").exists());
    run(&["models", "rm", "megnet-1"]);
    assert!(refused(&["sql", "SELECT predict_ef(structure, 'megnet-1') FROM tmo"]).contains("no model 'megnet-1'"));
}

#[test]
fn a_model_of_another_label_has_its_unit_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let run = store_of_rock_salts(folder.path());
    let refused = |args: &[&str]| refusal(folder.path(), args);
    let short = ["train", "--layers", "1", "--epochs", "1", "--batch", "16", "--threads", "1", "--target"];
    let said = run(&[&short[..], &["band_gap", "--name", "gap"]].concat());
    assert!(said.contains(" eV over ") && !said.contains("eV/atom"), "{said}");
    assert!(said.contains("predicts band_gap in eV; it is asked with predict(structure, 'gap')['value']"), "{said}");
    for picture in ["learning.svg", "parity.svg"] {
        let svg = std::fs::read_to_string(folder.path().join("store/models/gap").join(picture)).unwrap();
        assert!(svg.contains(", eV\n") && !svg.contains("eV/atom"), "{picture}: {svg}");
    }
    let card = run(&["models", "show", "gap"]);
    assert!(card.contains("band_gap in eV\n") && card.contains(" eV over ") && !card.contains("eV/atom"), "{card}");
    // Asked for a formation energy it has none; asked for what it predicts it answers.
    let message = refused(&["sql", "SELECT predict_ef(structure, 'gap') FROM tmo"]);
    assert!(message.contains("predicts band_gap in eV") && message.contains("predict(structure, 'gap')"), "{message}");
    let query = "SELECT count(predict(structure, 'gap')['value']) AS n FROM tmo";
    assert_eq!(run(&["sql", query, "--format", "csv"]), "n\n48\n");
    // It is measured by its own label, and by no other.
    let said = run(&["evaluate", "--model", "gap", "--plot", &at("all.svg")]);
    assert!(said.contains("all: RMSE") && said.contains(" eV over 48") && !said.contains("eV/atom"), "{said}");
    assert!(std::fs::read_to_string(at("all.svg")).unwrap().contains("label, eV\n"));
    let kept = "SELECT DISTINCT target_column, unit FROM predictions WHERE id IS NOT NULL";
    assert_eq!(run(&["sql", kept, "--format", "csv"]), "target_column,unit\nband_gap,eV\n");
    let message = refused(&["evaluate", "--model", "gap", "--target", "formation_energy_per_atom"]);
    assert!(message.contains("band_gap in eV") && message.contains("in eV/atom"), "{message}");
    run(&["plot", "errors", "gap", "--split", "all", "--out", &at("errors.svg")]);
    let svg = std::fs::read_to_string(at("errors.svg")).unwrap();
    assert!(svg.contains("absolute error, eV\n") && svg.contains("gap on tmo: 77 % of it training data"), "{svg}");
    // Another energy per atom is no formation energy either; a label of which nothing is known has the unit that is given.
    run(&[
        "sql",
        "CREATE TABLE own AS SELECT id, formula, structure, structure_hash, split, band_gap AS e_above_hull, natoms AS score FROM tmo",
    ]);
    run(&[&short[..], &["e_above_hull", "--table", "own", "--name", "hull"]].concat());
    let message = refused(&["sql", "SELECT predict_ef(structure, 'hull') FROM tmo"]);
    assert!(message.contains("e_above_hull in eV/atom, not a formation energy"), "{message}");
    let said = run(&[&short[..], &["score", "--table", "own", "--name", "plain"]].concat());
    assert!(said.contains("predicts score; it"), "{said}");
    let said = run(&[&short[..], &["score", "--unit", "points", "--table", "own", "--name", "scored"]].concat());
    assert!(said.contains("predicts score in points; it") && said.contains(" points over"), "{said}");
}

#[test]
fn a_tuning_that_is_stopped_goes_on_and_its_best_trial_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let run = store_of_rock_salts(folder.path());
    let tune = |name: &str, more: &[&str]| {
        let usual =
            ["tune", "--model", "cnn-magpie", "--space", "wide", "--epochs", "2", "--threads", "1", "--name", name];
        run(&[&usual[..], more].concat())
    };
    let said = tune("whole", &["--trials", "3"]);
    assert!(said.contains("3 trials") && said.contains("train --from-tuning whole\n"), "{said}");
    // A time limit of nothing stops after each epoch.
    assert!(tune("parts", &["--trials", "3", "--time-limit", "0"]).contains("goes on"));
    for _ in 0..5 {
        tune("parts", &["--trials", "3", "--time-limit", "0"]);
    }
    let trials = |name: &str| {
        let columns = "trial, state, error, epoch, epochs, settings";
        let query = format!("SELECT {columns} FROM trials WHERE tuning = '{name}' ORDER BY trial");
        run(&["sql", &query, "--format", "csv"])
    };
    let whole = trials("whole");
    assert!(whole.lines().count() == 4 && !whole.contains("running") && whole.contains("learning_rate"), "{whole}");
    assert_eq!(whole, trials("parts"));
    assert!(!folder.path().join("store/tuning/whole/trials").exists(), "the trials' checkpoints are left behind");
    let query = "SELECT name, model, trials FROM tunings ORDER BY name";
    assert_eq!(
        run(&["sql", query, "--format", "csv"]).trim(),
        "name,model,trials\nparts,cnn-magpie,3\nwhole,cnn-magpie,3"
    );

    let picture = at("tuning.png");
    run(&["plot", "tuning", "whole", "--out", &picture]);
    assert!(Path::new(&picture).exists());
    run(&[
        "train",
        "--from-tuning",
        "whole",
        "--epochs",
        "2",
        "--threads",
        "1",
        "--name",
        "best",
        "--out",
        &at("best"),
    ]);
    let card: serde_json::Value = serde_json::from_str(&run(&["models", &at("best"), "--format", "json"])).unwrap();
    assert_eq!(card["architecture"], "cnn-magpie");
    let winner = "SELECT settings FROM trials WHERE tuning = 'whole' AND state = 'done' ORDER BY error LIMIT 1";
    let rows: serde_json::Value = serde_json::from_str(&run(&["sql", winner, "--format", "json"])).unwrap();
    let settings: serde_json::Value = serde_json::from_str(rows[0]["settings"].as_str().unwrap()).unwrap();
    assert_eq!(card["training"]["learning_rate"], settings["learning_rate"]);
    assert_eq!(card["config"]["convolutions"][0]["filters"], settings["filters_1"]);
}

#[test]
fn a_generator_learns_from_the_crystals_of_a_table() {
    // The embedded store, which the first command makes.
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("hollandite").unwrap();
        command.env("XDG_DATA_HOME", folder.path()).env_remove("HOLLANDITE_STORE").args(arguments).output().unwrap()
    };
    let said = |output: std::process::Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let usual = ["train", "--model", "wyckoff", "--where", "natoms <= 30", "--validation", "0.2", "--epochs", "2"];
    let usual = [&usual[..], &["--batch", "16", "--threads", "1", "--name", "writer"]].concat();
    let train = |more: &[&str]| said(run(&[&usual[..], more].concat()));
    let text = train(&["--time-limit", "0"]);
    assert!(text.contains("after 1 epochs"), "{text}");
    let text = train(&["--resume"]);
    assert!(text.contains("generator writer") && text.contains("nats per crystal after 2 epochs"), "{text}");
    // It is asked by its name, and listed; another needs another name.
    assert!(text.contains("sampler => 'writer'"), "{text}");
    let drawn = said(run(&["generate", "Mn,O", "--n", "8", "--sampler", "writer"]));
    assert!(drawn.contains("8  draws"), "{drawn}");
    let rows = said(run(&["sql", "SELECT name FROM models WHERE architecture = 'wyckoff'", "--format", "csv"]));
    assert_eq!(rows.lines().collect::<Vec<_>>(), ["name", "writer"]);
    assert!(said(run(&["models", "writer"])).contains("nats per crystal"));
    let again = run(&usual);
    let error = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && error.contains("models remove writer"), "{error}");
    let weights = folder.path().join("hollandite/store/models/writer/writer.safetensors");
    let model = Arc::new(WyckoffModel::load(&weights).unwrap());
    assert!(model.card().crystals > 20 && model.card().data.contains("WHERE natoms <= 30"), "{:?}", model.card());
    let elements = ["K", "Mn", "O"].map(|s| Element::from_symbol(s).unwrap()).to_vec();
    let sampler = WyckoffSampler::new(model, &Request { elements, ..Request::default() });
    let written: Vec<_> = (0..20).filter_map(|seed| sampler.sample(seed)).collect();
    assert!(written.len() > 10 && written.iter().all(|s| s.tokens.charge().0 <= 0 && s.tokens.charge().1 >= 0));
}
