//! From a sampler to crystals, one at a time, each by its number.

use std::ops::AddAssign;

use crystal::random::mix;
use crystal::stop::Stop;
use crystal::{Structure, content_hash};
use rayon::prelude::*;

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

impl AddAssign for GenerationCounts {
    fn add_assign(&mut self, other: Self) {
        self.drawn += other.drawn;
        self.neutral += other.neutral;
        self.roomy += other.roomy;
        self.crystals += other.crystals;
    }
}

/// A crystal that was generated, and how to generate it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The crystal, in the conventional cell.
    pub structure: Structure,
    /// Its tokens.
    pub tokens: Tokens,
    /// Name of the sampler.
    pub sampler: String,
    /// The known crystal whose pattern of orbits it has.
    pub template: Option<String>,
    /// Seed of the whole, and the number of its draw.
    pub draw: (u64, u64),
    /// Root mean square of what bond valences miss the oxidation states by, valence units.
    pub instability: Option<f64>,
}

impl Generated {
    /// Formula and the first digits of the content hash: the same crystal has the same id, whichever sampler drew it.
    pub fn id(&self) -> String {
        let hash = content_hash(&self.structure).to_string();
        format!("{}-{}", self.structure.composition().reduced_formula(), &hash[..12])
    }
}

/// The crystals of the first `draws` draws of a sampler, in order, one by one or in batches on all cores: the same crystals either way.
/// Only the counts are held: memory does not grow with the number of draws. Ends early where the work is cancelled ([`Stop`]).
pub struct Generation<S> {
    sampler: S,
    options: DecodeOptions,
    seed: u64,
    /// The number of the next draw, and of the first that is none.
    next: u64,
    draws: u64,
    counts: GenerationCounts,
    stop: Stop,
}

impl<S: Sampler> Generation<S> {
    /// Draws 0 to `draws` of `sampler` with `seed`.
    pub fn new(sampler: S, options: DecodeOptions, seed: u64, draws: u64) -> Self {
        Self { sampler, options, seed, next: 0, draws, counts: GenerationCounts::default(), stop: Stop::current() }
    }

    /// The same without the draws before number `first`, which an earlier run has made.
    pub fn after(self, first: u64) -> Self {
        Self { next: first, ..self }
    }

    /// How many have passed each step so far, of the draws that were made here.
    pub fn counts(&self) -> GenerationCounts {
        self.counts
    }

    /// The crystals of the next draws, at most `most` of them; `None` where there are no more draws, or the work is cancelled.
    pub fn batch(&mut self, most: u64) -> Option<Vec<Generated>> {
        let draws = self.next..self.draws.min(self.next.saturating_add(most.max(1)));
        let made: Vec<_> = draws.into_par_iter().map(|n| (!self.stop.is_given()).then(|| self.draw(n))).collect();
        // A batch that was cancelled is dropped: draws that were not made cannot be counted.
        let made = made.into_iter().collect::<Option<Vec<_>>>().filter(|made| !made.is_empty())?;
        self.next += made.len() as u64;
        made.iter().for_each(|(counts, _)| self.counts += *counts);
        Some(made.into_iter().filter_map(|(_, crystal)| crystal).collect())
    }

    /// What passed each step in one draw, and the crystal where it is one.
    fn draw(&self, draw: u64) -> (GenerationCounts, Option<Generated>) {
        let mut counts = GenerationCounts { drawn: 1, ..GenerationCounts::default() };
        let seed = mix(&[self.seed, draw]);
        let Some(sample) = self.sampler.sample(seed) else { return (counts, None) };
        counts.neutral = 1;
        let options = DecodeOptions { volume: self.sampler.volume().or(self.options.volume), ..self.options };
        let decoded = decode(&sample.tokens, &options, seed);
        counts.roomy = u64::from(matches!(decoded, Ok(_) | Err(GenerationError::Symmetry { .. })));
        let Ok(Decoded { structure, instability }) = decoded else { return (counts, None) };
        counts.crystals = 1;
        let (tokens, sampler) = (sample.tokens, self.sampler.name().to_owned());
        let crystal =
            Generated { structure, tokens, sampler, template: sample.template, draw: (self.seed, draw), instability };
        (counts, Some(crystal))
    }
}

impl<S: Sampler> Iterator for Generation<S> {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        while self.next < self.draws && !self.stop.is_given() {
            let (counts, crystal) = self.draw(self.next);
            self.next += 1;
            self.counts += counts;
            if crystal.is_some() {
                return crystal;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::templates::tests::{elements, published};
    use crate::{Conditions, Request, TemplateSampler, WyckoffSampler};

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
        // Several draws may give the same crystal, which has one id.
        let ids: std::collections::BTreeSet<String> = made.iter().map(Generated::id).collect();
        let hashes: std::collections::BTreeSet<_> =
            made.iter().map(|crystal| content_hash(&crystal.structure)).collect();
        assert_eq!(ids.len(), hashes.len());
        // Fewer draws are the beginning of more, another seed makes others.
        let fewer: Vec<Generated> = generation(3, 20).collect();
        assert_eq!(made[..fewer.len()], fewer);
        assert_ne!(generation(4, 20).collect::<Vec<_>>(), fewer);
    }

    #[test]
    fn batches_on_all_cores_are_the_crystals_of_single_draws() {
        let mut single = generation(3, 30);
        let one_by_one: Vec<Generated> = single.by_ref().collect();
        let mut batches = generation(3, 30);
        let mut together = Vec::new();
        while let Some(batch) = batches.batch(7) {
            together.extend(batch);
        }
        assert_eq!((&together, batches.counts()), (&one_by_one, single.counts()));
        // What was made before is left out, and the rest is as it was.
        let mut rest = generation(3, 30).after(20);
        let late: Vec<Generated> = one_by_one.into_iter().filter(|crystal| crystal.draw.1 >= 20).collect();
        assert_eq!((rest.batch(100), rest.counts().drawn), (Some(late), 10));
        assert_eq!(rest.batch(100), None);
    }

    #[test]
    fn cells_have_the_volume_that_the_sampler_is_asked_for() {
        let conditions = Conditions { volume: Some(18.0), ..Conditions::default() };
        let request = Request { elements: elements(&["Ti", "O"]), sites: Some(24), conditions, ..Request::default() };
        let sampler: Arc<dyn Sampler> = Arc::new(WyckoffSampler::embedded(&request).unwrap());
        let made: Vec<Generated> = Generation::new(sampler, DecodeOptions::default(), 1, 20).collect();
        assert!(made.len() > 3, "{} of 20", made.len());
        for Generated { structure, .. } in made {
            assert!((structure.volume() / structure.len() as f64 - 18.0).abs() < 1e-6, "{structure:?}");
        }
    }

    #[test]
    fn it_ends_when_asked_to() {
        let stop = Stop::new();
        let mut crystals = stop.during(|| generation(3, u64::MAX));
        assert!(crystals.next().is_some());
        stop.give();
        assert!(crystals.next().is_none() && crystals.batch(10).is_none());
    }
}
