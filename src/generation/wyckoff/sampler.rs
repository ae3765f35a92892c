//! Crystals written by a network, orbit after orbit, from the choices that can still meet the request.

use std::sync::{Arc, OnceLock};

use crystal::Element;
use crystal::random::{Stream, mix};

use super::WyckoffModel;
use super::amounts::Amounts;
use super::conditions::{Conditions, Prompt};
use super::example::{MOST_ORBITS, start};
use super::forward::{Reading, softmax};
use super::places::{GROUPS, WORDS};
use super::reach::Reach;
use super::written::Written;
use crate::{Charge, GenerationError, Orbit, Request, Sample, Sampler, SamplerKind, Species, Tokens};

/// Atoms of the conventional cell, where a request has no limit of its own.
const MOST_ATOMS: i64 = 400;
/// More elements than this are a choice and not a description: of the crystals that a network knows none is made of more.
const MOST_NAMED: usize = 6;
/// Draws of a space group in which the request can be met.
const GROUP_DRAWS: usize = 100;

/// Draws tokens from a network that has learned from known crystals.
pub struct WyckoffSampler {
    model: Arc<WyckoffModel>,
    /// Words of the species that may be written.
    species: Vec<usize>,
    /// The input of the network for the request; where conditions guide it, also the input without them.
    prompt: Vec<Vec<f32>>,
    /// How much further than the network goes itself from a crystal without conditions to one with them.
    guidance: f32,
    /// Sums of the probabilities of the space groups.
    groups: Vec<f32>,
    goal: Goal,
    most: i64,
    /// Requested volume per atom, Å³.
    volume: Option<f64>,
}

/// What a crystal is to end as.
enum Goal {
    /// Charge-neutral: a table for each space group, made where one is drawn.
    Neutral { charges: Vec<Charge>, reach: Vec<OnceLock<Reach>> },
    /// Of a composition, which is neutral or not.
    Composition(Amounts),
    /// Of nothing that can be written.
    Nothing,
}

/// What a goal may look at in a species: its charge, or its element.
type Kind = (Option<Charge>, Option<Element>);

impl Goal {
    fn reach(&self, group: u16) -> Option<&Reach> {
        let Self::Neutral { charges, reach } = self else { return None };
        let of_group = &reach[usize::from(group) - 1];
        Some(of_group.get_or_init(|| Reach::new(WORDS.of_group(group), charges, MOST_ORBITS)))
    }

    /// Whether it can end with `species` on a place that has room.
    fn allows_on(&self, written: &Written, species: Species, place: usize, most: i64) -> bool {
        let orbits = MOST_ORBITS - written.orbits;
        match self {
            Self::Neutral { .. } => self
                .reach(written.group)
                .is_some_and(|r| r.allows_on(written, species.charge, place, orbits, most - written.sites)),
            Self::Composition(amounts) if orbits > 0 => {
                let mut with = written.clone();
                with.add(species, place);
                with.sites <= most && amounts.allow(&with, orbits - 1, most)
            }
            Self::Composition(_) | Self::Nothing => false,
        }
    }

    /// Whether it may end as it stands.
    fn is_met(&self, written: &Written) -> bool {
        match self {
            Self::Neutral { .. } => written.is_neutral(),
            Self::Composition(amounts) => amounts.are_met(written),
            Self::Nothing => false,
        }
    }

    /// What of two species makes no difference to [`Goal::allows_on`].
    fn kind(&self, species: Species) -> Kind {
        match self {
            Self::Composition(_) => (None, Some(species.element)),
            _ => (Some(species.charge), None),
        }
    }
}

impl WyckoffSampler {
    /// The sampler of a request by the network that ships with the program.
    ///
    /// # Errors
    /// An element that it has no word for.
    pub fn embedded(request: &Request) -> Result<Self, GenerationError> {
        Self::of(WyckoffModel::embedded()?, request)
    }

    /// The sampler of a request by a network.
    ///
    /// # Errors
    /// An element that it has no word for.
    pub fn of(model: Arc<WyckoffModel>, request: &Request) -> Result<Self, GenerationError> {
        let unknown = request.elements.iter().find(|element| !model.elements().contains(element));
        match unknown {
            Some(element) => Err(GenerationError::Element {
                sampler: model.card().name.clone(),
                element: element.symbol(),
                instead: SamplerKind::TEMPLATES,
            }),
            None => Ok(Self::new(model, request)),
        }
    }

    /// The network that draws.
    pub fn model(&self) -> &WyckoffModel {
        &self.model
    }

    /// The sampler of a request. It draws nothing where no word means what is requested: another element, or amounts that are not whole
    /// numbers.
    pub fn new(model: Arc<WyckoffModel>, request: &Request) -> Self {
        Self::guided(model, request, 1.0)
    }

    /// The same, with conditions that weigh so many times as much as the network gives them (J. Ho and T. Salimans, arXiv:2207.12598): 1
    /// is as it has learned, 0 is as if there were none, above 1 more crystals meet them, of fewer kinds.
    pub fn guided(model: Arc<WyckoffModel>, request: &Request, guidance: f32) -> Self {
        let vocabulary = model.vocabulary();
        let all = vocabulary.species().iter().enumerate();
        let species: Vec<usize> = all.filter(|(_, s)| request.elements.contains(&s.element)).map(|(k, _)| k).collect();
        let goal = match &request.composition {
            Some(composition) => Amounts::of(composition).map_or(Goal::Nothing, Goal::Composition),
            None if species.is_empty() => Goal::Nothing,
            None => {
                let mut charges: Vec<Charge> = species.iter().map(|&k| vocabulary.species()[k].charge).collect();
                charges.sort_unstable();
                charges.dedup();
                Goal::Neutral { charges, reach: (0..GROUPS).map(|_| OnceLock::new()).collect() }
            }
        };
        let tell = |conditions: &Conditions| {
            let mut prompt = vec![0.0; vocabulary.prompt_len()];
            Prompt {
                words: vocabulary,
                made_of: Some(&request.elements[..]).filter(|all| all.len() <= MOST_NAMED),
                amounts: request.composition.as_ref(),
                conditions,
            }
            .write(&mut prompt);
            prompt
        };
        let mut prompt = vec![tell(&request.conditions)];
        if guidance != 1.0 && request.conditions != Conditions::default() {
            prompt.push(tell(&Conditions::default()));
        }
        let mut groups = between(prompt.iter().map(|prompt| model.forward().groups(prompt)), guidance);
        softmax(&mut groups);
        let mut sum = 0.0;
        for share in &mut groups {
            sum += *share;
            *share = sum;
        }
        let most =
            request.sites.map_or(MOST_ATOMS, |most| i64::try_from(most).map_or(MOST_ATOMS, |n| n.min(MOST_ATOMS)));
        let volume = request.conditions.volume;
        Self { model, species, prompt, guidance, groups, goal, most, volume }
    }

    /// A space group in which the request can be met.
    fn group(&self, random: &mut Stream) -> Option<u16> {
        let last = *self.groups.last()?;
        let mut drawn = (0..GROUP_DRAWS).map(|_| {
            let at = random.uniform() * last;
            1 + self.groups.partition_point(|sum| *sum <= at).min(GROUPS - 1) as u16
        });
        drawn.find(|&group| self.open(&Written::new(group)).iter().any(|places| !places.is_empty()))
    }

    /// Species and place of each orbit, and the crystal that they make.
    fn write(&self, random: &mut Stream) -> Option<(Written, Vec<(Species, usize)>)> {
        let (forward, vocabulary) = (self.model.forward(), self.model.vocabulary());
        let group = self.group(random)?;
        let mut written = Written::new(group);
        let mut readings: Vec<Reading<'_>> =
            self.prompt.iter().map(|prompt| forward.begin(usize::from(group) - 1, prompt)).collect();
        let (mut last, mut orbits) = (start(vocabulary), Vec::new());
        loop {
            let state = written.state(vocabulary.elements());
            let read: Vec<Vec<f32>> = readings.iter_mut().map(|reading| reading.read(last, &state)).collect();
            let logits = |of: &dyn Fn(&[f32]) -> Vec<f32>| between(read.iter().map(|read| of(read)), self.guidance);
            let open = self.open(&written);
            let end = vocabulary.species().len();
            let may_end = self.goal.is_met(&written).then_some(end);
            let words = self.species.iter().zip(&open).filter(|(_, places)| !places.is_empty()).map(|(word, _)| *word);
            let word = drawn(&logits(&|read| forward.species(read)), words.chain(may_end), random)?;
            if word == end {
                return Some((written, orbits));
            }
            let species = vocabulary.species()[word];
            let open = &open[self.species.iter().position(|known| *known == word)?];
            let places = written.places();
            let symmetries = open.iter().map(|&k| places[k].symmetry);
            let symmetry = drawn(&logits(&|read| forward.symmetries(read, word)), symmetries, random)?;
            let alike = open.iter().map(|&k| &places[k]).filter(|p| p.symmetry == symmetry);
            let numbers = logits(&|read| forward.numbers(read, word, symmetry));
            let number = drawn(&numbers, alike.map(|p| p.number), random)?;
            let place = places.iter().position(|p| (p.symmetry, p.number) == (symmetry, number))?;
            written.add(species, place);
            orbits.push((species, place));
            last = [word, symmetry, number];
        }
    }

    /// The places on which each species may come next.
    fn open(&self, written: &Written) -> Vec<Arc<[usize]>> {
        let places = written.places();
        let room: Vec<usize> = (0..places.len()).filter(|&k| written.has_room(k)).collect();
        let mut known: Vec<(Kind, Arc<[usize]>)> = Vec::new();
        let mut of_kind = |species: Species| {
            let kind = self.goal.kind(species);
            if let Some((_, open)) = known.iter().find(|(other, _)| *other == kind) {
                return Arc::clone(open);
            }
            // Places that differ in their coordinates alone are checked once.
            let mut checked: Vec<((i64, bool), bool)> = Vec::new();
            let allowed = |&k: &usize| {
                let alike = (places[k].multiplicity, places[k].fixed);
                if let Some((_, allowed)) = checked.iter().find(|(other, _)| *other == alike) {
                    return *allowed;
                }
                let allowed = self.goal.allows_on(written, species, k, self.most);
                checked.push((alike, allowed));
                allowed
            };
            let open: Arc<[usize]> = room.iter().copied().filter(allowed).collect();
            known.push((kind, Arc::clone(&open)));
            open
        };
        self.species.iter().map(|&word| of_kind(self.model.vocabulary().species()[word])).collect()
    }
}

/// Logits with conditions, and where there are two, what lies `guidance` times as far from those without.
fn between(mut all: impl Iterator<Item = Vec<f32>>, guidance: f32) -> Vec<f32> {
    let mut prompt = all.next().unwrap_or_default();
    if let Some(open) = all.next() {
        prompt.iter_mut().zip(open).for_each(|(prompt, open)| *prompt = open + guidance * (*prompt - open));
    }
    prompt
}

/// One of the `allowed` words, by their logits; `None` where there is none.
fn drawn(logits: &[f32], allowed: impl Iterator<Item = usize>, random: &mut Stream) -> Option<usize> {
    let mut words: Vec<usize> = allowed.collect();
    words.sort_unstable();
    words.dedup();
    let mut shares: Vec<f32> = words.iter().map(|&word| logits[word]).collect();
    softmax(&mut shares);
    let mut at = random.uniform();
    let chosen = shares.iter().position(|share| {
        at -= share;
        at < 0.0
    });
    // Rounding may leave a little beyond the last share.
    chosen.or(words.len().checked_sub(1)).map(|k| words[k])
}

impl Sampler for WyckoffSampler {
    fn name(&self) -> &str {
        &self.model.card().name
    }

    fn sample(&self, seed: u64) -> Option<Sample> {
        let (written, orbits) = self.write(&mut Stream::new(mix(&[seed])))?;
        let places = written.places();
        let of = |species: &dyn Fn(Species) -> Option<Species>| {
            let orbit =
                |&(s, place): &(Species, usize)| Some(Orbit { letter: places[place].letter, species: species(s)? });
            Tokens::new(written.group, orbits.iter().map(orbit).collect::<Option<_>>()?).ok()
        };
        // States are those that the composition as a whole suggests, as in every crystal that is read.
        let composition = written.amounts.iter().map(|(element, n)| (*element, *n as f64)).collect();
        let suggested = Species::of(&composition);
        let restated = suggested.and_then(|all| of(&|s| all.iter().find(|known| known.element == s.element).copied()));
        let tokens = restated.or_else(|| of(&Some))?;
        Some(Sample { tokens: tokens.canonical(), template: None })
    }

    fn volume(&self) -> Option<f64> {
        self.volume
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::templates::tests::elements;
    use crate::wyckoff::tests::untrained;
    use crystal::Composition;

    fn sampler(request: &Request) -> WyckoffSampler {
        WyckoffSampler::new(untrained(), request)
    }

    #[test]
    fn samples_are_repeatable_and_differ_by_seed() {
        let request = Request { elements: elements(&["K", "Mn", "Ti", "O"]), ..Request::default() };
        let sampler = sampler(&request);
        let samples: Vec<Option<Sample>> = (0..100).map(|seed| sampler.sample(seed)).collect();
        assert_eq!(samples, (0..100).map(|seed| sampler.sample(seed)).collect::<Vec<_>>());
        assert!(samples.iter().flatten().count() > 80, "{}", samples.iter().flatten().count());
        let mut different: Vec<Sample> = samples.into_iter().flatten().collect();
        let all = different.len();
        different.sort_by(|a, b| a.tokens.cmp(&b.tokens));
        different.dedup();
        assert!(different.len() * 10 > all * 9, "{} of {all}", different.len());
    }

    #[test]
    fn a_composition_is_met_exactly() {
        for formula in ["TiO2", "KMn8O16", "V2O5", "Fe3O4"] {
            let wanted = Composition::parse(formula).unwrap();
            let request = Request { sites: Some(120), ..Request::of_composition(wanted.clone()) };
            let sampler = sampler(&request);
            let samples: Vec<Sample> = (0..60).filter_map(|seed| sampler.sample(seed)).collect();
            assert!(samples.len() > 30, "{formula}: {} of 60", samples.len());
            for sample in samples {
                assert!(sample.tokens.composition().same_proportions(&wanted, 1e-9), "{}", sample.tokens);
                assert!(sample.tokens.sites() <= 120);
            }
        }
    }

    #[test]
    fn without_guidance_conditions_change_nothing() {
        let conditions = Conditions { free_sphere: Some(2.0), volume: Some(20.0), ..Conditions::default() };
        let open = Request { elements: elements(&["Ti", "O"]), ..Request::default() };
        let wanted = Request { conditions, ..open.clone() };
        let draw = |request: &Request, guidance| -> Vec<Option<Sample>> {
            let sampler = WyckoffSampler::guided(untrained(), request, guidance);
            (0..20).map(|seed| sampler.sample(seed)).collect()
        };
        assert_eq!(draw(&wanted, 0.0), draw(&open, 1.0));
        assert_eq!(draw(&wanted, 1.0), (0..20).map(|seed| sampler(&wanted).sample(seed)).collect::<Vec<_>>());
        assert_ne!(draw(&wanted, 1.0), draw(&open, 1.0));
        assert_ne!(draw(&wanted, 3.0), draw(&wanted, 1.0));
    }

    #[test]
    fn the_network_that_ships_says_what_it_knows_no_word_for() {
        let of = |symbols: &[&str]| {
            WyckoffSampler::embedded(&Request { elements: elements(symbols), ..Request::default() }).map(drop)
        };
        of(&["Mn", "O"]).unwrap();
        let message = of(&["Mn", "Ar", "O"]).unwrap_err().to_string();
        assert!(message.contains("no crystal with Ar") && message.contains("'templates'"), "{message}");
    }

    #[test]
    fn nothing_is_drawn_of_what_there_is_no_word_for() {
        for symbols in [&[][..], &["Ar", "Ne"], &["O"]] {
            let sampler = sampler(&Request { elements: elements(symbols), ..Request::default() });
            assert!((0..20).all(|seed| sampler.sample(seed).is_none()), "{symbols:?}");
        }
        let disordered = Composition::parse("Ti0.3O0.7").unwrap();
        assert!(sampler(&Request::of_composition(disordered)).sample(1).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn whatever_is_asked_for_ends_neutral(
            chosen in proptest::sample::subsequence(vec!["Li", "K", "Ca", "Al", "V", "Mn", "Nb", "W", "P", "F"], 1..5),
            sites in proptest::option::of(8_usize..100),
            seed in 0_u64..1_000_000,
        ) {
            let elements = elements(&[&chosen[..], &["Ti", "O"]].concat());
            let sampler = sampler(&Request { elements: elements.clone(), sites, ..Request::default() });
            let mut ended = 0;
            for k in 0..20 {
                let random = &mut Stream::new(mix(&[seed + k]));
                let Some((written, orbits)) = sampler.write(random) else { continue };
                // Neutral in the states that were drawn, before they are assigned again.
                prop_assert!(written.is_neutral() && orbits.len() <= MOST_ORBITS);
                prop_assert!(sites.is_none_or(|most| written.sites <= most as i64));
                let Sample { tokens, .. } = sampler.sample(seed + k).unwrap();
                prop_assert_eq!(tokens.sites() as i64, written.sites);
                prop_assert!(tokens.orbits().iter().all(|o| elements.contains(&o.species.element)));
                ended += 1;
            }
            // Masks that look ahead leave few dead ends: where the last orbits and the last atoms are short together.
            prop_assert!(ended >= 10, "{}", ended);
        }
    }
}
