//! From tokens to a crystal: free coordinates are drawn, and of the draws without overlap the one with the best bond
//! valences is kept.
//!
//! A draw is ranked by two numbers, the second deciding where the first is zero. Overlap: how far ions come nearer than [`LEAST`] of the
//! sum of Shannon's radii; hydrogen, a bare proton to Shannon, of covalent radii; cations, between which there is an anion, than
//! [`LEAST_OF_CATIONS`] of the distance of the centres of octahedra that share a face, 2/√3 of a bond. Instability: the root mean square of
//! what bond valences miss the oxidation states by ([`bond_valence_sums`]), which is small where each ion has the neighbours it needs. The
//! best of the first draws is improved in small steps. A guess to begin a relaxation with, of exactly the requested symmetry.

use crystal::random::{Stream, mix};
use crystal::{Element, Structure, Symmetry, neighbors_up_to};
use features::bond_valence_sums;

use super::places::{Draw, Places, radius};
use super::{GenerationError, Species, Tokens};

/// Ions come no nearer than this share of the sum of their radii.
const LEAST: f64 = 0.75;
/// Cations come no nearer than this share of their distance in octahedra that share a face. Barium in a filled hollandite has 0.92.
const LEAST_OF_CATIONS: f64 = 0.9;
/// Tolerance within which the crystal has the symmetry of its tokens and no other, Å.
const SYMPREC: f64 = 0.01;
/// Steps become this much smaller over an improvement, of their ranges.
const STEPS: [f64; 2] = [0.4, 0.02];
/// A draw with more pairs of ions in contact than this, for each site, is no crystal.
const CROWD: usize = 200;

/// How much work goes into the coordinates of one crystal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeOptions {
    /// Draws of which the best is improved.
    pub draws: usize,
    /// Steps of its improvement.
    pub steps: usize,
    /// Volume per atom, Å³; without it, from the sizes of the ions.
    pub volume: Option<f64>,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self { draws: 30, steps: 300, volume: None }
    }
}

/// A crystal that was made of tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The crystal, in the conventional cell of its space group.
    pub structure: Structure,
    /// Root mean square of what bond valences miss the oxidation states by, valence units; `None` where an element has no parameters.
    pub instability: Option<f64>,
}

/// A crystal of `tokens`, the same for the same seed.
///
/// # Errors
/// An ion of which Shannon lists no radius, [`GenerationError::Overlap`] where in no draw the ions have room, and
/// [`GenerationError::Symmetry`] where the best draw is of another space group.
pub fn decode(tokens: &Tokens, options: &DecodeOptions, seed: u64) -> Result<Decoded, GenerationError> {
    let places = Places::of(tokens, options.volume)?;
    let judge = Judge::of(&places)?;
    let random = &mut Stream::new(mix(&[seed]));
    let mut best: Option<(Worth, Draw)> = None;
    let consider = |best: &mut Option<(Worth, Draw)>, draw: Draw| {
        let Ok(structure) = places.crystal(&draw) else { return };
        let worth = judge.worth(&structure);
        if best.as_ref().is_none_or(|(known, _)| worth.is_better(known)) {
            *best = Some((worth, draw));
        }
    };
    for _ in 0..options.draws.max(1) {
        consider(&mut best, places.draw(random));
    }
    let shrink = (STEPS[1] / STEPS[0]).powf(1.0 / options.steps.max(1) as f64);
    let mut step = STEPS[0];
    for _ in 0..options.steps {
        let Some((_, known)) = &best else { break };
        let near = places.near(known, step, random);
        consider(&mut best, near);
        step *= shrink;
    }
    let best = best.filter(|(worth, _)| worth.overlap == 0.0);
    let (worth, draw) = best.ok_or_else(|| GenerationError::Overlap(tokens.to_string()))?;
    let structure = places.crystal(&draw)?;
    match Symmetry::of(&structure, SYMPREC)?.number {
        number if number == tokens.group() => Ok(Decoded { structure, instability: worth.instability }),
        found => Err(GenerationError::Symmetry { tokens: tokens.to_string(), found }),
    }
}

/// How good a draw is.
struct Worth {
    /// Sum over all pairs of the square of what they are too near by, as a share of their contact, over the number of sites.
    overlap: f64,
    instability: Option<f64>,
}

impl Worth {
    fn is_better(&self, known: &Self) -> bool {
        let of = |worth: &Self| worth.instability.unwrap_or(0.0);
        self.overlap < known.overlap || self.overlap == known.overlap && of(self) < of(known)
    }
}

/// Judges draws of one set of places.
struct Judge<'a> {
    places: &'a Places,
    /// Of each site, which species stands there.
    kinds: Vec<usize>,
    /// Least distances between species, Å.
    least: Vec<Vec<f64>>,
    cutoff: f64,
}

impl<'a> Judge<'a> {
    fn of(places: &'a Places) -> Result<Self, GenerationError> {
        let mut species: Vec<Species> = places.places.iter().map(|place| place.species).collect();
        species.sort_unstable();
        species.dedup();
        let radii = species.iter().map(|&s| radius(s)).collect::<Result<Vec<_>, _>>()?;
        let anion = species.iter().zip(&radii).filter(|(s, _)| s.is_anion()).map(|(_, r)| *r).fold(0.0, f64::max);
        let least = |i: usize, j: usize| {
            let (a, b) = (species[i], species[j]);
            if a.element == Element::H || b.element == Element::H {
                let covalent = |s: Species| s.element.covalent_radius().unwrap_or(0.0);
                return LEAST * (covalent(a) + covalent(b));
            }
            match a.is_anion() || b.is_anion() {
                true => LEAST * (radii[i] + radii[j]),
                false => LEAST_OF_CATIONS * (radii[i] + radii[j] + 2.0 * anion) / 3.0_f64.sqrt(),
            }
        };
        let all = 0..species.len();
        let least: Vec<Vec<f64>> = all.clone().map(|i| all.clone().map(|j| least(i, j)).collect()).collect();
        let cutoff = least.iter().flatten().copied().fold(0.0, f64::max);
        let kind = |s: Species| species.iter().position(|known| *known == s).unwrap_or(0);
        let kinds = places.places.iter().flat_map(|p| std::iter::repeat_n(kind(p.species), p.position.multiplicity));
        Ok(Self { places, kinds: kinds.collect(), least, cutoff })
    }

    fn worth(&self, structure: &Structure) -> Worth {
        let overlap = self.overlap(structure);
        let instability = if overlap == 0.0 { self.instability(structure) } else { None };
        Worth { overlap, instability }
    }

    fn overlap(&self, structure: &Structure) -> f64 {
        let n = structure.len();
        let Some(pairs) = neighbors_up_to(structure, self.cutoff, CROWD * n) else { return f64::INFINITY };
        let kind = |site: u32| self.kinds[site as usize];
        let too_near = |k: usize| {
            let least = self.least[kind(pairs.center[k])][kind(pairs.neighbor[k])];
            (1.0 - pairs.distance[k] / least).max(0.0).powi(2)
        };
        (0..pairs.len()).map(too_near).sum::<f64>() / n as f64
    }

    fn instability(&self, structure: &Structure) -> Option<f64> {
        let sums = bond_valence_sums(structure, 1.0).ok()?;
        let (mut site, mut sum) = (0, 0.0);
        for place in &self.places.places {
            // The sites of an orbit are alike: the first stands for all.
            let n = place.position.multiplicity;
            sum += n as f64 * place.species.charge.misses(sums[site]).powi(2);
            site += n;
        }
        Some((sum / site as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::hosts::{embedded, host};

    fn crystal(tokens: &Tokens, seed: u64) -> Option<(Structure, f64)> {
        let decoded = decode(tokens, &DecodeOptions::default(), seed).ok()?;
        Some((decoded.structure, decoded.instability?))
    }

    #[test]
    fn the_same_seed_makes_the_same_crystal() {
        let tokens = Tokens::of(&host("pyrolusite").unwrap(), 0.01).unwrap();
        let [one, again, other] = [1, 1, 2].map(|seed| crystal(&tokens, seed));
        assert!(one.is_some() && one == again && one != other);
    }

    #[test]
    fn rutile_is_found_from_its_tokens() {
        let known = host("pyrolusite").unwrap();
        let tokens = Tokens::of(&known, 0.01).unwrap();
        let same = |made: &Structure| features::same_structure(made, &known, &features::Tolerances::default());
        let all: Vec<(Structure, f64)> = (0..10).filter_map(|seed| crystal(&tokens, seed)).collect();
        let found: Vec<_> = all.iter().filter(|(made, _)| same(made)).collect();
        assert!(!found.is_empty(), "none of {}", all.len());
        // Bond valences alone hardly fix the volume: a relaxation does.
        for (made, instability) in found {
            assert!(
                *instability < 0.3 && (made.volume() / known.volume() - 1.0).abs() < 0.35,
                "{instability} {made:?}"
            );
        }
    }

    #[test]
    fn a_cell_has_the_volume_that_is_asked_for() {
        let tokens = Tokens::of(&host("hollandite-mno2").unwrap(), 0.01).unwrap();
        for volume in [13.0, 17.0] {
            let options = DecodeOptions { volume: Some(volume), ..DecodeOptions::default() };
            let made: Vec<Decoded> = (0..5).filter_map(|seed| decode(&tokens, &options, seed).ok()).collect();
            assert!(!made.is_empty());
            for Decoded { structure, .. } in made {
                assert!((structure.volume() / structure.len() as f64 - volume).abs() < 1e-6, "{volume} {structure:?}");
            }
        }
        // Ions do not fit into too small a cell.
        let options = DecodeOptions { volume: Some(4.0), ..DecodeOptions::default() };
        assert!(matches!(decode(&tokens, &options, 1), Err(GenerationError::Overlap(_))));
    }

    #[test]
    fn most_published_tokens_make_crystals_of_their_symmetry() {
        let (mut tried, mut made, mut sound) = (0, 0, 0);
        for host in embedded() {
            let Ok(tokens) = Tokens::of(&host.structure, 0.01) else { continue };
            if tokens.sites() > 60 {
                continue;
            }
            tried += 1;
            let Some((structure, instability)) = crystal(&tokens, 7) else { continue };
            assert_eq!(Tokens::of(&structure, SYMPREC).unwrap(), tokens, "{}", host.id);
            made += 1;
            sound += usize::from(instability < 0.4);
        }
        assert!(made * 10 > tried * 9 && sound * 10 > made * 7, "{made} of {tried} made, {sound} of them sound");
    }
}
