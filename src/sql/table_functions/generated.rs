//! Tables of crystals that are generated while they are read. Templates are read first, where it is they that are drawn; then draws are
//! made in lots on all cores until nobody asks any more: a table of any number of draws takes the same memory.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};
use async_trait::async_trait;
use crystal::stop::Stop;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, exec_datafusion_err, internal_err, plan_datafusion_err, plan_err};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use generation::{
    Condition, Conditions, DecodeOptions, Generated, Generation, GenerationError, Request, SamplerKind, WyckoffModel,
};

use super::table::table;
use crate::environment::Environment;
use crate::functions::arguments::whole;
use crate::functions::kernel::Row;
use crate::functions::{FieldDoc, Kind, Omitted, Parameter, number, optional, required};
use crate::sampler::ChosenSampler;
use columns::{structure_type, structures};

/// Most draws that a call may ask for.
const MOST: f64 = 1e6;
/// Largest seed: the largest number that is whole for sure.
const LARGEST: f64 = 9_007_199_254_740_991.0;
/// Most atoms of a cell where a call does not say how many.
const SITES: f64 = 60.0;
/// Draws that are made together: enough for all cores, and few enough that the first rows come soon.
const LOT: usize = 32;
/// As many where few rows are asked for.
const FEW: usize = 8;

/// How many draws are made, `usual` where a call does not say it.
pub(super) fn draws(usual: Option<f64>) -> Parameter {
    let text = "Number of draws. One that ends in no crystal, because its ions have no room for instance, has no row.";
    let parameter = usual.map_or_else(|| required("n", Kind::Number, text), |n| number("n", n, text));
    parameter.measured(|n| whole("n", n, 1.0, MOST))
}

/// The seed of all draws.
pub(super) fn seed() -> Parameter {
    let text = "Seed: the same one makes the same crystals.";
    number("seed", 0.0, text).measured(|seed| whole("seed", seed, 0.0, LARGEST))
}

/// The largest cell.
pub(super) fn sites() -> Parameter {
    number("sites", SITES, "Most atoms in the conventional cell.").measured(|sites| whole("sites", sites, 1.0, MOST))
}

/// What all such calls end with: the table with the templates, the sampler, and a parameter for each condition.
pub(super) fn drawn_how() -> Vec<Parameter> {
    let mut known = table();
    known.text = "Table with the crystals whose templates are drawn; sampler 'wyckoff' reads none.";
    let text = "What draws: 'templates', patterns of orbits of known crystals, with other elements on them; or 'wyckoff', patterns that a \
                network writes, which has learned from oxides and heeds the conditions after it; or the name of a network of that kind that \
                the store keeps (`hollandite train --model wyckoff`).";
    let sampler = optional("sampler", Kind::Text, Omitted::Text(SamplerKind::TEMPLATES), text);
    let condition = |condition: Condition| {
        let parameter = optional(condition.name, Kind::Number, Omitted::Null, condition.text);
        parameter.measured(move |x| condition.check(x))
    };
    [known, sampler].into_iter().chain(Condition::ALL.map(condition)).collect()
}

/// The columns of every such table.
pub(super) fn columns() -> Vec<FieldDoc> {
    vec![
        FieldDoc::new("id", DataType::Utf8, None, "Formula and content hash."),
        FieldDoc::new("formula", DataType::Utf8, None, "Reduced formula."),
        FieldDoc::new("structure", structure_type(), None, "The crystal, in the conventional cell of its space group."),
        FieldDoc::new("spacegroup", DataType::Int32, None, "Space-group number."),
        FieldDoc::new("natoms", DataType::Int32, None, "Number of atoms in the cell."),
        FieldDoc::new(
            "instability",
            DataType::Float64,
            Some("valence units"),
            "Root-mean-square deviation, over the sites, between bond-valence sum and oxidation state; NULL where an element has no \
             bond-valence parameters.",
        ),
        FieldDoc::new(
            "sampler",
            DataType::Utf8,
            None,
            "What drew the crystal: templates, wyckoff, or the name of another network.",
        ),
        FieldDoc::new(
            "template",
            DataType::Utf8,
            None,
            "Id of the known crystal whose pattern of orbits it has; NULL where it is taken from none.",
        ),
        FieldDoc::new(
            "tokens",
            DataType::Utf8,
            None,
            "What was drawn: the space group, then ion and Wyckoff position of each orbit, as in 136 Ti4+:2a O2-:4f.",
        ),
        FieldDoc::new("seed", DataType::Int64, None, "Seed of all draws."),
        FieldDoc::new("draw", DataType::Int64, None, "Number of the draw, from 0."),
    ]
}

/// The table of one call.
#[derive(Debug)]
pub(super) struct Draws {
    request: Request,
    /// What writes the patterns of orbits; without it they are templates.
    network: Option<Arc<WyckoffModel>>,
    draws: u64,
    seed: u64,
    /// Where templates are from.
    table: String,
    schema: SchemaRef,
}

impl Draws {
    /// The table of a call of `function` for a request: its arguments 1 and 2 are the number of draws and the seed, those from `how` on
    /// are those of [`drawn_how`].
    ///
    /// # Errors
    /// No such sampler, or a condition of which it knows nothing.
    pub fn of_call(function: &str, session: &dyn Session, request: Request, row: Row, how: usize) -> Result<Self> {
        let refused = |e: GenerationError| plan_datafusion_err!("{function}: {e}");
        let conditions = Conditions::of_values(std::array::from_fn(|k| row.given(how + 2 + k)));
        let request = Request { conditions, ..request };
        let sampler = SamplerKind::from(row.text(how + 1));
        sampler.check(&request).map_err(refused)?;
        let Some(environment) = session.config().get_extension::<Environment>() else {
            return internal_err!("a table function is called outside a session");
        };
        let network = environment.network(&sampler).map_err(refused)?;
        let (draws, seed, table) = (row.number(1) as u64, row.number(2) as u64, row.text(how).to_owned());
        let schema = Arc::new(Schema::new(columns().iter().map(FieldDoc::field).collect::<Fields>()));
        Ok(Self { request, network, draws, seed, table, schema })
    }
}

#[async_trait]
impl TableProvider for Draws {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let sampler = ChosenSampler::new(self.network.clone(), &self.request, &self.table);
        let sampler = sampler.map_err(|e| plan_datafusion_err!("{e}"))?;
        let known = match sampler.query() {
            Some(query) => {
                let Some(session) = state.as_any().downcast_ref::<SessionState>() else {
                    return internal_err!("a table function is planned outside a session");
                };
                let known = session.create_logical_plan(&query).await?;
                Some(session.create_physical_plan(&known).await?)
            }
            None => None,
        };
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let part = Part {
            sampler,
            known,
            draws: self.draws,
            seed: self.seed,
            lot: limit.unwrap_or(LOT).clamp(FEW, LOT) as u64,
            schema: Arc::clone(&schema),
        };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(part)], None, None, false, limit)?))
    }
}

/// The one stream of all draws.
struct Part {
    sampler: ChosenSampler,
    /// The rows that it reads, once rows are asked for.
    known: Option<Arc<dyn ExecutionPlan>>,
    draws: u64,
    seed: u64,
    /// Draws that are made together.
    lot: u64,
    /// The columns that are asked for.
    schema: SchemaRef,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} draws: {}", self.draws, self.sampler)
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 1);
        let batches = builder.tx();
        let (chosen, known) = (self.sampler.clone(), self.known.clone());
        let (schema, stop) = (Arc::clone(&self.schema), Stop::new());
        let (draws, seed, lot) = (self.draws, self.seed, self.lot);
        builder.spawn(async move {
            // Threads hear of it when nobody listens any more.
            let _ends_with_us = stop.on_drop();
            let ready = async {
                let rows = known.map(|known| execute_stream(known, context)).transpose()?;
                chosen.ready(rows).await
            };
            let (sampler, _) = stop.clone().over(ready).await?;
            let sign = stop.clone();
            let drawing = move || {
                sign.during(|| {
                    let mut drawn = Generation::new(sampler, DecodeOptions::default(), seed, draws);
                    while let Some(crystals) = drawn.batch(lot) {
                        // An error here means that nobody listens any more.
                        if !crystals.is_empty() && batches.blocking_send(batch(&schema, &crystals)).is_err() {
                            break;
                        }
                    }
                });
            };
            let drawn = tokio::task::spawn_blocking(drawing).await;
            drawn.map_err(|e| exec_datafusion_err!("generating crystals: {e}"))
        });
        builder.build()
    }
}

/// The columns of `schema` for some crystals.
fn batch(schema: &SchemaRef, lot: &[Generated]) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| column(field.name(), lot)).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(lot.len()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn column(name: &str, lot: &[Generated]) -> Result<ArrayRef> {
    let text = |of: &dyn Fn(&Generated) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(lot.iter().map(of)))
    };
    let whole =
        |of: &dyn Fn(&Generated) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(lot.iter().map(of))) };
    let small =
        |of: &dyn Fn(&Generated) -> i32| -> ArrayRef { Arc::new(Int32Array::from_iter_values(lot.iter().map(of))) };
    Ok(match name {
        "id" => text(&|c| Some(c.id())),
        "formula" => text(&|c| Some(c.structure.composition().reduced_formula())),
        "structure" => Arc::new(structures(lot.iter().map(|c| Some(&c.structure)))),
        "spacegroup" => small(&|c| i32::from(c.tokens.group())),
        "natoms" => small(&|c| c.structure.len() as i32),
        "instability" => Arc::new(Float64Array::from_iter(lot.iter().map(|c| c.instability))),
        "sampler" => text(&|c| Some(c.sampler.clone())),
        "template" => text(&|c| c.template.clone()),
        "tokens" => text(&|c| Some(c.tokens.to_string())),
        "seed" => whole(&|c| c.draw.0 as i64),
        "draw" => whole(&|c| c.draw.1 as i64),
        other => return plan_err!("generated crystals have no column {other}"),
    })
}
