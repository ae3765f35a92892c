//! A reader of Python pickles that runs nothing.
//!
//! A pickle is a program for a stack machine, and Python's machine may be told to call any function. This one knows data
//! only: numbers, texts, tuples, lists, dictionaries and the tensors of torch. A class or function is looked up nowhere. Those
//! of the numerical libraries are kept as a bare name, so that a checkpoint may hold settings and optimisers beside its
//! weights; any other refuses the file.
//!
//! Objects live in one list and refer to each other by index, as the memo of a pickle does: a dictionary that is filled
//! after it was memorised is the same dictionary, cycles are harmless, and the memory needed is proportional to the file.

use std::collections::HashMap;

use super::bytes::Cursor;
use super::checkpoint::Number;

/// Index of an object.
pub(super) type Id = usize;

/// What a pickle can hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Tensor(TensorRef),
    Storage(StorageRef),
    /// A class or function, by name.
    Name(String),
    /// Something made by a class that is not read.
    Opaque,
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TensorRef {
    pub storage: StorageRef,
    pub offset: i64,
    pub shape: Vec<i64>,
    pub stride: Vec<i64>,
}

/// A run of numbers that is stored outside the pickle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StorageRef {
    pub number: Number,
    pub key: String,
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle {
    objects: Vec<Object>,
    root: Id,
    /// Every storage that is named, in order of appearance.
    pub storages: Vec<StorageRef>,
}

/// Libraries whose classes are kept as names.
const KNOWN: [&str; 14] = [
    "__builtin__",
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

impl Pickle {
    /// The object that the pickle describes.
    pub fn root(&self) -> Id {
        self.root
    }

    /// An object.
    pub fn object(&self, id: Id) -> &Object {
        &self.objects[id]
    }

    /// The value under a key of a dictionary.
    pub fn get(&self, dict: Id, key: &str) -> Option<Id> {
        // A key set twice has its last value.
        self.entries(dict).filter(|(k, _)| *k == key).last().map(|(_, value)| value)
    }

    /// Entries of a dictionary whose keys are texts.
    pub fn entries(&self, dict: Id) -> impl Iterator<Item = (&str, Id)> {
        let pairs = match &self.objects[dict] {
            Object::Dict(pairs) => pairs.as_slice(),
            _ => &[],
        };
        pairs.iter().filter_map(|(key, value)| match &self.objects[*key] {
            Object::Text(key) => Some((key.as_str(), *value)),
            _ => None,
        })
    }

    /// Reads one pickle from where `cursor` stands, to its end.
    pub fn read(cursor: &mut Cursor) -> Result<Self, String> {
        let mut machine = Machine::default();
        let start = cursor.position();
        while machine.step(cursor).map_err(|e| format!("pickle, byte {}: {e}", cursor.position() - start))? {}
        let root = machine.pop()?;
        Ok(Self { objects: machine.objects, root, storages: machine.storages })
    }
}

#[derive(Default)]
struct Machine {
    objects: Vec<Object>,
    stack: Vec<Id>,
    /// Heights of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    storages: Vec<StorageRef>,
}

impl Machine {
    /// One instruction; false after the last.
    fn step(&mut self, cursor: &mut Cursor) -> Result<bool, String> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| "a text that is not UTF-8".to_owned());
        let object = match cursor.u8()? {
            b'.' => return Ok(false),
            0x80 => return cursor.skip(1).map(|()| true),
            0x95 => return cursor.skip(8).map(|()| true),
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(true);
            }
            b'0' => return self.pop().map(|_| true),
            b'N' => Object::None,
            0x88 => Object::Bool(true),
            0x89 => Object::Bool(false),
            b'J' => Object::Int(i64::from(cursor.u32()? as i32)),
            b'K' => Object::Int(cursor.u8()?.into()),
            b'M' => Object::Int(cursor.u16()?.into()),
            0x8a => {
                let n = cursor.u8()?.into();
                long(cursor.take(n)?)
            }
            b'G' => Object::Float(cursor.f64_be()?),
            b'X' => {
                let n = cursor.u32()? as usize;
                Object::Text(text(cursor.take(n)?)?)
            }
            0x8c | b'U' => {
                let n = cursor.u8()?.into();
                Object::Text(text(cursor.take(n)?)?)
            }
            // Bytes, short and long: nothing here is made of them.
            b'C' => {
                let n = cursor.u8()?.into();
                cursor.skip(n)?;
                Object::Opaque
            }
            b'B' | b'T' => {
                let n = cursor.u32()? as usize;
                cursor.skip(n)?;
                Object::Opaque
            }
            b'}' => Object::Dict(Vec::new()),
            b']' => Object::List(Vec::new()),
            0x8f => Object::Opaque,
            b')' => Object::Tuple(Vec::new()),
            b't' => Object::Tuple(self.since_mark()?),
            0x85 => Object::Tuple(self.last(1)?),
            0x86 => Object::Tuple(self.last(2)?),
            0x87 => Object::Tuple(self.last(3)?),
            b'a' => {
                let item = self.pop()?;
                return self.extend(vec![item]);
            }
            b'e' | 0x90 => {
                let items = self.since_mark()?;
                return self.extend(items);
            }
            b's' => {
                let items = self.last(2)?;
                return self.update(items);
            }
            b'u' => {
                let items = self.since_mark()?;
                return self.update(items);
            }
            b'c' => {
                let (module, name) = (text(cursor.until(b'\n')?)?, text(cursor.until(b'\n')?)?);
                name_of(&module, &name)?
            }
            0x93 => {
                let [module, name] = [1, 0].map(|k| self.stack.iter().rev().nth(k).map(|&id| self.objects[id].clone()));
                let (Some(Object::Text(module)), Some(Object::Text(name))) = (module, name) else {
                    return Err("a class without a name".into());
                };
                self.last(2)?;
                name_of(&module, &name)?
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.storages.push(storage.clone());
                Object::Storage(storage)
            }
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.call(function, arguments)?
            }
            b'b' => return self.build(),
            b'q' => {
                let key = cursor.u8()?.into();
                return self.memorise(key);
            }
            b'r' => {
                let key = cursor.u32()?;
                return self.memorise(key);
            }
            0x94 => return self.memorise(self.memo.len() as u32),
            b'h' => {
                let key = cursor.u8()?.into();
                return self.recall(key);
            }
            b'j' => {
                let key = cursor.u32()?;
                return self.recall(key);
            }
            other => return Err(format!("instruction {other:#04x} is none that a checkpoint needs")),
        };
        self.push(object);
        Ok(true)
    }

    fn push(&mut self, object: Object) {
        self.objects.push(object);
        self.stack.push(self.objects.len() - 1);
    }

    fn pop(&mut self) -> Result<Id, String> {
        self.stack.pop().ok_or_else(|| "the stack is empty".into())
    }

    fn last(&mut self, n: usize) -> Result<Vec<Id>, String> {
        let from = self.stack.len().checked_sub(n).ok_or("the stack is empty")?;
        Ok(self.stack.split_off(from))
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().filter(|&m| m <= self.stack.len()).ok_or("a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Result<&mut Object, String> {
        let id = *self.stack.last().ok_or("the stack is empty")?;
        Ok(&mut self.objects[id])
    }

    fn extend(&mut self, items: Vec<Id>) -> Result<bool, String> {
        match self.top()? {
            Object::List(list) => list.extend(items),
            Object::Opaque => {}
            other => return Err(format!("items for what is no list: {other:?}")),
        }
        Ok(true)
    }

    fn update(&mut self, items: Vec<Id>) -> Result<bool, String> {
        if items.len() % 2 == 1 {
            return Err("a key without a value".into());
        }
        match self.top()? {
            Object::Dict(dict) => dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            Object::Opaque => {}
            other => return Err(format!("entries for what is no dictionary: {other:?}")),
        }
        Ok(true)
    }

    fn memorise(&mut self, key: u32) -> Result<bool, String> {
        let id = *self.stack.last().ok_or("the stack is empty")?;
        self.memo.insert(key, id);
        Ok(true)
    }

    fn recall(&mut self, key: u32) -> Result<bool, String> {
        let id = *self.memo.get(&key).ok_or_else(|| format!("nothing is memorised under {key}"))?;
        self.stack.push(id);
        Ok(true)
    }

    /// `("storage", torch.FloatStorage, key, device, length)`
    fn storage(&self, id: Id) -> Result<StorageRef, String> {
        let fault = || "a reference that is no storage of torch".to_owned();
        let Object::Tuple(parts) = &self.objects[id] else { return Err(fault()) };
        let part = |k: usize| parts.get(k).map(|&id| &self.objects[id]);
        let (Some(Object::Text(kind)), Some(Object::Name(class)), Some(Object::Text(key))) =
            (part(0), part(1), part(2))
        else {
            return Err(fault());
        };
        if !matches!(part(5), None | Some(Object::None)) {
            return Err(
                "a storage that is a view of another is not read; save the state_dict with torch 1.6 or newer".into()
            );
        }
        let number = match class.strip_prefix("torch.") {
            Some("FloatStorage") => Number::F32,
            Some("DoubleStorage") => Number::F64,
            Some("HalfStorage") => Number::F16,
            Some("BFloat16Storage") => Number::Bf16,
            Some("LongStorage") => Number::I64,
            Some("IntStorage") => Number::I32,
            Some("ByteStorage" | "BoolStorage") => Number::U8,
            _ => return Err(format!("a storage of {class}, which holds no numbers of a network")),
        };
        if kind == "storage" { Ok(StorageRef { number, key: key.clone() }) } else { Err(fault()) }
    }

    /// What a call of torch's own builders stands for; every other call stands for nothing.
    fn call(&mut self, function: Id, arguments: Id) -> Result<Object, String> {
        let Object::Name(name) = &self.objects[function] else { return Ok(Object::Opaque) };
        let Object::Tuple(parts) = &self.objects[arguments] else { return Err(format!("{name} without arguments")) };
        Ok(match name.as_str() {
            "collections.OrderedDict" | "collections.defaultdict" | "argparse.Namespace" | "builtins.dict" => {
                Object::Dict(Vec::new())
            }
            "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => {
                let whole = |k: usize| -> Result<Vec<i64>, String> {
                    let Some(Object::Tuple(ids)) = parts.get(k).map(|&id| &self.objects[id]) else {
                        return Err("a tensor without a shape".into());
                    };
                    let whole = |&id: &Id| match self.objects[id] {
                        Object::Int(n) => Ok(n),
                        _ => Err("the shape of a tensor is not made of whole numbers".to_owned()),
                    };
                    ids.iter().map(whole).collect()
                };
                let part = |k: usize| parts.get(k).map(|&id| &self.objects[id]);
                let (Some(Object::Storage(storage)), Some(&Object::Int(offset))) = (part(0), part(1)) else {
                    return Err("a tensor without a storage".into());
                };
                Object::Tensor(TensorRef { storage: storage.clone(), offset, shape: whole(2)?, stride: whole(3)? })
            }
            "torch._utils._rebuild_parameter" => match parts.first() {
                Some(&id) => self.objects[id].clone(),
                None => return Err("a parameter without a tensor".into()),
            },
            _ => Object::Opaque,
        })
    }

    /// State of an object: attributes of a dictionary are left out, those of a namespace are its entries.
    fn build(&mut self) -> Result<bool, String> {
        let state = self.pop()?;
        let pairs = match &self.objects[state] {
            Object::Dict(pairs) => pairs.clone(),
            _ => Vec::new(),
        };
        if let Object::Dict(own) = self.top()?
            && own.is_empty()
        {
            own.extend(pairs);
        }
        Ok(true)
    }
}

/// A class or function whose name may stand in a checkpoint.
fn name_of(module: &str, name: &str) -> Result<Object, String> {
    let root = module.split('.').next().unwrap_or_default();
    let built_in = matches!(root, "builtins" | "__builtin__");
    if KNOWN.contains(&root) && (!built_in || BUILT_IN.contains(&name)) {
        return Ok(Object::Name(format!("{module}.{name}")));
    }
    Err(format!(
        "it names {module}.{name}, which no checkpoint of weights needs; nothing was run. If you trust the file, save its \
         weights alone: torch.save(model.state_dict(), 'weights.pt')"
    ))
}

/// A whole number of any length; too long for 64 bits it stands for nothing.
fn long(bytes: &[u8]) -> Object {
    if bytes.len() > 8 {
        return Object::Opaque;
    }
    let sign = if bytes.last().is_some_and(|b| b & 0x80 != 0) { 0xff } else { 0 };
    Object::Int(i64::from_le_bytes(std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(sign))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Pickle, String> {
        Pickle::read(&mut Cursor::new(bytes))
    }

    #[test]
    fn plain_data_comes_back() {
        // {'a': [1, -2, 2.5, None, True], 'b': ('x', 70000)}
        let bytes = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00N\x88eX\x01\x00\x00\x00bq\x03X\x01\x00\x00\x00xq\x04J\x70\x11\x01\x00\x86q\x05u.";
        let pickle = read(bytes).unwrap();
        let list = pickle.get(pickle.root(), "a").unwrap();
        let Object::List(items) = pickle.object(list) else { panic!("no list") };
        let items: Vec<&Object> = items.iter().map(|&id| pickle.object(id)).collect();
        let want = [Object::Int(1), Object::Int(-2), Object::Float(2.5), Object::None, Object::Bool(true)];
        assert!(items.iter().zip(&want).all(|(a, b)| *a == b) && items.len() == 5, "{items:?}");
        let pair = pickle.get(pickle.root(), "b").unwrap();
        assert!(matches!(pickle.object(pair), Object::Tuple(ids) if pickle.object(ids[1]) == &Object::Int(70_000)));
        assert_eq!(long(&[0xfe]), Object::Int(-2));
        assert_eq!(long(&[0; 10]), Object::Opaque);
    }

    #[test]
    fn commands_are_refused_by_name_and_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let witness = folder.path().join("ran");
        let command = format!("touch {}", witness.display());
        let mut bytes = b"\x80\x02cposix\nsystem\nq\x00X".to_vec();
        bytes.extend((command.len() as u32).to_le_bytes());
        bytes.extend(command.as_bytes());
        bytes.extend(b"\x85R.");
        let message = read(&bytes).unwrap_err();
        assert!(message.contains("posix.system") && message.contains("nothing was run"), "{message}");
        for hostile in [&b"cbuiltins\neval\n."[..], b"cos\nsystem\n.", b"cnumpyx\nf\n.", b"c__builtin__\n__import__\n."]
        {
            assert!(read(hostile).unwrap_err().contains("nothing was run"));
        }
        // The same by protocol 4, and with a name of torch that would load code: kept as a name, never called.
        assert!(
            read(b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.").unwrap_err().contains("posix.system")
        );
        let inert = read(b"\x80\x02ctorch.hub\nload\nX\x04\x00\x00\x00evil\x85R.").unwrap();
        assert_eq!(inert.object(inert.root()), &Object::Opaque);
        assert!(!witness.exists());
    }

    #[test]
    fn memorised_dictionaries_are_one_even_in_a_cycle() {
        // d = {}; d['d'] = d
        let pickle = read(b"\x80\x02}q\x00X\x01\x00\x00\x00dh\x00s.").unwrap();
        let inner = pickle.get(pickle.root(), "d").unwrap();
        assert_eq!(inner, pickle.root());
    }

    #[test]
    fn every_cut_and_every_flipped_byte_ends_in_an_answer() {
        let whole = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00bK\x02u}q\x02X\x01\x00\x00\x00vK\x01sb.";
        assert!(read(whole).is_ok());
        for n in 0..whole.len() {
            assert!(read(&whole[..n]).is_err(), "{n}");
        }
        for i in 0..whole.len() {
            for bit in 0..8 {
                let mut bad = whole.to_vec();
                bad[i] ^= 1 << bit;
                let _ = read(&bad);
            }
        }
        assert!(read(b"\x80\x02X\xff\xff\xff\xff").unwrap_err().contains("cut short"));
        assert!(read(b"\x80\x02\xfe.").unwrap_err().contains("0xfe"));
        for underflow in [&b"."[..], b"s.", b"t.", b"(0t.", b"R.", b"\x87.", b"Q.", b"b.", b"q\x00.", b"a."] {
            assert!(read(underflow).is_err(), "{underflow:?}");
        }
    }
}
