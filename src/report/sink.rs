//! Where the bytes of a result go. A file appears under its name only when its last byte is written: a query that fails half
//! way leaves the old file as it was.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::ReportError;

/// Where bytes go.
pub enum Sink {
    /// A stream, such as standard output.
    Stream(Box<dyn Write + Send>),
    /// A file, written beside its name and renamed at the end.
    File(PartialFile),
}

/// A file that has no name until it is whole.
pub struct PartialFile {
    file: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
    named: bool,
}

impl PartialFile {
    /// Start to write `path`; nothing is seen under that name before [`Sink::close`].
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(name);
        let file = File::create(&partial).map_err(|e| ReportError::io(path, &e))?;
        Ok(Self { file: BufWriter::new(file), partial, path: path.to_path_buf(), named: false })
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.named {
            // Nothing to tell anybody: the error that brought us here is already on its way.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

impl Sink {
    /// A file at `path`.
    pub fn file(path: &Path) -> Result<Self, ReportError> {
        PartialFile::create(path).map(Self::File)
    }

    /// Flush, and give a file its name.
    pub fn close(self) -> Result<(), ReportError> {
        match self {
            Self::Stream(mut stream) => stream.flush().map_err(ReportError::from),
            Self::File(mut file) => {
                file.file.flush().map_err(|e| ReportError::io(&file.path, &e))?;
                std::fs::rename(&file.partial, &file.path).map_err(|e| ReportError::io(&file.path, &e))?;
                file.named = true;
                Ok(())
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.write(bytes),
            Self::File(file) => file.file.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::File(file) => file.file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_leaves_nothing_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        std::fs::write(&path, "old").unwrap();
        let mut sink = Sink::file(&path).unwrap();
        sink.write_all(b"half").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        drop(sink);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no partial file is left");
        let mut sink = Sink::file(&path).unwrap();
        sink.write_all(b"whole").unwrap();
        sink.close().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
        let error = Sink::file(&dir.path().join("none/x.csv")).err().unwrap().to_string();
        assert!(error.contains("none/x.csv"), "{error}");
    }
}
