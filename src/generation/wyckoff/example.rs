//! Known crystals as a network reads them.

use crystal::random::Stream;
use crystal::{Composition, Setting};

use super::batch::Batch;
use super::conditions::{Conditions, Prompt};
use super::network::mask;
use super::places::WORDS;
use super::vocabulary::Vocabulary;
use super::written::{Written, state_len};
use crate::Tokens;

/// Most orbits of a crystal that is learned from, or written.
pub(super) const MOST_ORBITS: usize = 32;

/// A known crystal: its tokens and its conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Its tokens.
    pub tokens: Tokens,
    /// What is known of it.
    pub conditions: Conditions,
}

impl Example {
    /// Whether it can be read: not too many orbits, and a word for each species.
    pub(super) fn is_read(&self, vocabulary: &Vocabulary) -> bool {
        let orbits = self.tokens.orbits();
        orbits.len() <= MOST_ORBITS && orbits.iter().all(|orbit| vocabulary.word(orbit.species).is_some())
    }

    /// Its orbits in a random order, under a random choice of origin and axes: word of the species and place of each.
    fn reordered(&self, vocabulary: &Vocabulary, random: &mut Stream) -> Vec<(usize, usize)> {
        let group = self.tokens.group();
        let renamings = Setting::usual(group).map_or(&[][..], Setting::renamings);
        let renaming = renamings.get(random.below(renamings.len().max(1)));
        let new = |letter: char| {
            let pair = renaming.and_then(|all| all.iter().find(|(old, _)| *old == letter));
            pair.map_or(letter, |(_, new)| *new)
        };
        let place = |letter: char| WORDS.of_group(group).iter().position(|p| p.letter == letter);
        let orbit = |orbit: &crate::Orbit| Some((vocabulary.word(orbit.species)?, place(new(orbit.letter))?));
        random.shuffled(self.tokens.orbits().iter().filter_map(orbit).collect())
    }

    /// Adds its tokens to a batch of crystals of as many orbits, in an order and with gaps in its prompt that `random` draws.
    pub(super) fn write(&self, vocabulary: &Vocabulary, random: &mut Stream, batch: &mut Batch) {
        let orbits = self.reordered(vocabulary, random);
        let conditions = self.conditions.thinned(random);
        let composition: Composition = self.tokens.composition();
        let made_of: Vec<crystal::Element> = composition.iter().map(|(e, _)| e).collect();
        let elements = vocabulary.elements();
        let first = batch.prompt.len();
        batch.prompt.resize(first + vocabulary.prompt_len(), 0.0);
        Prompt::thinned(vocabulary, &made_of, &composition, &conditions, random).write(&mut batch.prompt[first..]);
        batch.groups.push(i32::from(self.tokens.group()) - 1);

        let mut written = Written::new(self.tokens.group());
        let mut last = start(vocabulary);
        for next in orbits.iter().map(Some).chain([None]) {
            batch.tokens.push(last.map(|word| word as i32));
            let first = batch.state.len();
            batch.state.resize(first + state_len(elements.len()), 0.0);
            for (k, value) in written.state(elements) {
                batch.state[first + k] = value;
            }
            let Some(&(species, place)) = next else { break };
            let places = written.places();
            let room = (0..places.len()).filter(|k| written.has_room(*k)).map(|k| &places[k]);
            let alike = room.clone().filter(|p| p.symmetry == places[place].symmetry);
            batch.symmetry_mask.extend(mask(WORDS.symmetries.len(), room.map(|p| p.symmetry)));
            batch.number_mask.extend(mask(WORDS.numbers, alike.map(|p| p.number)));
            last = [species, places[place].symmetry, places[place].number];
            batch.next.push(last.map(|word| word as i32));
            written.add(vocabulary.species()[species], place);
        }
        batch.next.push([vocabulary.species().len() as i32, -1, -1]);
    }
}

/// The words that are read before the first orbit.
pub(super) fn start(vocabulary: &Vocabulary) -> [usize; 3] {
    [vocabulary.species().len(), WORDS.symmetries.len(), WORDS.numbers]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{Orbit, tokens::tests::species};
    use formats::hosts::embedded;

    /// The published crystals, and their words.
    pub fn published() -> (Vec<Example>, Vocabulary) {
        let example = |host: formats::hosts::Host| {
            let tokens = Tokens::of(&host.structure, 0.01).ok()?;
            let volume = Some(host.structure.volume() / host.structure.len() as f64);
            Some(Example { tokens, conditions: Conditions { volume, ..Conditions::default() } })
        };
        let mut all: Vec<Example> = embedded().into_iter().filter_map(example).collect();
        let vocabulary =
            Vocabulary::new(all.iter().flat_map(|e| e.tokens.orbits().iter().map(|o| o.species)).collect());
        all.retain(|example| example.is_read(&vocabulary));
        (all, vocabulary)
    }

    #[test]
    fn tokens_are_read_back_from_a_batch() {
        let (examples, vocabulary) = published();
        assert!(examples.len() > 80);
        let mut tellings = std::collections::BTreeSet::new();
        for (n, example) in examples.iter().enumerate() {
            for seed in 0..3 {
                let mut batch = Batch::default();
                example.write(&vocabulary, &mut Stream::new(crystal::random::mix(&[n as u64, seed])), &mut batch);
                let group = batch.groups[0] as u16 + 1;
                let orbit = |word: &[i32; 3]| {
                    let [species, symmetry, number] = word.map(|word| word as usize);
                    let place = WORDS.of_group(group).iter().find(|p| (p.symmetry, p.number) == (symmetry, number));
                    Orbit { letter: place.unwrap().letter, species: vocabulary.species()[species] }
                };
                let (end, orbits) = batch.next.split_last().unwrap();
                assert_eq!(*end, [vocabulary.species().len() as i32, -1, -1]);
                let read = Tokens::new(group, orbits.iter().map(orbit).collect()).unwrap();
                assert_eq!(read.canonical(), example.tokens);
                assert_eq!(batch.tokens[1..], *orbits);
                // No mask hides what comes.
                let shown = |mask: &[f32], of: fn(&[i32; 3]) -> i32| {
                    let each = mask.len() / orbits.len();
                    orbits.iter().zip(mask.chunks(each)).all(|(next, mask)| mask[of(next) as usize] == 0.0)
                };
                assert!(shown(&batch.symmetry_mask, |n| n[1]) && shown(&batch.number_mask, |n| n[2]));
                tellings.insert((n, batch.next));
            }
        }
        assert!(tellings.len() > 2 * examples.len(), "orders and origins are drawn anew");
    }

    #[test]
    fn a_place_without_a_free_coordinate_is_hidden_once_it_is_taken() {
        let orbit = |letter, symbol, charge| Orbit { letter, species: species(symbol, charge) };
        let tokens = Tokens::new(225, vec![orbit('a', "O", -2), orbit('b', "Mn", 2)]).unwrap();
        let vocabulary = Vocabulary::new(tokens.orbits().iter().map(|o| o.species).collect());
        let mut batch = Batch::default();
        let example = Example { tokens, conditions: Conditions::default() };
        example.write(&vocabulary, &mut Stream::new(1), &mut batch);
        // Both are of one site symmetry, which is still there; of its two numbers one is left.
        let open = |mask: &[f32]| mask.iter().filter(|x| **x == 0.0).count();
        let halves = |mask: &[f32]| {
            let (first, second) = mask.split_at(mask.len() / 2);
            [open(first), open(second)]
        };
        assert_eq!(halves(&batch.number_mask), [2, 1]);
        let [first, second] = halves(&batch.symmetry_mask);
        assert!(first == second && first > 3);
    }
}
