//! Plans with our nodes and functions, as bytes.
//!
//! A node of ours is a line of JSON, in which its expressions are the engine's own messages; a function of ours has beside its name the
//! query that it belongs to, in whose session another process finds it. Everything else is written as Ballista writes it.

use std::fmt::Display;
use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::{
    DataFusionError, Result, TableReference, exec_datafusion_err, exec_err, not_impl_err, plan_datafusion_err, plan_err,
};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, Extension, LogicalPlan, ScalarUDF};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use datafusion_proto::logical_plan::from_proto::parse_exprs;
use datafusion_proto::logical_plan::to_proto::serialize_exprs;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::{LogicalExprNode, PhysicalExprNode};
use prost::Message;
use serde::{Deserialize, Serialize};
use sql::aggregates::CrystalUdaf;
use sql::functions::CrystalUdf;
use sql::optimizer::{Carried, EvaluateExec};
use sql::{Environment, HollanditeOptions};
use store::Lent;

use crate::scan::{Rows, ScanExec};
use crate::workers::{Worker, Workers};

/// How a message of ours begins; Ballista's own are protocol buffers, which do not.
const OURS: &[u8] = b"\0hollandite ";

/// Writes and reads plans: at the client for one query, elsewhere for all.
#[derive(Debug)]
pub struct Codec {
    functions: Functions,
    others: BallistaPhysicalExtensionCodec,
}

/// Functions of ours by name and query.
#[derive(Debug, Clone)]
struct Functions {
    /// The query that plans are written for, where that is one.
    lent: Option<Lent>,
    workers: Arc<Workers>,
}

/// A node of ours on its way.
#[derive(Serialize, Deserialize)]
struct Node {
    lent: Lent,
    schema: String,
    what: What,
}

#[derive(Serialize, Deserialize)]
enum What {
    Scan { table: String, columns: Vec<String>, filters: Vec<String>, asked: usize, streams: usize },
    Evaluate { carried: Carried, exprs: Vec<String> },
}

impl Codec {
    /// Of the client, for one query.
    pub fn of_query(lent: Lent) -> Self {
        Self::new(Some(lent), Workers::new(String::new()))
    }

    /// Of another process.
    pub fn of_workers(workers: Workers) -> Self {
        Self::new(None, workers)
    }

    fn new(lent: Option<Lent>, workers: Workers) -> Self {
        let functions = Functions { lent, workers: Arc::new(workers) };
        Self { functions, others: BallistaPhysicalExtensionCodec::default() }
    }
}

impl Functions {
    /// The query that what belongs to `environment` is part of.
    fn lent(&self, environment: &Environment) -> Result<Lent> {
        let lent = self.lent.clone().or_else(|| self.workers.lent_to(environment));
        lent.ok_or_else(|| exec_datafusion_err!("a function is part of a query that has ended"))
    }

    fn write(&self, environment: &Environment, buf: &mut Vec<u8>) -> Result<()> {
        serde_json::to_writer(buf, &self.lent(environment)?).map_err(unreadable)
    }

    fn worker(&self, buf: &[u8]) -> Result<Arc<Worker>> {
        self.workers.of(&serde_json::from_slice(buf).map_err(unreadable)?)
    }

    /// The function `name` of a row.
    fn scalar(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        let found = self.worker(buf)?.session().context().state().scalar_functions().get(name).cloned();
        found.ok_or_else(|| plan_datafusion_err!("there is no function {name} here"))
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(text) = buf.strip_prefix(OURS) else { return self.others.try_decode(buf, inputs, ctx, converter) };
        let Node { lent, schema, what } = serde_json::from_slice(text).map_err(unreadable)?;
        let worker = self.functions.workers.of(&lent)?;
        let schema = read_schema(&schema)?;
        match what {
            What::Scan { table, columns, filters, asked, streams } => {
                let filters = filters.iter().map(|text| read::<LogicalExprNode>(text)).collect::<Result<Vec<_>>>()?;
                let filters = parse_exprs(&filters, ctx, &self.functions).map_err(unreadable)?;
                let rows = Rows { table, columns, filters, streams: asked };
                let numbers = Arc::clone(one(inputs)?);
                Ok(Arc::new(ScanExec::received(rows, streams, schema, numbers, worker)))
            }
            What::Evaluate { carried, exprs } => {
                let input = one(inputs)?;
                let context = PhysicalPlanDecodeContext::new(ctx, self);
                let below = input.schema();
                let expr = |text: &String| {
                    converter.proto_to_physical_expr(&read::<PhysicalExprNode>(text)?, &below, &context)
                };
                let exprs = exprs.iter().map(expr).collect::<Result<Vec<Arc<dyn PhysicalExpr>>>>()?;
                let options = HollanditeOptions::of(ctx.session_config().options());
                let exec = carried.into_exec(Arc::clone(input), exprs, schema, worker.session(), &options)?;
                Ok(Arc::new(exec))
            }
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let what = if let Some(scan) = node.downcast_ref::<ScanExec>() {
            let (Rows { table, columns, filters, streams: asked }, streams) = scan.rows();
            let filters = serialize_exprs(filters, &self.functions).map_err(unreadable)?;
            What::Scan {
                table: table.clone(),
                columns: columns.clone(),
                filters: filters.iter().map(write).collect(),
                asked: *asked,
                streams,
            }
        } else if let Some(exec) = node.downcast_ref::<EvaluateExec>() {
            let (carried, exprs) = exec.carried();
            let expr = |expr: &Arc<dyn PhysicalExpr>| Ok(write(&converter.physical_expr_to_proto(expr, self)?));
            What::Evaluate { carried, exprs: exprs.into_iter().map(expr).collect::<Result<_>>()? }
        } else {
            return self
                .others
                .try_encode(Arc::clone(&node), buf, converter)
                .or_else(|_| plan_err!("{} does not travel to other machines: ask without --cluster", node.name()));
        };
        let lent = match node.downcast_ref::<ScanExec>().and_then(ScanExec::worker) {
            Some(worker) => worker.lent().clone(),
            None => match node.downcast_ref::<EvaluateExec>() {
                Some(exec) => self.functions.lent(exec.environment())?,
                None => {
                    self.functions.lent.clone().ok_or_else(|| exec_datafusion_err!("a scan is part of no query"))?
                }
            },
        };
        let node = Node { lent, schema: write_schema(&node.schema())?, what };
        buf.extend_from_slice(OURS);
        serde_json::to_writer(buf, &node).map_err(unreadable)
    }

    fn try_encode_udf(&self, node: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        match node.inner().downcast_ref::<CrystalUdf>() {
            Some(udf) => self.functions.write(udf.environment(), buf),
            None => self.others.try_encode_udf(node, buf),
        }
    }

    fn try_decode_udf(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        self.functions.scalar(name, buf)
    }

    fn try_encode_udaf(&self, node: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
        match node.inner().downcast_ref::<CrystalUdaf>() {
            Some(udaf) => self.functions.write(udaf.environment(), buf),
            None => self.others.try_encode_udaf(node, buf),
        }
    }

    fn try_decode_udaf(&self, name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
        let worker = self.functions.worker(buf)?;
        let found = worker.session().context().state().aggregate_functions().get(name).cloned();
        found.ok_or_else(|| plan_datafusion_err!("there is no function {name} here"))
    }
}

/// Functions in the filters of a scan, which are expressions over names; nothing else of a logical plan is sent.
impl LogicalExtensionCodec for Functions {
    fn try_decode(&self, _: &[u8], _: &[LogicalPlan], _: &TaskContext) -> Result<Extension> {
        not_impl_err!("logical plans are not sent")
    }

    fn try_encode(&self, _: &Extension, _: &mut Vec<u8>) -> Result<()> {
        not_impl_err!("logical plans are not sent")
    }

    fn try_decode_table_provider(
        &self,
        _: &[u8],
        _: &TableReference,
        _: SchemaRef,
        _: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        not_impl_err!("logical plans are not sent")
    }

    fn try_encode_table_provider(&self, _: &TableReference, _: Arc<dyn TableProvider>, _: &mut Vec<u8>) -> Result<()> {
        not_impl_err!("logical plans are not sent")
    }

    fn try_encode_udf(&self, node: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        match node.inner().downcast_ref::<CrystalUdf>() {
            Some(udf) => self.write(udf.environment(), buf),
            None => Ok(()),
        }
    }

    fn try_decode_udf(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        self.scalar(name, buf)
    }
}

fn one(inputs: &[Arc<dyn ExecutionPlan>]) -> Result<&Arc<dyn ExecutionPlan>> {
    let [input] = inputs else { return exec_err!("a node of {} inputs came", inputs.len()) };
    Ok(input)
}

fn unreadable(error: impl Display) -> DataFusionError {
    exec_datafusion_err!("a plan on its way to another machine: {error}")
}

fn write(message: &impl Message) -> String {
    STANDARD.encode(message.encode_to_vec())
}

fn read<M: Message + Default>(text: &str) -> Result<M> {
    M::decode(STANDARD.decode(text).map_err(unreadable)?.as_slice()).map_err(unreadable)
}

fn write_schema(schema: &Schema) -> Result<String> {
    Ok(write(&datafusion_proto_common::Schema::try_from(schema).map_err(unreadable)?))
}

fn read_schema(text: &str) -> Result<SchemaRef> {
    let schema: datafusion_proto_common::Schema = read(text)?;
    Ok(Arc::new(Schema::try_from(&schema).map_err(unreadable)?))
}
