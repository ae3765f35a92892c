//! The comment line of an extended XYZ frame: `Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3 energy=-1.5 relaxed`.
//!
//! Pairs stand between blanks. A value is bare, or delimited by quotes, braces or brackets; within them a backslash keeps the
//! next character. A key without a value is true.

use serde_json::Value;

/// The key-value pairs of a comment line, in order, delimiters and escapes resolved.
pub(super) fn pairs(line: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let (mut key, mut value) = (String::new(), None::<String>);
    let (mut open, mut escaped): (Vec<char>, bool) = (Vec::new(), false);
    for c in line.trim().chars() {
        let in_key = value.is_none();
        let word = value.as_mut().unwrap_or(&mut key);
        if escaped {
            word.push(c);
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if let Some(&close) = open.last() {
            if c == close {
                open.pop();
                // Rows of a nested array are recognised by their separators; their brackets are dropped.
                if !open.is_empty() {
                    word.push(' ');
                }
            } else if close == ']' && c == '[' {
                open.push(']');
            } else {
                word.push(c);
            }
        } else if let Some(close) = closing(c) {
            open.push(close);
        } else if c.is_whitespace() {
            if !in_key || !key.is_empty() {
                pairs.push((std::mem::take(&mut key), value.take().unwrap_or_else(|| "T".into())));
            }
        } else if c == '=' && in_key {
            value = Some(String::new());
        } else {
            word.push(c);
        }
    }
    if let Some(close) = open.last() {
        let key = key.chars().take(40).collect::<String>();
        return Err(format!("the value of '{key}' is not closed; expected {close} on the comment line"));
    }
    if value.is_some() || !key.is_empty() {
        pairs.push((key, value.unwrap_or_else(|| "T".into())));
    }
    Ok(pairs)
}

fn closing(c: char) -> Option<char> {
    match c {
        '"' | '\'' => Some(c),
        '{' => Some('}'),
        '[' => Some(']'),
        _ => None,
    }
}

/// The words of an array: blanks and commas part them.
pub(super) fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty())
}

/// A truth value as extended XYZ spells it.
pub(super) fn truth(word: &str) -> Option<bool> {
    match word {
        "T" | "True" | "true" | "TRUE" => Some(true),
        "F" | "False" | "false" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A value as a number, a truth value or text; `None` for arrays, whose numbers no column of ours holds.
pub(super) fn scalar(value: &str) -> Option<Value> {
    if let Some(json) = value.strip_prefix("_JSON ") {
        return serde_json::from_str(json).ok().filter(|v: &Value| !v.is_array() && !v.is_object());
    }
    let mut parts = words(value);
    let (first, more) = (parts.next(), parts.next().is_some());
    let Some(first) = first else { return (!value.is_empty()).then(|| value.into()) };
    if more {
        let of_numbers = words(value).all(|word| word.parse::<f64>().is_ok());
        let of_truths = words(value).all(|word| truth(word).is_some());
        return (!of_numbers && !of_truths).then(|| value.into());
    }
    if let Ok(n) = first.parse::<i64>() {
        return Some(n.into());
    }
    match first.parse::<f64>() {
        Ok(x) if x.is_finite() => Some(x.into()),
        // NaN stands for "not known".
        Ok(_) => None,
        Err(_) => Some(truth(first).map_or_else(|| value.into(), Value::from)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(line: &str) -> Vec<(String, String)> {
        pairs(line).unwrap()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.into(), value.into())
    }

    #[test]
    fn quotes_braces_brackets_and_escapes() {
        assert_eq!(
            read(r#"a=1 b="x y" c={1 2} d=[[1, 2], [3, 4]] e='it"s' "f g"=h i="a \"b\"" "#),
            [
                pair("a", "1"),
                pair("b", "x y"),
                pair("c", "1 2"),
                pair("d", "1, 2 , 3, 4 "),
                pair("e", "it\"s"),
                pair("f g", "h"),
                pair("i", "a \"b\""),
            ]
        );
        assert_eq!(read("flag other=T x=a=b"), [pair("flag", "T"), pair("other", "T"), pair("x", "a=b")]);
        assert_eq!(read("  "), []);
        assert_eq!(read("empty=\"\""), [pair("empty", "")]);
    }

    #[test]
    fn an_open_quote_names_its_key() {
        assert!(pairs("Lattice=\"1 0 0").unwrap_err().contains("'Lattice' is not closed; expected \""));
    }

    #[test]
    fn values_are_numbers_truths_text_or_passed_over() {
        for (value, expected) in [
            ("3", Some(json!(3))),
            ("-1.5e-3", Some(json!(-0.0015))),
            ("T", Some(json!(true))),
            ("FALSE", Some(json!(false))),
            ("mp-1", Some(json!("mp-1"))),
            ("rock salt", Some(json!("rock salt"))),
            ("1 2 3", None),
            ("T F", None),
            ("nan", None),
            ("_JSON [1]", None),
            ("_JSON \"x\"", Some(json!("x"))),
            ("", None),
        ] {
            assert_eq!(scalar(value), expected, "{value}");
        }
    }
}
