-- Tables of our own beside the catalog. No DuckLake client reads them.

-- One row an import. It is written as 'running' before the first byte of data, and becomes 'done' after the snapshot is
-- committed. The snapshot carries the import_id in its commit_extra_info, so that an import that was killed in between
-- is recognised: with a snapshot it is done, without one it is 'interrupted' and nothing of it shows.
CREATE TABLE hollandite_imports (
    import_id   INTEGER PRIMARY KEY,
    table_name  TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'done', 'interrupted')),
    started     TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    seconds     REAL,
    snapshot_id INTEGER,
    files       INTEGER NOT NULL DEFAULT 0,
    added       INTEGER NOT NULL DEFAULT 0,
    present     INTEGER NOT NULL DEFAULT 0,
    skipped     INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    version     TEXT NOT NULL
);

-- Every record that was refused, once for each file and table: a later import of the same file replaces its rows.
CREATE TABLE hollandite_quarantine (
    import_id  INTEGER NOT NULL REFERENCES hollandite_imports (import_id),
    table_name TEXT NOT NULL,
    path       TEXT NOT NULL,
    line       INTEGER NOT NULL,
    record_id  TEXT,
    reason     TEXT NOT NULL,
    raw_hint   TEXT
);
CREATE INDEX hollandite_quarantine_import ON hollandite_quarantine (import_id);
CREATE INDEX hollandite_quarantine_path ON hollandite_quarantine (table_name, path);

-- The files an import has read to their end; decides which rows of the quarantine it replaces.
CREATE TABLE hollandite_import_paths (
    import_id INTEGER NOT NULL REFERENCES hollandite_imports (import_id),
    path      TEXT NOT NULL,
    PRIMARY KEY (import_id, path)
) WITHOUT ROWID;

-- Checksums of the Parquet files that imports wrote; path as in ducklake_data_file.
CREATE TABLE hollandite_files (
    path   TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL
) WITHOUT ROWID;

-- Models that have answered here, and what they answered: eV/atom for the crystal of that content hash.
CREATE TABLE hollandite_models (
    model_id   TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    card       TEXT NOT NULL,
    first_used TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID;
CREATE TABLE hollandite_predictions (
    model_id       TEXT NOT NULL,
    structure_hash TEXT NOT NULL,
    value          REAL NOT NULL,
    PRIMARY KEY (model_id, structure_hash)
) WITHOUT ROWID;
