//! Bytes of a file: opened, decompressed, checked to be UTF-8, and never more of them than fit.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use crate::FormatError;
use crystal::explained;

/// Most text of a file that is held in memory at once, bytes: a decompression bomb ends here.
const MAX_TEXT: u64 = 1 << 30;
/// Most bytes of one line of JSON lines.
const MAX_LINE: u64 = 1 << 26;

thread_local! {
    static BYTES_READ: Cell<u64> = const { Cell::new(0) };
}

/// Bytes of files, as they lie on disk, that this thread has read as text: how far it is in a file that is long.
pub fn bytes_read() -> u64 {
    BYTES_READ.get()
}

/// A file whose bytes are counted.
struct Counting(File);

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        BYTES_READ.set(BYTES_READ.get() + read as u64);
        Ok(read)
    }
}

/// The decompressed bytes of a file; its first bytes tell gzip and Zstandard, whatever its name.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, FormatError> {
    let fail = |e: io::Error| fault(path, e);
    let mut file = BufReader::with_capacity(1 << 16, Counting(File::open(path).map_err(fail)?));
    let head = file.fill_buf().map_err(fail)?;
    if head.is_empty() {
        return Err(error(path, "the file is empty"));
    }
    let (gzip, zstandard) = (head.starts_with(&[0x1f, 0x8b]), head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    let name = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match name.as_str() {
        "gz" if !gzip => {
            return Err(error(path, "the name ends in .gz but the data are not gzip; rename or fetch it again"));
        }
        "zst" if !zstandard => {
            return Err(error(path, "the name ends in .zst but the data are not Zstandard; rename or fetch it again"));
        }
        _ => {}
    }
    Ok(if gzip {
        Box::new(BufReader::with_capacity(1 << 16, flate2::bufread::MultiGzDecoder::new(file)))
    } else if zstandard {
        Box::new(BufReader::with_capacity(1 << 16, zstd::stream::read::Decoder::with_buffer(file).map_err(fail)?))
    } else {
        Box::new(file)
    })
}

/// The whole text of a file, unpacked.
///
/// # Errors
/// A file that cannot be read, that is empty, too long or no UTF-8.
pub fn read_text(path: &Path) -> Result<String, FormatError> {
    read_limited(path, MAX_TEXT)
}

fn read_limited(path: &Path, limit: u64) -> Result<String, FormatError> {
    let mut bytes = Vec::new();
    open(path)?.take(limit + 1).read_to_end(&mut bytes).map_err(|e| fault(path, e))?;
    if bytes.len() as u64 > limit {
        return Err(error(path, &format!("more than {limit} bytes of text; split the file or use JSON lines")));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(error(path, "the file is empty"));
    }
    let mut text = String::from_utf8(bytes).map_err(|e| not_utf8(e.as_bytes(), 1))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// The lines of a file, each checked by itself.
pub(super) struct Lines {
    path: PathBuf,
    reader: Option<Box<dyn BufRead + Send>>,
    buffer: Vec<u8>,
    number: usize,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, FormatError> {
        Ok(Self { path: path.to_owned(), reader: Some(open(path)?), buffer: Vec::with_capacity(1 << 14), number: 0 })
    }

    /// The next line that is not blank, with its number from 1; `None` at the end, and after an error that ends the reading.
    pub(super) fn next(&mut self) -> Option<(usize, Result<&str, FormatError>)> {
        loop {
            match self.advance()? {
                Ok(()) if self.is_blank() => {}
                Ok(()) => break,
                Err(error) => return Some((self.number, Err(error))),
            }
        }
        Some((self.number, self.current()))
    }

    /// Moves to the next line, blank or not; `None` at the end, and after an error, which ends the reading.
    pub(super) fn advance(&mut self) -> Option<Result<(), FormatError>> {
        self.buffer.clear();
        let reader = self.reader.as_mut()?;
        self.number += 1;
        let fatal = match reader.take(MAX_LINE).read_until(b'\n', &mut self.buffer) {
            Ok(0) => None,
            Ok(n) if n as u64 == MAX_LINE => {
                Some(format!("the line is longer than {MAX_LINE} bytes; is this a text of lines?"))
            }
            Ok(_) => return Some(Ok(())),
            Err(e) => Some(words(&e)),
        };
        self.reader = None;
        self.buffer.clear();
        fatal.map(|message| Err(FormatError::syntax(self.number, 0, message)))
    }

    /// The current line.
    pub(super) fn current(&self) -> Result<&str, FormatError> {
        let bytes = match self.number {
            1 => self.buffer.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(&self.buffer),
            _ => &self.buffer,
        };
        std::str::from_utf8(bytes).map_err(|_| not_utf8(bytes, self.number))
    }

    /// The current line as it stands in the file, with its end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Whether the current line holds nothing but blanks.
    pub(super) fn is_blank(&self) -> bool {
        self.buffer.iter().all(u8::is_ascii_whitespace)
    }

    /// Number of the current line, from 1.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Where bytes stop being UTF-8, and what they seem to be; `line` is the number of their first line.
pub(super) fn not_utf8(bytes: &[u8], line: usize) -> FormatError {
    let valid = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
    let before = &bytes[..valid];
    let line = line + before.iter().filter(|b| **b == b'\n').count();
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    let message = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "the text is UTF-16, expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8".into()
    } else if bytes[..bytes.len().min(1024)].contains(&0) || bytes.starts_with(b"\x89PNG") {
        "these are binary data, expected text".into()
    } else {
        let byte = bytes.get(valid).copied().unwrap_or(0);
        format!("byte 0x{byte:02x} is not UTF-8; if the file is Latin-1, convert it: iconv -f LATIN1 -t UTF-8")
    };
    FormatError::syntax(line, column, message)
}

fn error(path: &Path, message: &str) -> FormatError {
    FormatError::io(path, message)
}

fn fault(path: &Path, e: io::Error) -> FormatError {
    FormatError::io(path, explained(words(&e), e))
}

/// The system's message, with the usual cause of an early end.
pub(super) fn words(e: &io::Error) -> String {
    let text = e.to_string();
    let corrupt = e.kind() == io::ErrorKind::UnexpectedEof
        || ["incomplete frame", "corrupt", "deflate", "checksum", "gzip"].iter().any(|w| text.contains(w));
    if corrupt { format!("the compressed data are truncated or corrupt ({text}); fetch the file again") } else { text }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compression_is_seen_in_the_first_bytes() {
        let text = "data_x\n".repeat(1000);
        for bytes in [text.clone().into_bytes(), gzip(&text), zstd::encode_all(text.as_bytes(), 3).unwrap()] {
            let (_dir, path) = file("x.cif", &bytes);
            assert_eq!(read_text(&path).unwrap(), text);
        }
    }

    #[test]
    fn truncated_and_mislabelled_files_say_so() {
        let packed = gzip(&"data_x\n".repeat(1000));
        let (_dir, path) = file("x.cif.gz", &packed[..packed.len() / 2]);
        assert!(read_text(&path).unwrap_err().to_string().contains("truncated"));
        let packed = zstd::encode_all("data_x\n".repeat(1000).as_bytes(), 3).unwrap();
        let (_dir, path) = file("x.cif.zst", &packed[..packed.len() - 4]);
        assert!(read_text(&path).unwrap_err().to_string().contains("truncated"));
        let (_dir, path) = file("x.cif.gz", b"data_x");
        assert!(read_text(&path).unwrap_err().to_string().contains("not gzip"));
    }

    #[test]
    fn a_bad_byte_is_located() {
        let error = not_utf8(b"one\ntw\xe9o\n", 1);
        assert_eq!(error.position().map(|p| (p.line, p.column)), Some((2, 3)));
        let (_dir, path) = file("x.jsonl", b"{}\n\n\xff{}\n{}\n");
        let mut lines = Lines::open(&path).unwrap();
        let mut seen = Vec::new();
        while let Some((number, line)) = lines.next() {
            seen.push((number, line.is_ok()));
        }
        assert_eq!(seen, [(1, true), (3, false), (4, true)]);
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let (_dir, path) = file("x.cif.gz", &gzip(&" x".repeat(100_000)));
        assert!(read_limited(&path, 1000).unwrap_err().to_string().contains("more than 1000 bytes"));
    }
}
