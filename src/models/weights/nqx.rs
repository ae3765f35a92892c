//! Weights of the package nequix: a line of JSON, the settings, and behind it the arrays of the network in the order of its fields, each as
//! NumPy saves one (`.npy`, NEP 1).

use crystal::{Cause, explained};
use serde_json::Value;

use super::checkpoint::{Array, Checkpoint, bounded};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Whether the bytes begin as such a file does.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let line = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    bytes.starts_with(b"{") && bytes.get(line + 1..).is_some_and(|rest| rest.starts_with(MAGIC))
}

/// Reads a file whole: the settings become its facts, and the arrays of real numbers are named by their place, `0000` first. Single numbers
/// behind the weights, which some files have, are passed over.
pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint, Cause> {
    let line = bytes.iter().position(|b| *b == b'\n').ok_or("it has no line of settings")?;
    let facts: Value =
        serde_json::from_slice(&bytes[..line]).map_err(|e| explained(format!("its first line is not JSON: {e}"), e))?;
    let mut checkpoint = Checkpoint { facts, ..Checkpoint::default() };
    let (mut rest, mut total) = (&bytes[line + 1..], Vec::new());
    for place in 0.. {
        let Some(record) = rest.strip_prefix(MAGIC) else { break };
        let (array, behind) = record_of(record).map_err(|e| format!("array {place}: {e}"))?;
        rest = behind;
        if let Some(array) = array.filter(|array| !array.shape.is_empty()) {
            total.push(array.values.len());
            bounded(total.iter().copied())?;
            checkpoint.arrays.insert(format!("{:04}", checkpoint.arrays.len()), array);
        }
    }
    match rest.trim_ascii().is_empty() {
        true => Ok(checkpoint),
        false => Err(format!("{} bytes behind its arrays are none", rest.len()).into()),
    }
}

/// The array behind the magic word, where its numbers are real, and what is left.
fn record_of(record: &[u8]) -> Result<(Option<Array>, &[u8]), String> {
    let short = || "the file ends within it".to_owned();
    let [major, _, a, b, rest @ ..] = record else { return Err(short()) };
    let (length, rest) = match (major, rest) {
        (1, rest) => (u32::from(u16::from_le_bytes([*a, *b])), rest),
        (2 | 3, [c, d, rest @ ..]) => (u32::from_le_bytes([*a, *b, *c, *d]), rest),
        _ => return Err(format!("version {major} of NumPy's format")),
    };
    let (header, rest) = rest.split_at_checked(length as usize).ok_or_else(short)?;
    let header = std::str::from_utf8(header).map_err(|e| e.to_string())?;
    let (kind, shape) = (field(header, "'descr':", "'", "'")?, field(header, "'shape':", "(", ")")?);
    if !header.contains("'fortran_order': False") {
        return Err("its columns come before its rows".into());
    }
    let numbers = shape.split(',').map(str::trim).filter(|n| !n.is_empty());
    let shape = numbers.map(|n| n.parse().map_err(|e| format!("shape {n}: {e}"))).collect::<Result<Vec<usize>, _>>()?;
    let width: usize = kind.get(2..).and_then(|n| n.parse().ok()).ok_or_else(|| format!("numbers of type {kind}"))?;
    let bytes = shape.iter().try_fold(width, |product, &n| product.checked_mul(n)).ok_or("an absurd shape")?;
    let (numbers, rest) = rest.split_at_checked(bytes).ok_or_else(short)?;
    let values = match kind {
        "<f4" => numbers.as_chunks().0.iter().map(|x| f32::from_le_bytes(*x)).collect(),
        "<f8" => numbers.as_chunks().0.iter().map(|x| f64::from_le_bytes(*x) as f32).collect(),
        _ => return Ok((None, rest)),
    };
    Ok((Some(Array { shape, values }), rest))
}

/// What stands in a header between `open` and `close` after a key.
fn field<'a>(header: &'a str, key: &str, open: &str, close: &str) -> Result<&'a str, String> {
    let found =
        header.split_once(key).and_then(|(_, rest)| rest.split_once(open)).and_then(|(_, rest)| rest.split_once(close));
    found.map(|(value, _)| value).ok_or_else(|| format!("its header has no {key} {header}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: &str, shape: &str, numbers: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), numbers].concat()
    }

    fn file() -> Vec<u8> {
        let floats: Vec<u8> = [1.5_f32, -2.0, 0.25].iter().flat_map(|x| x.to_le_bytes()).collect();
        let doubles: Vec<u8> = [0.5_f64, 4.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let records = [
            record("<f4", "3,", &floats),
            record("<i8", "", &[0; 8]),
            record("<f8", "1, 2", &doubles),
            record("|b1", "", &[1]),
        ];
        [b"{\"lmax\": 3}\n".to_vec(), records.concat(), b"\n".to_vec()].concat()
    }

    #[test]
    fn settings_and_arrays_are_read_and_single_numbers_passed_over() {
        let bytes = file();
        assert!(looks_like(&bytes) && !looks_like(b"{}") && !looks_like(b"{}\nrest"));
        let checkpoint = read(&bytes).unwrap();
        assert_eq!(checkpoint.facts["lmax"], 3);
        assert_eq!(checkpoint.arrays.len(), 2);
        assert_eq!(checkpoint.array("0000").unwrap(), &Array { shape: vec![3], values: vec![1.5, -2.0, 0.25] });
        assert_eq!(checkpoint.array("0001").unwrap(), &Array { shape: vec![1, 2], values: vec![0.5, 4.0] });
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = file();
        let whole = bytes.len() - 1;
        let ends = (0..whole).filter(|&n| read(&bytes[..n]).is_ok()).count();
        // Between two arrays a shorter file is one too; the network names what is missing.
        assert_eq!(ends, 4);
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 1 << (i % 8);
            let _ = read(&bad);
        }
        let absurd = [b"{}\n".to_vec(), record("<f4", "99999999999, 99999999999", &[])].concat();
        assert!(read(&absurd).unwrap_err().to_string().contains("absurd"));
        let large = [b"{}\n".to_vec(), record("<f4", "999999999", &[])].concat();
        assert!(read(&large).unwrap_err().to_string().contains("ends within it"));
    }
}
