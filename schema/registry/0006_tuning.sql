-- Searches for a network's settings, and their trials.

CREATE TABLE hollandite_tunings (
    name       TEXT PRIMARY KEY,
    -- Network, space, data and division as JSON: a search goes on only where all of it is as it was.
    definition TEXT NOT NULL,
    created    TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID;

-- One row a trial, written at its begin and after each of its epochs.
CREATE TABLE hollandite_trials (
    tuning   TEXT NOT NULL REFERENCES hollandite_tunings (name),
    trial    INTEGER NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('running', 'done', 'pruned', 'failed')),
    -- The chosen settings, a JSON object.
    settings TEXT NOT NULL,
    -- Validation error of each epoch, a JSON array; null where it was not a number.
    curve    TEXT NOT NULL,
    -- The lowest of the curve (RMSE, eV/atom) and its epoch, from 1.
    error    REAL,
    epoch    INTEGER,
    seconds  REAL NOT NULL,
    reason   TEXT,
    updated  TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (tuning, trial)
) WITHOUT ROWID;
