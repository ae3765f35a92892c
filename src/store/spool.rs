//! Rows that wait for the writer's turn: in memory while they are few, else in a file that has no name, and so is gone with the process.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

/// Bytes that are held in memory.
const HELD: usize = 64 << 20;

/// Batches, first in, first out.
pub(super) struct Spool {
    schema: SchemaRef,
    held: Vec<RecordBatch>,
    bytes: usize,
    file: Option<StreamWriter<BufWriter<File>>>,
    rows: u64,
}

impl Spool {
    /// None, of rows with the columns of `schema`.
    pub fn new(schema: SchemaRef) -> Self {
        Self { schema, held: Vec::new(), bytes: 0, file: None, rows: 0 }
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds rows behind the others.
    ///
    /// # Errors
    /// A temporary folder that is full or cannot be written to.
    pub fn push(&mut self, batch: RecordBatch) -> Result<(), ArrowError> {
        self.rows += batch.num_rows() as u64;
        self.bytes += batch.get_array_memory_size();
        self.held.push(batch);
        if self.bytes > HELD { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), ArrowError> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(StreamWriter::try_new(BufWriter::new(tempfile::tempfile()?), &self.schema)?),
        };
        for batch in self.held.drain(..) {
            file.write(&batch)?;
        }
        self.bytes = 0;
        Ok(())
    }

    /// All rows, in order.
    ///
    /// # Errors
    /// As [`Spool::push`].
    pub fn drain(self) -> Result<impl Iterator<Item = Result<RecordBatch, ArrowError>>, ArrowError> {
        let spilled = match self.file {
            Some(file) => {
                let mut file = file.into_inner()?.into_inner().map_err(|e| e.into_error())?;
                file.rewind()?;
                Some(StreamReader::try_new(BufReader::new(file), None)?)
            }
            None => None,
        };
        Ok(spilled.into_iter().flatten().chain(self.held.into_iter().map(Ok)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch(from: i64, rows: i64) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(from..from + rows));
        RecordBatch::try_from_iter([("n", numbers)]).unwrap()
    }

    #[test]
    fn rows_come_back_in_order_whether_they_fit_or_not() {
        const ROWS: i64 = 1 << 20;
        for batches in [0, 3, 20] {
            let mut spool = Spool::new(batch(0, 1).schema());
            (0..batches).for_each(|i| spool.push(batch(i * ROWS, ROWS)).unwrap());
            assert_eq!(spool.rows(), (batches * ROWS) as u64);
            assert_eq!(spool.file.is_some(), batches == 20, "8 MiB a batch");
            let mut next = 0;
            for batch in spool.drain().unwrap() {
                for n in batch.unwrap().column(0).as_primitive::<Int64Type>().values() {
                    assert_eq!(*n, next);
                    next += 1;
                }
            }
            assert_eq!(next, batches * ROWS);
        }
    }
}
