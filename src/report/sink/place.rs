//! What a path leads to, links followed.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Links that are followed before they are taken for a circle.
const LINKS: usize = 40;

/// What a path leads to.
pub(super) enum Place {
    /// This program's standard output, `/dev/stdout`.
    Output,
    /// This program's standard error.
    Error,
    /// Another of its open descriptors, a file.
    Descriptor(PathBuf),
    /// A pipe or a device.
    Device(PathBuf),
    /// A plain file, or none yet.
    File(PathBuf),
}

impl Place {
    /// The end of the links that begin at `path`.
    ///
    /// # Errors
    /// Links that lead in a circle, a folder, or what the system does not disclose.
    pub fn of(path: &Path) -> Result<Self> {
        let mut path = std::path::absolute(path)?;
        let mut links = 0;
        loop {
            // Before the links of /proc/self/fd are followed: behind them a file has no name to be renamed to.
            match descriptor(&path) {
                Some(1) => return Ok(Self::Output),
                Some(2) => return Ok(Self::Error),
                Some(_) if path.metadata()?.is_file() => return Ok(Self::Descriptor(path)),
                Some(_) => return Ok(Self::Device(path)),
                None => {}
            }
            let Ok(target) = std::fs::read_link(&path) else { break };
            path = path.parent().map(|folder| folder.join(&target)).unwrap_or(target);
            links += 1;
            if links > LINKS {
                return Err(Error::other("the symbolic links lead in a circle"));
            }
        }
        match path.metadata() {
            Ok(found) if found.is_file() => Ok(Self::File(path)),
            Ok(found) if found.is_dir() => Err(ErrorKind::IsADirectory.into()),
            Ok(_) => Ok(Self::Device(path)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::File(path)),
            Err(error) => Err(error),
        }
    }
}

/// The number of the open descriptor that a path names.
fn descriptor(path: &Path) -> Option<u32> {
    let (folder, number) = (path.parent()?, path.file_name()?.to_str()?.parse().ok()?);
    let own = PathBuf::from(format!("/proc/{}/fd", std::process::id()));
    (folder == Path::new("/dev/fd") || folder == Path::new("/proc/self/fd") || folder == own).then_some(number)
}
