//! Checkpoints of torch, in every format that `torch.save` has written.
//!
//! A pickle is a program for a stack machine, and Python's machine can call any function. The reader (`pytorch-reader`) treats it as data:
//! it knows the calls by which torch builds tensors, keeps any other as a bare name and looks up none. A file that names what no checkpoint
//! of weights needs is refused all the same.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use burn_store::bridge::from_pytorch;
use burn_store::pytorch_reader::{PickleValue, PytorchReader, Tensor};
use crystal::{Cause, explained};
use serde_json::Value;
use tempfile::NamedTempFile;

use super::checkpoint::{Array, Checkpoint, bounded};

/// Where checkpoints keep the weights among other things.
const PLACES: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];
/// Beyond this depth facts are left out.
const DEEPEST: usize = 8;
/// What the reader calls a tensor, and a whole number of more than 64 bits.
const TENSOR: &str = "torch.Tensor";
const LONG: &str = "int";

/// Libraries whose classes stand in checkpoints beside the weights: settings, optimisers.
const KNOWN: [&str; 13] = [
    "alignn",
    "argparse",
    "builtins",
    "cgcnn",
    "collections",
    "copyreg",
    "gatgnn",
    "matdeeplearn",
    "matgl",
    "megnet",
    "numpy",
    "torch",
    "torch_geometric",
];
/// Of the built-in names, the harmless ones.
const BUILT_IN: [&str; 8] = ["set", "frozenset", "list", "dict", "tuple", "int", "float", "object"];

/// Whether a zip file with members of these names is a checkpoint, rather than an archive that may hold one.
pub(super) fn is_checkpoint(names: &[String]) -> bool {
    names.iter().any(|name| name == "data.pkl" || name.ends_with("/data.pkl"))
}

/// Reads a checkpoint of any format.
pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint, Cause> {
    // The reader takes a path, and this may be a member of an archive.
    let fault = |e: std::io::Error| explained(format!("a temporary file: {e}"), e);
    let mut file = NamedTempFile::new().map_err(fault)?;
    file.write_all(bytes).map_err(fault)?;
    read_file(file.path())
}

fn read_file(path: &Path) -> Result<Checkpoint, Cause> {
    let fault = |e: Cause| explained(format!("not a checkpoint of torch that can be read: {e}"), e);
    let data = PytorchReader::read_pickle_data(path, None).map_err(|e| fault(e.into()))?;
    inert(&data)?;
    let place = place(&data)
        .ok_or("it holds no dictionary of weights; save one with torch.save(model.state_dict(), 'weights.pt')")?;
    let tensors = PytorchReader::new(path).map_err(|e| fault(e.into()))?.into_tensors();
    let weights = || tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(&place)?, tensor)));
    // A tensor may repeat one number any number of times: what it would fill is counted before it is read.
    bounded(weights().map(|(_, tensor)| tensor.num_elements()))?;
    let mut checkpoint = Checkpoint::default();
    for (name, tensor) in weights() {
        // A network that was spread over devices has one more level of names.
        let name = name.strip_prefix("module.").unwrap_or(name).to_owned();
        checkpoint.arrays.insert(name, Array::read(&from_pytorch(tensor.clone()))?);
    }
    if let (PickleValue::Dict(root), false) = (&data, place.is_empty()) {
        let facts = root.iter().filter(|(key, _)| !key.contains("optim"));
        let facts = facts.map(|(key, value)| (key.clone(), fact(value, key, &tensors, DEEPEST)));
        checkpoint.facts = facts.collect::<serde_json::Map<_, _>>().into();
    }
    Ok(checkpoint)
}

/// Refuses names that no checkpoint of weights needs.
fn inert(data: &PickleValue) -> Result<(), String> {
    match data {
        PickleValue::List(items) => items.iter().try_for_each(inert),
        PickleValue::Dict(entries) => entries.values().try_for_each(inert),
        PickleValue::Unsupported(name) if name != LONG => {
            let root = name.split('.').next().unwrap_or_default().replace("__builtin__", "builtins");
            let last = name.rsplit('.').next().unwrap_or_default();
            if KNOWN.contains(&root.as_str()) && (root != "builtins" || BUILT_IN.contains(&last)) {
                return Ok(());
            }
            Err(format!(
                "it names {name}, which no checkpoint of weights needs; nothing was run. If you trust the file, save its \
                 weights alone: torch.save(model.state_dict(), 'weights.pt')"
            ))
        }
        _ => Ok(()),
    }
}

/// What precedes the names of the weights: the way to the dictionary that holds tensors. `{"model": {"state_dict": ...}}` is
/// met too.
fn place(data: &PickleValue) -> Option<String> {
    fn within<'a>(value: &'a PickleValue, key: &str) -> Option<&'a PickleValue> {
        match value {
            PickleValue::Dict(entries) => entries.get(key),
            _ => None,
        }
    }
    let nested = PLACES.iter().flat_map(|outer| PLACES.map(|inner| vec![*outer, inner]));
    let ways = PLACES.map(|place| vec![place]).into_iter().chain(nested).chain([Vec::new()]);
    let holds_tensors = |value: &PickleValue| match value {
        PickleValue::Dict(entries) => entries.values().any(|v| matches!(v, PickleValue::Unsupported(n) if n == TENSOR)),
        _ => false,
    };
    let mut ways =
        ways.filter(|way| way.iter().try_fold(data, |value, key| within(value, key)).is_some_and(holds_tensors));
    ways.next().map(|way| way.iter().map(|key| format!("{key}.")).collect())
}

/// A value beside the weights as JSON; what is too deep or no data is null, a tensor of one value is a number.
fn fact(value: &PickleValue, path: &str, tensors: &HashMap<String, Tensor>, depth: usize) -> Value {
    let below = |key: &str, value| fact(value, &format!("{path}.{key}"), tensors, depth - 1);
    match value {
        _ if depth == 0 => Value::Null,
        PickleValue::Bool(b) => (*b).into(),
        PickleValue::Int(n) => (*n).into(),
        PickleValue::Float(x) => (*x).into(),
        PickleValue::String(text) => text.as_str().into(),
        PickleValue::List(items) => {
            items.iter().enumerate().map(|(k, item)| below(&k.to_string(), item)).collect::<Vec<_>>().into()
        }
        PickleValue::Dict(entries) => {
            entries.iter().map(|(key, item)| (key.clone(), below(key, item))).collect::<serde_json::Map<_, _>>().into()
        }
        PickleValue::Unsupported(name) if name == TENSOR => {
            let one = tensors.get(path).filter(|tensor| tensor.num_elements() == 1);
            one.and_then(|tensor| Array::read(&from_pytorch(tensor.clone())).ok()).map(|array| array.values[0]).into()
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::archive::tests::zip;
    use super::*;

    /// The pickle of `{'state_dict': OrderedDict(NAME: tensor), 'normalizer': {'mean': -1.5}, EXTRA}`; storage '0' of 6 floats.
    pub fn state_dict(name: &str, shape: &[i64], stride: &[i64], offset: i64, extra: &[u8]) -> Vec<u8> {
        let text = |out: &mut Vec<u8>, t: &str| {
            out.push(b'X');
            out.extend((t.len() as u32).to_le_bytes());
            out.extend(t.as_bytes());
        };
        let int = |out: &mut Vec<u8>, n: i64| {
            out.extend(b"\x8a\x08");
            out.extend(n.to_le_bytes());
        };
        let mut p = b"\x80\x02}q\x00(".to_vec();
        text(&mut p, "state_dict");
        p.extend(b"ccollections\nOrderedDict\n)R");
        text(&mut p, name);
        p.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut p, "storage");
        p.extend(b"ctorch\nFloatStorage\n");
        for t in ["0", "cpu"] {
            text(&mut p, t);
        }
        p.extend(b"K\x06tQ");
        int(&mut p, offset);
        for list in [shape, stride] {
            p.push(b'(');
            list.iter().for_each(|&n| int(&mut p, n));
            p.push(b't');
        }
        p.extend(b"\x89ccollections\nOrderedDict\n)RtRs");
        text(&mut p, "normalizer");
        p.extend(b"}");
        text(&mut p, "mean");
        p.push(b'G');
        p.extend((-1.5_f64).to_be_bytes());
        p.extend(b"s");
        p.extend(extra);
        p.extend(b"u.");
        p
    }

    fn floats(n: usize) -> Vec<u8> {
        (0..n).flat_map(|k| (k as f32).to_le_bytes()).collect()
    }

    fn zipped(pickle: &[u8]) -> Vec<u8> {
        zip(&[("archive/data.pkl", pickle), ("archive/data/0", &floats(6)), ("archive/byteorder", b"little")], false)
    }

    /// The stream of pickles that torch wrote before the zip format: magic number, version, machine, object, storages.
    fn stream(pickle: &[u8]) -> Vec<u8> {
        let mut stream = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
        stream.extend(b"\x80\x02}X\x0d\x00\x00\x00little_endian\x88s.");
        stream.extend(pickle);
        stream.extend(b"\x80\x02]X\x01\x00\x00\x000a.");
        stream.extend(6_u64.to_le_bytes());
        stream.extend(floats(6));
        stream
    }

    #[test]
    fn both_formats_give_the_same_weights_and_facts() {
        let pickle = state_dict("w", &[2, 2], &[1, 2], 1, b"");
        for bytes in [zipped(&pickle), stream(&pickle)] {
            let checkpoint = read(&bytes).unwrap();
            // Columns of the storage 0..6 from 1: [[1, 3], [2, 4]].
            assert_eq!(checkpoint.array("w").unwrap(), &Array { shape: vec![2, 2], values: vec![1.0, 3.0, 2.0, 4.0] });
            assert_eq!(checkpoint.facts.pointer("/normalizer/mean"), Some(&Value::from(-1.5)));
            for n in (0..bytes.len()).step_by(7) {
                assert!(read(&bytes[..n]).is_err(), "{n}");
            }
            for i in (0..bytes.len()).step_by(3) {
                let mut bad = bytes.clone();
                bad[i] ^= 1 << (i % 8);
                let _ = read(&bad);
            }
        }
    }

    #[test]
    fn absurd_tensors_are_refused() {
        let with = |shape: &[i64], stride: &[i64], offset| {
            read(&zipped(&state_dict("w", shape, stride, offset, b""))).unwrap_err()
        };
        for message in [
            with(&[1 << 40, 1 << 40], &[0, 0], 0),
            with(&[1 << 40], &[0], 0),
            with(&[-2], &[1], 0),
            with(&[7], &[1], 0),
            with(&[2], &[1], i64::MAX),
            with(&[2], &[i64::MAX], 0),
            with(&[2], &[1, 1], 0),
        ] {
            assert!(message.to_string().contains("checkpoint of torch"), "{message}");
        }
        // Few bytes that would be many numbers, though not too many for the reader.
        assert!(with(&[1 << 27], &[0], 0).to_string().contains("no network of this kind is that large"));
    }

    #[test]
    fn commands_are_refused_by_name_and_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let witness = folder.path().join("ran");
        let call = |name: &str| {
            let command = format!("touch {}", witness.display());
            let mut extra = b"X\x04\x00\x00\x00hook".to_vec();
            extra.extend(format!("c{name}\nX").as_bytes());
            extra.extend((command.len() as u32).to_le_bytes());
            extra.extend(command.as_bytes());
            extra.extend(b"\x85R");
            state_dict("w", &[1], &[1], 0, &extra)
        };
        for name in ["posix\nsystem", "os\nsystem", "builtins\neval", "__builtin__\n__import__", "numpyx\nf"] {
            for bytes in [zipped(&call(name)), stream(&call(name))] {
                let message = read(&bytes).unwrap_err().to_string();
                assert!(message.contains(&name.replace('\n', ".")) && message.contains("nothing was run"), "{message}");
            }
        }
        // A name of torch that would load code is kept as a name, never called.
        assert!(read(&zipped(&call("torch.hub\nload"))).unwrap().has("w"));
        assert!(!witness.exists());
    }

    #[test]
    fn what_is_no_checkpoint_is_recognised() {
        assert!(read(b"hello").unwrap_err().to_string().contains("not a checkpoint"));
        let empty = zip(&[("m/data.pkl", b"\x80\x02}.")], true);
        assert!(read(&empty).unwrap_err().to_string().contains("no dictionary of weights"));
    }
}
