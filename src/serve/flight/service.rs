//! The calls of Flight SQL.

use std::pin::Pin;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::root_as_message;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any, CommandGetCatalogs,
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandGetXdbcTypeInfo,
    CommandPreparedStatementQuery, CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery,
    CommandStatementUpdate, DoPutPreparedStatementResult, ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{
    Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightData, FlightDescriptor,
    FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, IpcMessage, SchemaAsIpc, Ticket,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use prost::bytes::Bytes;
use sql::Values;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status, Streaming};

use super::handles::{Handles, Held};
use super::{listing, status};
use crate::door::{Door, Visit};
use crate::error::{Kind, Refusal};
use crate::gate::{Answer, ONLY_READS, Planned, Question};

/// Bytes of an expression of a plan, about.
const EXPRESSION: usize = 512;

type Rows = <Service as FlightService>::DoGetStream;

/// What answers.
pub(super) struct Service {
    door: Door,
    handles: Handles,
}

impl Service {
    pub fn new(door: Door) -> Self {
        Self { door, handles: Handles::default() }
    }

    /// Begins to write down a request.
    fn visit(&self, what: &str) -> Visit {
        self.door.begin("flight", what)
    }

    /// What wants to write, which is written down and refused.
    fn only_reads<T>(&self, what: &str) -> Result<T, Status> {
        Err(ended(self.visit(what), Refusal::forbidden(ONLY_READS)))
    }

    /// Plans a statement; the handle of it goes into the ticket.
    async fn planned(&self, question: Question, asked: FlightDescriptor) -> Result<Response<FlightInfo>, Status> {
        let mut visit = self.visit(&question.text);
        // A plan holds an expression for each word.
        let bytes = question.text.len() + question.values.bytes() + EXPRESSION * store::depth(&question.text);
        let planned = match self.door.gate().plan(question).await {
            Ok(planned) => planned,
            Err(refusal) => return Err(ended(visit, refusal)),
        };
        visit.snapshot = Some(planned.snapshot);
        visit.end(None);
        let schema = SchemaRef::clone(&planned.schema);
        let statement_handle = self.handles.add(Held::Planned(Box::new(planned)), bytes).into();
        described(&schema, asked, &TicketStatementQuery { statement_handle })
    }

    /// Values for a prepared statement: one row of them.
    async fn values(&self, rows: PeekableFlightDataStream) -> Result<Option<Values>, Refusal> {
        let most = self.door.gate().limits().body;
        let mut bytes = 0;
        let bounded = rows.into_peekable().map_err(FlightError::from).and_then(move |data| {
            bytes += data.data_body.len() + data.data_header.len();
            let refused = match () {
                () if bytes > most => Some("they are too long"),
                // What they would be is not known before.
                () if is_compressed(&data) => Some("they are compressed"),
                () => None,
            };
            futures::future::ready(refused.map_or(Ok(data), |why| Err(FlightError::DecodeError(why.into()))))
        });
        let mut batches = FlightRecordBatchStream::new_from_flight_data(bounded);
        let mut row = None;
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(|error| Refusal::bad(format!("the parameters cannot be read: {error}")))?;
            if batch.num_rows() + usize::from(row.is_some()) > 1 {
                return Err(Refusal::bad("a statement takes one row of parameters: run it once for each"));
            }
            if batch.num_rows() == 1 {
                let values = Values::of_row_within(&batch, 0, most);
                row = Some(values.map_err(|error| self.door.gate().refusal(&error))?);
            }
        }
        Ok(row)
    }

    /// Ends what runs or would run by a ticket.
    fn cancelled(&self, info: &FlightInfo) -> Result<CancelStatus, Status> {
        let visit = self.visit("Cancel");
        let mut found = false;
        for endpoint in &info.endpoint {
            let ticket = endpoint.ticket.as_ref().and_then(|ticket| Any::decode(&*ticket.ticket).ok());
            let ticket = ticket.and_then(|any| any.unpack::<TicketStatementQuery>().ok().flatten());
            if let Some(ticket) = ticket
                && let Some(Held::Planned(planned)) = self.handles.remove(&ticket.statement_handle)
            {
                planned.stop.give();
                found = true;
            }
        }
        if !found {
            let message = "there is nothing to cancel: the statement is unknown here, or ended";
            return Err(ended(visit, Refusal::new(Kind::Missing, message)));
        }
        visit.end(None);
        Ok(CancelStatus::Cancelled)
    }
}

/// Whether the columns of a message are compressed.
fn is_compressed(data: &FlightData) -> bool {
    let message = root_as_message(&data.data_header).ok();
    let rows = message.and_then(|message| {
        message.header_as_record_batch().or_else(|| message.header_as_dictionary_batch().and_then(|d| d.data()))
    });
    rows.is_some_and(|rows| rows.compression().is_some())
}

/// Ends a visit with a refusal.
fn ended(visit: Visit, refusal: Refusal) -> Status {
    visit.end(Some(refusal.kind));
    status(refusal)
}

/// Columns, and the ticket that fetches them.
fn described(
    schema: &Schema,
    asked: FlightDescriptor,
    ticket: &impl ProstMessageExt,
) -> Result<Response<FlightInfo>, Status> {
    let ticket = Ticket::new(ticket.as_any().encode_to_vec());
    let info = FlightInfo::new().with_descriptor(asked).with_endpoint(FlightEndpoint::new().with_ticket(ticket));
    info.try_with_schema(schema).map(Response::new).map_err(|error| Status::internal(error.to_string()))
}

/// The columns of what a listing answers.
fn listed(
    visit: Visit,
    columns: Result<SchemaRef, Refusal>,
    command: impl ProstMessageExt,
    request: Request<FlightDescriptor>,
) -> Result<Response<FlightInfo>, Status> {
    match columns {
        Ok(columns) => {
            visit.end(None);
            described(&columns, request.into_inner(), &command)
        }
        Err(refusal) => Err(ended(visit, refusal)),
    }
}

/// Rows that are there.
fn sent(mut visit: Visit, rows: Result<RecordBatch, Refusal>) -> Result<Response<Rows>, Status> {
    match rows {
        Ok(rows) => {
            visit.rows = rows.num_rows();
            visit.end(None);
            Ok(Response::new(encoded(rows.schema(), stream::iter([Ok(rows)]))))
        }
        Err(refusal) => Err(ended(visit, refusal)),
    }
}

fn encoded(schema: SchemaRef, rows: impl Stream<Item = Result<RecordBatch, FlightError>> + Send + 'static) -> Rows {
    let encoder = FlightDataEncoderBuilder::new()
        .with_schema(schema)
        // As they were announced.
        .with_dictionary_handling(DictionaryHandling::Resend)
        .build(rows);
    Box::pin(encoder.map_err(Status::from))
}

/// Rows that are computed as they are fetched.
fn streamed(answer: Answer, visit: Visit) -> Rows {
    let (schema, planned) = (SchemaRef::clone(answer.schema()), answer.planned().clone());
    let rows = stream::unfold(Some((answer, visit)), |state| async move {
        let (mut answer, mut visit) = state?;
        let next = answer.next().await;
        visit.rows = answer.given();
        match next {
            Some(Ok(batch)) => Some((Ok(batch), Some((answer, visit)))),
            Some(Err(refusal)) => Some((Err(FlightError::Tonic(Box::new(ended(visit, refusal)))), None)),
            None => {
                visit.end(None);
                None
            }
        }
    });
    warned(encoded(schema, rows), planned)
}

/// The messages, of which the last one has the warnings of the statement: a JSON list as its `app_metadata`.
fn warned(messages: Rows, planned: Planned) -> Rows {
    let messages = messages.fuse();
    let last_known = stream::unfold((messages, None, planned), |(mut messages, mut held, planned)| async move {
        loop {
            match messages.next().await {
                Some(Ok(next)) => {
                    if let Some(ready) = Option::replace(&mut held, next) {
                        return Some((Ok(ready), (messages, held, planned)));
                    }
                }
                Some(Err(status)) => return Some((Err(status), (messages, None, planned))),
                None => {
                    let mut last: FlightData = held.take()?;
                    let warnings = planned.warnings();
                    if !warnings.is_empty() {
                        last.app_metadata = serde_json::json!(warnings).to_string().into();
                    }
                    return Some((Ok(last), (messages, None, planned)));
                }
            }
        }
    });
    Box::pin(last_known)
}

/// Columns as a prepared statement reports them.
fn message(schema: &Schema) -> Result<Bytes, Status> {
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &IpcWriteOptions::default())
        .try_into()
        .map_err(|error: arrow::error::ArrowError| Status::internal(error.to_string()))?;
    Ok(bytes)
}

#[tonic::async_trait]
impl FlightSqlService for Service {
    type FlightService = Self;

    /// The password is the token; the user is anybody.
    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>>, Status> {
        let visit = self.visit("Handshake");
        let given = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let token = match given.and_then(|value| value.split_once(' ')) {
            // Some clients fill the last letters up with `=`, and some do not.
            Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
                let pair = BASE64_STANDARD_NO_PAD
                    .decode(encoded.trim().trim_end_matches('='))
                    .ok()
                    .and_then(|pair| String::from_utf8(pair).ok());
                pair.and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned()))
            }
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim().to_owned()),
            _ => None,
        };
        let token = token.unwrap_or_default();
        if let Err(refusal) = self.door.check(&token) {
            return Err(ended(visit, refusal));
        }
        visit.end(None);
        let answers = stream::iter([Ok(HandshakeResponse { protocol_version: 0, payload: token.clone().into() })]);
        let mut response: Response<Pin<Box<dyn Stream<Item = _> + Send>>> = Response::new(Box::pin(answers));
        if let Ok(value) = MetadataValue::try_from(format!("Bearer {token}")) {
            response.metadata_mut().insert("authorization", value);
        }
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.planned(Question::from(query.query.as_str()), request.into_inner()).await
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let held = self.handles.get(&query.prepared_statement_handle).map_err(status)?;
        let Held::Prepared { text, values } = held else {
            return Err(Status::not_found("the handle is that of no prepared statement"));
        };
        let question = Question::from(text.as_str());
        let values = values.unwrap_or_else(|| question.values.clone());
        self.planned(Question { values, ..question }, request.into_inner()).await
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        _: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        let Held::Planned(planned) = self.handles.get(&ticket.statement_handle).map_err(status)? else {
            return Err(Status::not_found("the handle is that of no statement that was planned"));
        };
        let Planned { snapshot, .. } = *planned;
        let mut visit = self.visit("DoGet");
        visit.snapshot = Some(snapshot);
        match self.door.gate().run(*planned).await {
            Ok(answer) => Ok(Response::new(streamed(answer, visit))),
            Err(refusal) => Err(ended(visit, refusal)),
        }
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        listed(self.visit("GetCatalogs"), listing::catalogs(query).map(|rows| rows.schema()), query, request)
    }

    async fn do_get_catalogs(&self, query: CommandGetCatalogs, _: Request<Ticket>) -> Result<Response<Rows>, Status> {
        sent(self.visit("DoGet GetCatalogs"), listing::catalogs(query))
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = listing::schemas(query.clone()).map(|rows| rows.schema());
        listed(self.visit("GetDbSchemas"), columns, query, request)
    }

    async fn do_get_schemas(&self, query: CommandGetDbSchemas, _: Request<Ticket>) -> Result<Response<Rows>, Status> {
        sent(self.visit("DoGet GetDbSchemas"), listing::schemas(query))
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = query.clone().into_builder().schema();
        listed(self.visit("GetTables"), Ok(columns), query, request)
    }

    async fn do_get_tables(&self, query: CommandGetTables, _: Request<Ticket>) -> Result<Response<Rows>, Status> {
        let visit = self.visit("DoGet GetTables");
        sent(visit, listing::tables(self.door.gate(), query).await)
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        listed(self.visit("GetTableTypes"), listing::table_types(query).map(|rows| rows.schema()), query, request)
    }

    async fn do_get_table_types(
        &self,
        query: CommandGetTableTypes,
        _: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        sent(self.visit("DoGet GetTableTypes"), listing::table_types(query))
    }

    async fn get_flight_info_primary_keys(
        &self,
        query: CommandGetPrimaryKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        listed(self.visit("GetPrimaryKeys"), Ok(listing::primary_keys().schema()), query, request)
    }

    async fn do_get_primary_keys(
        &self,
        _: CommandGetPrimaryKeys,
        _: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        sent(self.visit("DoGet GetPrimaryKeys"), Ok(listing::primary_keys()))
    }

    async fn get_flight_info_exported_keys(
        &self,
        query: CommandGetExportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        listed(self.visit("GetExportedKeys"), Ok(listing::foreign_keys().schema()), query, request)
    }

    async fn do_get_exported_keys(
        &self,
        _: CommandGetExportedKeys,
        _: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        sent(self.visit("DoGet GetExportedKeys"), Ok(listing::foreign_keys()))
    }

    async fn get_flight_info_imported_keys(
        &self,
        query: CommandGetImportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        listed(self.visit("GetImportedKeys"), Ok(listing::foreign_keys().schema()), query, request)
    }

    async fn do_get_imported_keys(
        &self,
        _: CommandGetImportedKeys,
        _: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        sent(self.visit("DoGet GetImportedKeys"), Ok(listing::foreign_keys()))
    }

    async fn get_flight_info_cross_reference(
        &self,
        query: CommandGetCrossReference,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        listed(self.visit("GetCrossReference"), Ok(listing::foreign_keys().schema()), query, request)
    }

    async fn do_get_cross_reference(
        &self,
        _: CommandGetCrossReference,
        _: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        sent(self.visit("DoGet GetCrossReference"), Ok(listing::foreign_keys()))
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = listing::about().map(|about| query.clone().into_builder(about).schema());
        listed(self.visit("GetSqlInfo"), columns, query, request)
    }

    async fn do_get_sql_info(&self, query: CommandGetSqlInfo, _: Request<Ticket>) -> Result<Response<Rows>, Status> {
        let rows = listing::about().and_then(|about| query.into_builder(about).build().map_err(listing::fault));
        sent(self.visit("DoGet GetSqlInfo"), rows)
    }

    async fn get_flight_info_xdbc_type_info(
        &self,
        query: CommandGetXdbcTypeInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = listing::types().map(|types| query.into_builder(types).schema());
        listed(self.visit("GetXdbcTypeInfo"), columns, query, request)
    }

    async fn do_get_xdbc_type_info(
        &self,
        query: CommandGetXdbcTypeInfo,
        _: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        let rows = listing::types().and_then(|types| query.into_builder(types).build().map_err(listing::fault));
        sent(self.visit("DoGet GetXdbcTypeInfo"), rows)
    }

    /// A statement is planned already here, where it can be: with placeholders only as far as their types follow.
    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        _: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let visit = self.visit(&query.query);
        let gate = self.door.gate();
        let placeholders = gate.placeholders(&query.query);
        let (columns, types) = match gate.plan(Question::from(query.query.as_str())).await {
            Ok(planned) => (message(&planned.schema)?, planned.parameters()),
            Err(refusal) if placeholders.is_empty() || refusal.kind != Kind::Bad => return Err(ended(visit, refusal)),
            Err(_) => (Bytes::new(), Vec::new()),
        };
        let fields: Vec<Field> = placeholders
            .iter()
            .map(|name| {
                let known = types.iter().find(|(known, _)| known == name).and_then(|(_, known)| known.clone());
                Field::new(name, known.unwrap_or(DataType::Null), true)
            })
            .collect();
        let parameter_schema = message(&Schema::new(fields))?;
        visit.end(None);
        let bytes = query.query.len();
        let handle = self.handles.add(Held::Prepared { text: query.query, values: None }, bytes);
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle.into(),
            dataset_schema: columns,
            parameter_schema,
        })
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        _: Request<Action>,
    ) -> Result<(), Status> {
        self.handles.remove(&query.prepared_statement_handle);
        Ok(())
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let handle = query.prepared_statement_handle;
        let Held::Prepared { text, .. } = self.handles.get(&handle).map_err(status)? else {
            return Err(Status::not_found("the handle is that of no prepared statement"));
        };
        let values = self.values(request.into_inner()).await.map_err(status)?;
        let bytes = text.len() + values.as_ref().map_or(0, Values::bytes);
        self.handles.put(&handle, Held::Prepared { text, values }, bytes).map_err(status)?;
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) })
    }

    async fn do_put_statement_update(
        &self,
        _: CommandStatementUpdate,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.only_reads("DoPut StatementUpdate")
    }

    async fn do_put_prepared_statement_update(
        &self,
        _: CommandPreparedStatementUpdate,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.only_reads("DoPut PreparedStatementUpdate")
    }

    async fn do_put_statement_ingest(
        &self,
        _: CommandStatementIngest,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.only_reads("DoPut StatementIngest")
    }

    async fn do_action_cancel_query(
        &self,
        query: ActionCancelQueryRequest,
        _: Request<Action>,
    ) -> Result<ActionCancelQueryResult, Status> {
        let info = FlightInfo::decode(&*query.info).map_err(|_| Status::invalid_argument("the info cannot be read"))?;
        Ok(ActionCancelQueryResult { result: self.cancelled(&info)? as i32 })
    }

    /// `CancelFlightInfo`, by which newer clients cancel.
    async fn do_action_fallback(
        &self,
        request: Request<Action>,
    ) -> Result<Response<<Self as FlightService>::DoActionStream>, Status> {
        let action = request.into_inner();
        if action.r#type != "CancelFlightInfo" {
            return Err(Status::unimplemented("this server has no such action"));
        }
        let asked = CancelFlightInfoRequest::decode(&*action.body)
            .map_err(|_| Status::invalid_argument("the info cannot be read"))?;
        let info = asked.info.ok_or_else(|| Status::invalid_argument("the request names nothing to cancel"))?;
        let done = CancelFlightInfoResult::new(self.cancelled(&info)?);
        let answer = arrow_flight::Result::new(done.encode_to_vec());
        Ok(Response::new(Box::pin(stream::iter([Ok(answer)]))))
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}
