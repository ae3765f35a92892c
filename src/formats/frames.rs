//! The records of a trajectory's frames.

use std::path::Path;

use super::{Frames, Input, Note, Properties, Record, Records, Rejection};
use crate::FormatError;
use crystal::Structure;

/// One frame: its crystal, the line or number at which it begins, and its properties.
pub(super) type Frame = (Structure, usize, Properties);

/// The selected frames, of `total`, each read by its place from 0. A frame that is alone in its file has the file's name; else its number
/// from 1 follows, except for the last where it alone is read.
pub(super) fn records(
    input: &Input,
    total: usize,
    frames: Frames,
    mut read: impl FnMut(usize) -> Result<Frame, FormatError> + Send + 'static,
) -> Records {
    let (path, name) = (input.path.clone(), input.name.clone());
    let places = match frames.places(total) {
        Ok(places) => places,
        Err(message) => {
            return Box::new(std::iter::once(Err(refused(&path, Some(name), &FormatError::syntax(1, 0, message)))));
        }
    };
    Box::new(places.map(move |k| {
        let several = total > 1;
        let id = match frames {
            Frames::All | Frames::Number(_) if several => format!("{name}#{}", k + 1),
            _ => name.clone(),
        };
        match read(k) {
            Ok((structure, line, mut properties)) => {
                if several {
                    properties.extra.insert("frame".into(), (k + 1).into());
                }
                if several && frames == Frames::Last {
                    properties.notes.insert(Note::LastFrame);
                }
                Ok(Record { id, structure, line, properties })
            }
            Err(error) => Err(refused(&path, Some(id), &error)),
        }
    }))
}

fn refused(path: &Path, id: Option<String>, error: &FormatError) -> Rejection {
    Rejection::new(path, id, error, "", 1)
}
