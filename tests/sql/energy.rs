//! Energy models in SQL: energies, forces and stress, relaxation, ions in channels. The weights are random, of CHGNet's form: what
//! is tested is how numbers hang together, which no weights change.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::common::potential;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use hollandite::{
    Store,
    models::{
        Model, ModelCard,
        network::{Config, Net},
        tensornet::TensornetConfig,
    },
    sql::Session,
};
use tokio::sync::{RwLock, RwLockReadGuard};

pub const WO3: &str = "WO3\n1.0\n3.8 0 0\n0 3.9 0\n0.1 0 4.0\nW O\n1 3\nDirect\n0 0 0\n0.5 0 0\n0 0.5 0.02\n0 0 0.5\n";

/// Forward passes are counted for the whole process: the test that counts them has it for itself.
pub static MODELS: RwLock<()> = RwLock::const_new(());

/// A store in `folder` with a small energy model called chgnet, and a session over it, beside those of other tests.
async fn session(folder: &Path) -> ((Store, RwLockReadGuard<'static, ()>), Session) {
    let beside = MODELS.read().await;
    let (store, session) = open(folder).await;
    ((store, beside), session)
}

pub async fn open(folder: &Path) -> (Store, Session) {
    let store = Store::init(&folder.join("store")).await.unwrap();
    let (net, card) = network();
    store.add_model(&net, &card).unwrap();
    let session = Session::open(&store, None).await.unwrap();
    (store, session)
}

fn network() -> (Net, ModelCard) {
    potential::chgnet(&["W", "O", "Li", "Na", "Mg"], &["W", "O", "Li", "Mg"])
}

/// The only value of an expression over the crystal s.
pub async fn value(session: &Session, expression: &str) -> ArrayRef {
    let query = format!("SELECT {expression} AS x FROM (SELECT structure('{WO3}') AS s)");
    let batches = session.sql(&query).await.unwrap().collect().await.unwrap();
    batches.iter().find(|batch| batch.num_rows() == 1).unwrap().column(0).clone()
}

pub async fn number(session: &Session, expression: &str) -> f64 {
    let value = value(session, expression).await;
    assert!(value.is_valid(0), "{expression}: {:?}", session.warnings());
    arrow::compute::cast(&value, &DataType::Float64).unwrap().as_primitive::<Float64Type>().value(0)
}

/// The sentence with which a query is refused.
pub async fn refusal(session: &Session, query: &str) -> String {
    match session.sql(query).await {
        Ok(frame) => frame.collect().await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_energy_model_the_command_that_brings_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::init(&folder.path().join("store")).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();
    for call in [
        "predict_energy(s)",
        "relax(s)",
        "adsorption(s, 'Li')",
        "adsorption_potential(s, 'Li')",
        "extraction_voltage(s, 'Li')",
        "migration_barrier(s, 'Li')",
        "voltage_curve(s, 'Li')",
    ] {
        let error = refusal(&session, &format!("SELECT {call} FROM (SELECT structure('{WO3}') AS s)")).await;
        assert!(error.contains("pip download chgnet") && error.contains("models add chgnet-*.whl"), "{call}: {error}");
    }
    let error = refusal(&session, &format!("SELECT predict_energy('{WO3}', 'cgcnn')")).await;
    assert!(error.contains("has no forces; forces need an energy model, such as CHGNet"), "{error}");
    let error = refusal(&session, &format!("SELECT predict_ef('{WO3}', 'chgnet')")).await;
    assert!(error.contains("pip download chgnet"), "{error}");
    assert!(value(&session, "reference_energy('Li', 'chgnet')").await.is_null(0));
    let warnings = session.warnings().join("\n");
    assert!(warnings.contains("none by chgnet") && warnings.contains("pip download chgnet"), "{warnings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn formation_energies_are_measured_from_the_models_own_elements() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = session(folder.path()).await;
    let ef = number(&session, "formation_energy(s, predict_energy(s) / natoms(s), 'chgnet')").await;
    let total = number(&session, "predict_energy(s) / natoms(s)").await;
    assert!((ef - (total + 1.5)).abs() < 1e-9, "{ef} of {total}");
    // The network that answers with formation energies takes off the same.
    let predicted = number(&session, "predict_ef(s, 'chgnet')").await;
    assert!((ef - predicted).abs() < 1e-5, "{ef}, {predicted}");
    // So are the reference energies of ions, and a potential of the four numbers is that of the whole loop.
    assert_eq!(number(&session, "reference_energy('Li', 'chgnet')").await, -1.5);
    assert_eq!(number(&session, "reference_energy('Li', 'CHGNet', 'the model')").await, -1.5);
    assert!(value(&session, "reference_energy('Na', 'chgnet')").await.is_null(0));
    assert!(session.warnings().join("").contains("none by chgnet"));
    session.sql("SET hollandite.relax_steps = 1").await.unwrap().collect().await.unwrap();
    let a = "adsorption(s, 'Li')[1]";
    let by_hand = format!(
        "adsorption_potential({a}['e_inserted'], {a}['e_host'], reference_energy('Li', 'chgnet'), 1) - {a}['adsorption_potential']"
    );
    assert!(number(&session, &by_hand).await.abs() < 1e-9);
    // Sodium was seen in training, but has no elemental reference energy.
    assert!(value(&session, "formation_energy('NaWO3', -5.0, 'chgnet')").await.is_null(0));
    let warnings = session.warnings().join("\n");
    assert!(warnings.contains("model chgnet has no elemental reference energy of Na"), "{warnings}");
    let error = refusal(&session, "SELECT formation_energy('WO3', -5.0, 'chignon')").await;
    assert!(error.contains("no elements by 'chignon': known are MP2020") && error.contains("INSERT INTO"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_or_the_session_chooses_among_energy_models() {
    let folder = tempfile::tempdir().unwrap();
    let (store, session) = session(folder.path()).await;
    let config = Config::Tensornet(TensornetConfig { units: 16, interactions: 1, ..TensornetConfig::published() });
    let (net, card) = potential::of(config, &["W", "O", "Li"], &["W", "O", "Li"]);
    store.0.add_model(&net, &card).unwrap();
    let (usual, other) =
        (number(&session, "predict_energy(s)").await, number(&session, "predict_energy(s, 'tensornet')").await);
    assert_ne!(usual, other);
    session.sql("SET hollandite.relax_steps = 1").await.unwrap().collect().await.unwrap();
    let of = |model: &str| format!("adsorption(s, 'Li', 1, '{model}')[1]['adsorption_potential']");
    let disagreement = number(&session, &format!("{} - {}", of("chgnet"), of("tensornet"))).await;
    assert!(disagreement != 0.0 && disagreement.is_finite(), "{disagreement}");
    // The cell is so short that single ions are no dilute ones, which is all that there is to say.
    let warnings = session.warnings();
    assert!(warnings.iter().all(|warning| warning.contains("periodic images")), "{warnings:?}");
    // A column of names asks each row's own; the table of models says which can be asked.
    let each = "SELECT string_agg(name || ' ' || x[1]['model'], ', ' ORDER BY name), max(x[1]['adsorption_potential']) - min(x[1]['adsorption_potential']) \
                FROM (SELECT name, adsorption(structure('{WO3}'), 'Li', 1, name) AS x FROM models WHERE forces)";
    let batches = session.sql(&each.replace("{WO3}", WO3)).await.unwrap().collect().await.unwrap();
    let named = arrow::util::display::array_value_to_string(batches[0].column(0), 0).unwrap();
    assert_eq!(named, "chgnet chgnet, tensornet tensornet");
    let apart = batches[0].column(1).as_primitive::<Float64Type>().value(0);
    assert!((apart - disagreement.abs()).abs() < 1e-12, "{apart} {disagreement}");
    let named = |name: &str| format!("SELECT adsorption('{WO3}', 'Li', 1, m) FROM (VALUES ({name})) AS t (m)");
    for (name, part) in [("'nope'", "nope"), ("'cgcnn'", "has no forces")] {
        let error = refusal(&session, &named(name)).await;
        assert!(error.contains(part), "{name}: {error}");
    }
    let nothing = session.sql(&named("NULL")).await.unwrap().collect().await.unwrap();
    assert!(nothing[0].column(0).is_null(0));
    session.sql("SET hollandite.energy_model = 'tensornet'").await.unwrap().collect().await.unwrap();
    assert_eq!(number(&session, "predict_energy(s)").await, other);
    assert!(value(&session, "predict_magmoms(s)").await.is_null(0));
    let warnings = session.warnings().join("\n");
    assert!(warnings.contains("model tensornet has no magnetic moments"), "{warnings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forces_and_stress_are_the_gradients_of_the_energy() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = session(folder.path()).await;
    let energy = |text: String| {
        let session = &session;
        async move { number(session, &format!("predict_energy(structure('{text}'))")).await }
    };
    let moved = |x: f64| WO3.replace("0 0.5 0.02", &format!("0 {} 0.02", 0.5 + x));
    let step = 2e-3;
    let gradient = (energy(moved(step)).await - energy(moved(-step)).await) / (2.0 * step * 3.9);
    let force = number(&session, "predict_forces(s)[3][2]").await;
    assert!((force + gradient).abs() < 2e-3 * gradient.abs().max(1.0), "{force} {gradient}");
    let along_x: Vec<String> = (1..=4).map(|i| format!("predict_forces(s)[{i}][1]")).collect();
    let total = number(&session, &along_x.join(" + ")).await;
    assert!(total.abs() < 1e-4, "{total}");
    // The cell longer along b by one part in 500; eV/Å³ to GPa.
    let wider = |f: f64| WO3.replace("0 3.9 0", &format!("0 {} 0", 3.9 * f));
    let gradient =
        (energy(wider(1.002)).await - energy(wider(0.998)).await) / 0.004 / (3.8 * 3.9 * 4.0) * 160.217_663_4;
    let stress = number(&session, "predict_stress(s)[2][2]").await;
    assert!((stress - gradient).abs() < 2e-2 * gradient.abs().max(1.0), "{stress} {gradient}");
    assert_eq!(value(&session, "predict_magmoms(s)").await.as_list::<i32>().value_length(0), 4);
    // A formation energy is measured from the elements; where one has no elemental reference energy there is none.
    let (ef, total) = (number(&session, "predict_ef(s, 'chgnet')").await, number(&session, "predict_energy(s)").await);
    assert!((ef - (total / 4.0 + 1.5)).abs() < 1e-5, "{ef} {total}");
    let sodium = WO3.replace("W O", "Na O");
    assert!(value(&session, &format!("predict_ef(structure('{sodium}'), 'chgnet')")).await.is_null(0));
    assert!(session.warnings()[0].contains("no reference energy of Na"));
    assert!(value(&session, "predict_energy(CAST(NULL AS VARCHAR))").await.is_null(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn relaxations_go_downhill_and_say_how_they_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = session(folder.path()).await;
    let before = number(&session, "predict_energy(s)").await;
    let after = number(&session, "relax(s, 1e-4, 10, true, 'bfgs')['energy']").await;
    assert!(after < before, "{after} {before}");
    assert_eq!(number(&session, "relax(s, 1e-6, 4)['steps']").await, 4.0);
    assert_eq!(number(&session, "relax(s, 1e6, 4)['steps']").await, 0.0);
    let volume = number(&session, "volume(relax(s, 1e-6, 4, false)['structure'])").await;
    assert!((volume - 3.8 * 3.9 * 4.0).abs() < 1e-6, "{volume}");
    assert!(value(&session, "relax(s, -1.0)").await.is_null(0) && session.warnings()[0].contains("fmax"));
    let error = refusal(&session, &format!("SELECT relax('{WO3}', 0.1, 5, true, 'newton')")).await;
    assert!(error.contains("fire, bfgs"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn potentials_follow_from_the_energies_beside_them_and_are_remembered() {
    let _alone = MODELS.write().await;
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = open(folder.path()).await;
    session.sql("SET hollandite.relax_steps = 2").await.unwrap().collect().await.unwrap();
    session.sql("SET hollandite.relax_fmax = 1e-9").await.unwrap().collect().await.unwrap();
    let of = |name: &str| format!("adsorption(s, 'Li')[1]['{name}']");
    let [host, inserted, ion, potential, voltage] = [
        number(&session, &of("e_host")).await,
        number(&session, &of("e_inserted")).await,
        number(&session, &of("e_ion")).await,
        number(&session, &of("adsorption_potential")).await,
        number(&session, &of("voltage")).await,
    ];
    assert_eq!(ion, -1.5);
    assert!((potential + (inserted - host - ion)).abs() < 1e-9 && (voltage - potential).abs() < 1e-12);
    assert_eq!(number(&session, &format!("natoms({})", of("structure"))).await, 5.0);
    assert_eq!(number(&session, &of("n")).await, 1.0);
    let passes = Model::forward_passes();
    assert_eq!(number(&session, &of("adsorption_potential")).await, potential);
    assert_eq!(Model::forward_passes(), passes, "it was computed for a second time");
    let widest = number(&session, "adsorption(s, 'Li', 1, 'chgnet', '1')[1]['adsorption_potential']").await;
    assert!((widest - potential).abs() < 1e-6, "{widest} {potential}");
    // Two steps are no relaxation: the struct says so, the bare number is NULL.
    assert!(!value(&session, &of("converged")).await.as_boolean().value(0));
    let reason = value(&session, &of("reason")).await;
    assert!(reason.as_string::<i32>().value(0).contains("did not converge in 2 steps"), "{reason:?}");
    assert!(value(&session, "adsorption_potential(s, 'Li')").await.is_null(0));
    assert!(session.warnings().join(" ").contains("did not converge in 2 steps"));
    // Nor has it an interval.
    let interval = |name: &str| format!("adsorption_interval(s, 'Li')['{name}']");
    assert!(
        value(&session, &interval("value")).await.is_null(0) && value(&session, &interval("upper")).await.is_null(0)
    );
    let reason = value(&session, &interval("reason")).await;
    assert!(reason.as_string::<i32>().value(0).contains("did not converge in 2 steps"), "{reason:?}");
    // Sodium finds a place but has no elemental reference energy; some numbers are no number of ions, some places are none.
    let reason = value(&session, "adsorption(s, 'Na')[1]['reason']").await;
    assert!(reason.as_string::<i32>().value(0).contains("no elemental reference energy of Na"));
    assert!(value(&session, "adsorption(s, 'Li', 0)").await.is_null(0));
    assert!(session.warnings()[0].contains("n = 0"));
    assert!(value(&session, "adsorption_potential(s, 'Li', 1, 'heptagonal')").await.is_null(0));
    assert!(value(&session, "adsorption_potential(CAST(NULL AS VARCHAR), 'Li')").await.is_null(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_ions_go_and_what_moves_may_be_stated() {
    let _beside = MODELS.read().await;
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = open(folder.path()).await;
    // Whatever the forces, they are small enough.
    session.sql("SET hollandite.relax_fmax = 1000000").await.unwrap().collect().await.unwrap();
    let centre = "'0.5 0.5 0.25; 0.5 0.5 0.75'";
    let of = |relaxes: &str, name: &str| {
        format!("adsorption(s, 'Li', 2, 'chgnet', 'each', 0, {centre}, '{relaxes}')[1]['{name}']")
    };
    // Nothing moves: the energy is that of the cell as it is put together.
    let [host, inserted, potential] = [
        number(&session, "predict_energy(s)").await,
        number(&session, &format!("predict_energy(insert(s, 'Li', 2, 'everywhere', {centre}))")).await,
        number(&session, &of("nothing", "adsorption_potential")).await,
    ];
    assert!((potential + (inserted - host + 3.0) / 2.0).abs() < 1e-5, "{potential} {inserted} {host}");
    let spacing = number(&session, &of("nothing", "spacing")).await;
    assert!((spacing - 2.0).abs() < 0.01, "half of the vector along c, {spacing}");
    assert_eq!(number(&session, &of("nothing", "ions_per_formula")).await, 2.0);
    // Where part is held, nothing is known of the host by itself; where all is free the ions are taken out again.
    assert!(value(&session, &of("host", "host_kept")).await.is_null(0));
    assert!(value(&session, &of("all", "host_kept")).await.as_boolean().value(0));
    assert!(number(&session, &of("all", "host_energy_change")).await.abs() < 0.01);
    let by = value(&session, &of("all", "model")).await;
    assert_eq!(by.as_string::<i32>().value(0), "chgnet");
    // A spacing dilutes, whatever cell is given.
    let spaced = |name: &str| format!("adsorption(s, 'Li', 1, 'chgnet', 'everywhere', 5.0)[1]['{name}']");
    assert_eq!(number(&session, &format!("natoms({})", spaced("structure"))).await, 9.0);
    assert!(number(&session, &spaced("spacing")).await > 5.0);
    assert_eq!(number(&session, &spaced("ions_per_formula")).await, 0.5);
    // Single ions in a row of themselves are remarked on, and no row is NULL for it.
    session.warnings();
    number(&session, "adsorption_potential(s, 'Li')").await;
    let warnings = session.warnings().join(" ");
    assert!(warnings.contains("dense rows") && warnings.contains("spacing"), "{warnings}");
    number(&session, "adsorption_potential(s, 'Li', 1, 'everywhere', 6.5)").await;
    assert!(session.warnings().is_empty());
    for (call, part) in [
        ("adsorption(s, 'Li', 1, 'chgnet', 'each', -1.0)", "spacing = -1"),
        ("adsorption(s, 'Li', 1, 'chgnet', 'each', 0, '0.5 0.5')", "three fractions"),
        ("adsorption(s, 'Li', 1, 'chgnet', 'each', 0, '', 'ions')", "all, atoms, host, nothing"),
        ("adsorption(s, 'Li', 1, 'chgnet', 'somewhere')", "no channel"),
    ] {
        let error = refusal(&session, &format!("SELECT {call} FROM (SELECT structure('{WO3}') AS s)")).await;
        assert!(error.contains(part), "{call}: {error}");
    }
    for (call, part) in [
        ("adsorption(s, 'Li', 1, 'chgnet', 'each', 0, '0 0 0; 0.5 0.5 0.5')[1]['reason']", "2 sites for 1 ions"),
        ("adsorption(s, 'Li', 1, 'chgnet', 'each', 0, '0 0 0.01')[1]['reason']", "nearer"),
    ] {
        let reason = value(&session, call).await;
        assert!(reason.is_valid(0) && reason.as_string::<i32>().value(0).contains(part), "{call}: {reason:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_voltage_between_two_crystals_follows_from_their_energies() {
    let _alone = MODELS.write().await;
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = open(folder.path()).await;
    let given = number(&session, "electrode_voltage(s, insert(s, 'Li'), 'Li')").await;
    let by_hand =
        "insertion_voltage(predict_energy(insert(s, 'Li')), predict_energy(s), reference_energy('Li', 'chgnet'), 1, 1)";
    assert!((given - number(&session, by_hand).await).abs() < 1e-5, "{given}");
    // Calcium is not known; the other way round, or with itself, nothing is taken up.
    for (call, part) in [
        ("electrode_voltage(s, insert(s, 'Ca'), 'Ca')", "no elemental reference energy of Ca"),
        ("electrode_voltage(insert(s, 'Li'), s, 'Li')", "not one host"),
        ("electrode_voltage(s, s, 'Li')", "not one host"),
        ("electrode_voltage(s, insert(s, 'Li'), 'O')", "not a cation"),
    ] {
        assert!(value(&session, call).await.is_null(0), "{call}");
        let warnings = session.warnings().join(" ");
        assert!(warnings.contains(part), "{call}: {warnings}");
    }
    session.sql("SET hollandite.relax_steps = 3").await.unwrap().collect().await.unwrap();
    session.sql("SET hollandite.relax_fmax = 1e-9").await.unwrap().collect().await.unwrap();
    assert!(value(&session, "electrode_voltage(s, insert(s, 'Li'), 'Li', 'relaxed')").await.is_null(0));
    assert!(session.warnings().join(" ").contains("did not converge in 3 steps"));
    session.sql("SET hollandite.relax_fmax = 1000000").await.unwrap().collect().await.unwrap();
    let relaxed = number(&session, "electrode_voltage(s, insert(s, 'Li'), 'Li', 'relaxed')").await;
    assert!((relaxed - given).abs() < 1e-5, "{relaxed} {given}");
    let passes = Model::forward_passes();
    assert_eq!(number(&session, "electrode_voltage(s, insert(s, 'Li'), 'Li', 'relaxed')").await, relaxed);
    assert_eq!(Model::forward_passes(), passes, "it was computed for a second time");
}

/// Potentials of Li, or whatever `call` asks of the crystals s, in a few hosts that differ by their length along c.
async fn of_hosts(session: &Session, call: &str) -> Result<Vec<f64>, String> {
    let hosts: Vec<String> = (0..4)
        .map(|k| format!("SELECT {k} AS k, structure('{}') AS s", WO3.replace("4.0\n", &format!("4.{k}\n"))))
        .collect();
    let query = format!("SELECT CAST({call} AS DOUBLE) AS x FROM ({}) ORDER BY k", hosts.join(" UNION ALL "));
    let batches = session.sql(&query).await.unwrap().collect().await.map_err(|e| e.to_string())?;
    let values = |batch: &arrow::array::RecordBatch| -> Vec<f64> {
        batch.column(0).as_primitive::<Float64Type>().iter().map(|x| x.unwrap_or(f64::NAN)).collect()
    };
    Ok(batches.iter().flat_map(values).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_broken_off_goes_on_and_a_host_is_relaxed_once() {
    let _alone = MODELS.write().await;
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let open = async || {
        let session = Session::open(&store, None).await.unwrap();
        session.sql("SET hollandite.relax_steps = 2").await.unwrap().collect().await.unwrap();
        session.sql("SET hollandite.relax_fmax = 1e-9").await.unwrap().collect().await.unwrap();
        session
    };
    let passes = async |session: &Session, call: &str| {
        let before = Model::forward_passes();
        let values = of_hosts(session, call).await.unwrap();
        assert_eq!(values.len(), 4);
        assert!(values.iter().all(|x| x.is_finite()), "{call}: {values:?}");
        (values, Model::forward_passes() - before)
    };
    // Two steps are no relaxation, and `adsorption` tells the numbers with that remark.
    const LI: &str = "adsorption(s, 'Li')[1]['adsorption_potential']";
    // Nothing is read or kept: three rounds of hosts, three of hosts with ions, three of hosts without them again. The first bar
    // knows of all.
    let session = open().await;
    let rounds = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = Arc::clone(&rounds);
    session.watch(Box::new(move |round| {
        told.lock().unwrap().push((round.active, round.of));
        ControlFlow::Continue(())
    }));
    session.sql("SET hollandite.cache = false").await.unwrap().collect().await.unwrap();
    let (whole, all) = passes(&session, LI).await;
    assert_eq!(all, 9);
    let told: Vec<usize> = rounds.lock().unwrap().iter().map(|&(active, _)| active).collect();
    assert_eq!(told, [12, 12, 8, 8, 8, 4, 4, 4, 0]);
    assert!(rounds.lock().unwrap().iter().all(|&(_, of)| of == 12));
    assert_eq!(passes(&session, LI).await.1, 9, "without a memory nothing is remembered");

    // Broken off when the hosts are relaxed, and one step of the cells with ions is done.
    let (session, left) = (open().await, Arc::new(AtomicUsize::new(4)));
    let patience = Arc::clone(&left);
    session.watch(Box::new(move |_| match patience.fetch_sub(1, Ordering::Relaxed) {
        1 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    }));
    let error = of_hosts(&session, LI).await.unwrap_err();
    assert!(error.contains("cancelled") && error.contains("remembered"), "{error}");
    // Another session goes on with what is left, and then knows all of it.
    let session = open().await;
    let (values, rest) = passes(&session, LI).await;
    assert_eq!((values, rest), (whole.clone(), 6));
    assert_eq!(passes(&session, LI).await, (whole, 0));
    // The hosts serve other ions, and the relaxation itself.
    assert_eq!(passes(&session, "adsorption(s, 'Mg')[1]['adsorption_potential']").await.1, 6);
    let (energies, none) = passes(&session, "relax(s, 1e-9, 2)['energy']").await;
    assert_eq!(none, 0);
    let (hosts, more) = passes(&session, "adsorption(s, 'Li')[1]['e_host']").await;
    assert!(hosts == energies && more <= 3, "{hosts:?} {energies:?} {more}");
    // Other settings are another relaxation, which is remembered too.
    assert_eq!(passes(&session, "relax(s, 1e-9, 3)['energy']").await.1, 4);
    assert_eq!(passes(&session, "relax(s, 1e-9, 3)['energy']").await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_does_not_outlive_the_energy_of_the_ion() {
    let _beside = MODELS.read().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::init(&folder.path().join("store")).await.unwrap();
    let (net, card) = network();
    let others = [("Na", -1.0), ("Li", -1.75)].map(|(ion, energy)| (ion.to_owned(), energy));
    let references = card.references.clone().into_iter().chain(others).collect();
    store.add_model(&net, &card).unwrap();
    // The same weights, which now know another energy of lithium, and one of sodium.
    store.add_model(&net, &ModelCard { name: "later".into(), references, ..card }).unwrap();
    let session = Session::open(&store, None).await.unwrap();
    session.sql("SET hollandite.relax_steps = 1").await.unwrap().collect().await.unwrap();
    let of = |ion: &str, model: &str| format!("adsorption(s, '{ion}', 1, '{model}')[1]['adsorption_potential']");
    let before = number(&session, &of("Li", "chgnet")).await;
    assert!(value(&session, &of("Na", "chgnet")).await.is_null(0));
    let after = number(&session, &of("Li", "later")).await;
    assert!((after - (before - 0.25)).abs() < 1e-9, "{before} {after}");
    number(&session, &of("Na", "later")).await;
    assert!(value(&session, &of("Na", "chgnet")).await.is_null(0));
    assert_eq!(number(&session, &of("Li", "chgnet")).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_ions_out_is_measured_by_the_same_model_and_remembered() {
    let _alone = MODELS.write().await;
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = open(folder.path()).await;
    // Whatever the forces, they are small enough: the energies are those of the crystals as they are, but for the nudge.
    session.sql("SET hollandite.relax_fmax = 1000000").await.unwrap().collect().await.unwrap();
    let voltage = number(&session, "extraction_voltage(insert(s, 'Li'), 'Li')").await;
    let [full, left] = [
        number(&session, "predict_energy(insert(s, 'Li'))").await,
        number(&session, "relax(remove(insert(s, 'Li'), 'Li'), 1e6, 4)['energy']").await,
    ];
    assert!((voltage + (full - left + 1.5)).abs() < 0.05, "{voltage} of {full} and {left}");
    let passes = Model::forward_passes();
    assert_eq!(number(&session, "extraction_voltage(insert(s, 'Li'), 'Li')").await, voltage);
    assert_eq!(Model::forward_passes(), passes, "it was computed for a second time");
    assert_eq!(number(&session, "extraction_voltage(insert(s, 'Li'), 'Li', 1)").await, voltage);
    // Of the ion of twice the charge the voltage is half.
    let doubly = number(&session, "extraction_voltage(insert(s, 'Li'), 'Li2+')").await;
    assert!((2.0 * doubly - voltage).abs() < 1e-9, "{doubly} {voltage}");
    for (call, reason) in [
        ("extraction_voltage(s, 'Li')", "no Li in the crystal"),
        ("extraction_voltage(insert(s, 'Na'), 'Na')", "no elemental reference energy of Na"),
        ("extraction_voltage(insert(s, 'Li'), 'Li', 2)", "a cell that has 1"),
        ("extraction_voltage(insert(s, 'Li'), 'Li', 0.5)", "n = 0.5"),
    ] {
        assert!(value(&session, call).await.is_null(0), "{call}");
        assert!(session.warnings().join(" ").contains(reason), "{call}");
    }
    assert!(value(&session, "extraction_voltage(CAST(NULL AS VARCHAR), 'Li')").await.is_null(0));
    // What does not converge has no voltage.
    for option in ["relax_fmax = 1e-9", "relax_steps = 1"] {
        session.sql(&format!("SET hollandite.{option}")).await.unwrap().collect().await.unwrap();
    }
    assert!(value(&session, "extraction_voltage(insert(s, 'Li'), 'Li')").await.is_null(0));
    assert!(session.warnings().join(" ").contains("did not converge in 1 steps"));
}
