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
