//! Trajectories of ASE (`.traj`): frames in a ULM file.
//!
//! ```text
//! - of Ulm ASE-Trajectory  version  number of frames  place of the table of frames    8 + 16 bytes, then 64-bit integers
//! frame: length, JSON; arrays of it are {"ndarray": [shape, type, place]} under a name that ends in a dot
//! ```
//! Numbers are little-endian unless the JSON says `"_little_endian": false`. Elements and periodicity stand in the first frame and,
//! where they change, in each.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use serde_json::{Map, Value};

use super::{
    Format, Frames, Input, MAX_ATOMS, Properties, Records,
    ase::{Atoms, SCALARS, numbers, periodic},
    format::Open,
    frames, plain,
};
use crate::FormatError;
use crystal::Structure;

/// Bytes of the header.
const HEADER: usize = 48;
/// Most frames that a table may announce.
const MAX_FRAMES: u64 = 1 << 28;

/// See [`Format`].
pub(super) static FORMAT: Format = Format {
    name: "trajectory of ASE",
    extensions: &["traj"],
    begins: &[],
    packed: false,
    open: Open::File(|input, reading| Ok(plain(records(input, reading.frames)?, input, &reading.mapping))),
};

/// The selected frames.
pub(super) fn records(input: &Input, which: Frames) -> Result<Records, FormatError> {
    let mut file = Ulm::open(&input.path)?;
    let total = file.frames.len();
    let first = match total {
        0 => return Err(file.fault("the trajectory holds no frame")),
        _ => file.item(0)?,
    };
    Ok(frames::records(input, total, which, move |k| {
        let item = file.item(k)?;
        let (structure, properties) = frame(&mut file, &item, &first, k + 1)?;
        Ok((structure, k + 1, properties))
    }))
}

/// The crystal of a frame, and its properties; `first` is the first frame, `line` the number of this one.
fn frame(file: &mut Ulm, item: &Item, first: &Item, line: usize) -> Result<(Structure, Properties), FormatError> {
    let syntax = |message: String| FormatError::syntax(line, 0, message);
    let shared = |name: &str| matches!(name, "numbers" | "pbc") && !item.has("numbers");
    let of = |name: &str| if shared(name) { first.get(name) } else { item.get(name) };
    let mut array = |name: &str| {
        let value =
            of(name).ok_or_else(|| syntax(format!("the frame has no '{name}'; expected atoms as ASE writes them")))?;
        file.numbers(&value, item.little_endian()).map_err(|message| syntax(format!("'{name}': {message}")))
    };
    let atoms = Atoms {
        numbers: array("numbers")?.into_iter().map(|z| z as i64).collect(),
        positions: array("positions")?,
        cell: array("cell")?,
        periodic: of("pbc").is_some_and(|(pbc, _)| periodic(&pbc)),
    };
    let mut properties = Properties::default();
    if let Some((Value::Object(info), _)) = item.get("info") {
        for (name, value) in info {
            properties.enter(&name, value).map_err(syntax)?;
        }
    }
    if let Some((Value::Object(mut calculator), _)) = item.get("calculator") {
        let name = calculator.remove("name").unwrap_or_default();
        calculator.insert("calculator".into(), name);
        for name in SCALARS {
            if let Some(value) = calculator.remove(name) {
                properties.enter(name, value).map_err(syntax)?;
            }
        }
    }
    Ok((atoms.crystal(line)?, properties))
}

/// The JSON of a frame.
struct Item(Map<String, Value>);

impl Item {
    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A member, and whether it is an array or a part of its own, whose names end in a dot.
    fn get(&self, name: &str) -> Option<(Value, bool)> {
        match self.0.get(name) {
            Some(value) => Some((value.clone(), false)),
            None => self.0.get(&format!("{name}.")).map(|value| (value.clone(), true)),
        }
    }

    fn little_endian(&self) -> bool {
        self.0.get("_little_endian") != Some(&Value::Bool(false))
    }
}

/// A ULM file.
struct Ulm {
    path: std::path::PathBuf,
    file: File,
    length: u64,
    /// Where the frames begin.
    frames: Vec<u64>,
}

impl Ulm {
    fn open(path: &Path) -> Result<Self, FormatError> {
        let fail = |message: &str| FormatError::io(path, message);
        let mut file = File::open(path).map_err(|e| FormatError::io(path, e))?;
        let length = file.metadata().map_err(|e| FormatError::io(path, e))?.len();
        let mut header = [0; HEADER];
        if length == 0 {
            return Err(fail("the file is empty"));
        }
        let read = file.read_exact(&mut header);
        if header.starts_with(&[0x1f, 0x8b]) || header.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            return Err(fail("a compressed trajectory cannot be read in place; unpack it first (gunzip, unzstd)"));
        }
        if read.is_err() || !(header.starts_with(b"- of Ulm") || header.starts_with(b"AFFormat")) {
            return Err(fail("this is not a trajectory of ASE; expected one that ase.io.Trajectory wrote"));
        }
        let tag = String::from_utf8_lossy(&header[8..24]).trim().to_owned();
        if tag != "ASE-Trajectory" {
            return Err(fail(&format!("this ULM file holds '{tag}', expected ASE-Trajectory")));
        }
        let integer = |at: usize| u64::from_le_bytes(std::array::from_fn(|k| header[at + k]));
        let (total, table) = (integer(32), integer(40));
        let mut ulm = Self { path: path.to_owned(), file, length, frames: Vec::new() };
        if total > MAX_FRAMES || total.saturating_mul(8) > length {
            return Err(ulm.fault(&format!("{total} frames are announced, more than the file can hold; it is damaged")));
        }
        let bytes = ulm.bytes(table, 8 * total).map_err(|message| ulm.fault(&message))?;
        ulm.frames = bytes.as_chunks::<8>().0.iter().map(|place| u64::from_le_bytes(*place)).collect();
        Ok(ulm)
    }

    fn fault(&self, message: &str) -> FormatError {
        FormatError::io(&self.path, message)
    }

    /// Bytes of the file, which must hold them.
    fn bytes(&mut self, at: u64, length: u64) -> Result<Vec<u8>, String> {
        if at.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(format!(
                "{length} bytes are expected from byte {at} on, but the file has {}; it is cut short",
                self.length
            ));
        }
        let mut bytes = vec![0; length as usize];
        let read = |file: &mut File, bytes: &mut [u8]| -> io::Result<()> {
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(bytes)
        };
        read(&mut self.file, &mut bytes).map(|()| bytes).map_err(|e| e.to_string())
    }

    fn item(&mut self, k: usize) -> Result<Item, FormatError> {
        let syntax = |message: String| FormatError::syntax(k + 1, 0, message);
        let at = self.frames[k];
        let length = self.bytes(at, 8).map_err(syntax)?;
        let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
        let text = self.bytes(at.saturating_add(8), length).map_err(syntax)?;
        match serde_json::from_slice(&text) {
            Ok(Value::Object(members)) => Ok(Item(members)),
            Ok(_) => Err(syntax("the frame is not a JSON object".into())),
            Err(e) => Err(syntax(format!("the frame is not JSON: {e}"))),
        }
    }

    /// The numbers of a member: in the JSON itself, or an array beside it.
    fn numbers(&mut self, (value, apart): &(Value, bool), little_endian: bool) -> Result<Vec<f64>, String> {
        let Some(array) = value.get("ndarray").filter(|_| *apart) else {
            return numbers(value).ok_or_else(|| "expected numbers".into());
        };
        let expected = || format!("expected [shape, type, place], found {array}");
        let shape = array.get(0).and_then(numbers).ok_or_else(expected)?;
        let kind = array.get(1).and_then(Value::as_str).ok_or_else(expected)?;
        let at = array.get(2).and_then(Value::as_u64).ok_or_else(expected)?;
        let count = shape.iter().product::<f64>();
        if !(0.0..=3.0 * MAX_ATOMS as f64).contains(&count) {
            return Err(format!("{count} numbers, more than {MAX_ATOMS} atoms have"));
        }
        let width = match kind {
            "int64" | "float64" => 8,
            "int32" | "float32" => 4,
            "bool" | "int8" | "uint8" => 1,
            other => return Err(format!("numbers of type {other}, expected integers or floats")),
        };
        let mut bytes = self.bytes(at, count as u64 * width)?;
        if !little_endian {
            bytes.chunks_exact_mut(width as usize).for_each(<[u8]>::reverse);
        }
        let of = |bytes: &[u8]| match (kind, bytes) {
            ("int64", &[a, b, c, d, e, f, g, h]) => i64::from_le_bytes([a, b, c, d, e, f, g, h]) as f64,
            ("float64", &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            ("int32", &[a, b, c, d]) => f64::from(i32::from_le_bytes([a, b, c, d])),
            ("float32", &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
            (_, bytes) => f64::from(bytes[0]),
        };
        Ok(bytes.chunks_exact(width as usize).map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reading, Record, Rejection, read};

    /// The JSON text of a frame, and the arrays that it names.
    type Frame<'a> = (&'a str, Vec<(&'a str, Vec<u8>)>);

    /// A trajectory as ASE writes it.
    fn ulm(frames: &[Frame]) -> Vec<u8> {
        let integer = |n: usize| (n as u64).to_le_bytes().to_vec();
        let mut file = [b"- of UlmASE-Trajectory  ".to_vec(), integer(3), integer(frames.len()), integer(0)].concat();
        let mut places = Vec::new();
        for (json, arrays) in frames {
            let mut json = (*json).to_owned();
            for (name, bytes) in arrays {
                json = json.replace(&format!("<{name}>"), &file.len().to_string());
                file.extend(bytes);
            }
            places.push(file.len());
            file.extend([integer(json.len()), json.into_bytes()].concat());
        }
        let table = file.len();
        file.splice(40..48, integer(table));
        places.into_iter().for_each(|place| file.extend(integer(place)));
        file
    }

    const FIRST: &str = r#"{"version": 1, "pbc": [true, true, true], "numbers.": {"ndarray": [[2], "int64", <n>]}, "positions.":
        {"ndarray": [[2, 3], "float64", <x>]}, "cell": [[0, 2.1, 2.1], [2.1, 0, 2.1], [2.1, 2.1, 0]],
        "calculator.": {"name": "emt", "energy": -12.0, "forces.": {"ndarray": [[2, 3], "float64", 0]}}, "info": {"label": "start"}}"#;
    const NEXT: &str = r#"{"positions.": {"ndarray": [[2, 3], "float64", <x>]}, "cell": [[0, 2.2, 2.2], [2.2, 0, 2.2], [2.2, 2.2, 0]]}"#;

    fn two() -> Vec<u8> {
        let numbers: Vec<u8> = [12_i64, 8].iter().flat_map(|z| z.to_le_bytes()).collect();
        let positions =
            |a: f64| [0.0, 0.0, 0.0, a, 0.0, 0.0].iter().flat_map(|x: &f64| x.to_le_bytes()).collect::<Vec<u8>>();
        ulm(&[(FIRST, vec![("n", numbers), ("x", positions(2.1))]), (NEXT, vec![("x", positions(2.2))])])
    }

    fn of(bytes: &[u8], which: &str) -> Vec<Result<Record, Rejection>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.traj");
        std::fs::write(&path, bytes).unwrap();
        let reading = Reading { frames: which.parse().unwrap(), ..Reading::default() };
        read(&Input::new(path), &reading).collect()
    }

    #[test]
    fn frames_share_what_the_first_says() {
        let read: Vec<Record> = of(&two(), "all").into_iter().map(Result::unwrap).collect();
        assert_eq!(read.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["run#1", "run#2"]);
        assert!(read.iter().all(|r| r.structure.composition().formula() == "MgO"));
        assert_eq!(read[1].structure.volume().round(), 21.0);
        let extra = Value::Object(read[0].properties.extra.clone());
        assert_eq!(extra, serde_json::json!({"calculator": "emt", "energy": -12.0, "label": "start", "frame": 1}));
        let last = of(&two(), "last").remove(0).unwrap();
        assert_eq!((last.id.as_str(), last.line, last.properties.notes.len()), ("run", 2, 1));
    }

    #[test]
    fn what_is_damaged_is_said_and_costs_its_frame_alone() {
        let said = |bytes: &[u8], words: &str| {
            let read = of(bytes, "all");
            let reasons: Vec<_> = read.iter().filter_map(|r| r.as_ref().err()).map(|r| r.reason.clone()).collect();
            assert!(reasons.iter().any(|reason| reason.contains(words)), "{words}: {reasons:?}");
            read.iter().filter(|r| r.is_ok()).count()
        };
        let whole = two();
        assert_eq!(said(&whole[..whole.len() - 4], "cut short"), 0);
        assert_eq!(said(b"", "is empty"), 0);
        assert_eq!(said(&[0x1f, 0x8b, 8], "unpack it first"), 0);
        assert_eq!(
            said(b"no trajectory of any kind, though it is long enough to be one", "not a trajectory of ASE"),
            0
        );
        let text = |from: &str, to: &str| {
            let at = whole.windows(from.len()).rposition(|w| w == from.as_bytes()).unwrap();
            let mut bytes = whole.clone();
            bytes.splice(at..at + from.len(), to.bytes());
            bytes
        };
        assert_eq!(said(&text("[[2, 3], ", "[[3, 3], "), "2 atomic numbers but 9 numbers"), 1);
        assert_eq!(said(&text("[[2, 3], ", "[[2, 2], "), "2 atomic numbers but 4 numbers"), 1);
        assert_eq!(said(&text("float64", "complex"), "type complex"), 1);
        assert_eq!(said(&text("\"cell\"", "\"tell\""), "no 'cell'"), 1);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let _ = of(&bytes, "all");
        }
    }
}
