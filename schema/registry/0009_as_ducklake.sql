-- The catalog's tables exactly as DuckLake 1.0 lays them out: names, order, types and keys of the columns. In particular
-- ducklake_table.table_id is no key: a table that is renamed has a row for each of its names.
--
-- What is ours beside it, and no client minds: plain defaults (DuckDB parses them) for the columns that datafusion-ducklake leaves out, INTEGER in
-- place of BIGINT where a key is the row's own number (datafusion-ducklake takes new ids from it), two indexes, triggers.
-- Tables get their ids from next_catalog_id, as in DuckDB: whoever makes one inserts it with its id.

DROP TRIGGER IF EXISTS hollandite_schema_uuid;
DROP TRIGGER IF EXISTS hollandite_table_uuid;
DROP TRIGGER IF EXISTS hollandite_counters;
DROP TRIGGER IF EXISTS hollandite_schema_counter;
DROP TRIGGER IF EXISTS hollandite_table_counter;
DROP TRIGGER IF EXISTS hollandite_data_file_counter;
DROP TRIGGER IF EXISTS hollandite_delete_file_counter;
DROP TRIGGER IF EXISTS hollandite_column_counter;

ALTER TABLE ducklake_metadata RENAME TO hollandite_old;
CREATE TABLE ducklake_metadata (
    key VARCHAR NOT NULL, value VARCHAR NOT NULL, scope VARCHAR, scope_id BIGINT
);
INSERT INTO ducklake_metadata SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_snapshot RENAME TO hollandite_old;
CREATE TABLE ducklake_snapshot (
    snapshot_id INTEGER PRIMARY KEY, snapshot_time VARCHAR,
    schema_version BIGINT DEFAULT 0, next_catalog_id BIGINT, next_file_id BIGINT
);
INSERT INTO ducklake_snapshot SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_schema RENAME TO hollandite_old;
CREATE TABLE ducklake_schema (
    schema_id INTEGER PRIMARY KEY, schema_uuid VARCHAR, begin_snapshot BIGINT, end_snapshot BIGINT,
    schema_name VARCHAR, path VARCHAR DEFAULT '', path_is_relative BIGINT DEFAULT 1
);
INSERT INTO ducklake_schema SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_table RENAME TO hollandite_old;
CREATE TABLE ducklake_table (
    table_id BIGINT, table_uuid VARCHAR, begin_snapshot BIGINT, end_snapshot BIGINT, schema_id BIGINT,
    table_name VARCHAR, path VARCHAR DEFAULT '', path_is_relative BIGINT DEFAULT 1
);
INSERT INTO ducklake_table SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_data_file RENAME TO hollandite_old;
CREATE TABLE ducklake_data_file (
    data_file_id INTEGER PRIMARY KEY, table_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT,
    file_order BIGINT, path VARCHAR, path_is_relative BIGINT DEFAULT 1, file_format VARCHAR DEFAULT 'parquet',
    record_count BIGINT, file_size_bytes BIGINT, footer_size BIGINT, row_id_start BIGINT, partition_id BIGINT,
    encryption_key VARCHAR, mapping_id BIGINT, partial_max BIGINT
);
INSERT INTO ducklake_data_file SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_file_column_stats RENAME TO hollandite_old;
CREATE TABLE ducklake_file_column_stats (
    data_file_id BIGINT, table_id BIGINT, column_id BIGINT, column_size_bytes BIGINT, value_count BIGINT,
    null_count BIGINT, min_value VARCHAR, max_value VARCHAR, contains_nan BIGINT, extra_stats VARCHAR
);
INSERT INTO ducklake_file_column_stats SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_file_variant_stats RENAME TO hollandite_old;
CREATE TABLE ducklake_file_variant_stats (
    data_file_id BIGINT, table_id BIGINT, column_id BIGINT, variant_path VARCHAR, shredded_type VARCHAR,
    column_size_bytes BIGINT, value_count BIGINT, null_count BIGINT, min_value VARCHAR, max_value VARCHAR,
    contains_nan BIGINT, extra_stats VARCHAR
);
INSERT INTO ducklake_file_variant_stats SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_delete_file RENAME TO hollandite_old;
CREATE TABLE ducklake_delete_file (
    delete_file_id INTEGER PRIMARY KEY, table_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT,
    data_file_id BIGINT, path VARCHAR, path_is_relative BIGINT DEFAULT 1, format VARCHAR DEFAULT 'parquet',
    delete_count BIGINT, file_size_bytes BIGINT, footer_size BIGINT, encryption_key VARCHAR, partial_max BIGINT
);
INSERT INTO ducklake_delete_file SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_column RENAME TO hollandite_old;
CREATE TABLE ducklake_column (
    column_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, table_id BIGINT, column_order BIGINT,
    column_name VARCHAR, column_type VARCHAR, initial_default VARCHAR, default_value VARCHAR, nulls_allowed BIGINT,
    parent_column BIGINT, default_value_type VARCHAR, default_value_dialect VARCHAR
);
INSERT INTO ducklake_column SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_table_stats RENAME TO hollandite_old;
CREATE TABLE ducklake_table_stats (
    table_id BIGINT, record_count BIGINT DEFAULT 0, next_row_id BIGINT DEFAULT 0, file_size_bytes BIGINT DEFAULT 0
);
INSERT INTO ducklake_table_stats SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_table_column_stats RENAME TO hollandite_old;
CREATE TABLE ducklake_table_column_stats (
    table_id BIGINT, column_id BIGINT, contains_null BIGINT, contains_nan BIGINT, min_value VARCHAR,
    max_value VARCHAR, extra_stats VARCHAR
);
INSERT INTO ducklake_table_column_stats SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_partition_info RENAME TO hollandite_old;
CREATE TABLE ducklake_partition_info (
    partition_id BIGINT, table_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT
);
INSERT INTO ducklake_partition_info SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_partition_column RENAME TO hollandite_old;
CREATE TABLE ducklake_partition_column (
    partition_id BIGINT, table_id BIGINT, partition_key_index BIGINT, column_id BIGINT, transform VARCHAR
);
INSERT INTO ducklake_partition_column SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_file_partition_value RENAME TO hollandite_old;
CREATE TABLE ducklake_file_partition_value (
    data_file_id BIGINT, table_id BIGINT, partition_key_index BIGINT, partition_value VARCHAR
);
INSERT INTO ducklake_file_partition_value SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_files_scheduled_for_deletion RENAME TO hollandite_old;
CREATE TABLE ducklake_files_scheduled_for_deletion (
    data_file_id BIGINT, path VARCHAR, path_is_relative BIGINT DEFAULT 1,
    schedule_start VARCHAR DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO ducklake_files_scheduled_for_deletion SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_inlined_data_tables RENAME TO hollandite_old;
CREATE TABLE ducklake_inlined_data_tables (
    table_id BIGINT, table_name VARCHAR, schema_version BIGINT
);
INSERT INTO ducklake_inlined_data_tables SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_name_mapping RENAME TO hollandite_old;
CREATE TABLE ducklake_name_mapping (
    mapping_id BIGINT, column_id BIGINT, source_name VARCHAR, target_field_id BIGINT, parent_column BIGINT,
    is_partition BIGINT
);
INSERT INTO ducklake_name_mapping SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_schema_versions RENAME TO hollandite_old;
CREATE TABLE ducklake_schema_versions (
    begin_snapshot BIGINT, schema_version BIGINT, table_id BIGINT
);
INSERT INTO ducklake_schema_versions SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_sort_info RENAME TO hollandite_old;
CREATE TABLE ducklake_sort_info (
    sort_id BIGINT, table_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT
);
INSERT INTO ducklake_sort_info SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

ALTER TABLE ducklake_sort_expression RENAME TO hollandite_old;
CREATE TABLE ducklake_sort_expression (
    sort_id BIGINT, table_id BIGINT, sort_key_index BIGINT, expression VARCHAR, dialect VARCHAR,
    sort_direction VARCHAR, null_order VARCHAR
);
INSERT INTO ducklake_sort_expression SELECT * FROM hollandite_old;
DROP TABLE hollandite_old;

-- Moments say what they are after: ours UTC, DuckDB's the time of its place.
UPDATE ducklake_snapshot SET snapshot_time = snapshot_time || '+00' WHERE snapshot_time NOT GLOB '* *[+-]*';
UPDATE ducklake_files_scheduled_for_deletion SET schedule_start = schedule_start || '+00' WHERE schedule_start NOT GLOB '* *[+-]*';

-- Of the rows of a renamed table the living one comes first (NULL before every number): datafusion-ducklake asks for one.
CREATE INDEX hollandite_table ON ducklake_table (table_id, end_snapshot);
-- datafusion-ducklake inserts a table's statistics where there are none yet.
CREATE UNIQUE INDEX hollandite_table_stats ON ducklake_table_stats (table_id);
CREATE INDEX IF NOT EXISTS idx_file_partition_value_table_key ON ducklake_file_partition_value (table_id, partition_key_index);

-- DuckDB requires a UUID of each schema, table and view.
CREATE TRIGGER hollandite_schema_uuid AFTER INSERT ON ducklake_schema WHEN NEW.schema_uuid IS NULL
BEGIN
    UPDATE ducklake_schema SET schema_uuid = (
        SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-'
               || substr(h, 21, 12)
        FROM (SELECT lower(hex(randomblob(16))) AS h))
    WHERE rowid = NEW.rowid;
END;
CREATE TRIGGER hollandite_table_uuid AFTER INSERT ON ducklake_table WHEN NEW.table_uuid IS NULL
BEGIN
    UPDATE ducklake_table SET table_uuid = (
        SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-'
               || substr(h, 21, 12)
        FROM (SELECT lower(hex(randomblob(16))) AS h))
    WHERE rowid = NEW.rowid;
END;
CREATE TRIGGER hollandite_view_uuid AFTER INSERT ON ducklake_view WHEN NEW.view_uuid IS NULL
BEGIN
    UPDATE ducklake_view SET view_uuid = (
        SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-'
               || substr(h, 21, 12)
        FROM (SELECT lower(hex(randomblob(16))) AS h))
    WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER hollandite_snapshot_time AFTER INSERT ON ducklake_snapshot
WHEN NEW.snapshot_time IS NULL OR NEW.snapshot_time NOT GLOB '* *[+-]*'
BEGIN
    UPDATE ducklake_snapshot SET snapshot_time = strftime('%Y-%m-%d %H:%M:%f+00', 'now')
    WHERE snapshot_id = NEW.snapshot_id;
END;

CREATE TRIGGER hollandite_schedule_start AFTER INSERT ON ducklake_files_scheduled_for_deletion
WHEN NEW.schedule_start NOT GLOB '* *[+-]*'
BEGIN
    UPDATE ducklake_files_scheduled_for_deletion SET schedule_start = NEW.schedule_start || '+00' WHERE rowid = NEW.rowid;
END;

-- The counters of a snapshot lie above every id in use: carried forward when it is made, raised when an id is taken.
CREATE TRIGGER hollandite_counters AFTER INSERT ON ducklake_snapshot
WHEN NEW.next_catalog_id IS NULL OR NEW.next_file_id IS NULL
BEGIN
    UPDATE ducklake_snapshot SET
        next_catalog_id = max(
            coalesce((SELECT max(next_catalog_id) FROM ducklake_snapshot), 1),
            1 + coalesce((SELECT max(schema_id) FROM ducklake_schema), 0),
            1 + coalesce((SELECT max(table_id) FROM ducklake_table), 0),
            1 + coalesce((SELECT max(view_id) FROM ducklake_view), 0)),
        next_file_id = max(
            coalesce((SELECT max(next_file_id) FROM ducklake_snapshot), 0),
            1 + coalesce((SELECT max(data_file_id) FROM ducklake_data_file), -1),
            1 + coalesce((SELECT max(delete_file_id) FROM ducklake_delete_file), -1))
    WHERE snapshot_id = NEW.snapshot_id;
END;
CREATE TRIGGER hollandite_schema_counter AFTER INSERT ON ducklake_schema
BEGIN
    UPDATE ducklake_snapshot SET next_catalog_id = max(next_catalog_id, NEW.schema_id + 1)
    WHERE snapshot_id = (SELECT max(snapshot_id) FROM ducklake_snapshot);
END;
CREATE TRIGGER hollandite_table_counter AFTER INSERT ON ducklake_table
BEGIN
    UPDATE ducklake_snapshot SET next_catalog_id = max(next_catalog_id, NEW.table_id + 1)
    WHERE snapshot_id = (SELECT max(snapshot_id) FROM ducklake_snapshot);
END;
CREATE TRIGGER hollandite_view_counter AFTER INSERT ON ducklake_view
BEGIN
    UPDATE ducklake_snapshot SET next_catalog_id = max(next_catalog_id, NEW.view_id + 1)
    WHERE snapshot_id = (SELECT max(snapshot_id) FROM ducklake_snapshot);
END;
CREATE TRIGGER hollandite_data_file_counter AFTER INSERT ON ducklake_data_file
BEGIN
    UPDATE ducklake_snapshot SET next_file_id = max(next_file_id, NEW.data_file_id + 1)
    WHERE snapshot_id = (SELECT max(snapshot_id) FROM ducklake_snapshot);
END;
CREATE TRIGGER hollandite_delete_file_counter AFTER INSERT ON ducklake_delete_file
BEGIN
    UPDATE ducklake_snapshot SET next_file_id = max(next_file_id, NEW.delete_file_id + 1)
    WHERE snapshot_id = (SELECT max(snapshot_id) FROM ducklake_snapshot);
END;
-- Columns that DuckDB adds: datafusion-ducklake's counter holds the highest id in use.
CREATE TRIGGER hollandite_column_counter AFTER INSERT ON ducklake_column
BEGIN
    UPDATE ducklake_metadata SET value = CAST(max(CAST(value AS INTEGER), NEW.column_id) AS TEXT)
    WHERE key = 'next_column_id' AND scope IS NULL;
END;
