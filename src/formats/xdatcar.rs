//! XDATCAR of VASP: the frames of a relaxation or of molecular dynamics, in one cell or each in its own.
//!
//! ```text
//! TiO2                               a POSCAR as far as the counts of atoms,
//! 1.0                                once, or before every frame
//! ...
//! 2 4
//! Direct configuration=     1        a frame: one line an atom
//!    0.00000000  0.00000000  0.00000000
//! ```

use std::collections::VecDeque;

use super::{
    Format, Frames, Input, Notes, Properties, Records,
    format::{Open, Text},
    frames, plain, poscar,
};
use crate::FormatError;
use crystal::Structure;

/// Lines of a POSCAR up to its counts.
const HEADER: usize = 7;

/// The beginning of a line: its number from 0, and its byte.
#[derive(Debug, Clone, Copy, Default)]
struct Start {
    line: usize,
    at: usize,
}

/// Where a frame stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    header: Start,
    begin: Start,
    /// The byte behind its last line.
    end: usize,
}

/// Whether a line opens a frame.
fn opens(line: &str) -> bool {
    let line = line.trim_start().to_ascii_lowercase();
    line.strip_prefix("direct")
        .or(line.strip_prefix("cartesian"))
        .is_some_and(|rest| rest.trim_start().starts_with("configuration"))
}

fn places(text: &str) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    // The lines before the current one, as many as a header has.
    let mut before: VecDeque<Start> = VecDeque::with_capacity(HEADER + 1);
    let mut here = Start::default();
    for line in text.split_inclusive('\n') {
        if opens(line) {
            let above = before.front().copied().unwrap_or_default();
            let header = match found.last_mut() {
                None => above,
                Some(last) => {
                    let again = above.line > last.begin.line && before.len() == HEADER && is_header(text, &before);
                    last.end = if again { above.at } else { here.at };
                    if again { above } else { last.header }
                }
            };
            found.push(Place { header, begin: here, end: text.len() });
        }
        if before.len() == HEADER {
            before.pop_front();
        }
        before.push_back(here);
        here = Start { line: here.line + 1, at: here.at + line.len() };
    }
    found
}

/// Whether these lines are a header that comes again: the second is one number, where a frame's lines have three.
fn is_header(text: &str, lines: &VecDeque<Start>) -> bool {
    text[lines[1].at..lines[2].at].split_whitespace().count() == 1
}

/// One frame as a POSCAR.
fn frame(text: &str, place: Place) -> Result<(Structure, Notes), FormatError> {
    let header = text[place.header.at..place.begin.at].lines().take(HEADER);
    let body = text[place.begin.at..place.end].lines().skip(1);
    let poscar: Vec<&str> = header.chain(["Direct"]).chain(body).collect();
    poscar::parse_noted(&poscar.join("\n")).map_err(|error| {
        let in_header = error.position().is_some_and(|at| at.line <= HEADER);
        error.below(if in_header { place.header.line } else { place.begin.line.saturating_sub(HEADER) })
    })
}

/// See [`Format`].
pub(super) static FORMAT: Format =
    Format { name: "XDATCAR", extensions: &[], begins: &["xdatcar"], packed: true, open: Open::Text(TEXT) };

/// How such a text is read.
pub(super) const TEXT: Text = Text {
    looks: |text| poscar::has_cell(text) && text.lines().skip(HEADER).take(2).any(opens),
    records: |input, text, reading| plain(records(input, text, reading.frames), input, &reading.mapping),
    parse: parse_noted,
};

/// The selected frames.
pub(super) fn records(input: &Input, text: String, which: Frames) -> Records {
    let places = places(&text);
    frames::records(input, places.len(), which, move |k| {
        let (structure, notes) = frame(&text, places[k])?;
        Ok((structure, places[k].begin.line + 1, Properties { notes, ..Properties::default() }))
    })
}

/// The crystal of a text of one frame.
pub(super) fn parse_noted(text: &str) -> Result<(Structure, Notes), FormatError> {
    match places(text)[..] {
        [only] => frame(text, only),
        ref several => {
            let message = format!("{} frames; expected one crystal", several.len());
            Err(FormatError::syntax(1, 0, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Note, Reading, Rejection, read};

    const HEAD: &str = "TiO2\n1.0\n4.6 0 0\n0 4.6 0\n0 0 2.96\nTi O\n1 1\n";

    fn ids(text: &str, which: &str) -> Vec<Result<(String, usize, f64), Rejection>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("XDATCAR");
        std::fs::create_dir(dir.path().join("run")).unwrap();
        let path = dir.path().join("run").join(path.file_name().unwrap());
        std::fs::write(&path, text).unwrap();
        let reading = Reading { frames: which.parse().unwrap(), ..Reading::default() };
        let crystal = |r: crate::Record| (r.id, r.line, (r.structure.frac_coords()[1][0] * 1e6).round() / 1e6);
        read(&Input::new(path), &reading).map(|r| r.map(crystal)).collect()
    }

    fn three() -> String {
        let frame = |k: usize| format!("Direct configuration= {k:5}\n 0 0 0\n 0.{k} .5 .5\n");
        format!("{HEAD}{}{}{}", frame(1), frame(2), frame(3))
    }

    #[test]
    fn the_last_frame_or_each_or_one() {
        let at = |k: usize| format!("run#{k}");
        let all: Vec<_> = ids(&three(), "all").into_iter().map(Result::unwrap).collect();
        assert_eq!(all, [(at(1), 8, 0.1), (at(2), 11, 0.2), (at(3), 14, 0.3)]);
        assert_eq!(ids(&three(), "last"), [Ok(("run".into(), 14, 0.3))]);
        assert_eq!(ids(&three(), "2"), [Ok((at(2), 11, 0.2))]);
        assert!(ids(&three(), "4")[0].as_ref().unwrap_err().reason.contains("no frame 4 among 3"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("XDATCAR_a");
        std::fs::write(&path, three()).unwrap();
        let last = read(&Input::new(path), &Reading::default()).next().unwrap().unwrap();
        assert_eq!(last.properties.notes, Notes::from([Note::LastFrame]));
        assert_eq!(last.properties.extra["frame"], 3);
    }

    #[test]
    fn each_frame_may_have_its_cell() {
        let frame = |k: usize| {
            format!("{}Direct configuration= {k}\n 0 0 0\n 0.{k} .5 .5\n", HEAD.replace("4.6", &format!("4.{k}")))
        };
        let text = format!("{}{}", frame(1), frame(2));
        let places = places(&text);
        let cells: Vec<f64> = places.iter().map(|p| frame_of(&text, *p)).collect();
        assert_eq!(cells, [4.1, 4.2]);
    }

    fn frame_of(text: &str, place: Place) -> f64 {
        frame(text, place).unwrap().0.lattice().parameters()[0]
    }

    #[test]
    fn a_frame_that_is_cut_short_is_refused_alone() {
        let text = three();
        let found = ids(&text[..text.len() - 12], "all");
        assert_eq!((found.len(), found[0].is_ok(), found[1].is_ok()), (3, true, true));
        let rejection = found[2].as_ref().unwrap_err();
        assert!(rejection.reason.contains("atom 2 of 2") && rejection.line == 16, "{rejection}");
        assert!(parse_noted(&text).unwrap_err().to_string().contains("3 frames"));
        let single = format!("{HEAD}Direct configuration= 1\n 0 0 0\n .5 .5 .5\n");
        assert_eq!(parse_noted(&single).unwrap().0.len(), 2);
    }
}
