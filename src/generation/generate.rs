//! From a sampler to crystals, one at a time, each by its number.

use crystal::Structure;
use crystal::random::mix;
use crystal::stop::Stop;

use super::{DecodeOptions, Decoded, GenerationError, Sampler, Tokens, decode};

/// How many passed each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GenerationCounts {
    /// Draws of the sampler.
    pub drawn: u64,
    /// Of these, those that are charge-neutral.
    pub neutral: u64,
    /// Of these, those whose ions have a radius and room.
    pub roomy: u64,
    /// And those that have the symmetry of their tokens and no higher one: crystals.
    pub crystals: u64,
}

/// A crystal that was generated, and how to generate it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The crystal, in the conventional cell.
    pub structure: Structure,
    /// Its tokens.
    pub tokens: Tokens,
    /// Name of the sampler.
    pub sampler: &'static str,
    /// The known crystal whose pattern of orbits it has.
    pub template: Option<String>,
    /// Seed of the whole, and the number of its draw.
    pub draw: (u64, u64),
    /// Root mean square of what bond valences miss the oxidation states by, valence units.
    pub instability: Option<f64>,
}

/// The crystals of the first `draws` draws of a sampler, in order. Nothing is held but the counts: any number of draws takes the
/// same memory. Ends early where the work is no longer wanted ([`Stop`]).
pub struct Generation<S> {
    sampler: S,
    options: DecodeOptions,
    seed: u64,
    draws: u64,
    counts: GenerationCounts,
    stop: Stop,
}

impl<S: Sampler> Generation<S> {
    /// Draws 0 to `draws` of `sampler` with `seed`.
    pub fn new(sampler: S, options: DecodeOptions, seed: u64, draws: u64) -> Self {
        Self { sampler, options, seed, draws, counts: GenerationCounts::default(), stop: Stop::current() }
    }

    /// How many have passed each step so far.
    pub fn counts(&self) -> GenerationCounts {
        self.counts
    }

    /// The crystal of the next draw, where it is one.
    fn draw(&mut self) -> Option<Generated> {
        let draw = self.counts.drawn;
        self.counts.drawn += 1;
        let seed = mix(&[self.seed, draw]);
        let sample = self.sampler.sample(seed)?;
        self.counts.neutral += 1;
        let decoded = decode(&sample.tokens, &self.options, seed);
        self.counts.roomy += u64::from(matches!(decoded, Ok(_) | Err(GenerationError::Symmetry { .. })));
        let Decoded { structure, instability } = decoded.ok()?;
        self.counts.crystals += 1;
        Some(Generated {
            structure,
            tokens: sample.tokens,
            sampler: self.sampler.name(),
            template: sample.template,
            draw: (self.seed, draw),
            instability,
        })
    }
}

impl<S: Sampler> Iterator for Generation<S> {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        while self.counts.drawn < self.draws && !self.stop.is_given() {
            if let Some(generated) = self.draw() {
                return Some(generated);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::tests::{elements, published};
    use crate::{Request, TemplateSampler};

    fn generation(seed: u64, draws: u64) -> Generation<TemplateSampler> {
        let request = Request { elements: elements(&["Li", "Mn", "Ti", "O"]), sites: Some(30), ..Request::default() };
        let sampler = TemplateSampler::new(published(), request);
        Generation::new(sampler, DecodeOptions { steps: 50, ..DecodeOptions::default() }, seed, draws)
    }

    #[test]
    fn crystals_have_the_symmetry_of_their_tokens_and_come_again() {
        let mut first = generation(3, 60);
        let made: Vec<Generated> = first.by_ref().collect();
        let counts = first.counts();
        assert_eq!((counts.drawn, counts.crystals), (60, made.len() as u64));
        assert!(counts.drawn >= counts.neutral && counts.neutral >= counts.roomy && counts.roomy >= counts.crystals);
        assert!(made.len() > 15, "{counts:?}");
        for crystal in &made {
            assert_eq!(Tokens::of(&crystal.structure, 0.01).unwrap(), crystal.tokens);
        }
        assert_eq!(generation(3, 60).collect::<Vec<_>>(), made);
        // Fewer draws are the beginning of more, another seed makes others.
        let fewer: Vec<Generated> = generation(3, 20).collect();
        assert_eq!(made[..fewer.len()], fewer);
        assert_ne!(generation(4, 20).collect::<Vec<_>>(), fewer);
    }

    #[test]
    fn it_ends_when_asked_to() {
        let stop = Stop::new();
        let mut crystals = stop.during(|| generation(3, u64::MAX));
        assert!(crystals.next().is_some());
        stop.give();
        assert!(crystals.next().is_none());
    }
}
