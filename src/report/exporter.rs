//! One trait for everything a query result can be written as. An exporter takes Arrow batches one at a time, so a result
//! never has to fit in memory.

use arrow::array::RecordBatch;

use crate::ReportError;

/// Takes the batches of one result.
pub trait Exporter: Send {
    /// Write one batch.
    ///
    /// # Errors
    /// What cannot be written, or a value that the format has no place for.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError>;
    /// Write what closes the document and give the file its name.
    ///
    /// # Errors
    /// What cannot be written.
    fn finish(self: Box<Self>) -> Result<(), ReportError>;
}
