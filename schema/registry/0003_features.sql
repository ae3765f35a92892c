-- Materialised features: one row a column of `features`, whose values are the lake table features_NAME.

CREATE TABLE hollandite_featurizers (
    name       TEXT PRIMARY KEY,
    -- Function, constant arguments and version: void(ionic,0.76)/1. The table holds values of this one only.
    featurizer TEXT NOT NULL,
    -- Rows for which the function answered NULL, and the time that all of them took.
    nulls      INTEGER NOT NULL DEFAULT 0,
    seconds    REAL NOT NULL DEFAULT 0,
    updated    TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID;

-- The tables whose rows were featurized; `features` has the rows of them all.
CREATE TABLE hollandite_featurized (
    table_name TEXT PRIMARY KEY
) WITHOUT ROWID;
