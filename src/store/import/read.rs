//! The first stage: records from files, in order, on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rayon::prelude::*;

use formats::{self, Input, Reading, Record, Rejection};

/// Records that are completed and written together.
const BATCH: usize = 1024;
/// Files smaller than this, bytes, are read side by side; a larger one is streamed.
const SMALL_FILE: u64 = 4 << 20;
/// Where records come from.
pub(crate) enum Source {
    /// Files, in order.
    Files(Vec<Input>),
    /// Records that are made on demand, some at a time.
    Made(Box<dyn Iterator<Item = Vec<Record>> + Send>),
}

/// Some records of one or more files, in order.
pub(super) struct Batch {
    pub items: Vec<(Arc<PathBuf>, Result<Record, Rejection>)>,
    /// Files whose last record is in this batch, with their size.
    pub done: Vec<(Arc<PathBuf>, u64)>,
    /// Bytes of the file at hand, whose last record is in a later batch, that have been read.
    pub reading: u64,
}
/// Bytes of a file, 0 where it cannot be asked.
pub(super) fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// Reads records on a thread of its own.
pub(super) fn read(source: Source, reading: Reading) -> (Receiver<Batch>, JoinHandle<()>) {
    let (batches, received) = sync_channel(1);
    let thread = std::thread::spawn(move || {
        // An error here means that the import has failed; it reports that itself.
        let _ = match source {
            Source::Files(files) => read_files(&files, &reading, &batches),
            Source::Made(mut made) => {
                let path = Arc::new(PathBuf::from("hollandite"));
                made.try_for_each(|records| {
                    let items = records.into_iter().map(|r| (path.clone(), Ok(r))).collect();
                    batches.send(Batch { items, done: Vec::new(), reading: 0 })
                })
            }
        };
    });
    (received, thread)
}

fn read_files(
    files: &[Input],
    reading: &Reading,
    batches: &SyncSender<Batch>,
) -> Result<(), std::sync::mpsc::SendError<Batch>> {
    let mut at = 0;
    while at < files.len() {
        // A run of small files is parsed side by side; one that is large alone.
        let mut bytes = 0;
        let run = files[at..]
            .iter()
            .take(BATCH)
            .take_while(|file| {
                bytes += size(&file.path);
                bytes < SMALL_FILE
            })
            .count();
        if run > 0 {
            let parsed: Vec<_> = files[at..at + run]
                .par_iter()
                .map(|file| {
                    let path = Arc::new(file.path.clone());
                    let items: Vec<_> = formats::read(file, reading).map(|item| (path.clone(), item)).collect();
                    (items, (path, size(&file.path)))
                })
                .collect();
            let (items, done): (Vec<_>, Vec<_>) = parsed.into_iter().unzip();
            batches.send(Batch { items: items.into_iter().flatten().collect(), done, reading: 0 })?;
            at += run;
        } else {
            let path = Arc::new(files[at].path.clone());
            let (bytes, before) = (size(&path), formats::bytes_read());
            let (mut records, mut given) = (formats::read(&files[at], reading), 0);
            loop {
                let items: Vec<_> = records.by_ref().take(BATCH).map(|item| (path.clone(), item)).collect();
                let last = items.len() < BATCH;
                let done = if last { vec![(path.clone(), bytes)] } else { Vec::new() };
                given += items.len() as u64;
                // Where the records of a file are counted beforehand, progress is in records, else in bytes.
                let reading = match records.size_hint().1 {
                    _ if last => 0,
                    Some(left) => (bytes as f64 * given as f64 / (given + left as u64) as f64) as u64,
                    None => formats::bytes_read() - before,
                };
                batches.send(Batch { items, done, reading })?;
                if last {
                    break;
                }
            }
            at += 1;
        }
    }
    Ok(())
}
