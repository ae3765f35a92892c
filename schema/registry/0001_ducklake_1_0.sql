-- An empty DuckLake 1.0 catalog in SQLite, as DuckDB 1.5.5 itself lays one out, that datafusion-ducklake can write to.
--
-- Both clients must find what they rely on:
--   DuckDB inserts by position, so the columns stand in its order, and it reads the counters next_catalog_id and
--   next_file_id from the newest snapshot.
--   datafusion-ducklake inserts by name, takes ids from INTEGER PRIMARY KEYs and from counters in ducklake_metadata, and
--   leaves the columns it does not know to their defaults. The triggers below fill what no default can.
-- data_path is the absolute path of the data folder: whoever makes or opens the store sets it, so that it may be moved.

CREATE TABLE ducklake_metadata (key VARCHAR NOT NULL, value VARCHAR NOT NULL, scope VARCHAR, scope_id INTEGER);

CREATE TABLE ducklake_snapshot (
    snapshot_id INTEGER PRIMARY KEY, snapshot_time TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    schema_version INTEGER NOT NULL DEFAULT 0, next_catalog_id INTEGER, next_file_id INTEGER
);
CREATE TABLE ducklake_snapshot_changes (
    snapshot_id INTEGER PRIMARY KEY, changes_made VARCHAR, author VARCHAR, commit_message VARCHAR,
    commit_extra_info VARCHAR
);
CREATE TABLE ducklake_schema (
    schema_id INTEGER PRIMARY KEY, schema_uuid VARCHAR, begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
    schema_name VARCHAR NOT NULL, path VARCHAR NOT NULL DEFAULT '', path_is_relative BOOLEAN NOT NULL DEFAULT 1
);
CREATE TABLE ducklake_table (
    table_id INTEGER PRIMARY KEY, table_uuid VARCHAR, begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
    schema_id INTEGER NOT NULL, table_name VARCHAR NOT NULL, path VARCHAR NOT NULL DEFAULT '',
    path_is_relative BOOLEAN NOT NULL DEFAULT 1
);
CREATE TABLE ducklake_view (
    view_id BIGINT, view_uuid VARCHAR, begin_snapshot BIGINT, end_snapshot BIGINT, schema_id BIGINT, view_name VARCHAR,
    dialect VARCHAR, sql VARCHAR, column_aliases VARCHAR
);
CREATE TABLE ducklake_tag (object_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, key VARCHAR, value VARCHAR);
CREATE TABLE ducklake_column_tag (
    table_id BIGINT, column_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, key VARCHAR, value VARCHAR
);
CREATE TABLE ducklake_data_file (
    data_file_id INTEGER PRIMARY KEY, table_id INTEGER NOT NULL, begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
    file_order INTEGER, path VARCHAR NOT NULL, path_is_relative BOOLEAN NOT NULL DEFAULT 1,
    file_format VARCHAR DEFAULT 'parquet', record_count INTEGER, file_size_bytes INTEGER NOT NULL, footer_size INTEGER,
    row_id_start INTEGER, partition_id INTEGER, encryption_key VARCHAR, mapping_id INTEGER, partial_max INTEGER
);
CREATE TABLE ducklake_file_column_stats (
    data_file_id INTEGER NOT NULL, table_id INTEGER NOT NULL, column_id INTEGER NOT NULL, column_size_bytes INTEGER,
    value_count INTEGER, null_count INTEGER, min_value VARCHAR, max_value VARCHAR, contains_nan BOOLEAN,
    extra_stats VARCHAR
);
CREATE TABLE ducklake_file_variant_stats (
    data_file_id BIGINT, table_id BIGINT, column_id BIGINT, variant_path VARCHAR, shredded_type VARCHAR,
    column_size_bytes BIGINT, value_count BIGINT, null_count BIGINT, min_value VARCHAR, max_value VARCHAR,
    contains_nan BOOLEAN, extra_stats VARCHAR
);
CREATE TABLE ducklake_delete_file (
    delete_file_id INTEGER PRIMARY KEY, table_id INTEGER NOT NULL, begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
    data_file_id INTEGER NOT NULL, path VARCHAR NOT NULL, path_is_relative BOOLEAN NOT NULL DEFAULT 1,
    format VARCHAR DEFAULT 'parquet', delete_count INTEGER, file_size_bytes INTEGER NOT NULL, footer_size INTEGER,
    encryption_key VARCHAR, partial_max INTEGER
);
CREATE TABLE ducklake_column (
    column_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT, table_id BIGINT, column_order BIGINT,
    column_name VARCHAR, column_type VARCHAR, initial_default VARCHAR, default_value VARCHAR, nulls_allowed BOOLEAN,
    parent_column BIGINT, default_value_type VARCHAR, default_value_dialect VARCHAR
);
CREATE TABLE ducklake_table_stats (
    table_id INTEGER PRIMARY KEY, record_count INTEGER NOT NULL DEFAULT 0, next_row_id INTEGER NOT NULL DEFAULT 0,
    file_size_bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE ducklake_table_column_stats (
    table_id INTEGER NOT NULL, column_id INTEGER NOT NULL, contains_null BOOLEAN, contains_nan BOOLEAN,
    min_value VARCHAR, max_value VARCHAR, extra_stats VARCHAR
);
CREATE TABLE ducklake_partition_info (
    partition_id INTEGER NOT NULL, table_id INTEGER NOT NULL, begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER
);
CREATE TABLE ducklake_partition_column (
    partition_id INTEGER NOT NULL, table_id INTEGER NOT NULL, partition_key_index INTEGER NOT NULL,
    column_id INTEGER NOT NULL, transform VARCHAR NOT NULL
);
CREATE TABLE ducklake_file_partition_value (
    data_file_id INTEGER NOT NULL, table_id INTEGER NOT NULL, partition_key_index INTEGER NOT NULL,
    partition_value VARCHAR
);
CREATE TABLE ducklake_files_scheduled_for_deletion (
    data_file_id INTEGER NOT NULL, path VARCHAR NOT NULL, path_is_relative BOOLEAN NOT NULL DEFAULT 1,
    schedule_start TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE ducklake_inlined_data_tables (table_id INTEGER, table_name VARCHAR, schema_version INTEGER);
CREATE TABLE ducklake_column_mapping (mapping_id BIGINT, table_id BIGINT, type VARCHAR);
CREATE TABLE ducklake_name_mapping (
    mapping_id BIGINT, column_id BIGINT, source_name VARCHAR, target_field_id BIGINT, parent_column BIGINT,
    is_partition BOOLEAN
);
CREATE TABLE ducklake_schema_versions (
    begin_snapshot INTEGER NOT NULL, schema_version INTEGER NOT NULL, table_id INTEGER NOT NULL,
    UNIQUE (table_id, begin_snapshot)
);
CREATE TABLE ducklake_macro (
    schema_id BIGINT, macro_id BIGINT, macro_name VARCHAR, begin_snapshot BIGINT, end_snapshot BIGINT
);
CREATE TABLE ducklake_macro_impl (macro_id BIGINT, impl_id BIGINT, dialect VARCHAR, sql VARCHAR, type VARCHAR);
CREATE TABLE ducklake_macro_parameters (
    macro_id BIGINT, impl_id BIGINT, column_id BIGINT, parameter_name VARCHAR, parameter_type VARCHAR,
    default_value VARCHAR, default_value_type VARCHAR
);
CREATE TABLE ducklake_sort_info (
    sort_id INTEGER NOT NULL, table_id INTEGER NOT NULL, begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER
);
CREATE TABLE ducklake_sort_expression (
    sort_id INTEGER NOT NULL, table_id INTEGER NOT NULL, sort_key_index INTEGER NOT NULL, expression VARCHAR NOT NULL,
    dialect VARCHAR NOT NULL, sort_direction VARCHAR NOT NULL, null_order VARCHAR NOT NULL
);

-- DuckDB requires a UUID of each schema and table.
CREATE TRIGGER hollandite_schema_uuid AFTER INSERT ON ducklake_schema WHEN NEW.schema_uuid IS NULL
BEGIN
    UPDATE ducklake_schema SET schema_uuid = (
        SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-'
               || substr(h, 21, 12)
        FROM (SELECT lower(hex(randomblob(16))) AS h))
    WHERE schema_id = NEW.schema_id;
END;
CREATE TRIGGER hollandite_table_uuid AFTER INSERT ON ducklake_table WHEN NEW.table_uuid IS NULL
BEGIN
    UPDATE ducklake_table SET table_uuid = (
        SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-'
               || substr(h, 21, 12)
        FROM (SELECT lower(hex(randomblob(16))) AS h))
    WHERE table_id = NEW.table_id;
END;

-- The counters of a snapshot lie above every id in use: carried forward when it is made, raised when an id is taken.
CREATE TRIGGER hollandite_counters AFTER INSERT ON ducklake_snapshot
WHEN NEW.next_catalog_id IS NULL OR NEW.next_file_id IS NULL
BEGIN
    UPDATE ducklake_snapshot SET
        next_catalog_id = max(
            coalesce((SELECT max(next_catalog_id) FROM ducklake_snapshot), 1),
            1 + coalesce((SELECT max(schema_id) FROM ducklake_schema), 0),
            1 + coalesce((SELECT max(table_id) FROM ducklake_table), 0)),
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

INSERT INTO ducklake_metadata (key, value) VALUES
    ('version', '1.0'),
    ('created_by', 'hollandite'),
    ('data_path', ''),
    ('encrypted', 'false'),
    ('parquet_compression', 'zstd'),
    -- DuckDB would keep small inserts inside the catalog, doubles as text, which datafusion-ducklake cannot read back.
    ('data_inlining_row_limit', '0'),
    ('next_column_id', '0'),
    ('next_partition_id', '0'),
    ('next_sort_id', '0');
INSERT INTO ducklake_snapshot (snapshot_id, schema_version, next_catalog_id, next_file_id) VALUES (0, 0, 1, 0);
INSERT INTO ducklake_snapshot_changes (snapshot_id, changes_made) VALUES (0, 'created_schema:"main"');
INSERT INTO ducklake_schema (schema_id, begin_snapshot, schema_name, path) VALUES (0, 0, 'main', 'main/');
