//! A crystal as diffraction sees it on average: sites that elements share, or that are empty in part.

use super::{Composition, Element, Lattice, MERGE_DISTANCE, lattice::norm};
use crate::CrystalError;

/// By how much the occupancies of a site may exceed 1 in sum: they are printed with two digits.
const OVERFULL: f64 = 0.011;

/// A lattice and its sites, each with the elements that it holds on average.
#[derive(Debug, Clone, PartialEq)]
pub struct Disordered {
    lattice: Lattice,
    sites: Vec<SharedSite>,
}

/// A site and what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedSite {
    /// Fractional coordinates.
    pub frac: [f64; 3],
    /// Elements by atomic number, each once, with their occupancies above 0; what lacks to 1 is empty.
    pub occupants: Vec<(Element, f64)>,
}

impl Disordered {
    /// Of atoms with an occupancy each; those within [`MERGE_DISTANCE`] of one another share a site.
    ///
    /// # Errors
    /// No atom, an occupancy below 0 or not finite, or a site whose occupancies exceed 1.
    pub fn new(lattice: Lattice, atoms: &[(Element, [f64; 3], f64)]) -> Result<Self, CrystalError> {
        let fault = |message: String| Err(CrystalError::Sites(message));
        let near = |a: &[f64; 3], b: &[f64; 3]| {
            let step = std::array::from_fn(|k| (a[k] - b[k]) - (a[k] - b[k]).round());
            norm(lattice.to_cartesian(step)) < MERGE_DISTANCE
        };
        let mut sites: Vec<SharedSite> = Vec::new();
        for (i, &(element, frac, occupancy)) in atoms.iter().enumerate() {
            if !(occupancy >= 0.0 && frac.iter().all(|x| x.is_finite())) {
                return fault(format!("atom {} ({element}) has occupancy {occupancy} at {frac:?}", i + 1));
            }
            if occupancy == 0.0 {
                continue;
            }
            let site = match sites.iter().position(|site| near(&site.frac, &frac)) {
                Some(site) => site,
                None => {
                    sites.push(SharedSite { frac, occupants: Vec::new() });
                    sites.len() - 1
                }
            };
            let occupants = &mut sites[site].occupants;
            match occupants.iter_mut().find(|(e, _)| *e == element) {
                Some((_, sum)) => *sum += occupancy,
                None => occupants.push((element, occupancy)),
            }
        }
        if sites.is_empty() {
            return fault("the structure has no atom".into());
        }
        for site in &mut sites {
            site.occupants.sort_by_key(|(element, _)| *element);
            let sum: f64 = site.occupants.iter().map(|(_, n)| n).sum();
            if sum > 1.0 + OVERFULL {
                let held: Vec<String> = site.occupants.iter().map(|(e, n)| format!("{e} {n}")).collect();
                return fault(format!("the site at {:?} holds {}: more than one atom", site.frac, held.join(", ")));
            }
        }
        Ok(Self { lattice, sites })
    }

    /// The lattice, Å.
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// The sites.
    pub fn sites(&self) -> &[SharedSite] {
        &self.sites
    }

    /// What the cell holds on average.
    pub fn composition(&self) -> Composition {
        self.sites.iter().flat_map(|site| site.occupants.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube() -> Lattice {
        Lattice::from_parameters(4.2, 4.2, 4.2, 90.0, 90.0, 90.0).unwrap()
    }

    #[test]
    fn atoms_on_one_place_share_a_site() {
        let [li, mg, o] = [3, 12, 8].map(|z| Element::from_z(z).unwrap());
        let atoms = [
            (mg, [0.0, 0.0, 1.0], 0.5),
            (li, [0.001, 0.0, 0.0], 0.25),
            (mg, [0.0; 3], 0.125),
            (o, [0.5; 3], 1.0),
            (li, [0.25; 3], 0.0),
        ];
        let crystal = Disordered::new(cube(), &atoms).unwrap();
        assert_eq!(crystal.sites().len(), 2);
        assert_eq!(crystal.sites()[0].occupants, [(li, 0.25), (mg, 0.625)]);
        assert_eq!(crystal.composition().formula(), "Li0.25Mg0.625O");
    }

    #[test]
    fn a_site_holds_one_atom_at_most() {
        let [li, o] = [3, 8].map(|z| Element::from_z(z).unwrap());
        let error = Disordered::new(cube(), &[(li, [0.0; 3], 0.6), (o, [0.0; 3], 0.5)]).unwrap_err().to_string();
        assert!(error.contains("Li 0.6, O 0.5") && error.contains("more than one atom"), "{error}");
        assert!(Disordered::new(cube(), &[(li, [0.0; 3], -0.5)]).is_err());
        assert!(Disordered::new(cube(), &[(li, [0.0; 3], 0.0)]).is_err());
    }
}
