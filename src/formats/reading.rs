//! Choices of the reader: which column holds what, what names a row, which frames of a trajectory are read.

use std::str::FromStr;

use super::{Input, Mapping, Record, Records, stem};

/// Choices of the reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Which columns or properties hold what, where their names do not say so.
    pub mapping: Mapping,
    /// What names the rows.
    pub naming: Naming,
    /// Which frames of a trajectory are read.
    pub frames: Frames,
}

/// What names a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// The record itself, or the name of its file.
    #[default]
    Own,
    /// The path of its file, with `#` and the record's own name where that adds something.
    Path,
    /// The record itself; its file is temporary, and its path is not kept.
    Passing,
}

/// Frames of a trajectory: an XDATCAR, a trajectory of ASE, an XSF with several steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Frames {
    /// The last one.
    #[default]
    Last,
    /// Each.
    All,
    /// One, counted from 1, or from the end with -1 as the last.
    Number(i64),
}

impl FromStr for Frames {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self::All),
            ("last", _) => Ok(Self::Last),
            (_, Ok(n)) if n != 0 => Ok(Self::Number(n)),
            _ => Err(format!("'{text}' names no frames; expected all, last, or a number from 1 (-1 is the last)")),
        }
    }
}

impl Frames {
    /// The places, from 0, of the selected frames, of `total`.
    ///
    /// # Errors
    /// A number beyond the last frame.
    pub(super) fn places(self, total: usize) -> Result<std::ops::Range<usize>, String> {
        let place = match self {
            Self::All => return Ok(0..total),
            Self::Last => total.checked_sub(1),
            Self::Number(n) if n > 0 => usize::try_from(n - 1).ok().filter(|k| *k < total),
            Self::Number(n) => usize::try_from(n.unsigned_abs()).ok().and_then(|n| total.checked_sub(n)),
        };
        match (place, self) {
            (Some(k), _) => Ok(k..k + 1),
            (None, Self::Number(n)) => Err(format!("there is no frame {n} among {total}")),
            (None, _) => Err("there is no frame".into()),
        }
    }
}

/// Records with the path of their file, and named by it where requested.
pub(crate) fn named(records: Records, input: &Input, naming: Naming) -> Records {
    let (given, names) = (input.given.clone(), [input.name.clone(), stem(&input.path)]);
    Box::new(records.map(move |item| {
        let mut record = item?;
        if naming == Naming::Path {
            rename(&mut record, &given, &names);
        }
        if naming != Naming::Passing {
            record.properties.path = Some(given.clone());
        }
        Ok(record)
    }))
}

/// Names a record by its file; `names` are those that its file gives it.
fn rename(record: &mut Record, given: &str, names: &[String; 2]) {
    if names.contains(&record.id) {
        record.id = given.to_owned();
        return;
    }
    let of_file = names.iter().find_map(|name| record.id.strip_prefix(name.as_str())?.strip_prefix('#'));
    match of_file {
        Some(rest) => record.id = format!("{given}#{rest}"),
        None => {
            let own = std::mem::take(&mut record.id);
            record.id = format!("{given}#{own}");
            record.properties.extra.entry("source_id").or_insert_with(|| own.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_named_by_a_word_or_a_number() {
        let of = |text: &str, total| text.parse::<Frames>().and_then(|frames| frames.places(total));
        assert_eq!(of("all", 3), Ok(0..3));
        assert_eq!((of("last", 3), of("-1", 3), of("3", 3)), (Ok(2..3), Ok(2..3), Ok(2..3)));
        assert_eq!((of("1", 3), of("-3", 3)), (Ok(0..1), Ok(0..1)));
        for (text, total, said) in [
            ("4", 3, "no frame 4 among 3"),
            ("-4", 3, "no frame -4"),
            ("0", 3, "'0' names no frames"),
            ("last", 0, "no frame"),
        ] {
            assert!(of(text, total).unwrap_err().contains(said), "{text}");
        }
    }
}
