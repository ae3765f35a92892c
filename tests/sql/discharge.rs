//! Paths of ions and discharges of hosts in SQL, by the small energy model of random weights of `energy`.

use arrow::array::{Array, AsArray};
use hollandite::models::Model;
use hollandite::sql::Session;

use crate::energy::{MODELS, WO3, number, open, refusal, value};

/// Whatever the forces, they are small enough: nothing moves.
async fn still(session: &Session) {
    session.sql("SET hollandite.relax_fmax = 1000000").await.unwrap().collect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_is_that_of_the_images_beside_it_and_is_remembered() {
    let _alone = MODELS.write().await;
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = open(folder.path()).await;
    still(&session).await;
    let of = |name: &str| format!("migration_barrier(s, 'Li', 'channels', 2, 5.0)['{name}']");
    let barrier = number(&session, &of("barrier")).await;
    let path = of("path");
    let images = number(&session, &format!("cardinality({path})")).await as usize;
    assert!(images >= 4 && images.is_multiple_of(4), "two ends and two images for each hop: {images}");
    let mut energies = Vec::new();
    for i in 1..=images {
        let stated = number(&session, &format!("{path}[{i}]['energy']")).await;
        let own = format!("predict_energy({path}[{i}]['structure']) - predict_energy({path}[1]['structure'])");
        assert!((stated - number(&session, &own).await).abs() < 1e-5, "image {i}");
        energies.push(stated);
    }
    let [low, high] = [f64::min, f64::max].map(|f| energies.iter().copied().reduce(f).unwrap());
    assert!((barrier - (high - low)).abs() < 1e-9 && energies[0] == 0.0, "{barrier} of {energies:?}");
    assert!(number(&session, &of("spacing")).await > 5.0);
    assert_eq!(number(&session, &of("natoms")).await, 9.0);
    assert!(value(&session, &of("converged")).await.as_boolean().value(0));
    let passes = Model::forward_passes();
    assert_eq!(number(&session, &of("barrier")).await, barrier);
    assert_eq!(Model::forward_passes(), passes, "it was computed for a second time");
    // As a table, a row each.
    let rows = format!("migration_paths('{WO3}', 'Li', 'channels', 2, 5.0)");
    let query = format!("SELECT count(*), max(energy) - min(energy), max(barrier), max(natoms(structure)) FROM {rows}");
    let batches = session.sql(&query).await.unwrap().collect().await.unwrap();
    let at = |k: usize| arrow::util::display::array_value_to_string(batches[0].column(k), 0).unwrap();
    assert_eq!((at(0), at(1), at(2), at(3)), (images.to_string(), at(2), barrier.to_string(), "9".into()));
    // By a model that the call names, from a table that it names.
    session.sql(&format!("CREATE TABLE hosts AS SELECT 'wo3' AS id, structure('{WO3}') AS structure")).await.unwrap();
    let named = "SELECT max(barrier) FROM migration_paths('wo3', 'Li', 'channels', 2, 5.0, 'chgnet', 'hosts')";
    let batches = session.sql(named).await.unwrap().collect().await.unwrap();
    assert_eq!(arrow::util::display::array_value_to_string(batches[0].column(0), 0).unwrap(), barrier.to_string());
    for (from, part) in [
        ("migration_barrier('x', 'Li', 'somewhere')", "no channel"),
        ("migration_barrier('x', 'Li', 'channels', 0.5)", "images = 0.5"),
        ("migration_barrier('x', 'Li', 'channels', 5, 0)", "spacing = 0"),
    ] {
        let error = refusal(&session, &format!("SELECT {from}")).await;
        assert!(error.contains(part), "{from}: {error}");
    }
    for (from, part) in [
        ("migration_paths('x')", "takes 2 to 7 arguments"),
        ("migration_paths('x', 'Qq')", "not an ion"),
        ("migration_paths('x', 'Li', 'channels', 'many')", "needs a number as images"),
        ("migration_paths('x', 'Li', 'somewhere')", "no channel"),
        ("migration_paths('x', 'Li', 'channels', 2, 5.0, 1)", "needs text as model"),
        ("migration_paths('x', 'Li', 'channels', 2, 5.0, 'cgcnn')", "has no forces"),
        ("migration_paths('x', 'Li', 'channels', 2, 5.0, 'chgnet', 'nowhere')", "nowhere"),
    ] {
        let error = refusal(&session, &format!("SELECT * FROM {from}")).await;
        assert!(error.contains(part), "{from}: {error}");
    }
    // No hexagonal channel: NULL, with the reason.
    session.warnings();
    assert!(value(&session, "migration_barrier(s, 'Li', 'hexagonal')").await.is_null(0));
    assert!(session.warnings().join(" ").contains("no channel with a site for Li"), "{:?}", session.warnings());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discharge_is_made_of_the_fillings_that_adsorption_finds() {
    let _alone = MODELS.write().await;
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = open(folder.path()).await;
    still(&session).await;
    let diagram = "(SELECT phase_diagram(f, e) FROM (VALUES ('WO3', -1.0), ('Li2O', -2.0)) AS t (f, e))";
    let of = |name: &str| format!("voltage_curve(s, 'Li', 2, 'chgnet', {diagram})['{name}']");
    let first = |name: &str| format!("{}[1]['{name}']", of("fillings"));
    let alone = number(&session, "adsorption(s, 'Li', 1, 'chgnet', 'everywhere')[1]['voltage']").await;
    assert!((number(&session, &first("voltage")).await - alone).abs() < 1e-9);
    let step = number(&session, &format!("{}[1]['voltage']", of("plateaus"))).await;
    assert!((step - alone).abs() < 1e-9, "{step} {alone}");
    assert_eq!(number(&session, &format!("{}[1]['x_to']", of("plateaus"))).await, 1.0);
    // The one site of the cell is taken: a second ion has no room, and says so.
    let reason = value(&session, &format!("{}[2]['reason']", of("fillings"))).await;
    assert!(reason.as_string::<i32>().value(0).contains("no room"), "{reason:?}");
    assert!(value(&session, &first("reason")).await.is_null(0));
    // Beside the phases of a diagram.
    let ef = first("formation_energy_per_atom");
    let above = format!("e_above_hull({diagram}, 'LiWO3', {ef}) - {}", first("e_above_hull"));
    assert!(number(&session, &above).await.abs() < 1e-9);
    let conversion = format!(
        "conversion_voltage({diagram}, 'WO3', formation_energy('WO3', predict_energy(s) / 4, 'chgnet'), 'Li', 1) - {}",
        first("conversion_voltage")
    );
    assert!(number(&session, &conversion).await.abs() < 1e-5);
    // A filled cell far above the hull has no interval, whatever the known errors.
    let deep = "(SELECT phase_diagram(f, e) FROM (VALUES ('WO3', -1.0), ('LiWO3', -50.0)) AS t (f, e))";
    for (diagram, far) in [(String::new(), false), (format!(", 1, 'everywhere', 0.9, {deep}"), true)] {
        let interval = |name: &str| format!("adsorption_interval(s, 'Li'{diagram})['{name}']");
        assert!(!value(&session, &interval("in_domain")).await.as_boolean().value(0));
        assert!(value(&session, &interval("upper")).await.is_null(0));
        let reason = value(&session, &interval("reason")).await;
        assert_eq!(reason.as_string::<i32>().value(0).contains("above the hull"), far, "{reason:?}");
        assert!((number(&session, &interval("value")).await - alone).abs() < 1e-9, "for Li a potential is a voltage");
    }
    // Capacity and energy of what is taken up above 0 V, where anything is.
    let n = value(&session, &of("n")).await;
    assert_eq!(n.is_valid(0), alone > 0.0);
    if n.is_valid(0) {
        let energy = format!("{} / {} - {}", of("specific_energy"), of("gravimetric"), of("voltage"));
        assert!(number(&session, &energy).await.abs() < 1e-9);
    }
    // By default one electron for each transition metal: one ion of one here.
    assert_eq!(number(&session, "cardinality(voltage_curve(s, 'Li')['fillings'])").await, 1.0);
    let passes = Model::forward_passes();
    number(&session, &of("voltage").replace("['voltage']", "['fillings'][1]['voltage']")).await;
    assert_eq!(Model::forward_passes(), passes, "it was computed for a second time");
    let error = refusal(&session, "SELECT voltage_curve('x', 'Li', 0.5)").await;
    assert!(error.contains("max = 0.5"), "{error}");
}
