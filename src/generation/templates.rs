//! Templates: the orbits of known crystals with other elements on them. The baseline for a trained sampler.
//!
//! The template of a crystal is its tokens without elements: which positions belong together, and whether they hold cations or
//! anions. One is drawn as often as it is known. Each of its parts takes an element by how often the element is known on positions
//! of such site symmetry; a choice that is charge-neutral, with a charge of the right sign on each part, is a sample.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crystal::random::{Stream, mix};
use crystal::{Composition, Element, Setting};

use super::{Orbit, Request, Sample, Sampler, SamplerKind, Species, Tokens};

/// Choices of elements that are tried for one template.
const TRIES: usize = 200;
/// Relative difference of amounts that are the same.
const SAME: f64 = 1e-9;

/// The positions of one element.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Part {
    letters: Vec<char>,
    anion: bool,
}

/// Tokens without elements: the same for every choice of origin and axes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Template {
    group: u16,
    parts: Vec<Part>,
}

impl Template {
    fn of(tokens: &Tokens) -> Option<Self> {
        let parts = |tokens: &Tokens| {
            let mut of_species: BTreeMap<Species, Vec<char>> = BTreeMap::new();
            for orbit in tokens.orbits() {
                of_species.entry(orbit.species).or_default().push(orbit.letter);
            }
            let part = |(species, letters): (Species, Vec<char>)| Part { letters, anion: species.is_anion() };
            let mut parts: Vec<Part> = of_species.into_iter().map(part).collect();
            parts.sort_unstable();
            parts
        };
        let least = tokens.equivalents().iter().map(parts).min()?;
        Some(Self { group: tokens.group(), parts: least })
    }

    /// Atoms of each part in the conventional cell.
    fn amounts(&self) -> Option<Vec<f64>> {
        let positions = Setting::usual(self.group)?.wyckoff_positions();
        let of_letter = |letter: &char| Some(positions.iter().find(|p| p.letter == *letter)?.multiplicity as f64);
        self.parts.iter().map(|part| part.letters.iter().map(of_letter).sum()).collect()
    }

    /// Site symmetries of each part.
    fn symmetries(&self) -> Vec<Vec<&'static str>> {
        let positions = Setting::usual(self.group).map_or(&[][..], Setting::wyckoff_positions);
        let of_letter = |letter: &char| Some(positions.iter().find(|p| p.letter == *letter)?.site_symmetry);
        self.parts.iter().map(|part| part.letters.iter().filter_map(of_letter).collect()).collect()
    }
}

/// The templates of known crystals, how often each is known, and which elements stand where.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    known: BTreeMap<Template, Known>,
    /// How many orbits of each site symmetry each element has, as cation and as anion.
    orbits: HashMap<(&'static str, bool, Element), u32>,
}

/// What is known of a template.
#[derive(Debug, Clone)]
struct Known {
    crystals: u64,
    /// The alphabetically first of their names.
    first: String,
}

impl Templates {
    /// Adds a known crystal by its name.
    pub fn add(&mut self, name: &str, tokens: &Tokens) {
        let Some(template) = Template::of(tokens) else { return };
        let known = self.known.entry(template).or_insert_with(|| Known { crystals: 0, first: name.to_owned() });
        known.crystals += 1;
        if name < known.first.as_str() {
            known.first = name.to_owned();
        }
        for orbit in tokens.orbits() {
            if let Some((symmetry, _)) = tokens.site_symmetry(orbit) {
                let key = (symmetry, orbit.species.is_anion(), orbit.species.element);
                *self.orbits.entry(key).or_default() += 1;
            }
        }
    }

    /// Whether a crystal of a composition may have a template that fits a request: its symmetry need not be known for that.
    pub fn may_fit(request: &Request, composition: &Composition) -> bool {
        amounts_fit(composition.iter().map(|(_, n)| n).collect(), request)
    }

    /// Whether a crystal of the template of these tokens was added.
    pub fn knows(&self, tokens: &Tokens) -> bool {
        Template::of(tokens).is_some_and(|template| self.known.contains_key(&template))
    }

    /// Number of different templates.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no crystal was added.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How often an element is known on positions of these symmetries: never 0, so that unseen choices may be drawn.
    fn weight(&self, symmetries: &[&'static str], anion: bool, element: Element) -> f64 {
        let seen = symmetries.iter().filter_map(|s| self.orbits.get(&(*s, anion, element)));
        1.0 + seen.map(|n| f64::from(*n)).sum::<f64>()
    }
}

/// Draws templates and puts elements on them.
pub struct TemplateSampler {
    templates: Arc<Templates>,
    request: Request,
    /// The templates that can be of the request, each with the sum of crystals up to it.
    fitting: Vec<(Template, u64)>,
}

impl TemplateSampler {
    /// The sampler of a request; it draws nothing where no template fits.
    pub fn new(templates: Arc<Templates>, request: Request) -> Self {
        let mut sum = 0;
        let fitting =
            templates.known.iter().filter(|(template, _)| fits(template, &request)).map(|(template, known)| {
                sum += known.crystals;
                (template.clone(), sum)
            });
        let fitting = fitting.collect();
        Self { templates, request, fitting }
    }

    /// Number of templates that can be of the request.
    pub fn fitting(&self) -> usize {
        self.fitting.len()
    }

    /// Elements for the parts, drawn one after another without repetition; `None` where no element is left.
    fn elements(&self, template: &Template, random: &mut Stream) -> Option<Vec<Element>> {
        let mut left = self.request.elements.clone();
        let drawn = template.symmetries().into_iter().zip(&template.parts).map(|(symmetries, part)| {
            let weights: Vec<f64> = left.iter().map(|&e| self.templates.weight(&symmetries, part.anion, e)).collect();
            let mut at = f64::from(random.uniform()) * weights.iter().sum::<f64>();
            let chosen = weights.iter().position(|w| {
                at -= w;
                at < 0.0
            });
            let chosen = chosen.or(left.len().checked_sub(1))?;
            Some(left.swap_remove(chosen))
        });
        drawn.collect()
    }

    /// The tokens of a template with elements on it, where they are charge-neutral and of the requested composition.
    fn dressed(&self, template: &Template, elements: &[Element]) -> Option<Tokens> {
        let composition: Composition = elements.iter().copied().zip(template.amounts()?).collect();
        if self.request.composition.as_ref().is_some_and(|wanted| !wanted.same_proportions(&composition, SAME)) {
            return None;
        }
        let species = Species::of(&composition)?;
        let mut orbits = Vec::new();
        for (part, element) in template.parts.iter().zip(elements) {
            let species = *species.iter().find(|s| s.element == *element)?;
            if species.is_anion() != part.anion {
                return None;
            }
            orbits.extend(part.letters.iter().map(|&letter| Orbit { letter, species }));
        }
        Some(Tokens::new(template.group, orbits).ok()?.canonical())
    }
}

/// Whether a template has no more parts and sites than the request allows, and the amounts of its composition.
fn fits(template: &Template, request: &Request) -> bool {
    let Some(amounts) = template.amounts() else { return false };
    request.sites.is_none_or(|most| amounts.iter().sum::<f64>() <= most as f64) && amounts_fit(amounts, request)
}

/// Whether the amounts of the elements of a crystal are those of the requested composition, or no more than the requested elements.
fn amounts_fit(mut amounts: Vec<f64>, request: &Request) -> bool {
    let Some(wanted) = &request.composition else { return amounts.len() <= request.elements.len() };
    let mut shares: Vec<f64> = wanted.iter().map(|(_, n)| n / wanted.natoms()).collect();
    let all: f64 = amounts.iter().sum();
    amounts.sort_by(f64::total_cmp);
    shares.sort_by(f64::total_cmp);
    amounts.len() == shares.len() && amounts.iter().zip(shares).all(|(n, share)| (n / all - share).abs() < SAME)
}

impl Sampler for TemplateSampler {
    fn name(&self) -> &str {
        SamplerKind::TEMPLATES
    }

    fn sample(&self, seed: u64) -> Option<Sample> {
        let random = &mut Stream::new(mix(&[seed]));
        let (_, all) = self.fitting.last()?;
        let drawn = random.below(usize::try_from(*all).ok()?) as u64;
        let (template, _) = &self.fitting[self.fitting.partition_point(|(_, sum)| *sum <= drawn)];
        for _ in 0..TRIES {
            let elements = self.elements(template, random)?;
            if let Some(tokens) = self.dressed(template, &elements) {
                let first = self.templates.known.get(template).map(|known| known.first.clone());
                return Some(Sample { tokens, template: first });
            }
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::tokens::tests::species;
    use formats::hosts::embedded;

    /// The templates of the published crystals.
    pub(crate) fn published() -> Arc<Templates> {
        let mut templates = Templates::default();
        for host in embedded() {
            if let Ok(tokens) = Tokens::of(&host.structure, 0.01) {
                templates.add(&host.id, &tokens);
            }
        }
        Arc::new(templates)
    }

    pub(crate) fn elements(symbols: &[&str]) -> Vec<Element> {
        symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect()
    }

    #[test]
    fn samples_are_neutral_of_the_elements_asked_for_and_repeatable() {
        let request = Request { elements: elements(&["Ca", "Mo", "V", "O"]), sites: Some(40), ..Request::default() };
        let sampler = TemplateSampler::new(published(), request.clone());
        assert!(sampler.fitting() > 20, "{}", sampler.fitting());
        let samples: Vec<Option<Sample>> = (0..200).map(|seed| sampler.sample(seed)).collect();
        assert_eq!(samples, (0..200).map(|seed| sampler.sample(seed)).collect::<Vec<_>>());
        let made: Vec<Sample> = samples.into_iter().flatten().collect();
        assert!(made.len() > 100, "{}", made.len());
        let mut formulas = std::collections::BTreeSet::new();
        for Sample { tokens, template } in &made {
            let (low, high) = tokens.charge();
            assert!(low <= 0 && high >= 0 && tokens.sites() <= 40, "{tokens}");
            assert!(tokens.orbits().iter().all(|o| request.elements.contains(&o.species.element)), "{tokens}");
            assert!(template.is_some());
            assert!(Templates::may_fit(&request, &tokens.composition()));
            formulas.insert(tokens.composition().reduced_formula());
        }
        assert!(formulas.len() > 10, "{formulas:?}");
    }

    #[test]
    fn a_composition_finds_the_templates_of_its_amounts() {
        let wanted = Composition::parse("SnO2").unwrap();
        let request = Request::of_composition(wanted.clone());
        for (formula, fits) in [("Al2O3", false), ("Ti2O4", true), ("OLi2", true), ("Li3O2", false), ("LiTiO2", false)]
        {
            assert_eq!(Templates::may_fit(&request, &Composition::parse(formula).unwrap()), fits, "{formula}");
        }
        let sampler = TemplateSampler::new(published(), request);
        let samples: Vec<Sample> = (0..100).filter_map(|seed| sampler.sample(seed)).collect();
        assert!(samples.len() > 90, "{}", samples.len());
        assert!(samples.iter().all(|s| s.tokens.composition().same_proportions(&wanted, 1e-9)));
        // Cassiterite is of the rutile type.
        assert!(samples.iter().any(|s| s.tokens.to_string() == "136 Sn4+:2a O2-:4f"));
        assert!(samples.iter().any(|s| s.tokens.group() == 87));
    }

    #[test]
    fn crystals_that_differ_in_elements_have_one_template() {
        let mut templates = Templates::default();
        let of = |id: &str| Tokens::of(&formats::hosts::host(id).unwrap(), 0.01).unwrap();
        for id in ["pyrolusite", "rutile", "anatase"] {
            templates.add(id, &of(id));
        }
        assert_eq!(templates.len(), 2);
        let orbit = |letter, symbol, charge| Orbit { letter, species: species(symbol, charge) };
        let cassiterite = Tokens::new(136, vec![orbit('a', "Sn", 4), orbit('f', "O", -2)]).unwrap();
        assert!(templates.knows(&cassiterite) && !templates.knows(&of("hollandite-mno2")));
        let most = templates.known.values().max_by_key(|known| known.crystals).unwrap();
        assert_eq!((most.crystals, most.first.as_str()), (2, "pyrolusite"));
    }

    #[test]
    fn nothing_is_drawn_where_nothing_fits() {
        let none =
            TemplateSampler::new(published(), Request { elements: elements(&["Ar", "Ne"]), ..Request::default() });
        assert!((0..20).all(|seed| none.sample(seed).is_none()));
        assert_eq!(TemplateSampler::new(published(), Request::default()).sample(1), None);
    }
}
