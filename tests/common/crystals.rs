//! Crystals, tables and a model that counts, for tests of queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray};
use hollandite::columns::StructureBuilder;
use hollandite::crystal::Structure;
use hollandite::crystal::testing::{alpha_moo3, rutile_of, srtio3, v2o5, wo3};
use hollandite::error::ModelError;
use hollandite::models::conformal::Calibration;
use hollandite::sql::{PropertyModel, Session};

/// A model that answers `-natoms / 10` eV/atom, does not cover technetium, saw at most 14 atoms, erred by 0.01, 0.02 .. 0.99
/// eV/atom, and counts what it is asked.
pub struct Counting {
    id: String,
    passes: AtomicUsize,
    graphs: AtomicUsize,
    largest: AtomicUsize,
    calibration: Calibration,
}

impl Counting {
    pub fn new(id: &str) -> Arc<Self> {
        let calibration = Calibration::of((1..100).map(|k| f64::from(k) / 100.0)).unwrap();
        Arc::new(Self { id: id.into(), passes: 0.into(), graphs: 0.into(), largest: 0.into(), calibration })
    }

    /// Forward passes and crystals in them since the last call.
    pub fn take(&self) -> (usize, usize) {
        (self.passes.swap(0, Ordering::SeqCst), self.graphs.swap(0, Ordering::SeqCst))
    }

    /// Atoms in the largest batch so far.
    pub fn largest_batch(&self) -> usize {
        self.largest.load(Ordering::SeqCst)
    }
}

impl PropertyModel for Counting {
    fn id(&self) -> &str {
        &self.id
    }

    fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>> {
        let answer = |s: &Structure| match s.species().iter().find(|e| e.symbol() == "Tc") {
            Some(e) => Err(ModelError::Coverage { element: e.symbol(), model: self.id.clone() }),
            None => Ok(-(s.len() as f64) / 10.0),
        };
        let answers: Vec<_> = structures.iter().map(answer).collect();
        let graphs = answers.iter().filter(|answer| answer.is_ok()).count();
        self.passes.fetch_add(usize::from(graphs > 0), Ordering::SeqCst);
        self.graphs.fetch_add(graphs, Ordering::SeqCst);
        self.largest.fetch_max(structures.iter().map(Structure::len).sum(), Ordering::SeqCst);
        answers
    }

    fn outside(&self, structure: &Structure) -> Option<String> {
        (structure.len() > 14).then(|| format!("{} atoms: the model saw 14 at most", structure.len()))
    }

    fn calibration(&self) -> Option<&Calibration> {
        Some(&self.calibration)
    }
}

/// One row of the test's table: id, class, void, crystal.
pub type Row = (String, &'static str, Option<f64>, Option<Structure>);

/// Seven published crystals, one NULL, one technetium oxide that the model does not cover, and rutile twice.
pub fn few() -> Vec<Row> {
    let row = |id: &str, class, void, s| (id.to_string(), class, Some(void), Some(s));
    vec![
        row("rutile", "binary", 0.575, rutile_of("Ti", 1.0)),
        row("SrTiO3", "ternary", 0.202, srtio3()),
        row("MoO3", "binary", 0.703, alpha_moo3()),
        row("V2O5", "binary", 0.725, v2o5()),
        row("WO3", "binary", 0.764, wo3()),
        row("pyrolusite", "binary", 0.41, rutile_of("Mn", 0.957)),
        row("TcO2", "binary", 0.55, rutile_of("Tc", 1.03)),
        ("lost".into(), "binary", None, None),
        row("rutile again", "binary", 0.575, rutile_of("Ti", 1.0)),
    ]
}

/// 400 rutiles of different size; `void` rises from 0 to 1.
pub fn many() -> Vec<Row> {
    (0..400)
        .map(|i| {
            let x = f64::from(i) / 400.0;
            (format!("r{i:03}"), if i % 4 == 0 { "a" } else { "b" }, Some(x), Some(rutile_of("Ti", 1.0 + 0.1 * x)))
        })
        .collect()
}

/// The rows as a batch with columns id, class, void, natoms, structure.
pub fn batch(rows: &[Row]) -> RecordBatch {
    let mut structures = StructureBuilder::new(rows.len());
    for (.., structure) in rows {
        match structure {
            Some(structure) => structures.append(structure),
            None => structures.append_null(),
        }
    }
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("id", Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.0))), true),
        ("class", Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.1))), true),
        ("void", Arc::new(Float64Array::from_iter(rows.iter().map(|r| r.2))), true),
        ("natoms", Arc::new(Int32Array::from_iter(rows.iter().map(|r| r.3.as_ref().map(|s| s.len() as i32)))), true),
        ("structure", Arc::new(structures.finish()), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// A session without a store, with the tables `tmo` (few) and `many`, and the counting model as default and as `other`.
pub fn session() -> (Session, Arc<Counting>, Arc<Counting>) {
    let (default, other) = (Counting::new("counting@1"), Counting::new("other@1"));
    let session = Session::without_store()
        .with_model(hollandite::models::DEFAULT_MODEL, Arc::clone(&default) as _)
        .with_model("other", Arc::clone(&other) as _);
    session.context().register_batch("tmo", batch(&few())).unwrap();
    session.context().register_batch("many", batch(&many())).unwrap();
    (session, default, other)
}
