//! Files that hold many crystals in one object, cut into documents:
//! ```text
//! {"mp-1": {...structure...}, "mp-2": {...}}                                              a dictionary of structures or documents
//! {"id": {"0": "mp-1", "1": ..}, "structure": {"0": {...}, "1": ..}, "gap": {...}}        pandas: columns, then rows
//! {"1": {"numbers": .., "positions": .., "cell": ..}, "ids": [1, ..], "nextid": 2}        a database of ASE
//! ```

use crate::Mapping;

/// A document that was cut out of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub text: String,
    /// Name of the document where it does not name itself; none where the key is but a number.
    pub key: Option<String>,
    pub line: usize,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// One document, an array, or one after the other.
    Plain,
    /// Documents by name or row.
    Parts(Vec<Part>),
    /// Rows of ASE, by number.
    Ase(Vec<Part>),
}

/// Members that make an object a crystal or an answer, and no collection.
const OF_DOCUMENTS: [&str; 15] = [
    "lattice",
    "sites",
    "structure",
    "cif",
    "poscar",
    "attributes",
    "lattice_vectors",
    "species",
    "numbers",
    "frac_coords",
    "species_at_sites",
    "data",
    "errors",
    "x-optimade",
    "@module",
];
/// Members whose columns hold crystals.
const CRYSTALS: [&str; 3] = ["structure", "cif", "poscar"];

/// The shape of a text.
pub(super) fn of(text: &str, mapping: &Mapping) -> Shape {
    let Some(members) = members(text, 1) else { return Shape::Plain };
    let of_key = |key: &str| members.iter().find(|m| m.key == key);
    if let (Some(ids), Some(_)) = (of_key("ids"), of_key("nextid")) {
        return ase(&members, ids.value).unwrap_or(Shape::Plain);
    }
    let mut crystals = CRYSTALS.iter().map(|name| mapping.column(name).unwrap_or(name));
    if let Some(column) = crystals.find_map(of_key) {
        return columns(&members, column).unwrap_or(Shape::Plain);
    }
    dictionary(&members).unwrap_or(Shape::Plain)
}

fn is_object(value: &str) -> bool {
    value.starts_with('{')
}

/// Rows of a database of ASE.
fn ase(members: &[Member], ids: &str) -> Option<Shape> {
    let ids: Vec<i64> = serde_json::from_str(ids).ok()?;
    let row = |id: &i64| {
        let key = id.to_string();
        let member = members.iter().find(|m| m.key == key)?;
        Some(Part { text: member.value.to_owned(), key: Some(key), line: member.line })
    };
    ids.iter().map(row).collect::<Option<Vec<_>>>().map(Shape::Ase)
}

/// The rows of columns; `crystals` is that of the structures.
fn columns(members: &[Member], crystals: &Member) -> Option<Shape> {
    let rows = self::members(crystals.value, crystals.line)?;
    let is_row =
        |m: &Member| !OF_DOCUMENTS.contains(&m.key.as_str()) && (is_object(m.value) || m.value.starts_with(['"', 'n']));
    if rows.is_empty() || !rows.iter().all(is_row) {
        return None;
    }
    let columns: Vec<(String, Vec<Member>)> = members
        .iter()
        .filter_map(|m| Some((serde_json::to_string(&m.key).ok()?, self::members(m.value, m.line)?)))
        .collect();
    // Columns have the same rows in the same order, but for those that a program left out.
    let cell = |column: &[Member], k: usize, key: &str| match column.get(k) {
        Some(m) if m.key == key => Some(k),
        _ => column.iter().position(|m| m.key == key),
    };
    let part = |(k, row): (usize, &Member)| {
        let values = columns.iter().filter_map(|(name, column)| {
            let at = cell(column, k, &row.key)?;
            Some(format!("{name}:{}", column[at].value))
        });
        let text = format!("{{{}}}", values.collect::<Vec<_>>().join(","));
        Part { text, key: name(&row.key), line: row.line }
    };
    Some(Shape::Parts(rows.iter().enumerate().map(part).collect()))
}

/// Documents by name.
fn dictionary(members: &[Member]) -> Option<Shape> {
    let first = members.first().and_then(|m| self::members(m.value, m.line))?;
    let is_document = first.iter().any(|m| OF_DOCUMENTS.contains(&m.key.as_str()));
    let is_entry = |m: &Member| is_object(m.value) && !OF_DOCUMENTS.contains(&m.key.as_str());
    if !(is_document && members.iter().all(is_entry)) {
        return None;
    }
    let part = |m: &Member| Part { text: m.value.to_owned(), key: name(&m.key), line: m.line };
    Some(Shape::Parts(members.iter().map(part).collect()))
}

/// A key that names something; the number of a row does not.
fn name(key: &str) -> Option<String> {
    (!key.is_empty() && !key.bytes().all(|c| c.is_ascii_digit())).then(|| key.to_owned())
}

/// A member of an object, its value as it stands.
struct Member<'a> {
    key: String,
    value: &'a str,
    line: usize,
}

/// The members of an object that begins on a line; none where the text is no object that is closed and stands alone.
fn members(text: &str, line: usize) -> Option<Vec<Member<'_>>> {
    let mut cursor = Cursor { text, at: 0, line };
    cursor.expect(b'{')?;
    let mut found = Vec::new();
    while cursor.byte()? != b'}' {
        if !found.is_empty() {
            cursor.expect(b',')?;
        }
        let key = serde_json::from_str(cursor.value()?).ok()?;
        cursor.expect(b':')?;
        let line = cursor.line;
        found.push(Member { key, value: cursor.value()?, line });
    }
    cursor.expect(b'}')?;
    (cursor.at == text.len()).then_some(found)
}

/// A place in a JSON text, never before white space.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Cursor<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Moves to a byte, counting lines, and past the white space there.
    fn go(&mut self, at: usize) {
        let bytes = self.text.as_bytes();
        let blank = bytes[at..].iter().take_while(|c| c.is_ascii_whitespace()).count();
        self.line += bytes[self.at..at + blank].iter().filter(|c| **c == b'\n').count();
        self.at = at + blank;
    }

    fn expect(&mut self, c: u8) -> Option<()> {
        self.go(self.at);
        (self.byte()? == c).then(|| self.go(self.at + 1))
    }

    /// One value, cut at its end without being read.
    fn value(&mut self) -> Option<&'a str> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        let mut end = start;
        while let Some(&c) = bytes.get(end) {
            match c {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => break,
                b'}' | b']' => depth -= 1,
                b',' | b':' if depth == 0 => break,
                _ => {}
            }
            end += 1;
        }
        let value = self.text.get(start..end)?.trim_end();
        self.go(end);
        (!value.is_empty()).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Input, Reading, Record, Rejection, read};

    const PO: &str = r#"{"lattice": [[3,0,0],[0,3,0],[0,0,3]], "species": ["Po"], "frac_coords": [[0,0,0]]}"#;

    fn records(text: &str, map: &str) -> Vec<Result<Record, Rejection>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        std::fs::write(&path, text).unwrap();
        let reading = Reading { mapping: map.parse().unwrap(), ..Reading::default() };
        read(&Input::new(path), &reading).collect()
    }

    fn ids(text: &str, map: &str) -> Vec<String> {
        let said = |r: Result<Record, Rejection>| r.map_or_else(|e| format!("{e}"), |r| format!("{}:{}", r.line, r.id));
        records(text, map).into_iter().map(said).collect()
    }

    #[test]
    fn a_dictionary_names_its_structures() {
        let named = PO.replacen('{', "{\"id\": \"own\", ", 1);
        assert_eq!(
            ids(&format!("{{\"mp-1\": {PO},\n \"7\": {PO}, \"x\": {named}}}"), ""),
            ["1:mp-1", "2:x#2", "2:own"]
        );
        let document = format!("{{\"structure\": {PO}, \"e_above_hull\": 0.5}}");
        let read = records(&format!("{{\"a\": {document}}}"), "");
        assert_eq!((read.len(), read[0].as_ref().unwrap().properties.e_above_hull), (1, Some(0.5)));
        let broken = ids(&format!("{{\"a\": {PO},\n\"b\": {}}}", PO.replace("Po", "Xx")), "");
        assert!(broken[0] == "1:a" && broken[1].contains(":2: 'Xx' is not"), "{broken:?}");
        // One structure, and one that is broken, are no dictionary.
        assert_eq!(ids(PO, ""), ["1:x"]);
        assert!(ids("{\"a\": {\"b\": 1}}", "")[0].contains("no 'lattice'"));
    }

    #[test]
    fn columns_of_pandas_are_rows() {
        let frame = format!(
            "{{\"name\":{{\"0\":\"mp-1\",\"1\":\"mp-2\"}},\"structure\":{{\"0\":{PO},\"1\":{PO}}},\"band_gap\":{{\"0\":1.5,\"1\":null}},\
             \"note\":{{\"0\":\"a, \\\"b\\\"\",\"1\":\"}}\"}}}}"
        );
        let read: Vec<Record> = records(&frame, "").into_iter().map(Result::unwrap).collect();
        assert_eq!(read.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["x#1", "x#2"]);
        assert_eq!(read[0].properties.band_gap, Some(1.5));
        assert_eq!(
            (&read[0].properties.extra["name"], &read[0].properties.extra["note"]),
            (&"mp-1".into(), &"a, \"b\"".into())
        );
        assert_eq!(read[1].properties.extra["note"], "}");
        assert_eq!(ids(&frame, "id=name"), ["1:mp-1", "1:mp-2"]);
        let renamed = frame.replace("\"structure\"", "\"crystal\"");
        assert_eq!(ids(&renamed, "structure=crystal,id=name"), ["1:mp-1", "1:mp-2"]);
        let indexed = frame.replace("\"0\"", "\"a\"").replace("\"1\"", "\"b\"");
        assert_eq!(ids(&indexed, ""), ["1:a", "1:b"]);
    }

    #[test]
    fn rows_of_ase() {
        let row = |gap: f64| {
            format!(
                r#"{{"cell": {{"array": {{"__ndarray__": [[3, 3], "float64", [3.0, 0, 0, 0, 3, 0, 0, 0, 3]]}}, "__ase_objtype__": "cell"}},
             "energy": -1.5, "key_value_pairs": {{"band_gap": {gap}, "label": "l{gap}"}}, "numbers": {{"__ndarray__": [[1], "int64", [84]]}},
             "pbc": {{"__ndarray__": [[3], "bool", [true, true, true]]}}, "positions": {{"__ndarray__": [[1, 3], "float64", [0, 0, 0]]}},
             "unique_id": "u{gap}", "user": null}}"#
            )
        };
        let text = format!("{{\"1\": {},\n\"3\": {},\n\"ids\": [1, 3],\n\"nextid\": 4}}", row(1.5), row(2.5));
        let read: Vec<Record> = records(&text, "").into_iter().map(Result::unwrap).collect();
        assert_eq!(read.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["u1.5", "u2.5"]);
        assert_eq!((read[1].line, read[1].properties.band_gap), (5, Some(2.5)));
        assert_eq!(read[0].structure.composition().formula(), "Po");
        assert_eq!(read[0].properties.extra["energy"], -1.5);
        assert_eq!(ids(&text, "id=label"), ["1:l1.5", "5:l2.5"]);
        let slab = text.replacen("true, true, true", "true, true, false", 1);
        assert!(ids(&slab, "")[0].contains("pbc is not true"));
        assert!(ids(&text.replace("\"numbers\"", "\"n\""), "")[0].contains("no 'numbers'"));
        assert!(ids(&text, "id=nothing")[0].contains("no 'nothing' to name it"));
    }
}
