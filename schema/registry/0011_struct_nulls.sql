-- Whether a struct or a list is NULL in some row of a file is not known from the counts of its parts, and datafusion-ducklake writes that it
-- is in none: a filter `structure IS NULL` then skipped the file. What is not known is no number.
UPDATE ducklake_file_column_stats SET null_count = NULL
WHERE EXISTS (SELECT 1 FROM ducklake_column c
              WHERE c.table_id = ducklake_file_column_stats.table_id AND c.parent_column = ducklake_file_column_stats.column_id);

CREATE TRIGGER hollandite_struct_nulls AFTER INSERT ON ducklake_file_column_stats
WHEN NEW.null_count IS NOT NULL AND EXISTS (SELECT 1 FROM ducklake_column c
                                            WHERE c.table_id = NEW.table_id AND c.parent_column = NEW.column_id)
BEGIN
    UPDATE ducklake_file_column_stats SET null_count = NULL WHERE rowid = NEW.rowid;
END;
