//! Files out of an archive, in memory: zip (wheels) and tar.gz (source distributions).
//!
//! A member is unpacked when it is read, and never more than [`MOST_BYTES`] of it: an archive that would unpack to
//! terabytes costs nothing.

use std::io::{Cursor, Error, Read};

use crystal::{Cause, explained};
use flate2::read::MultiGzDecoder;
use tar::Archive;
use zip::ZipArchive;

/// Size that a file of weights, or all that is read of one tar.gz, may have: 512 MiB.
pub(super) const MOST_BYTES: usize = 512 << 20;

/// A zip file in memory.
pub(super) struct Zip<'a>(ZipArchive<Cursor<&'a [u8]>>);

impl<'a> Zip<'a> {
    /// Whether the bytes begin as a zip file does.
    pub fn looks_like(bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK\x03\x04")
    }

    /// Reads the directory, which stands at the end of the file.
    ///
    /// # Errors
    /// A damaged directory.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Cause> {
        ZipArchive::new(Cursor::new(bytes)).map(Self).map_err(|e| explained(format!("a damaged zip file: {e}"), e))
    }

    /// Names of the members, in their order.
    pub fn names(&self) -> Vec<String> {
        self.0.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect()
    }

    /// The content of a member, of the size and checksum that the directory announces.
    ///
    /// # Errors
    /// No such member, one that is damaged, or one of more than [`MOST_BYTES`].
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, Cause> {
        let fault = |e: Cause| explained(format!("member {name}: {e}"), e);
        let member = self.0.by_name(name).map_err(|e| fault(e.into()))?;
        bounded(member, "a zip file").map_err(fault)
    }
}

/// All of a stream of at most [`MOST_BYTES`]; `what` is for the message.
pub(super) fn bounded(reader: impl Read, what: &str) -> Result<Vec<u8>, Cause> {
    let mut content = Vec::new();
    reader
        .take(MOST_BYTES as u64 + 1)
        .read_to_end(&mut content)
        .map_err(|e| explained(format!("not {what}: {e}"), e))?;
    match content.len() > MOST_BYTES {
        true => Err(format!("it unpacks to more than {MOST_BYTES} bytes").into()),
        false => Ok(content),
    }
}

/// The members of a tar.gz for whose name `wanted` holds, with their content.
pub(super) fn tar_gz(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, Vec<u8>)>, Cause> {
    let damaged = |e: Error| explained(format!("a damaged tar.gz: {e}"), e);
    let mut archive = Archive::new(MultiGzDecoder::new(bytes).take(MOST_BYTES as u64));
    let mut members = Vec::new();
    for member in archive.entries().map_err(damaged)? {
        let member = member.map_err(damaged)?;
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        if member.header().entry_type().is_file() && wanted(&name) {
            members.push((name, bounded(member, "a tar file")?));
        }
    }
    Ok(members)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    /// A zip file with these members.
    pub fn zip(members: &[(&str, &[u8])], deflate: bool) -> Vec<u8> {
        let method = if deflate { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn members_come_back_stored_and_deflated() {
        for deflate in [false, true] {
            let bytes = zip(&[("a/data.pkl", b"first"), ("a/data/0", &[7; 5000])], deflate);
            let mut archive = Zip::open(&bytes).unwrap();
            assert_eq!(archive.names(), ["a/data.pkl", "a/data/0"]);
            assert_eq!(archive.read("a/data.pkl").unwrap(), b"first");
            assert_eq!(archive.read("a/data/0").unwrap(), [7; 5000]);
            assert!(archive.read("a/data/1").is_err());
            for n in 0..bytes.len() {
                assert!(Zip::open(&bytes[..n]).is_err(), "{n}");
            }
            for i in 0..bytes.len() {
                let mut bad = bytes.clone();
                bad[i] ^= 1 << (i % 8);
                if let Ok(mut archive) = Zip::open(&bad) {
                    archive.names().iter().for_each(|name| drop(archive.read(name)));
                }
            }
        }
    }

    #[test]
    fn what_the_library_said_lies_behind_the_error() {
        let error = Zip::open(b"PK\x03\x04 and no more").err().unwrap();
        assert!(error.to_string().starts_with("a damaged zip file: "));
        assert!(error.source().unwrap().is::<zip::result::ZipError>());
    }

    #[test]
    fn a_bomb_is_refused_at_the_size_it_announced() {
        let bytes = zip(&[("weights", &vec![0; 1 << 20])], true);
        assert!(bytes.len() < 5000);
        let mut file = bytes.clone();
        // The size that the directory and the header of the member announce.
        let directory = file.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
        for at in [directory + 24, 22] {
            file[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
        }
        assert!(
            Zip::open(&file).unwrap().read("weights").unwrap_err().to_string().contains("declared uncompressed size")
        );
        let mut file = bytes;
        // A checksum that is not that of the content.
        file[directory + 16] ^= 1;
        assert!(Zip::open(&file).unwrap().read("weights").unwrap_err().to_string().contains("checksum"));
    }

    #[test]
    fn tar_gz_gives_the_wanted_members_under_their_long_names() {
        let mut tar = tar::Builder::new(Vec::new());
        let mut add = |name: &str, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, content).unwrap();
        };
        let long = format!("{}a.pt", "long/".repeat(40));
        add(&long, b"abc");
        add("b.txt", &[1; 600]);
        let tar = tar.into_inner().unwrap();
        let pack = |tar: &[u8]| {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(tar).unwrap();
            gz.finish().unwrap()
        };
        let members = tar_gz(&pack(&tar), |name| name.ends_with(".pt")).unwrap();
        assert_eq!(members, [(long, b"abc".to_vec())]);
        assert!(tar_gz(&pack(&tar[..tar.len() - 1500]), |_| true).unwrap_err().to_string().contains("damaged"));
        assert!(tar_gz(&pack(&tar)[..40], |_| true).is_err());
        assert!(tar_gz(b"plain", |_| true).unwrap_err().to_string().contains("damaged"));
    }
}
