//! The table of hostile statements: each is refused, with nothing written, and nothing shown.

use super::*;

/// What changes something.
const WRITES: &[&str] = &[
    "CREATE TABLE x AS SELECT 1",
    "CREATE TABLE x (a INT)",
    "CREATE OR REPLACE TABLE crystals AS SELECT 1",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TEMPORARY VIEW v AS SELECT 1",
    "CREATE SCHEMA s",
    "CREATE DATABASE d",
    "CREATE EXTERNAL TABLE e STORED AS CSV LOCATION '{folder}/secret.csv'",
    "CREATE UNBOUNDED EXTERNAL TABLE e (a TEXT) STORED AS CSV LOCATION '{folder}/secret.csv'",
    "CREATE FUNCTION f(BIGINT) RETURNS BIGINT RETURN $1 + 1",
    "CREATE INDEX i ON crystals (id)",
    "DROP TABLE crystals",
    "DROP TABLE IF EXISTS crystals",
    "DROP VIEW IF EXISTS features",
    "DROP SCHEMA main CASCADE",
    "INSERT INTO crystals (id) VALUES ('x')",
    "INSERT INTO crystals SELECT * FROM crystals",
    "INSERT OVERWRITE crystals SELECT * FROM crystals",
    "UPDATE crystals SET id = 'x'",
    "DELETE FROM crystals",
    "TRUNCATE TABLE crystals",
    "MERGE INTO crystals USING crystals AS o ON crystals.id = o.id WHEN MATCHED THEN DELETE",
    "ALTER TABLE crystals ADD COLUMN x INT",
    "ALTER TABLE crystals RENAME TO y",
    "COMMENT ON TABLE crystals IS 'x'",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY crystals TO '{folder}/out.parquet'",
    "COPY (SELECT 1) TO '{folder}/out' STORED AS JSON",
    "EXPLAIN COPY (SELECT 1) TO '{folder}/out.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/out.csv'",
    "EXPLAIN INSERT INTO crystals (id) VALUES ('x')",
    "EXPLAIN ANALYZE INSERT INTO crystals (id) VALUES ('x')",
    "EXPLAIN ANALYZE DELETE FROM crystals",
    "EXPLAIN CREATE TABLE x AS SELECT 1",
    "WITH a AS (SELECT 1) INSERT INTO crystals (id) SELECT 'x' FROM a",
    "SELECT 1 AS a INTO x",
    "SET hollandite.model = 'cgcnn'",
    "SET datafusion.execution.batch_size = 1",
    "SET datafusion.runtime.memory_limit = '900G'",
    "SET TIME ZONE 'UTC'",
    "RESET datafusion.execution.batch_size",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    "BEGIN",
    "START TRANSACTION",
    "COMMIT",
    "ROLLBACK",
    "USE other",
    "ATTACH '{folder}/secret.csv' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "CALL something()",
    "GRANT ALL ON crystals TO everybody",
    "VACUUM",
    "ANALYZE TABLE crystals COMPUTE STATISTICS",
    "KILL 1",
    "SELECT 1; DROP TABLE crystals",
    "SELECT 1; SELECT 2",
    "",
    "-- nothing",
];

/// What opens a file, while it is planned or later.
const FILES: &[&str] = &[
    "SELECT * FROM read_csv('{folder}/secret.csv')",
    "SELECT * FROM read_json('{folder}/secret.jsonl')",
    "SELECT * FROM read_parquet('{folder}/store/data/main/crystals/*.parquet')",
    "SELECT * FROM read_structures('{folder}/secret.cif')",
    "SELECT * FROM read_structures('{folder}')",
    "SELECT * FROM TABLE(read_csv('{folder}/secret.csv'))",
    "SELECT * FROM LATERAL read_csv('{folder}/secret.csv')",
    "SELECT * FROM '{folder}/secret.csv'",
    "SELECT * FROM '{folder}/secret.txt'",
    "SELECT * FROM \"{folder}/secret.csv\"",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"",
    "SELECT * FROM 'file:///etc/passwd'",
    "SELECT * FROM 'https://localhost/x.parquet'",
    "EXPLAIN SELECT * FROM read_csv('{folder}/secret.csv')",
    "SELECT (SELECT count(*) FROM read_csv('{folder}/secret.csv'))",
    "WITH a AS (SELECT * FROM read_csv('{folder}/secret.csv')) SELECT 1",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM read_csv('{folder}/secret.csv'))",
    "SELECT id FROM crystals UNION ALL SELECT * FROM '{folder}/secret.csv'",
    "SELECT * FROM crystals JOIN '{folder}/secret.csv' AS s ON true",
    "DESCRIBE '{folder}/secret.csv'",
    "SELECT predict_ef(structure, '{folder}/secret.txt') FROM crystals",
    "SELECT predict_ef(structure, '{folder}/none.txt') FROM crystals",
    "SELECT predict_ef(structure, '{folder}') FROM crystals",
    "SELECT predict(structure, '{folder}/secret.txt') FROM crystals",
    "SELECT predict_ef(structure, '../../store/secret.txt') FROM crystals",
    "SELECT predict_energy(structure, '{folder}/secret.txt') FROM crystals",
    "SELECT predict_forces(structure, '/etc/passwd') FROM crystals",
    "EXPLAIN SELECT predict_ef(structure, '/etc/passwd') FROM crystals",
    "SELECT formation_energy('TiO2', -9.0, '/etc/passwd')",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM ducklake_snapshot",
    "SELECT * FROM other.main.crystals",
    "SELECT * FROM crystals AT (VERSION => 99999)",
    "SELECT * FROM crystals AT (VERSION => -1)",
    "SELECT * FROM crystals AT (VERSION => 9223372036854775808)",
    "SELECT * FROM most_similar('rutile', 2, '../../secret.csv')",
    "SELECT * FROM most_similar('rutile', 2, 'crystals\" UNION SELECT * FROM read_csv(''secret.csv'') --')",
    "SELECT * FROM main.\"../../secret.csv\"",
    "SELECT * FROM \"..\".\"..\".\"secret\"",
    "SELECT predict_ef(structure, '.') FROM crystals",
    "SELECT predict_ef(structure, '..') FROM crystals",
    "SELECT predict_ef(structure, 'cgcnn/../cgcnn') FROM crystals",
    "SELECT predict_ef(structure, 'file:///etc/passwd') FROM crystals",
    "SELECT predict_ef(structure, '{folder}/secret.txt' || '') FROM crystals",
    "SELECT predict_ef(structure, id) FROM crystals",
];

/// What takes minutes a row, without permission.
const COSTLY: &[&str] = &[
    "SELECT relax(structure) FROM crystals",
    "SELECT id FROM crystals WHERE relax(structure)['converged']",
    "SELECT adsorption(structure, 'Li') FROM crystals",
    "SELECT adsorption_potential(structure, 'Li') FROM crystals",
    "SELECT migration_barrier(structure, 'Li') FROM crystals",
    "SELECT * FROM migration_paths('rutile', 'Li', table => 'crystals')",
    "SELECT voltage_curve(structure, 'Li') FROM crystals",
    "SELECT extraction_voltage(structure, 'O') FROM crystals",
    "SELECT (SELECT max(adsorption_potential(structure, 'Li')) FROM crystals)",
    "EXPLAIN SELECT relax(structure) FROM crystals",
];

/// What makes one value that is longer than any memory.
const LONG: &[&str] = &[
    "SELECT repeat('x', 2000000000)",
    "SELECT lpad('x', 2000000000)",
    "SELECT rpad('x', 2000000000, 'y')",
    "SELECT array_repeat(1, 2000000000)",
    "SELECT array_resize([1], 2000000000, 0)",
    "SELECT count(*) FROM crystals WHERE repeat(id, 1000000000) = 'x'",
    "SELECT range(0, 100000000000)",
    "SELECT cardinality(generate_series(1, 100000000000))",
    "SELECT unnest(range(100000000000))",
    "SELECT arrow_cast(NULL, 'FixedSizeBinary(2000000000)')",
    "SELECT arrow_try_cast(NULL, 'FixedSizeList(2000000000, Int64)')",
    "SELECT arrow_cast(NULL, 'List(FixedSizeBinary(2000000000))') IS NULL FROM crystals",
    "SELECT CAST(NULL AS BIGINT[2000000000])",
    "SELECT NULL::BIGINT[2000][2000][2000]",
    "SELECT approx_percentile_cont(value, 0.5, 1000000000000) FROM generate_series(1, 10)",
    "SELECT approx_percentile_cont(0.5, CAST('1000000000000' AS BIGINT)) WITHIN GROUP (ORDER BY value) FROM generate_series(1, 10)",
    "SELECT approx_percentile_cont(0.5, 10 + 1000000000000) WITHIN GROUP (ORDER BY value) FROM generate_series(1, 10)",
    "SELECT levenshtein(id, id) FROM crystals",
    "SELECT count(*) FROM generate_series(1, 100000) WHERE regexp_like('x', concat('(\\w{', value % 100, '}){90}', value))",
    "SELECT count(*) FROM generate_series(1, 100000) WHERE 'x' ~ concat('(\\w{', value % 100, '}){90}', value)",
    "SELECT id FROM crystals WHERE id !~* uuid()::text",
    "SELECT count(*) FROM generate_series(1, 100000) WHERE 'x' LIKE concat('%a_', value, '%b')",
    "SELECT id FROM crystals WHERE id NOT ILIKE id",
    "SELECT a.id FROM crystals AS a JOIN crystals AS b ON a.id LIKE b.id",
    "SELECT string_agg(id, ',') OVER () FROM crystals",
    "SELECT array_agg(value) OVER (ORDER BY value) FROM generate_series(1, 100000)",
    "SELECT count(*) FROM crystals WHERE TRY_CAST(NULL AS BIGINT[2000000000]) IS NULL",
];

/// What would show where the files of the store are.
const PLACES: &[&str] = &[
    "SELECT input_file_name() FROM crystals",
    "SELECT input_file_name() FROM tmo",
    "SELECT id FROM crystals WHERE input_file_name() LIKE '%/%'",
    "SELECT id, file_row_index() FROM crystals",
    "SELECT * FROM information_schema.df_settings",
    "SELECT value FROM information_schema.df_settings WHERE name = 'datafusion.runtime.temp_directory'",
    "SELECT value FROM information_schema.df_settings WHERE name = 'hollandite.model' OR true",
    "SELECT value FROM information_schema.df_settings AS s WHERE name > 'hollandite.model'",
    "SELECT a.value FROM information_schema.df_settings AS a JOIN crystals ON true",
    "SELECT definition FROM information_schema.views",
    "SHOW CREATE TABLE crystals",
    "SHOW datafusion.runtime.temp_directory",
    "SHOW ALL",
    "SHOW ALL VERBOSE",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_statements_are_refused_and_leave_nothing() {
    let place = Place::new().await;
    let folder = place.folder.path().display().to_string();
    let (files, snapshots) = (place.files(), place.store.snapshots().unwrap());
    let mut asked = 0;
    let groups = [
        (WRITES, &[Forbidden, Bad][..]),
        (FILES, &[Forbidden, Bad][..]),
        (COSTLY, &[Forbidden][..]),
        (LONG, &[Forbidden][..]),
        (PLACES, &[Forbidden, Bad][..]),
    ];
    for (statements, kinds) in groups {
        for statement in statements {
            let statement = statement.replace("{folder}", &folder);
            let refusal = place.refused(&statement).await;
            assert!(kinds.contains(&refusal.kind), "{statement}: {refusal:?}");
            let secrets = [SECRET, folder.as_str(), folder.trim_start_matches('/'), "/etc/"];
            assert!(secrets.iter().all(|secret| !refusal.message.contains(secret)), "{statement}: {}", refusal.message);
            assert!(!refusal.message.is_empty(), "{statement}");
            asked += 1;
        }
    }
    assert!(asked >= 100, "{asked} statements");
    place.quiet().await;
    assert_eq!(place.store.snapshots().unwrap(), snapshots);
    let after = place.files();
    assert_eq!(after.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
    assert!(after == files, "a file has changed");
    place.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_tells_nothing_of_whether_it_is_there() {
    let place = Place::new().await;
    let said = async |name: &str| {
        let path = place.folder.path().join(name).display().to_string();
        place.refused(&format!("SELECT predict_ef(structure, '{path}') FROM crystals")).await.message
    };
    assert_eq!(said("secret.txt").await, said("nothing.txt").await);
    assert_eq!(said("secret.csv").await, said("store").await);
}
