-- Checksums of the rows of our own tables, kept by triggers. Program and not text makes them, whenever tables were made or altered:
-- src/store/row_sums.rs.
CREATE TABLE hollandite_sums (
    table_name TEXT PRIMARY KEY,
    sum        INTEGER NOT NULL
) WITHOUT ROWID;
