-- Results of an energy model that took long, by what was asked: no relaxation is run twice.
CREATE TABLE hollandite_computed (
    model_id       TEXT NOT NULL,
    -- What was asked, with its settings.
    task           TEXT NOT NULL,
    structure_hash TEXT NOT NULL,
    -- JSON.
    value          TEXT NOT NULL,
    PRIMARY KEY (model_id, task, structure_hash)
) WITHOUT ROWID;
