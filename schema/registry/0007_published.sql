-- Which published numbers the lake has: a table that fixtures/published fills, and the checksum of the file that filled it. A
-- store of an older program gets the rows that it lacks when it is opened; a table that was dropped since stays away.
CREATE TABLE hollandite_published (
    table_name TEXT PRIMARY KEY,
    sha256     TEXT NOT NULL
) WITHOUT ROWID;
