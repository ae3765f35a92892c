//! SOAP: the smooth overlap of atomic positions, as the power spectrum of each site's surroundings.
//!
//! Every atom within reach of a site, the site's own included, is a Gaussian of width σ. The density of each element is
//! expanded in orthonormal radial orbitals (see `radial`) times real spherical harmonics (see `harmonics`), and
//! p = π √(8 / (2l + 1)) Σ_m c_nlm(Z) c_n'lm(Z') does not change when the crystal is rotated or moved. Order and norm are
//! dscribe's: pairs of elements (Z <= Z') by atomic number, then l, then n, then n' (n' >= n where Z = Z').
//! Bartók, Kondor & Csányi, *Phys. Rev. B* **87** (2013) 184115; Himanen et al., *Comput. Phys. Commun.* **247** (2020) 106949.
//!
//! # What may be compared
//! The numbers are laid out by the list of elements: vectors of crystals of unlike elements differ in length and meaning.
//! To compare any two crystals take one channel for all atoms: [`Channels::Blind`] sees geometry alone,
//! [`Channels::Electronegativity`] weighs each atom by Pauling's electronegativity (dscribe's compression `mu2`). With
//! [`Average::Inner`] or [`Average::Outer`] the crystal has one vector of `n_max (n_max + 1) / 2 · (l_max + 1)` numbers,
//! the same for every cell of the crystal.

mod expansion;
mod harmonics;
mod radial;
mod wide;

use std::sync::{Arc, Mutex, PoisonError};

use self::{
    expansion::Expansion,
    radial::{Radial, padding},
};
use super::environment::{elements_of, environments, pairs_within, sorted};
use crate::FeatureError;
use crystal::{Element, Structure};

/// The most numbers one result may have: 128 MiB.
const MAX_VALUES: usize = 1 << 24;
/// The most orbitals, and the highest degree, of a basis.
const MAX_ORDER: usize = 20;
/// Farthest neighbour of a site, Å.
const MAX_REACH: f64 = 30.0;

/// What is averaged over the sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Average {
    /// Nothing: one power spectrum a site.
    #[default]
    Off,
    /// The coefficients, before they are multiplied: one spectrum of the mean surroundings.
    Inner,
    /// The power spectra.
    Outer,
}

/// Which atoms share an expansion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Channels {
    /// One for each element of the crystal.
    #[default]
    Own,
    /// One for each of these elements, in whatever crystal: vectors of one length, and comparable.
    Elements(Vec<Element>),
    /// One for all atoms alike.
    Blind,
    /// One for all atoms, each weighted by its element's electronegativity.
    Electronegativity,
}

/// The parameters of [`soap`]. The defaults are those of dscribe where it has any, and r_cut 5 Å, n_max 8, l_max 6.
#[derive(Debug, Clone, PartialEq)]
pub struct SoapOptions {
    /// Radius of the outermost orbital, Å; over 1. Neighbours count up to 3.717 σ beyond it.
    pub r_cut: f64,
    /// Number of radial orbitals, 1 to 20.
    pub n_max: usize,
    /// Highest degree of the harmonics, 0 to 20.
    pub l_max: usize,
    /// Width of an atom's Gaussian, Å.
    pub sigma: f64,
    /// What is averaged over the sites.
    pub average: Average,
    /// Which atoms share an expansion.
    pub channels: Channels,
}

impl Default for SoapOptions {
    fn default() -> Self {
        Self { r_cut: 5.0, n_max: 8, l_max: 6, sigma: 1.0, average: Average::Off, channels: Channels::Own }
    }
}

impl SoapOptions {
    fn check(&self) -> Result<(), FeatureError> {
        let refuse = |message: String| Err(FeatureError::Argument(message));
        if !(self.r_cut > 1.0 && self.sigma > 0.0 && self.r_cut + padding(self.sigma) <= MAX_REACH) {
            return refuse(format!(
                "r_cut = {} Å and sigma = {} Å: SOAP needs r_cut > 1 Å, sigma > 0 Å and r_cut + 3.717 sigma <= {MAX_REACH} Å",
                self.r_cut, self.sigma
            ));
        }
        if !(1..=MAX_ORDER).contains(&self.n_max) || self.l_max > MAX_ORDER {
            return refuse(format!(
                "n_max = {} and l_max = {}: SOAP needs n_max of 1 to {MAX_ORDER} and l_max of 0 to {MAX_ORDER}",
                self.n_max, self.l_max
            ));
        }
        Ok(())
    }

    /// Numbers in one spectrum of `channels` expansions.
    fn features(&self, channels: usize) -> usize {
        let n = channels * self.n_max;
        n * (n + 1) / 2 * (self.l_max + 1)
    }
}

/// Power spectra of a crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Soap {
    /// Elements in the order of the channels; empty where all atoms share one.
    pub elements: Vec<Element>,
    /// Numbers in one spectrum.
    pub features: usize,
    /// The spectra one after another: one a site in the crystal's order, or the one that is the average.
    pub values: Vec<f64>,
}

impl Soap {
    /// The spectra.
    pub fn spectra(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.features)
    }
}

/// The SOAP power spectra of `structure`.
///
/// # Errors
/// Options out of range, an element outside [`Channels::Elements`] or without electronegativity, or a result of more than
/// 2²⁴ numbers (many sites and many elements: ask for an average), or more than some 10⁷ pairs of neighbours.
pub fn soap(structure: &Structure, options: &SoapOptions) -> Result<Soap, FeatureError> {
    options.check()?;
    let sites = Sites::new(structure, &options.channels)?;
    let features = options.features(sites.channels);
    let rows = if options.average == Average::Off { structure.len() } else { 1 };
    if features.saturating_mul(rows) > MAX_VALUES {
        return Err(FeatureError::Argument(format!(
            "SOAP of {rows} sites with {features} numbers each is over the limit of {MAX_VALUES} numbers; \
             average over the sites, or lower n_max and l_max"
        )));
    }
    let radial = radial(options)?;
    let mut values = vec![0.0; rows * features];
    let mut expansion = Expansion::new(&radial, sites.channels);
    let share = 1.0 / structure.len() as f64;
    let mut mean = vec![0.0; expansion.len()];
    let pairs = pairs_within(structure, radial.reach)?;
    for (i, seen) in environments(structure, &pairs).enumerate() {
        expansion.clear();
        expansion.push(sites.channel[i], [0.0; 3], sites.weight[i]);
        for (j, step, _) in seen {
            expansion.push(sites.channel[j], step, sites.weight[j]);
        }
        let coefficients = expansion.finish();
        match options.average {
            Average::Off => spectrum(&radial, coefficients, 1.0, &mut values[i * features..][..features]),
            Average::Outer => spectrum(&radial, coefficients, share, &mut values),
            Average::Inner => mean.iter_mut().zip(coefficients).for_each(|(m, c)| *m += share * c),
        }
    }
    if options.average == Average::Inner {
        spectrum(&radial, &mean, 1.0, &mut values);
    }
    Ok(Soap { elements: sites.elements, features, values })
}

/// The basis of these options, kept for the next crystal.
fn radial(options: &SoapOptions) -> Result<Arc<Radial>, FeatureError> {
    type Key = (u64, u64, usize, usize);
    static KEPT: Mutex<Vec<(Key, Arc<Radial>)>> = Mutex::new(vec![]);
    const MOST: usize = 16;
    let key = (options.r_cut.to_bits(), options.sigma.to_bits(), options.n_max, options.l_max);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, radial)) = kept.iter().find(|(k, _)| *k == key) {
        return Ok(radial.clone());
    }
    let radial = Arc::new(Radial::new(options)?);
    if kept.len() == MOST {
        kept.remove(0);
    }
    kept.push((key, radial.clone()));
    Ok(radial)
}

/// Channel and weight of each site.
struct Sites {
    elements: Vec<Element>,
    channels: usize,
    channel: Vec<usize>,
    weight: Vec<f64>,
}

impl Sites {
    fn new(structure: &Structure, channels: &Channels) -> Result<Self, FeatureError> {
        let species = structure.species();
        let elements = match channels {
            Channels::Own => elements_of(structure),
            Channels::Elements(list) => sorted(list.clone()),
            Channels::Blind | Channels::Electronegativity => vec![],
        };
        let channel = |e: &Element| match channels {
            Channels::Blind | Channels::Electronegativity => Ok(0),
            Channels::Own | Channels::Elements(_) => elements
                .binary_search(e)
                .map_err(|_| FeatureError::Argument(format!("{} is not in the list of elements", e.symbol()))),
        };
        let weight = |e: &Element| match channels {
            Channels::Electronegativity => e.electronegativity().ok_or_else(|| {
                FeatureError::Argument(format!("{} has no electronegativity by which to weigh its atoms", e.symbol()))
            }),
            _ => Ok(1.0),
        };
        Ok(Self {
            channel: species.iter().map(channel).collect::<Result<_, _>>()?,
            weight: species.iter().map(weight).collect::<Result<_, _>>()?,
            channels: elements.len().max(1),
            elements,
        })
    }
}

/// Adds `share` times the power spectrum of `coefficients` to `out`.
fn spectrum(radial: &Radial, coefficients: &[f64], share: f64, out: &mut [f64]) {
    let (n, degrees) = (radial.n_max, radial.l_max + 1);
    let size = degrees * degrees * n;
    let mut out = out;
    for (a, first) in coefficients.chunks_exact(size).enumerate() {
        for (b, second) in coefficients.chunks_exact(size).enumerate().skip(a) {
            for l in 0..degrees {
                let norm = share * std::f64::consts::PI * (8.0 / (2 * l + 1) as f64).sqrt();
                let degree = l * l * n..(l + 1) * (l + 1) * n;
                for i in 0..n {
                    let from = if a == b { i } else { 0 };
                    let (row, rest) = out.split_at_mut(n - from);
                    for (c, d) in first[degree.clone()].chunks_exact(n).zip(second[degree.clone()].chunks_exact(n)) {
                        let c = norm * c[i];
                        row.iter_mut().zip(&d[from..]).for_each(|(p, d)| *p += c * d);
                    }
                    out = rest;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::Lattice;
    use crystal::testing::{rutile, srtio3};

    fn lone(symbol: &str) -> Structure {
        let lattice = Lattice::from_parameters(20.0, 20.0, 20.0, 90.0, 90.0, 90.0).unwrap();
        Structure::new(lattice, vec![Element::from_symbol(symbol).unwrap()], vec![[0.1; 3]]).unwrap()
    }

    #[test]
    fn a_lone_atom_is_round_and_weighs_as_its_electronegativity() {
        let options = SoapOptions { n_max: 3, l_max: 2, channels: Channels::Blind, ..SoapOptions::default() };
        let blind = soap(&lone("O"), &options).unwrap();
        // Six numbers of l = 0, then nothing: a sphere has no other degree.
        assert_eq!(blind.features, 6 * 3);
        assert!(blind.values[5] > 1.0 && blind.values[6..].iter().all(|p| p.abs() < 1e-12), "{:?}", blind.values);
        let weighted = soap(&lone("O"), &SoapOptions { channels: Channels::Electronegativity, ..options }).unwrap();
        assert!((weighted.values[5] / blind.values[5] - 3.44 * 3.44).abs() < 1e-12);
    }

    #[test]
    fn elements_that_the_crystal_lacks_have_empty_channels() {
        let [h, o, ti] = ["H", "O", "Ti"].map(|s| Element::from_symbol(s).unwrap());
        let options = SoapOptions { n_max: 2, l_max: 1, ..SoapOptions::default() };
        let own = soap(&rutile(), &options).unwrap();
        assert_eq!(own.elements, [o, ti]);
        let listed = soap(&rutile(), &SoapOptions { channels: Channels::Elements(vec![ti, h, o]), ..options }).unwrap();
        assert_eq!((listed.elements, listed.features), (vec![h, o, ti], 6 * 7 / 2 * 2));
        // H-H, H-O, H-Ti, O-O, O-Ti, Ti-Ti with 6, 8, 8, 6, 8 and 6 numbers.
        let site = &listed.values[..42];
        assert!(site[..22].iter().all(|p| *p == 0.0));
        assert_eq!(site[22..], own.values[..20]);
    }

    #[test]
    fn an_element_outside_the_list_or_without_electronegativity_is_refused() {
        let refused = |s: &Structure, channels| {
            soap(s, &SoapOptions { channels, ..SoapOptions::default() }).unwrap_err().to_string()
        };
        assert!(refused(&srtio3(), Channels::Elements(vec![Element::O])).contains("is not in the list"));
        assert!(refused(&lone("Ne"), Channels::Electronegativity).contains("Ne has no electronegativity"));
    }

    #[test]
    fn options_out_of_range_and_results_too_large_are_refused() {
        let refused = |options: SoapOptions| soap(&rutile(), &options).unwrap_err().to_string();
        let default = SoapOptions::default;
        assert!(refused(SoapOptions { r_cut: 1.0, ..default() }).contains("r_cut > 1"));
        assert!(refused(SoapOptions { sigma: f64::NAN, ..default() }).contains("sigma > 0"));
        assert!(refused(SoapOptions { sigma: 9.0, ..default() }).contains("3.717 sigma <= 30"));
        assert!(refused(SoapOptions { n_max: 0, ..default() }).contains("n_max of 1 to 20"));
        assert!(refused(SoapOptions { l_max: 21, ..default() }).contains("l_max of 0 to 20"));
        let elements = (1..=118).map(|z| Element::from_z(z).unwrap()).collect();
        let many = SoapOptions { channels: Channels::Elements(elements), ..default() };
        assert!(refused(many).contains("average over the sites"));
    }
}
