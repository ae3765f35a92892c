//! Where the bytes of a result go. A plain file appears under its name only when its last byte is written: a query that fails
//! half way leaves the old file as it was. Behind a symbolic link that is the file it leads to, and the link stays. What is no
//! plain file, a pipe or a device, has no old content to keep and is written through.

mod place;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::{Compression, write::GzEncoder};

use self::place::Place;
use crate::ReportError;

/// Where bytes go.
pub enum Sink {
    /// A stream, such as standard output.
    Stream(Box<dyn Write + Send>),
    /// A file, written beside its name and renamed at the end.
    File(PartialFile),
    /// The same, packed.
    Gzip(Box<GzEncoder<Sink>>),
}

/// A stream into memory, which the holder of a clone may empty.
#[derive(Debug, Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what was written since the last time.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes())
    }

    /// Bytes that were written and not taken.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The files that have no name yet.
static UNNAMED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unnamed() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNNAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every file of this process that is not whole, before it is ended.
pub fn remove_partial_files() {
    for partial in std::mem::take(&mut *unnamed()) {
        let _ = std::fs::remove_file(partial);
    }
}

/// A file that has no name until it is whole.
pub struct PartialFile {
    file: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
    named: bool,
}

impl PartialFile {
    /// Start to write `path`, which is no link; nothing is seen under that name before [`Sink::close`].
    fn create(path: PathBuf) -> std::io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(name);
        // Named before it is there: a signal may come in between.
        unnamed().insert(partial.clone());
        let file = File::create(&partial)?;
        let created = Self { file: BufWriter::new(file), partial, path, named: false };
        // The new file has the permissions of the old one.
        if let Ok(old) = std::fs::metadata(&created.path) {
            created.file.get_ref().set_permissions(old.permissions())?;
        }
        Ok(created)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.named {
            // Not reported: the error that brought us here is already on its way.
            let _ = std::fs::remove_file(&self.partial);
        }
        unnamed().remove(&self.partial);
    }
}

impl Sink {
    /// What `path` leads to: a plain file is replaced when the new one is whole, anything else is written through. Packed where its
    /// name ends in `.gz`.
    ///
    /// # Errors
    /// A folder, or what the system refuses.
    pub fn file(path: &Path) -> Result<Self, ReportError> {
        let through = |file: File| Self::Stream(Box::new(BufWriter::new(file)));
        let sink = Place::of(path).and_then(|place| {
            Ok(match place {
                Place::Output => Self::stdout(),
                Place::Error => Self::Stream(Box::new(BufWriter::new(std::io::stderr()))),
                Place::Descriptor(path) => through(File::options().append(true).open(path)?),
                Place::Device(path) => through(File::options().write(true).open(path)?),
                Place::File(path) => Self::File(PartialFile::create(path)?),
            })
        });
        let sink = sink.map_err(|e| ReportError::io(path, e))?;
        let packed = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
        Ok(if packed { Self::Gzip(Box::new(GzEncoder::new(sink, Compression::default()))) } else { sink })
    }

    /// Standard output.
    pub fn stdout() -> Self {
        Self::Stream(Box::new(BufWriter::new(std::io::stdout())))
    }

    /// Flush, and give a file its name.
    ///
    /// # Errors
    /// What cannot be written: a full disk, a closed pipe, a folder without permission.
    pub fn close(self) -> Result<(), ReportError> {
        match self {
            Self::Stream(mut stream) => stream.flush().map_err(ReportError::from),
            Self::Gzip(packed) => packed.finish()?.close(),
            Self::File(mut file) => {
                file.file.flush().map_err(|e| ReportError::io(&file.path, e))?;
                std::fs::rename(&file.partial, &file.path).map_err(|e| ReportError::io(&file.path, e))?;
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
            Self::Gzip(packed) => packed.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::File(file) => file.file.flush(),
            Self::Gzip(packed) => packed.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        let mut sink = Sink::file(path).unwrap();
        sink.write_all(text.as_bytes()).unwrap();
        sink.close().unwrap();
    }

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
        write(&path, "whole");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
        let error = Sink::file(&dir.path().join("none/x.csv")).err().unwrap().to_string();
        assert!(error.contains("none/x.csv"), "{error}");
        assert!(Sink::file(dir.path()).is_err(), "a folder is refused before anything is written");
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_what_they_lead_to_is_replaced_when_it_is_whole() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("far")).unwrap();
        std::fs::write(at("far/target.csv"), "old").unwrap();
        std::fs::set_permissions(at("far/target.csv"), std::fs::Permissions::from_mode(0o600)).unwrap();
        symlink("far/target.csv", at("near.csv")).unwrap();
        symlink(at("near.csv"), at("chain.csv")).unwrap();
        let mut sink = Sink::file(&at("chain.csv")).unwrap();
        sink.write_all(b"half").unwrap();
        assert_eq!(std::fs::read_to_string(at("far/target.csv")).unwrap(), "old");
        drop(sink);
        write(&at("chain.csv"), "whole");
        assert_eq!(std::fs::read_to_string(at("far/target.csv")).unwrap(), "whole");
        assert_eq!(std::fs::metadata(at("far/target.csv")).unwrap().permissions().mode() & 0o777, 0o600);
        symlink("new.csv", at("dangling.csv")).unwrap();
        write(&at("dangling.csv"), "made");
        assert_eq!(std::fs::read_to_string(at("new.csv")).unwrap(), "made");
        for link in ["near.csv", "chain.csv", "dangling.csv"] {
            assert!(std::fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link} is still a link");
        }
        symlink("loop.csv", at("loop.csv")).unwrap();
        assert!(Sink::file(&at("loop.csv")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_written_through_and_stay_what_they_are() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let link = dir.path().join("link");
        symlink("pipe", &link).unwrap();
        for path in [&pipe, &link] {
            let from = pipe.clone();
            let reader = std::thread::spawn(move || std::fs::read_to_string(from).unwrap());
            write(path, "through the pipe");
            assert_eq!(reader.join().unwrap(), "through the pipe");
            assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
        }
        let null = Path::new("/dev/null");
        write(null, "away");
        assert!(std::fs::symlink_metadata(null).unwrap().file_type().is_char_device());
    }

    /// A descriptor that is open on a file is written on with, and the file keeps what it has.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_descriptor_is_written_on() {
        use std::os::fd::AsRawFd;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "before ").unwrap();
        let open = File::options().append(true).open(&path).unwrap();
        write(&PathBuf::from(format!("/dev/fd/{}", open.as_raw_fd())), "after");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before after");
    }
}
