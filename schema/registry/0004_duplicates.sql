-- How many records of an import were the same structure as another row, and went into the quarantine for it.
ALTER TABLE hollandite_imports ADD COLUMN duplicates INTEGER NOT NULL DEFAULT 0;
