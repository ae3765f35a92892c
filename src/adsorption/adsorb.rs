//! From an empty host to the potential at which an ion is held in it: sites, insertion, relaxation, energies.
//!
//! The host is relaxed with its cell; n ions are put where [`insert`] finds them best in the relaxed host; the cell with them is
//! relaxed in turn. With the energy of the ion by itself, all three from one model,
//!
//! ```text
//! potential = -(E(X_n host) - E(host) - n E(X)) / n      eV per ion, positive = favourable
//! ```
//!
//! Many hosts and channels go in lock-step: each host is relaxed once, whatever the number of channels that are asked for.

use std::{collections::BTreeMap, ops::ControlFlow};

use super::{
    adsorption_potential,
    elements::reference,
    insert::{Insertion, insert},
    relax::{RelaxOptions, Relaxed, Round, relax},
    sites::Within,
};
use crate::{
    crystal::{ContentHash, Radii, Structure, content_hash},
    error::AdsorptionError,
    features::{Ion, site_radii, tunnels},
    models::potential::Potential,
};

/// Atoms are moved by so much before the cell with ions is relaxed, Å: the middle of a tunnel is a saddle more often than not.
const NUDGE: f64 = 0.02;

/// What is asked for: so many ions in a host.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The empty host.
    pub host: &'a Structure,
    /// What goes in.
    pub ion: Ion,
    /// How many in its cell.
    pub n: usize,
    /// Where; `None`: in each of the channels of the relaxed host in turn, in its cavities where it has none.
    pub within: Option<Within>,
}

impl Request<'_> {
    /// The places that are asked for, in the relaxed host.
    fn places(&self, relaxed: &Structure) -> Result<Vec<Within>, AdsorptionError> {
        if let Some(within) = self.within {
            return Ok(vec![within]);
        }
        let channels = tunnels(relaxed, &site_radii(relaxed, Radii::Shannon)?)?.len();
        Ok(match channels {
            0 => vec![Within::Cavities],
            _ => (0..channels).map(Within::Channel).collect(),
        })
    }
}

/// Ions in a host, relaxed.
#[derive(Debug, Clone, PartialEq)]
pub struct Adsorbed {
    /// Index of the channel where the first ion was put, among the tunnels of the relaxed host; `None` in a closed cavity.
    pub channel: Option<usize>,
    /// Polyhedra around it.
    pub ring: Option<usize>,
    /// Ions in the cell.
    pub n: usize,
    /// Fractional coordinates where they were put.
    pub sites: Vec<[f64; 3]>,
    /// Energy of the relaxed host, eV.
    pub e_host: f64,
    /// Energy of the relaxed cell with the ions, eV.
    pub e_inserted: f64,
    /// Energy of the ion by itself, eV/atom.
    pub e_ion: f64,
    /// eV per ion, positive = favourable.
    pub potential: f64,
    /// Volume of the cell with ions over that of the relaxed host, less 1.
    pub volume_change: f64,
    /// The relaxed cell with the ions, which come last.
    pub structure: Structure,
    /// Whether both relaxations converged.
    pub converged: bool,
    /// Steps of both.
    pub steps: usize,
}

/// What became of one place that was asked for.
pub type Answer = Result<Adsorbed, AdsorptionError>;

/// Answers `requests`: for each, what became of the places that it asks for. `references`: energies of the elements by
/// themselves on the scale of the model, eV/atom. `watch` is called after every round and may break off.
///
/// # Errors
/// Per request: an element that the model does not know, a host that falls apart. Per place: no energy of the ion, no site
/// or no room.
pub fn adsorb(
    potential: &dyn Potential,
    references: &BTreeMap<String, f64>,
    requests: &[Request<'_>],
    options: &RelaxOptions,
    mut watch: impl FnMut(Round) -> ControlFlow<()>,
) -> ControlFlow<(), Vec<Result<Vec<Answer>, AdsorptionError>>> {
    let mut known: BTreeMap<ContentHash, usize> = BTreeMap::new();
    let mut hosts: Vec<&Structure> = Vec::new();
    let mut of = Vec::with_capacity(requests.len());
    for request in requests {
        of.push(*known.entry(content_hash(request.host)).or_insert(hosts.len()));
        if of.last() == Some(&hosts.len()) {
            hosts.push(request.host);
        }
    }
    let relaxed = relax(potential, &hosts, options, &mut watch)?;
    let hosts: Vec<Result<Relaxed, String>> =
        relaxed.into_iter().map(|host| host.map_err(|e| format!("the empty host: {e}"))).collect();

    // Every place of every request, filled.
    let begin = |(request, &host): (&Request<'_>, &usize)| {
        let host = hosts[host].as_ref().map_err(|e| AdsorptionError::Undefined(e.clone()))?;
        let fill = |within| {
            let e_ion = reference(references, request.ion.element, potential.name())?;
            Ok(Begun { host, e_ion, insertion: insert(&host.structure, &request.ion, request.n, within)? })
        };
        Ok(request.places(&host.structure)?.into_iter().map(fill).collect())
    };
    let begun: Vec<Result<Vec<Result<Begun<'_>, AdsorptionError>>, AdsorptionError>> =
        requests.iter().zip(&of).map(begin).collect();
    let filled = begun.iter().flatten().flatten().flatten().map(|begun| &begun.insertion.structure).collect::<Vec<_>>();
    let ends = relax(potential, &filled, &RelaxOptions { nudge: NUDGE, ..*options }, watch)?;
    let mut ends = ends.into_iter();
    let mut finish = |begun: Result<Begun<'_>, AdsorptionError>| {
        let begun = begun?;
        begun.finish(ends.next().unwrap_or_else(|| Err(AdsorptionError::Undefined("no end of the relaxation".into())))?)
    };
    let finished = begun.into_iter().map(|places| Ok(places?.into_iter().map(&mut finish).collect())).collect();
    ControlFlow::Continue(finished)
}

/// Ions put into a relaxed host.
struct Begun<'a> {
    host: &'a Relaxed,
    e_ion: f64,
    insertion: Insertion,
}

impl Begun<'_> {
    fn finish(self, end: Relaxed) -> Answer {
        let (host, sites) = (self.host, self.insertion.sites);
        let (n, e_host, e_inserted) = (sites.len(), host.evaluation.energy, end.evaluation.energy);
        Ok(Adsorbed {
            channel: sites.first().and_then(|site| site.channel),
            ring: sites.first().and_then(|site| site.ring),
            n,
            e_host,
            e_inserted,
            e_ion: self.e_ion,
            potential: adsorption_potential(e_inserted, e_host, self.e_ion, n as f64)?,
            volume_change: end.structure.volume() / host.structure.volume() - 1.0,
            structure: end.structure,
            converged: end.converged && host.converged,
            steps: end.steps + host.steps,
            sites: sites.iter().map(|site| site.frac).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crystal::{Element, Lattice},
        error::ModelError,
        models::potential::Evaluation,
    };

    /// Atoms have an energy each and feel nothing: -2 eV an ion of Li, -1 eV any other atom.
    struct Flat;

    impl Potential for Flat {
        fn name(&self) -> &str {
            "flat"
        }

        fn id(&self) -> &str {
            "flat"
        }

        fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
            let energy = |e: &Element| if e.symbol() == "Li" { -2.0 } else { -1.0 };
            let answer = |s: &&Structure| Evaluation {
                energy: s.species().iter().map(energy).sum(),
                forces: vec![[0.0; 3]; s.len()],
                stress: [[0.0; 3]; 3],
                magmoms: vec![0.0; s.len()],
            };
            structures.iter().map(|s| Ok(answer(s))).collect()
        }
    }

    fn tungsten_trioxide() -> Structure {
        let lattice = Lattice::from_parameters(3.8, 3.8, 3.8, 90.0, 90.0, 90.0).unwrap();
        let w = Element::from_symbol("W").unwrap();
        let sites = vec![[0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]];
        Structure::new(lattice, vec![w, Element::O, Element::O, Element::O], sites).unwrap()
    }

    fn answers(requests: &[Request<'_>]) -> Vec<Result<Vec<Answer>, AdsorptionError>> {
        let references = BTreeMap::from([("Li".to_owned(), -1.5)]);
        let ControlFlow::Continue(answers) =
            adsorb(&Flat, &references, requests, &RelaxOptions::default(), |_| ControlFlow::Continue(()))
        else {
            panic!("nobody broke off")
        };
        answers
    }

    #[test]
    fn a_flat_surface_gives_what_its_atoms_have() {
        let host = tungsten_trioxide();
        let ask = |ion, n, within| Request { host: &host, ion: Ion::parse(ion).unwrap(), n, within };
        let given = answers(&[
            ask("Li", 1, Some(Within::Everywhere)),
            ask("Li", 1, None),
            ask("Ca", 1, None),
            ask("Li", 40, Some(Within::Everywhere)),
        ]);
        let one = given[0].as_ref().unwrap()[0].as_ref().unwrap();
        // The centre of the cube, 12 O around it: -((-6) - (-4) - (-1.5)).
        assert!((one.potential - 0.5).abs() < 1e-12 && one.converged && one.n == 1);
        assert!(one.sites[0].iter().all(|x| (x - 0.5).abs() < 1e-6), "{:?}", one.sites);
        assert_eq!((one.structure.len(), one.e_host, one.e_inserted), (5, -4.0, -6.0));
        // The tunnels of the three directions are one channel.
        let each = given[1].as_ref().unwrap();
        assert_eq!((each.len(), each[0].as_ref().unwrap().channel), (1, Some(0)));
        let calcium = given[2].as_ref().unwrap()[0].as_ref().unwrap_err().to_string();
        assert!(calcium.contains("Ca by itself"), "{calcium}");
        assert!(given[3].as_ref().unwrap()[0].as_ref().unwrap_err().to_string().contains("no room"));
    }

    #[test]
    fn whoever_watches_may_break_off() {
        let host = tungsten_trioxide();
        let request = Request { host: &host, ion: Ion::parse("Li").unwrap(), n: 1, within: None };
        let end = adsorb(&Flat, &BTreeMap::new(), &[request], &RelaxOptions::default(), |_| ControlFlow::Break(()));
        assert!(end.is_break());
    }
}
