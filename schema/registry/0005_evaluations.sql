-- What a model answers for the rows of a table, beside what they are labelled with. An answer without a row stands in
-- hollandite_predictions alone. Of the models of one name, those of the last that was evaluated are kept.
CREATE TABLE hollandite_evaluations (
    model          TEXT NOT NULL,
    model_id       TEXT NOT NULL,
    table_name     TEXT NOT NULL,
    id             TEXT NOT NULL,
    structure_hash TEXT NOT NULL,
    -- The part of the model's training that the crystal belongs to: train, validation, test or unseen; NULL where the
    -- model does not tell.
    split          TEXT,
    -- eV/atom. The interval holds the label with a probability of at least coverage.
    value          REAL,
    lower          REAL,
    upper          REAL,
    coverage       REAL NOT NULL,
    in_domain      INTEGER NOT NULL,
    -- Why there is no value or no interval.
    reason         TEXT,
    -- Column of the label, and the label, eV/atom.
    target_column  TEXT NOT NULL,
    target         REAL,
    PRIMARY KEY (model, table_name, id, structure_hash)
) WITHOUT ROWID;
CREATE INDEX hollandite_evaluations_crystal ON hollandite_evaluations (model_id, structure_hash);
