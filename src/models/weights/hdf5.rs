//! As much of HDF5 as Keras writes weights in (The HDF Group, HDF5 File Format Specification 1.1): superblock 0, groups by
//! symbol tables, datasets of floats that lie in one piece. Anything else is refused by name.
//!
//! Every address is checked, and a file whose groups contain each other ends at [`DEEPEST`].

use super::bytes::Cursor;
use super::checkpoint::{Array, Checkpoint, MOST_VALUES, Number};

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Groups within groups, levels of a B-tree, continuations of a header.
const DEEPEST: usize = 12;
/// Objects and nodes of trees in a file; Keras writes one group and two datasets a layer.
const MOST_OBJECTS: usize = 10_000;

// Messages of an object header.
const DATASPACE: u16 = 0x0001;
const DATATYPE: u16 = 0x0003;
const LAYOUT: u16 = 0x0008;
const CONTINUATION: u16 = 0x0010;
const ATTRIBUTE: u16 = 0x000c;
const SYMBOL_TABLE: u16 = 0x0011;

/// The attribute in which Keras keeps the model as JSON.
const MODEL: &[u8] = b"model_config";

/// Whether the bytes begin as an HDF5 file does.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

/// Every dataset of floats by its path, and the model that Keras keeps with them as facts.
pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint, String> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(8)? != SIGNATURE {
        return Err("not an HDF5 file".into());
    }
    let version = cursor.u8()?;
    if version != 0 {
        return Err(format!("superblock {version} is not read; save with h5py's libver='earliest'"));
    }
    cursor.skip(4)?;
    if [cursor.u8()?, cursor.u8()?] != [8, 8] {
        return Err("addresses of other than 8 bytes are not read".into());
    }
    // One reserved byte, two K, flags, base, free space; the end of the file; the driver; the root's name.
    cursor.skip(1 + 2 + 2 + 4 + 8 + 8)?;
    let end = cursor.u64()?;
    if end > bytes.len() as u64 {
        return Err(format!("cut short: it announces {end} bytes, but has {}", bytes.len()));
    }
    cursor.skip(8 + 8)?;
    let root = cursor.u64()?;
    let mut file = File { bytes, checkpoint: Checkpoint::default(), objects: 0 };
    file.object(root, "", DEEPEST)?;
    Ok(file.checkpoint)
}

struct File<'a> {
    bytes: &'a [u8],
    checkpoint: Checkpoint,
    objects: usize,
}

/// What the header of an object says.
#[derive(Default)]
struct Header {
    shape: Option<Vec<usize>>,
    number: Option<Number>,
    data: Option<Data>,
    /// B-tree and heap of a group.
    group: Option<(u64, u64)>,
    /// Text of the model.
    model: Option<String>,
}

/// Where the numbers of a dataset lie: from where, how many bytes.
struct Data {
    from: u64,
    bytes: u64,
}

impl<'a> File<'a> {
    fn at(&self, address: u64) -> Result<Cursor<'a>, String> {
        Cursor::at(self.bytes, address)
    }

    fn object(&mut self, address: u64, path: &str, depth: usize) -> Result<(), String> {
        self.objects += 1;
        if depth == 0 || self.objects > MOST_OBJECTS {
            return Err("its groups have no end".into());
        }
        let fault = |message: String| if path.is_empty() { message } else { format!("{path}: {message}") };
        let header = self.header(address).map_err(fault)?;
        if let Some(model) = &header.model {
            self.checkpoint.facts = serde_json::from_str(model).map_err(|e| fault(format!("its model: {e}")))?;
        }
        if let Some((tree, heap)) = header.group {
            let mut heap_header = self.at(heap)?;
            if heap_header.take(4)? != b"HEAP" {
                return Err(fault("the names of its members are missing".into()));
            }
            heap_header.skip(4 + 8 + 8)?;
            let names = heap_header.u64()?;
            return self.members(tree, names, path, depth, DEEPEST);
        }
        let (Some(shape), Some(number), Some(data)) = (header.shape, header.number, header.data) else {
            return Ok(());
        };
        let count = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MOST_VALUES);
        let count = count.ok_or_else(|| fault(format!("the shape {shape:?} is absurd")))?;
        if data.bytes != (count * number.width()) as u64 {
            return Err(fault(format!("{} bytes for the shape {shape:?}", data.bytes)));
        }
        let values = self.at(data.from).and_then(|mut c| c.take(count * number.width())).map_err(fault)?;
        self.checkpoint.insert(path.to_owned(), Array { shape, values: number.read(values) })
    }

    /// Members of a group: the leaves of a B-tree are tables of (name, header).
    fn members(&mut self, node: u64, names: u64, path: &str, depth: usize, levels: usize) -> Result<(), String> {
        self.objects += 1;
        if self.objects > MOST_OBJECTS {
            return Err("its groups have no end".into());
        }
        let mut cursor = self.at(node)?;
        match cursor.take(4)? {
            b"TREE" if levels > 0 => {
                if cursor.u8()? != 0 {
                    return Err(format!("{path}: a B-tree of chunks where one of members was expected"));
                }
                cursor.skip(1)?;
                let used = cursor.u16()?;
                cursor.skip(16)?;
                for _ in 0..used {
                    cursor.skip(8)?;
                    let child = cursor.u64()?;
                    self.members(child, names, path, depth, levels - 1)?;
                }
                Ok(())
            }
            b"SNOD" => {
                cursor.skip(2)?;
                for _ in 0..cursor.u16()? {
                    let (name, header) = (cursor.u64()?, cursor.u64()?);
                    cursor.skip(24)?;
                    let at = names.checked_add(name).ok_or("a name lies outside the file")?;
                    let name = String::from_utf8_lossy(self.at(at)?.until(0)?).into_owned();
                    let inner = if path.is_empty() { name } else { format!("{path}/{name}") };
                    self.object(header, &inner, depth - 1)?;
                }
                Ok(())
            }
            _ => Err(format!("{path}: the table of its members is damaged")),
        }
    }

    fn header(&self, address: u64) -> Result<Header, String> {
        let mut cursor = self.at(address)?;
        let version = cursor.u8()?;
        if version != 1 {
            return Err(format!("object header {version} is not read; save with h5py's libver='earliest'"));
        }
        cursor.skip(1)?;
        let messages = cursor.u16()?;
        cursor.skip(4)?;
        let size = cursor.u32()?;
        cursor.skip(4)?;
        // Runs of messages: the first behind the header, the others where continuations point.
        let mut runs = vec![cursor.take(size as usize)?];
        let (mut header, mut left, mut run) = (Header::default(), usize::from(messages), 0);
        while run < runs.len() && run < DEEPEST {
            let mut cursor = Cursor::new(runs[run]);
            while left > 0 && cursor.position() + 8 <= runs[run].len() {
                left -= 1;
                let (kind, size, flags) = (cursor.u16()?, cursor.u16()?, cursor.u8()?);
                cursor.skip(3)?;
                let mut body = Cursor::new(cursor.take(size.into())?);
                if flags & 2 != 0 && matches!(kind, DATASPACE | DATATYPE | LAYOUT) {
                    return Err("a description shared with another dataset is not read".into());
                }
                match kind {
                    DATASPACE => header.shape = Some(shape(&mut body)?),
                    DATATYPE => header.number = number(&mut body)?,
                    LAYOUT => header.data = Some(self.layout(&mut body)?),
                    SYMBOL_TABLE => header.group = Some((body.u64()?, body.u64()?)),
                    ATTRIBUTE => header.model = self.attribute(&mut body)?.or(header.model),
                    CONTINUATION => {
                        let (from, bytes) = (body.u64()?, body.u64()?);
                        let bytes = usize::try_from(bytes).map_err(|_| "a header without an end")?;
                        runs.push(self.at(from)?.take(bytes)?);
                    }
                    _ => {}
                }
            }
            run += 1;
        }
        Ok(header)
    }

    /// The text of an attribute if it is the model's; others are passed over.
    fn attribute(&self, body: &mut Cursor<'a>) -> Result<Option<String>, String> {
        if body.u8()? != 1 {
            return Ok(None);
        }
        body.skip(1)?;
        let [name, kind, space] = [body.u16()?, body.u16()?, body.u16()?].map(usize::from);
        let own_name = body.take(name.next_multiple_of(8))?;
        if own_name.split(|&b| b == 0).next() != Some(MODEL) {
            return Ok(None);
        }
        let mut of = Cursor::new(body.take(kind.next_multiple_of(8))?);
        let class = of.u8()? & 0xf;
        of.skip(3)?;
        let size = of.u32()? as usize;
        body.skip(space.next_multiple_of(8))?;
        let text = match class {
            // A text of fixed length lies here, one of its own length in a heap.
            3 => body.take(size)?,
            9 => {
                let (length, heap, index) = (body.u32()?, body.u64()?, body.u32()?);
                self.shared(heap, index)?.get(..length as usize).ok_or("a text longer than its place")?
            }
            _ => return Ok(None),
        };
        Ok(Some(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned()))
    }

    /// An object of a global heap.
    fn shared(&self, heap: u64, wanted: u32) -> Result<&'a [u8], String> {
        let mut cursor = self.at(heap)?;
        if cursor.take(4)? != b"GCOL" {
            return Err("the heap of its texts is damaged".into());
        }
        cursor.skip(4)?;
        let size = usize::try_from(cursor.u64()?).map_err(|e| e.to_string())?;
        let mut cursor = Cursor::new(self.at(heap)?.take(size)?);
        cursor.skip(16)?;
        loop {
            let (index, _) = (cursor.u16()?, cursor.u16()?);
            cursor.skip(4)?;
            let bytes = usize::try_from(cursor.u64()?).map_err(|e| e.to_string())?;
            if index == 0 {
                return Err("a text that is not in its heap".into());
            }
            let object = cursor.take(bytes)?;
            if u32::from(index) == wanted {
                return Ok(object);
            }
            cursor.skip(bytes.next_multiple_of(8) - bytes)?;
        }
    }

    fn layout(&self, body: &mut Cursor<'a>) -> Result<Data, String> {
        let version = body.u8()?;
        if version != 3 {
            return Err(format!("data layout {version} is not read"));
        }
        match body.u8()? {
            0 => {
                let bytes = body.u16()?;
                let from = body.take(bytes.into())?.as_ptr() as usize - self.bytes.as_ptr() as usize;
                Ok(Data { from: from as u64, bytes: bytes.into() })
            }
            1 => Ok(Data { from: body.u64()?, bytes: body.u64()? }),
            _ => Err("data in chunks is not read; Keras writes weights in one piece".into()),
        }
    }
}

fn shape(body: &mut Cursor) -> Result<Vec<usize>, String> {
    let (version, rank) = (body.u8()?, body.u8()?);
    body.skip(if version == 1 { 6 } else { 2 })?;
    (0..rank).map(|_| usize::try_from(body.u64()?).map_err(|e| e.to_string())).collect()
}

/// The type of a dataset, `None` where it holds no floats (texts).
fn number(body: &mut Cursor) -> Result<Option<Number>, String> {
    let class = body.u8()? & 0xf;
    let order = body.u8()? & 1;
    body.skip(2)?;
    match (class, order, body.u32()?) {
        (1, 0, 4) => Ok(Some(Number::F32)),
        (1, 0, 8) => Ok(Some(Number::F64)),
        (1, 0, 2) => Ok(Some(Number::F16)),
        (1, 1, _) => Err("its numbers are big-endian".into()),
        _ => Ok(None),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file with the datasets `group/NAME` of floats, laid out as h5py does.
    pub fn file(group: &str, datasets: &[(&str, &[u64], &[f32])]) -> Vec<u8> {
        // 0: superblock (96 bytes). Objects are appended, their addresses known when they are written.
        let mut out = vec![0; 96];
        let mut members = Vec::new();
        for (name, shape, values) in datasets {
            let data = out.len() as u64;
            values.iter().for_each(|v| out.extend(v.to_le_bytes()));
            out.resize(out.len().next_multiple_of(8), 0);
            let mut messages = Vec::new();
            let mut message = |kind: u16, body: Vec<u8>| {
                messages.extend(kind.to_le_bytes());
                messages.extend((body.len() as u16).to_le_bytes());
                messages.extend([0; 4]);
                messages.extend(body);
            };
            let dims = shape.iter().flat_map(|d| d.to_le_bytes());
            message(DATASPACE, [1, shape.len() as u8, 0, 0, 0, 0, 0, 0].into_iter().chain(dims).collect());
            message(DATATYPE, [0x11, 0, 0, 0, 4, 0, 0, 0].into_iter().chain([0; 16]).collect());
            let place = data.to_le_bytes().into_iter().chain((4 * values.len() as u64).to_le_bytes());
            message(LAYOUT, [3, 1].into_iter().chain(place).chain([0; 6]).collect());
            members.push((name.to_string(), out.len() as u64));
            header(&mut out, 3, &messages);
        }
        let inner = folder(&mut out, &members);
        let root = folder(&mut out, &[(group.to_owned(), inner)]);
        let mut first = SIGNATURE.to_vec();
        first.extend([0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]);
        for address in [0, u64::MAX, out.len() as u64, u64::MAX, 0, root] {
            first.extend(address.to_le_bytes());
        }
        out[..first.len()].copy_from_slice(&first);
        out
    }

    fn header(out: &mut Vec<u8>, count: u16, messages: &[u8]) {
        out.extend([1, 0]);
        out.extend(count.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        out.extend((messages.len() as u32).to_le_bytes());
        out.extend([0; 4]);
        out.extend(messages);
    }

    fn folder(out: &mut Vec<u8>, members: &[(String, u64)]) -> u64 {
        let mut names = vec![0; 8];
        let mut table = b"SNOD\x01\x00".to_vec();
        table.extend((members.len() as u16).to_le_bytes());
        for (name, address) in members {
            table.extend((names.len() as u64).to_le_bytes());
            table.extend(address.to_le_bytes());
            table.extend([0; 24]);
            names.extend(name.bytes().chain([0]));
        }
        let table_at = out.len() as u64;
        out.extend(table);
        let names_at = out.len() as u64;
        out.extend(&names);
        let heap_at = out.len() as u64;
        out.extend(b"HEAP\0\0\0\0");
        for n in [names.len() as u64, u64::MAX, names_at] {
            out.extend(n.to_le_bytes());
        }
        let tree_at = out.len() as u64;
        out.extend(b"TREE\0\0\x01\0");
        for n in [u64::MAX, u64::MAX, 0, table_at, 8] {
            out.extend(n.to_le_bytes());
        }
        let header_at = out.len() as u64;
        let mut message = vec![0x11, 0, 16, 0, 0, 0, 0, 0];
        message.extend(tree_at.to_le_bytes().into_iter().chain(heap_at.to_le_bytes()));
        header(out, 1, &message);
        header_at
    }

    #[test]
    fn datasets_come_back_under_their_paths() {
        let bytes = file("layer", &[("kernel:0", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), ("bias:0", &[1], &[-0.5])]);
        let read = read(&bytes).unwrap();
        assert_eq!(read.arrays.len(), 2);
        assert_eq!(read.array("layer/kernel:0").unwrap().shape, [2, 3]);
        assert_eq!(read.array("layer/bias:0").unwrap().values, [-0.5]);
    }

    #[test]
    fn damage_anywhere_is_an_error_and_never_a_panic() {
        let bytes = file("layer", &[("kernel:0", &[2, 2], &[1.0, 2.0, 3.0, 4.0])]);
        for n in 0..bytes.len() {
            assert!(read(&bytes[..n]).is_err(), "{n} bytes");
        }
        for i in 0..bytes.len() {
            for value in [0, 0x7f, 0xff, bytes[i] ^ 1] {
                let mut bad = bytes.clone();
                bad[i] = value;
                let _ = read(&bad);
            }
        }
    }

    #[test]
    fn absurd_shapes_and_endless_groups_are_refused() {
        let bytes = file("layer", &[("kernel:0", &[1 << 40, 1 << 40], &[1.0])]);
        assert!(read(&bytes).unwrap_err().contains("absurd"));
        let bytes = file("layer", &[("kernel:0", &[3], &[1.0])]);
        assert!(read(&bytes).unwrap_err().contains("4 bytes for the shape [3]"));
        // The inner group names the outer one as its member.
        let mut bytes = file("layer", &[("a", &[1], &[1.0])]);
        let root = bytes[64..72].to_vec();
        let table = bytes.windows(4).position(|w| w == b"SNOD").unwrap();
        bytes[table + 16..table + 24].copy_from_slice(&root);
        assert!(read(&bytes).unwrap_err().contains("no end"));
    }
}
