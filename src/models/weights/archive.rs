//! Files out of an archive: zip (torch checkpoints, wheels) and tar.gz (source distributions).
//!
//! A member is unpacked when it is asked for, never more of it than the directory announces, never more than
//! [`MOST_BYTES`]: an archive that would unpack to terabytes costs nothing.

use std::borrow::Cow;
use std::io::Read;

use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};

use super::bytes::Cursor;

/// Size that a file of weights, or all that is read of one tar.gz, may have: 512 MiB.
pub(super) const MOST_BYTES: usize = 512 << 20;

/// A zip file in memory. Refused: encryption, methods besides store and deflate, zip64 sizes.
pub(super) struct Zip<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u32,
    size: u32,
    header: u32,
}

const END: &[u8] = b"PK\x05\x06";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

impl<'a> Zip<'a> {
    /// Whether the bytes begin as a zip file does.
    pub fn looks_like(bytes: &[u8]) -> bool {
        bytes.starts_with(LOCAL)
    }

    /// Reads the directory, which stands at the end of the file.
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        // The end record has 22 bytes and a comment of at most 65535.
        let tail = bytes.len().saturating_sub(22 + 65_535);
        let end = (tail..bytes.len().saturating_sub(21)).rev().find(|&i| bytes[i..].starts_with(END));
        let end = end.ok_or("cut short: a zip file without its directory")?;
        let mut cursor = Cursor::at(bytes, end as u64 + 10)?;
        let (count, _, first) = (cursor.u16()?, cursor.u32()?, cursor.u32()?);
        let mut cursor = Cursor::at(bytes, first.into())?;
        let entries = (0..count).map(|_| Self::entry(&mut cursor)).collect::<Result<_, _>>()?;
        Ok(Self { bytes, entries })
    }

    fn entry(cursor: &mut Cursor) -> Result<Entry, String> {
        if cursor.take(4)? != CENTRAL {
            return Err("the directory of the zip file is damaged".into());
        }
        cursor.skip(4)?;
        let (flags, method) = (cursor.u16()?, cursor.u16()?);
        cursor.skip(4)?;
        let (crc, packed, size) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let (name, extra, comment) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
        cursor.skip(8)?;
        let header = cursor.u32()?;
        let name = String::from_utf8_lossy(cursor.take(name.into())?).into_owned();
        cursor.skip(usize::from(extra) + usize::from(comment))?;
        Ok(Entry { name, flags, method, crc, packed, size, header })
    }

    /// Names of the members, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|e| e.name.as_str())
    }

    /// The content of a member, its checksum verified.
    pub fn read(&self, name: &str) -> Result<Cow<'a, [u8]>, String> {
        let entry =
            self.entries.iter().find(|e| e.name == name).ok_or_else(|| format!("the member {name} is missing"))?;
        let fault = |message: String| format!("member {name}: {message}");
        if entry.size as usize > MOST_BYTES {
            return Err(fault(format!("it announces {} bytes, more than any file of weights", entry.size)));
        }
        if entry.flags & 1 == 1 {
            return Err(fault("it is encrypted".into()));
        }
        let mut local = Cursor::at(self.bytes, entry.header.into()).map_err(fault)?;
        if local.take(4).map_err(fault)? != LOCAL {
            return Err(fault("its header is damaged".into()));
        }
        local.skip(22).map_err(fault)?;
        let (name_length, extra) = (local.u16().map_err(fault)?, local.u16().map_err(fault)?);
        local.skip(usize::from(name_length) + usize::from(extra)).map_err(fault)?;
        let packed = local.take(entry.packed as usize).map_err(fault)?;
        let content = match entry.method {
            0 => Cow::Borrowed(packed),
            8 => Cow::Owned(exactly(DeflateDecoder::new(packed), entry.size as usize).map_err(fault)?),
            other => return Err(fault(format!("compression method {other} is not read; store or deflate it"))),
        };
        let mut crc = Crc::new();
        crc.update(&content);
        if content.len() != entry.size as usize || crc.sum() != entry.crc {
            return Err(fault("its content does not match its checksum".into()));
        }
        Ok(content)
    }
}

/// `size` bytes, no more and no fewer.
fn exactly(reader: impl Read, size: usize) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    reader.take(size as u64 + 1).read_to_end(&mut content).map_err(|e| format!("it does not unpack: {e}"))?;
    match content.len() {
        n if n > size => Err(format!("it unpacks to more than the {size} bytes that the directory announces")),
        n if n < size => Err(format!("it unpacks to {n} bytes, the directory announces {size}")),
        _ => Ok(content),
    }
}

/// All of a stream of at most [`MOST_BYTES`]; `what` is for the message.
pub(super) fn bounded(reader: impl Read, what: &str) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    reader.take(MOST_BYTES as u64 + 1).read_to_end(&mut content).map_err(|e| format!("not {what}: {e}"))?;
    match content.len() > MOST_BYTES {
        true => Err(format!("it unpacks to more than {MOST_BYTES} bytes")),
        false => Ok(content),
    }
}

/// The members of a tar.gz for whose name `wanted` holds, with their content.
pub(super) fn tar_gz(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, Vec<u8>)>, String> {
    let tar = bounded(MultiGzDecoder::new(bytes), "gzip")?;
    let mut cursor = Cursor::new(&tar);
    let (mut members, mut long_name) = (Vec::new(), None);
    while let Ok(header) = cursor.take(512) {
        if header.iter().all(|&b| b == 0) {
            return Ok(members);
        }
        let sum: u32 =
            header.iter().enumerate().map(|(i, &b)| if (148..156).contains(&i) { 32 } else { b.into() }).sum();
        if octal(&header[148..156]) != Some(sum as usize) {
            return Err("a header of the tar file is damaged".into());
        }
        let size = octal(&header[124..136]).ok_or("a member of the tar file has no size")?;
        let content = cursor.take(size)?;
        cursor.skip(size.next_multiple_of(512) - size)?;
        let text = |b: &[u8]| String::from_utf8_lossy(b.split(|&b| b == 0).next().unwrap_or_default()).into_owned();
        match header[156] {
            // Long names precede their member: GNU's way, and POSIX's "length path=name\n".
            b'L' => long_name = Some(text(content)),
            b'x' => {
                long_name =
                    String::from_utf8_lossy(content).lines().find_map(|l| Some(l.split_once(" path=")?.1.into()))
            }
            b'0' | 0 => {
                let prefix = if &header[257..262] == b"ustar" { text(&header[345..500]) } else { String::new() };
                let short = text(&header[..100]);
                let short = if prefix.is_empty() { short } else { format!("{prefix}/{short}") };
                let name = long_name.take().unwrap_or(short);
                if wanted(&name) {
                    members.push((name, content.to_vec()));
                }
            }
            _ => long_name = None,
        }
    }
    Err("cut short: a tar file without its end".into())
}

/// A number in octal digits, padded with blanks or zeros.
fn octal(digits: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(digits).ok()?.trim_matches(['\0', ' ']);
    usize::from_str_radix(text, 8).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    /// A zip file with these members; deflated where `announced` differs from stored.
    pub fn zip(members: &[(&str, &[u8])], deflate: bool) -> Vec<u8> {
        let (mut file, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in members {
            let mut crc = Crc::new();
            crc.update(content);
            let packed = if deflate {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            } else {
                content.to_vec()
            };
            let header = file.len() as u32;
            let mut common = Vec::new();
            common.extend([20, 0, 0, 0, if deflate { 8 } else { 0 }, 0, 0, 0, 0, 0]);
            for n in [crc.sum(), packed.len() as u32, content.len() as u32] {
                common.extend(n.to_le_bytes());
            }
            common.extend((name.len() as u16).to_le_bytes());
            common.extend([0, 0]);
            file.extend(LOCAL.iter().chain(&common).chain(name.as_bytes()).chain(&packed));
            directory.extend(CENTRAL.iter().chain(&[20, 0]).chain(&common).chain(&[0; 10]));
            directory.extend(header.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let (count, first) = (members.len() as u16, file.len() as u32);
        file.extend(&directory);
        file.extend(END.iter().chain(&[0; 4]));
        file.extend(count.to_le_bytes().iter().chain(&count.to_le_bytes()));
        file.extend((directory.len() as u32).to_le_bytes());
        file.extend(first.to_le_bytes());
        file.extend([0, 0]);
        file
    }

    #[test]
    fn members_come_back_stored_and_deflated() {
        for deflate in [false, true] {
            let file = zip(&[("a/data.pkl", b"hello"), ("a/data/0", &[7; 1000])], deflate);
            let archive = Zip::open(&file).unwrap();
            assert_eq!(archive.names().collect::<Vec<_>>(), ["a/data.pkl", "a/data/0"]);
            assert_eq!(&*archive.read("a/data.pkl").unwrap(), b"hello");
            assert_eq!(&*archive.read("a/data/0").unwrap(), [7; 1000]);
            assert!(archive.read("b").unwrap_err().contains("missing"));
        }
    }

    #[test]
    fn damage_anywhere_is_an_error_and_never_a_panic() {
        let file = zip(&[("weights", &[1, 2, 3, 4, 5, 6])], true);
        for n in 0..file.len() {
            assert!(Zip::open(&file[..n]).is_err(), "{n} bytes");
        }
        for i in 0..file.len() {
            let mut bad = file.clone();
            bad[i] ^= 0xff;
            if let Ok(archive) = Zip::open(&bad) {
                let names: Vec<String> = archive.names().map(str::to_owned).collect();
                for name in names {
                    if let Ok(content) = archive.read(&name) {
                        assert_eq!(&*content, [1, 2, 3, 4, 5, 6]);
                    }
                }
            }
        }
    }

    #[test]
    fn bombs_are_refused_before_they_are_unpacked() {
        // 100 MB of zeros in some hundred kB, whose directory announces 10 bytes.
        let mut file = zip(&[("weights", &vec![0; 100 << 20])], true);
        let directory = file.windows(4).rposition(|w| w == CENTRAL).unwrap();
        file[directory + 24..directory + 28].copy_from_slice(&10_u32.to_le_bytes());
        assert!(Zip::open(&file).unwrap().read("weights").unwrap_err().contains("more than the 10 bytes"));
        file[directory + 24..directory + 28].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
        assert!(Zip::open(&file).unwrap().read("weights").unwrap_err().contains("announces 4294967280 bytes"));
    }

    #[test]
    fn tar_gz_gives_the_wanted_members_under_their_long_names() {
        let header = |name: &str, size: usize, kind: u8| {
            let mut h = vec![0; 512];
            h[..name.len()].copy_from_slice(name.as_bytes());
            h[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
            h[156] = kind;
            h[148..156].fill(b' ');
            let sum: u32 = h.iter().map(|&b| u32::from(b)).sum();
            h[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            h
        };
        let padded = |content: &[u8]| [content, &vec![0; content.len().next_multiple_of(512) - content.len()]].concat();
        let tar = [
            header("x", 18, b'x'),
            padded(b"18 path=long/a.pt\n"),
            header("short", 3, b'0'),
            padded(b"abc"),
            header("b.txt", 600, b'0'),
            padded(&[1; 600]),
            vec![0; 1024],
        ]
        .concat();
        let pack = |tar: &[u8]| {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(tar).unwrap();
            gz.finish().unwrap()
        };
        let members = tar_gz(&pack(&tar), |name| name.ends_with(".pt")).unwrap();
        assert_eq!(members, [("long/a.pt".to_owned(), b"abc".to_vec())]);
        assert!(tar_gz(&pack(&tar[..1100]), |_| true).unwrap_err().contains("cut short"));
        assert!(tar_gz(&pack(&tar)[..40], |_| true).is_err());
        assert!(tar_gz(b"plain", |_| true).unwrap_err().contains("not gzip"));
    }
}
