//! From crystals to training examples. The symmetry and the spheres of tens of thousands take minutes: a run keeps what it has found, and
//! one that goes on reads it back.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use crystal::stop::Stop;
use crystal::threads::on_threads;
use crystal::{ContentHash, DEFAULT_SYMPREC, Element, Structure, content_hash};
use serde::{Deserialize, Serialize};

use super::conditions::Conditions;
use super::example::Example;
use super::train::WyckoffObserver;
use crate::{Charge, GenerationError, Orbit, Species, Tokens};

/// Crystals that are looked at together.
const BATCH: usize = 512;

/// Letter, atomic number, and lowest and highest oxidation state of an orbit.
type Kept = (char, u8, i8, i8);

/// What is kept of a crystal.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    hash: String,
    /// Space group, and letter, atomic number and states of each orbit; nothing where it has no tokens.
    tokens: Option<(u16, Vec<Kept>)>,
    conditions: Conditions,
}

impl Line {
    fn of(structure: &Structure, hash: ContentHash) -> Self {
        let tokens = Tokens::of(structure, DEFAULT_SYMPREC).ok();
        let orbit = |o: &Orbit| (o.letter, o.species.element.z(), o.species.charge.low, o.species.charge.high);
        // Crystals without tokens need no conditions.
        let conditions = if tokens.is_some() { Conditions::of(structure) } else { Conditions::default() };
        let tokens = tokens.map(|t| (t.group(), t.orbits().iter().map(orbit).collect()));
        Self { hash: hash.to_string(), tokens, conditions }
    }

    fn example(&self, hull: Option<f64>) -> Option<Example> {
        let (group, orbits) = self.tokens.as_ref()?;
        let orbit = |&(letter, z, low, high): &Kept| {
            let element = Element::from_z(i64::from(z)).ok()?;
            Some(Orbit { letter, species: Species { element, charge: Charge { low, high } } })
        };
        let tokens = Tokens::new(*group, orbits.iter().map(orbit).collect::<Option<_>>()?).ok()?;
        Some(Example { tokens, conditions: Conditions { hull, ..self.conditions } })
    }
}

/// The training examples of crystals, each with its energy above hull, eV/atom, where that is known; in their order, each once. `kept` is
/// the file that keeps it. Also returns how many have no tokens: no neutral choice of oxidation states, or no symmetry.
///
/// # Errors
/// A file that cannot be written, or work that was cancelled.
pub fn examples(
    crystals: &[(Structure, Option<f64>)],
    kept: &Path,
    threads: usize,
    observer: &dyn WyckoffObserver,
) -> Result<(Vec<Example>, usize), GenerationError> {
    let stop = Stop::current();
    let mut known = known(kept)?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(kept).map_err(GenerationError::io(kept))?;
    let mut file = BufWriter::new(file);
    // After a line that was cut short.
    writeln!(file).map_err(GenerationError::io(kept))?;
    let (mut found, mut without) = (Vec::new(), 0);
    let mut seen = std::collections::HashSet::new();
    for (n, batch) in crystals.chunks(BATCH).enumerate() {
        if stop.is_given() {
            return Err(GenerationError::Training("stopped while crystals were read; go on with --resume".into()));
        }
        let hashes: Vec<ContentHash> = batch.iter().map(|(structure, _)| content_hash(structure)).collect();
        let new: Vec<usize> = (0..batch.len()).filter(|&k| !known.contains_key(&hashes[k].to_string())).collect();
        for line in on_threads(threads, new.len(), |k| Line::of(&batch[new[k]].0, hashes[new[k]])) {
            let text = serde_json::to_string(&line).map_err(GenerationError::io(kept))?;
            writeln!(file, "{text}").map_err(GenerationError::io(kept))?;
            known.insert(line.hash.clone(), line);
        }
        file.flush().map_err(GenerationError::io(kept))?;
        for ((_, hull), hash) in batch.iter().zip(&hashes).filter(|(_, hash)| seen.insert(**hash)) {
            match known.get(&hash.to_string()).and_then(|line| line.example(*hull)) {
                Some(example) => found.push(example),
                None => without += 1,
            }
        }
        observer.read((n * BATCH + batch.len()).min(crystals.len()), crystals.len());
    }
    Ok((found, without))
}

/// What a run has kept; a line that was cut short by its end is none.
fn known(kept: &Path) -> Result<HashMap<String, Line>, GenerationError> {
    if !kept.exists() {
        return Ok(HashMap::new());
    }
    let file = std::fs::File::open(kept).map_err(GenerationError::io(kept))?;
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let lines = lines.filter_map(|line| serde_json::from_str::<Line>(&line).ok());
    Ok(lines.map(|line| (line.hash.clone(), line)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wyckoff::train::tests::Ends;
    use formats::hosts::embedded;

    #[test]
    fn crystals_are_read_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("crystals.jsonl");
        let written = |host: &formats::hosts::Host| Tokens::of(&host.structure, DEFAULT_SYMPREC).is_ok();
        let hosts = embedded().into_iter().filter(written).take(12);
        let mut crystals: Vec<(Structure, Option<f64>)> = hosts.map(|host| (host.structure, Some(0.1))).collect();
        // A compound of metals has no tokens; a crystal that comes twice counts once.
        let lattice = crystal::Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
        let metals = ["Ca", "Al"].map(|s| Element::from_symbol(s).unwrap()).to_vec();
        crystals.push((Structure::new(lattice, metals, vec![[0.0; 3], [0.5; 3]]).unwrap(), None));
        crystals.push(crystals[0].clone());
        let (first, without) = examples(&crystals, &kept, 2, &Ends::default()).unwrap();
        assert_eq!((first.len(), without), (12, 1));
        let text = std::fs::read_to_string(&kept).unwrap();
        // Cut short, as by the end of a process: the last crystal is read again.
        std::fs::write(&kept, &text[..text.len() - 20]).unwrap();
        let (second, _) = examples(&crystals, &kept, 1, &Ends::default()).unwrap();
        assert_eq!(first, second);
        for (example, (structure, _)) in first.iter().zip(&crystals) {
            assert_eq!(example.tokens, Tokens::of(structure, DEFAULT_SYMPREC).unwrap());
            assert_eq!(example.conditions, Conditions { hull: Some(0.1), ..Conditions::of(structure) });
        }
    }
}
