//! A client of Flight SQL before a server that listens.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, NullArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any,
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetTables, CommandPreparedStatementQuery, CommandStatementIngest, ProstMessageExt,
    SqlInfo,
};
use arrow_flight::{Action, CancelFlightInfoRequest, FlightData, FlightDescriptor, FlightInfo, Ticket};
use futures::TryStreamExt;
use prost::Message;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::testing::{Server, TOKEN, limits};

type Client = FlightSqlServiceClient<Channel>;

async fn client(server: &Server, token: Option<&str>) -> Client {
    let channel =
        Endpoint::from_shared(format!("http://{}", server.at.flight.unwrap())).unwrap().connect().await.unwrap();
    let mut client = FlightSqlServiceClient::new(channel);
    token.into_iter().for_each(|token| client.set_token(token.to_owned()));
    client
}

/// What is fetched by the ticket, after the columns were compared with those that were announced.
async fn fetched(client: &mut Client, info: FlightInfo) -> Result<Vec<RecordBatch>, FlightError> {
    let announced = info.clone().try_decode_schema().unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let mut rows = client.do_get(ticket).await?;
    let mut batches = Vec::new();
    while let Some(batch) = rows.try_next().await? {
        batches.push(batch);
    }
    assert_eq!(rows.schema().map(|schema| schema.as_ref().clone()), Some(announced));
    Ok(batches)
}

async fn asked(client: &mut Client, query: &str) -> Result<Vec<RecordBatch>, FlightError> {
    let info = client.execute(query.to_owned(), None).await?;
    fetched(client, info).await
}

/// The status of a call that was refused.
fn code<T: std::fmt::Debug>(refused: Result<T, FlightError>) -> Code {
    match refused {
        Err(FlightError::Tonic(status)) => status.code(),
        other => panic!("{other:?}"),
    }
}

fn texts(batches: &[RecordBatch], column: &str) -> Vec<String> {
    let column = |batch: &RecordBatch| crate::catalog::texts(batch.column_by_name(column).unwrap());
    batches.iter().flat_map(column).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_planned_once_and_fetched_with_the_columns_that_were_announced() {
    let server = Server::start(limits(), false).await;
    let mut client = client(&server, None).await;
    let rows = asked(&mut client, "SELECT id, structure, density(structure) AS density, 1 AS one FROM crystals")
        .await
        .unwrap();
    assert_eq!(texts(&rows, "id"), ["rutile"]);
    let schema: SchemaRef = rows[0].schema();
    assert_eq!(schema.field(2).metadata().get("unit").map(String::as_str), Some("g/cm³"));
    for query in [
        "SHOW TABLES",
        "SELECT * FROM tmo LIMIT 0",
        "EXPLAIN SELECT id FROM crystals",
        "SELECT arrow_cast('a', 'Dictionary(Int32, Utf8)') AS d",
        "SELECT NULL AS a, [1, 2] AS b, {x: 'y'} AS c, now() AS d, DATE '2026-01-01' AS e",
        "SELECT arrow_cast('a', 'Utf8View') AS a, arrow_cast('a', 'LargeUtf8') AS b, arrow_cast([1], 'LargeList(Int64)') AS c",
        "SELECT arrow_cast([1], 'ListView(Int64)') AS a, arrow_cast([['x']], 'LargeListView(List(Utf8View))') AS b",
        "SELECT arrow_cast(map(['a'], ['b']), 'Map(\"entries\": non-null Struct(\"key\": non-null Utf8View, \"value\": Utf8View), unsorted)') AS a",
        "SELECT arrow_cast(arrow_cast('a', 'Utf8View'), 'Dictionary(Int32, Utf8View)') AS a",
        "SELECT arrow_cast('a', 'RunEndEncoded(\"run_ends\": non-null Int32, \"values\": Utf8)') AS a, X'00ff' AS b",
    ] {
        let rows = asked(&mut client, query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        let columns = format!("{:?}", rows.first().map(RecordBatch::schema));
        let unknown = ["View", "LargeList", "RunEnd"];
        assert!(unknown.iter().all(|layout| !columns.contains(layout)), "{query}: {columns}");
    }
    // What was planned is what is fetched, even if the store changed since.
    let info = client.execute("SELECT count(*) AS n FROM crystals".into(), None).await.unwrap();
    let session = sql::Session::open(&server.store, None).await.unwrap();
    session
        .sql("INSERT INTO crystals SELECT 'second' AS id, structure FROM crystals")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let count = |rows: &[RecordBatch]| rows[0].column(0).as_primitive::<Int64Type>().value(0);
    assert_eq!(count(&fetched(&mut client, info).await.unwrap()), 1);
    assert_eq!(count(&asked(&mut client, "SELECT count(*) AS n FROM crystals").await.unwrap()), 2);
    let series = |n: usize| format!("SELECT value FROM generate_series(1, {n})");
    let rows = asked(&mut client, &series(20_000)).await.unwrap();
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 20_000);
    assert_eq!(code(asked(&mut client, &series(20_001)).await), Code::ResourceExhausted);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_memory_is_streamed() {
    let bounds = crate::Limits { memory: 8 << 20, spill: 1 << 20, rows: 1_000_000, ..limits() };
    let server = Server::start(bounds, false).await;
    let mut client = client(&server, None).await;
    let query = "SELECT value, concat(value, ' is a number with a text behind it that is as long as a line of this file, and longer') AS text \
                 FROM generate_series(1, 400000)";
    let info = client.execute(query.into(), None).await.unwrap();
    let mut rows = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    let (mut count, mut bytes) = (0, 0);
    while let Some(batch) = rows.try_next().await.unwrap() {
        count += batch.num_rows();
        bytes += batch.get_array_memory_size();
    }
    assert!(count == 400_000 && bytes > 4 * (8 << 20), "{count} rows, {bytes} bytes");
    // What must be held to be answered does not fit.
    assert_eq!(code(asked(&mut client, &format!("{query} ORDER BY text")).await), Code::ResourceExhausted);
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_statements_take_parameters_by_place_and_by_name() {
    let server = Server::start(limits(), false).await;
    let mut client = client(&server, None).await;
    let mut prepared =
        client.prepare("SELECT id FROM crystals WHERE id = $1 AND natoms(structure) > $2".into(), None).await.unwrap();
    let names: Vec<&str> =
        prepared.parameter_schema().unwrap().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["$1", "$2"]);
    assert_eq!(prepared.dataset_schema().unwrap().fields().len(), 1);
    let values = |id: &str, least: i64| {
        let id = Arc::new(StringArray::from(vec![id])) as ArrayRef;
        RecordBatch::try_from_iter([("1", id), ("2", Arc::new(Int64Array::from(vec![least])))]).unwrap()
    };
    for (id, least, found) in [("rutile", 1, 1), ("rutile", 6, 0), ("'; DROP TABLE crystals; --", 1, 0)] {
        prepared.set_parameters(values(id, least)).unwrap();
        let info = prepared.execute().await.unwrap();
        let rows = fetched(&mut client, info).await.unwrap();
        assert_eq!(texts(&rows, "id").len(), found, "{id}");
    }
    let two = RecordBatch::try_from_iter([("1", Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef)]).unwrap();
    prepared.set_parameters(two).unwrap();
    assert!(prepared.execute().await.unwrap_err().to_string().contains("one row of parameters"));
    prepared.close().await.unwrap();

    let mut named = client.prepare("SELECT :x + :x AS twice".into(), None).await.unwrap();
    named
        .set_parameters(RecordBatch::try_from_iter([("x", Arc::new(Int64Array::from(vec![21])) as ArrayRef)]).unwrap())
        .unwrap();
    let info = named.execute().await.unwrap();
    assert_eq!(fetched(&mut client, info).await.unwrap()[0].column(0).as_primitive::<Int64Type>().value(0), 42);
    let mut without = client.prepare("SELECT $1 AS a".into(), None).await.unwrap();
    let missing = match without.execute().await {
        Err(_) => true,
        Ok(info) => fetched(&mut client, info).await.is_err(),
    };
    assert!(missing, "a placeholder without a value is answered");
    let mut plain = client.prepare("SELECT id FROM crystals".into(), None).await.unwrap();
    let info = plain.execute().await.unwrap();
    assert_eq!(texts(&fetched(&mut client, info).await.unwrap(), "id"), ["rutile"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_no_larger_than_they_look() {
    let server = Server::start(limits(), false).await;
    let mut client = client(&server, None).await;
    // A list of NULL of any length has no bytes.
    let items = Arc::new(NullArray::new(i32::MAX as usize)) as ArrayRef;
    let field = Arc::new(Field::new("item", DataType::Null, true));
    let list = ListArray::new(field, OffsetBuffer::from_lengths([items.len()]), items, None);
    let mut prepared = client.prepare("SELECT cardinality($1) AS n".into(), None).await.unwrap();
    prepared.set_parameters(RecordBatch::try_from_iter([("1", Arc::new(list) as ArrayRef)]).unwrap()).unwrap();
    assert!(prepared.execute().await.unwrap_err().to_string().contains("longer than"));
    // The size of what is compressed is not known.
    let action = ActionCreatePreparedStatementRequest { query: "SELECT length($1) AS n".into(), transaction_id: None };
    let action = Action::new("CreatePreparedStatement", action.as_any().encode_to_vec());
    let made: Vec<_> = client.do_action(action).await.unwrap().try_collect().await.unwrap();
    let made = Any::decode(&*made[0].body).unwrap().unpack::<ActionCreatePreparedStatementResult>().unwrap().unwrap();
    let command = CommandPreparedStatementQuery { prepared_statement_handle: made.prepared_statement_handle };
    let text = Arc::new(StringArray::from(vec!["x".repeat(500_000)])) as ArrayRef;
    for (compression, taken) in
        [(None, true), (Some(CompressionType::ZSTD), false), (Some(CompressionType::LZ4_FRAME), false)]
    {
        let rows = RecordBatch::try_from_iter([("1", Arc::clone(&text))]).unwrap();
        let messages: Vec<FlightData> = FlightDataEncoderBuilder::new()
            .with_options(IpcWriteOptions::default().try_with_compression(compression).unwrap())
            .with_flight_descriptor(Some(FlightDescriptor::new_cmd(command.as_any().encode_to_vec())))
            .build(futures::stream::iter([Ok(rows)]))
            .try_collect()
            .await
            .unwrap();
        let done = match client.do_put(futures::stream::iter(messages)).await {
            Ok(answers) => answers.try_collect::<Vec<_>>().await.map_err(FlightError::from),
            Err(error) => Err(error),
        };
        assert_eq!(done.is_ok(), taken, "{compression:?}: {done:?}");
        assert!(taken || done.unwrap_err().to_string().contains("compressed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_of_clients_are_filled() {
    let server = Server::start(limits(), false).await;
    let mut client = client(&server, None).await;
    let info = client.get_catalogs().await.unwrap();
    assert_eq!(texts(&fetched(&mut client, info).await.unwrap(), "catalog_name"), ["lake"]);
    for catalog in [None, Some("lake".to_owned())] {
        let command = CommandGetDbSchemas { catalog: catalog.clone(), db_schema_filter_pattern: None };
        let info = client.get_db_schemas(command).await.unwrap();
        assert_eq!(texts(&fetched(&mut client, info).await.unwrap(), "db_schema_name"), ["information_schema", "main"]);
        let command = CommandGetTables {
            catalog,
            db_schema_filter_pattern: Some("ma%".into()),
            table_name_filter_pattern: None,
            table_types: vec!["TABLE".into()],
            include_schema: false,
        };
        let info = client.get_tables(command.clone()).await.unwrap();
        let names = texts(&fetched(&mut client, info).await.unwrap(), "table_name");
        assert!(names.contains(&"crystals".into()) && names.contains(&"tmo".into()), "{names:?}");
        let with =
            CommandGetTables { table_name_filter_pattern: Some("cryst%".into()), include_schema: true, ..command };
        let info = client.get_tables(with).await.unwrap();
        let rows = fetched(&mut client, info).await.unwrap();
        let bytes = rows[0].column_by_name("table_schema").unwrap().as_binary::<i32>().value(0);
        let columns = Schema::try_from(arrow_flight::IpcMessage(bytes.to_vec().into())).unwrap();
        assert_eq!(columns.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["id", "structure"]);
    }
    let other = CommandGetDbSchemas { catalog: Some("other".into()), db_schema_filter_pattern: None };
    let info = client.get_db_schemas(other).await.unwrap();
    assert!(texts(&fetched(&mut client, info).await.unwrap(), "db_schema_name").is_empty());
    let info = client.get_table_types().await.unwrap();
    assert_eq!(texts(&fetched(&mut client, info).await.unwrap(), "table_type"), ["TABLE", "VIEW"]);
    let info = client.get_sql_info(vec![SqlInfo::FlightSqlServerName, SqlInfo::FlightSqlServerReadOnly]).await.unwrap();
    assert_eq!(fetched(&mut client, info).await.unwrap()[0].num_rows(), 2);
    let all = client.get_sql_info(Vec::<SqlInfo>::new()).await.unwrap();
    assert!(fetched(&mut client, all).await.unwrap()[0].num_rows() > 10);
    // Each listing is a request that is written down, once when it is described and once when it is fetched.
    let numbers = server.http("GET", "/metrics", &[], b"").await;
    let line = numbers.text().lines().find(|line| line.contains("{door=\"flight\",outcome=\"ok\"}")).unwrap();
    assert!(line.rsplit(' ').next().unwrap().parse::<u32>().unwrap() >= 22, "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_has_keys_and_the_answer_says_so() {
    let server = Server::start(limits(), false).await;
    let mut client = client(&server, None).await;
    let table = || "crystals".to_owned();
    let cross =
        CommandGetCrossReference { pk_table: table(), fk_table: table(), ..CommandGetCrossReference::default() };
    let listings = [
        client.get_primary_keys(CommandGetPrimaryKeys { table: table(), ..CommandGetPrimaryKeys::default() }).await,
        client.get_exported_keys(CommandGetExportedKeys { table: table(), ..CommandGetExportedKeys::default() }).await,
        client.get_imported_keys(CommandGetImportedKeys { table: table(), ..CommandGetImportedKeys::default() }).await,
        client.get_cross_reference(cross).await,
    ];
    for (listing, columns) in listings.into_iter().zip([6, 13, 13, 13]) {
        let info = listing.unwrap();
        assert_eq!(info.clone().try_decode_schema().unwrap().fields().len(), columns);
        assert_eq!(fetched(&mut client, info).await.unwrap().iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_calls_are_refused() {
    let server = Server::start(limits(), true).await;
    for token in [None, Some("wrong-wrong-wrong-wrong")] {
        let mut stranger = client(&server, token).await;
        assert_eq!(code(stranger.execute("SELECT 1".into(), None).await), Code::Unauthenticated);
        assert_eq!(code(stranger.get_catalogs().await), Code::Unauthenticated);
        assert_eq!(code(stranger.prepare("SELECT 1".into(), None).await.map(drop)), Code::Unauthenticated);
        assert_eq!(code(stranger.do_get(Ticket::new("x")).await.map(drop)), Code::Unauthenticated);
        assert!(stranger.handshake("somebody", "wrong-wrong-wrong-wrong").await.is_err());
    }
    let mut known = client(&server, None).await;
    known.handshake("anybody", TOKEN).await.unwrap();
    assert_eq!(known.token().map(String::as_str), Some(TOKEN));
    assert_eq!(texts(&asked(&mut known, "SELECT id FROM crystals").await.unwrap(), "id"), ["rutile"]);
    for (query, expected) in [
        ("DROP TABLE crystals", Code::PermissionDenied),
        ("COPY crystals TO '/tmp/x.csv'", Code::PermissionDenied),
        ("SELECT * FROM read_csv('/etc/passwd')", Code::InvalidArgument),
        ("SELECT relax(structure) FROM crystals", Code::PermissionDenied),
        ("SELECT 1; SELECT 2", Code::InvalidArgument),
        ("SELECT nothing FROM crystals", Code::InvalidArgument),
    ] {
        assert_eq!(code(known.execute(query.into(), None).await), expected, "{query}");
        assert_eq!(code(known.prepare(query.into(), None).await.map(drop)), expected, "{query}");
    }
    assert_eq!(code(known.execute("x".repeat(100_000), None).await), Code::ResourceExhausted);
    assert!(known.execute("x".repeat(2 << 20), None).await.is_err());
    assert_eq!(code(known.execute_update("DELETE FROM crystals".into(), None).await), Code::PermissionDenied);
    let ingest = CommandStatementIngest { table: "crystals".into(), ..CommandStatementIngest::default() };
    let rows = RecordBatch::try_from_iter([("id", Arc::new(StringArray::from(vec!["x"])) as ArrayRef)]).unwrap();
    assert!(known.execute_ingest(ingest, futures::stream::iter([Ok(rows)])).await.is_err());
    for ticket in [Ticket::new(""), Ticket::new("nonsense"), Ticket::new(vec![0xff; 100])] {
        assert!(known.do_get(ticket).await.is_err());
    }
    let forged = arrow_flight::sql::TicketStatementQuery { statement_handle: b"SELECT 1".to_vec().into() };
    assert_eq!(code(known.do_get(Ticket::new(forged.as_any().encode_to_vec())).await.map(drop)), Code::NotFound);
    for name in ["CreatePreparedSubstraitPlan", "BeginTransaction", "Shutdown", ""] {
        assert!(known.do_action(Action::new(name, "")).await.is_err(), "{name}");
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_bounded_and_a_refusal_says_so() {
    let server = Server::start(crate::Limits { queries: 1, waiting: 1, ..limits() }, false).await;
    const SLOW: &str =
        "SELECT count(*) FROM generate_series(1, 10000) a JOIN generate_series(1, 10000) b ON a.value < b.value";
    let ask = async || {
        let mut client = client(&server, None).await;
        asked(&mut client, SLOW).await
    };
    let all = futures::future::join_all((0..6).map(|_| ask())).await;
    let (given, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert!(!given.is_empty() && !refused.is_empty(), "{} of 6 are answered", given.len());
    assert!(refused.into_iter().all(|refused| code(refused) == Code::ResourceExhausted));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_cancelled() {
    let server = Server::start(limits(), false).await;
    const ENDLESS: &str = "SELECT a.value FROM generate_series(1, 100000000) a JOIN generate_series(1, 100000000) b ON a.value < b.value AND a.value + b.value < 0";
    for newer in [false, true] {
        let mut client = client(&server, None).await;
        let info = client.execute(ENDLESS.into(), None).await.unwrap();
        let mut canceller = client.clone();
        let cancel = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let action = match newer {
                true => Action::new("CancelFlightInfo", CancelFlightInfoRequest::new(info.clone()).encode_to_vec()),
                false => {
                    let request = ActionCancelQueryRequest { info: info.encode_to_vec().into() };
                    Action::new("CancelQuery", request.as_any().encode_to_vec())
                }
            };
            canceller.do_action(action.clone()).await.unwrap().try_collect::<Vec<_>>().await.unwrap();
            // Once is enough.
            assert!(canceller.do_action(action).await.is_err());
        };
        let (rows, ()) = tokio::join!(fetched(&mut client, info.clone()), cancel);
        assert_eq!(code(rows), Code::Cancelled);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_message_tells_what_the_statement_warned_of() {
    let server = Server::start(limits(), false).await;
    let mut client = client(&server, None).await;
    for (query, warned) in [
        ("SELECT natoms(s) AS n FROM (SELECT 'no crystal' || id AS s FROM crystals)", true),
        ("SELECT natoms(s) AS n FROM (SELECT 'no crystal' || id AS s FROM crystals) WHERE natoms(s) > 1", true),
        ("SELECT natoms(structure) AS n FROM crystals", false),
    ] {
        let info = client.execute(query.to_owned(), None).await.unwrap();
        let rows = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
        let said: Vec<_> = rows.into_inner().map_ok(|message| message.app_metadata()).try_collect().await.unwrap();
        let (last, before) = said.split_last().unwrap();
        assert!(before.iter().all(|said| said.is_empty()), "{query}");
        let last = String::from_utf8(last.to_vec()).unwrap();
        assert_eq!(last.starts_with("[\"natoms is NULL for 1 row"), warned, "{query}: {last}");
    }
}
