//! Checkpoints of torch: the zip format (since 1.6) and the stream of pickles before it.

use std::collections::HashMap;

use serde_json::Value;

use super::archive::Zip;
use super::bytes::Cursor;
use super::checkpoint::{Array, Checkpoint, MOST_VALUES};
use super::pickle::{Id, Object, Pickle, StorageRef, TensorRef};

/// Where checkpoints keep the weights among other things.
const PLACES: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];
/// Beyond this depth, or this number, facts are left out.
const DEEPEST: usize = 6;
const MOST_FACTS: usize = 10_000;

/// Reads a checkpoint of either format.
pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint, String> {
    if Zip::looks_like(bytes) { zipped(bytes) } else { legacy(bytes) }
}

/// Whether a zip file is a checkpoint, rather than an archive that may hold one.
pub(super) fn is_checkpoint(archive: &Zip) -> bool {
    archive.names().any(|name| name.ends_with("/data.pkl"))
}

fn zipped(bytes: &[u8]) -> Result<Checkpoint, String> {
    let archive = Zip::open(bytes)?;
    let index = archive.names().find(|name| name.ends_with("/data.pkl")).ok_or("a zip file without data.pkl")?;
    let prefix = &index[..index.len() - "data.pkl".len()];
    if let Ok(order) = archive.read(&format!("{prefix}byteorder"))
        && &*order != b"little"
    {
        return Err("its numbers are big-endian; save it again on another machine".into());
    }
    if archive.names().any(|name| name.starts_with(&format!("{prefix}code/"))) {
        return Err("a TorchScript program, not a checkpoint; save model.state_dict() instead".into());
    }
    let pickle = Pickle::read(&mut Cursor::new(&archive.read(index)?))?;
    gather(&pickle, |storage| Ok(archive.read(&format!("{prefix}data/{}", storage.key))?.into_owned()))
}

/// `torch.save`'s first magic number, 0x1950a86a20f9469cfc6c, in a pickle of its own.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

fn legacy(bytes: &[u8]) -> Result<Checkpoint, String> {
    if !bytes.starts_with(MAGIC) {
        return Err("not a checkpoint of torch".into());
    }
    let mut cursor = Cursor::at(bytes, MAGIC.len() as u64)?;
    // Protocol and the sizes of C types.
    let _ = (Pickle::read(&mut cursor)?, Pickle::read(&mut cursor)?);
    let pickle = Pickle::read(&mut cursor)?;
    let keys = Pickle::read(&mut cursor)?;
    let Object::List(keys_in_order) = keys.object(keys.root()) else {
        return Err("the list of storages is missing".into());
    };
    let widths: HashMap<&str, usize> = pickle.storages.iter().map(|s| (s.key.as_str(), s.number.width())).collect();
    let mut storages = HashMap::new();
    for &id in keys_in_order {
        let Object::Text(key) = keys.object(id) else { return Err("a storage without a name".into()) };
        let width = widths.get(key.as_str()).ok_or_else(|| format!("the storage {key} belongs to no tensor"))?;
        let bytes = usize::try_from(cursor.u64()?).ok().and_then(|n| n.checked_mul(*width));
        let bytes = bytes.ok_or_else(|| format!("the storage {key} has an absurd size"))?;
        storages.insert(key.clone(), cursor.take(bytes)?);
    }
    let missing = |s: &StorageRef| format!("the storage {} is missing", s.key);
    gather(&pickle, |storage| Ok(storages.get(&storage.key).ok_or_else(|| missing(storage))?.to_vec()))
}

/// Weights and facts of a pickle whose storages `content` knows.
fn gather(pickle: &Pickle, content: impl Fn(&StorageRef) -> Result<Vec<u8>, String>) -> Result<Checkpoint, String> {
    let root = pickle.root();
    let holds_tensors = |id: Id| pickle.entries(id).any(|(_, v)| matches!(pickle.object(v), Object::Tensor(_)));
    let within = |id: Id| PLACES.iter().filter_map(move |place| pickle.get(id, place));
    // {"model": {"state_dict": ...}} is met too.
    let nested = within(root).chain(within(root).flat_map(within));
    let weights = nested
        .chain([root])
        .find(|&id| holds_tensors(id))
        .ok_or("it holds no dictionary of weights; save one with torch.save(model.state_dict(), 'weights.pt')")?;
    let mut checkpoint = Checkpoint::default();
    let mut known: HashMap<&str, Vec<f32>> = HashMap::new();
    for (name, id) in pickle.entries(weights) {
        let Object::Tensor(tensor) = pickle.object(id) else { continue };
        let fault = |message: String| format!("tensor {name}: {message}");
        let key = tensor.storage.key.as_str();
        if !known.contains_key(key) {
            let bytes = content(&tensor.storage).map_err(fault)?;
            known.insert(key, tensor.storage.number.read(&bytes));
        }
        let array = view(tensor, &known[key]).map_err(fault)?;
        // A network that was spread over devices has one more level of names.
        checkpoint.insert(name.strip_prefix("module.").unwrap_or(name).to_owned(), array)?;
    }
    let mut left = MOST_FACTS;
    let scalar = |tensor: &TensorRef| -> Option<f32> {
        let values = tensor.storage.number.read(&content(&tensor.storage).ok()?);
        view(tensor, &values).ok().filter(|a| a.values.len() == 1).map(|a| a.values[0])
    };
    let pairs = pickle.entries(root).filter(|(key, id)| *id != weights && !key.contains("optim"));
    checkpoint.facts = pairs
        .map(|(key, id)| (key.to_owned(), fact(pickle, id, DEEPEST, &mut left, &scalar)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    Ok(checkpoint)
}

/// The numbers that a tensor sees of its storage, row-major.
fn view(tensor: &TensorRef, storage: &[f32]) -> Result<Array, String> {
    let absurd = || {
        format!(
            "shape {:?}, stride {:?} from {} of a storage of {}",
            tensor.shape,
            tensor.stride,
            tensor.offset,
            storage.len()
        )
    };
    let whole = |n: &i64| usize::try_from(*n).ok();
    let shape: Option<Vec<usize>> = tensor.shape.iter().map(whole).collect();
    let stride: Option<Vec<usize>> = tensor.stride.iter().map(whole).collect();
    let (Some(shape), Some(stride), Some(offset)) = (shape, stride, whole(&tensor.offset)) else {
        return Err(absurd());
    };
    let count = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MOST_VALUES);
    let count = count.filter(|_| shape.len() == stride.len()).ok_or_else(absurd)?;
    if count == 0 {
        return Ok(Array { shape, values: Vec::new() });
    }
    let reach = shape.iter().zip(&stride).try_fold(offset, |last, (d, s)| (d - 1).checked_mul(*s)?.checked_add(last));
    if reach.is_none_or(|last| last >= storage.len()) {
        return Err(absurd());
    }
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; shape.len()];
    for _ in 0..count {
        values.push(storage[offset + index.iter().zip(&stride).map(|(i, s)| i * s).sum::<usize>()]);
        for (i, d) in index.iter_mut().zip(&shape).rev() {
            *i += 1;
            if *i < *d {
                break;
            }
            *i = 0;
        }
    }
    Ok(Array { shape, values })
}

/// A value beside the weights as JSON; what is too deep, too much or no data is null.
fn fact(pickle: &Pickle, id: Id, depth: usize, left: &mut usize, scalar: &impl Fn(&TensorRef) -> Option<f32>) -> Value {
    if depth == 0 || *left == 0 {
        return Value::Null;
    }
    *left -= 1;
    match pickle.object(id) {
        Object::Bool(b) => (*b).into(),
        Object::Int(n) => (*n).into(),
        Object::Float(x) => (*x).into(),
        Object::Text(text) => text.as_str().into(),
        Object::Tensor(tensor) if tensor.shape.iter().all(|&d| d == 1) => scalar(tensor).into(),
        Object::Tuple(ids) | Object::List(ids) => {
            ids.iter().map(|&id| fact(pickle, id, depth - 1, left, scalar)).collect::<Vec<_>>().into()
        }
        Object::Dict(_) => {
            let pairs: Vec<(String, Id)> = pickle.entries(id).map(|(key, id)| (key.to_owned(), id)).collect();
            let pairs = pairs.into_iter().map(|(key, id)| (key, fact(pickle, id, depth - 1, left, scalar)));
            pairs.collect::<serde_json::Map<_, _>>().into()
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::archive::tests::zip;
    use super::*;

    /// The pickle of `{'state_dict': OrderedDict(NAME: tensor), 'normalizer': {'mean': -1.5}}`; storage '0' of floats.
    pub fn state_dict(name: &str, shape: &[i64], stride: &[i64], offset: i64) -> Vec<u8> {
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
        p.extend(b"su.");
        p
    }

    fn floats(n: usize) -> Vec<u8> {
        (0..n).flat_map(|k| (k as f32).to_le_bytes()).collect()
    }

    #[test]
    fn both_formats_give_the_same_weights_and_facts() {
        let pickle = state_dict("w", &[2, 2], &[1, 2], 1);
        let zipped = zip(
            &[("archive/data.pkl", &pickle), ("archive/data/0", &floats(6)), ("archive/byteorder", b"little")],
            false,
        );
        let mut stream = MAGIC.to_vec();
        stream.extend(b"\x80\x02M\xe9\x03.\x80\x02}.");
        stream.extend(&pickle);
        stream.extend(b"\x80\x02]X\x01\x00\x00\x000a.");
        stream.extend(6_u64.to_le_bytes());
        stream.extend(floats(6));
        for bytes in [&zipped, &stream] {
            let checkpoint = read(bytes).unwrap();
            // Columns of the storage 0..6 from 1: [[1, 3], [2, 4]].
            assert_eq!(checkpoint.array("w").unwrap(), &Array { shape: vec![2, 2], values: vec![1.0, 3.0, 2.0, 4.0] });
            assert_eq!(checkpoint.facts.pointer("/normalizer/mean"), Some(&Value::from(-1.5)));
            for n in (0..bytes.len()).step_by(7) {
                assert!(read(&bytes[..n]).is_err(), "{n}");
            }
        }
    }

    #[test]
    fn absurd_tensors_are_refused() {
        let with = |shape: &[i64], stride: &[i64], offset| {
            let pickle = state_dict("w", shape, stride, offset);
            read(&zip(&[("a/data.pkl", &pickle), ("a/data/0", &floats(6))], false)).unwrap_err()
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
            assert!(message.starts_with("tensor w: shape"), "{message}");
        }
    }

    #[test]
    fn what_is_no_checkpoint_is_told_apart() {
        assert!(read(b"hello").unwrap_err().contains("not a checkpoint"));
        let program = zip(&[("m/data.pkl", b"\x80\x02}."), ("m/code/__torch__.py", b"def f(): pass")], true);
        assert!(read(&program).unwrap_err().contains("TorchScript"));
        let empty = zip(&[("m/data.pkl", b"\x80\x02}.")], true);
        assert!(read(&empty).unwrap_err().contains("no dictionary of weights"));
    }
}
