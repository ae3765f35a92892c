//! A request: so many ions, where, and what may move.

use crate::{
    AdsorptionError,
    dilute::spaced,
    insert::{Insertion, at, starts},
    relax::RelaxOptions,
    sites::Within,
};
use crystal::{HermiteForm, Radii, Structure};
use features::{Ion, site_radii, tunnels};

use super::NUDGE;

/// So many ions in a host.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The empty host.
    pub host: &'a Structure,
    /// What goes in.
    pub ion: Ion,
    /// How many in its cell, or in the larger one of `spacing`.
    pub n: usize,
    /// Where.
    pub place: Place,
    /// The least distance of an ion from its periodic images, Å: the host is filled in the smallest supercell of its primitive cell
    /// that keeps it. `None`: in the cell as it is.
    pub spacing: Option<f64>,
    /// What moves once the ions are in.
    pub freedom: Freedom,
    /// The most configurations that are relaxed for a place.
    pub starts: usize,
}

/// Where ions go.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// Into each of the channels of the relaxed host in turn, into its cavities where it has none.
    EachChannel,
    /// Where the ions are held best of these sites.
    Within(Within),
    /// To these points, fractions of the host's cell, one ion each.
    Sites(Vec<[f64; 3]>),
}

/// What moves once the ions are in the relaxed host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freedom {
    /// Atoms and cell.
    #[default]
    All,
    /// Atoms, in the cell of the relaxed host.
    Atoms,
    /// The atoms of the host alone: the ions are held where they were put, in the cell of the relaxed host.
    Host,
    /// Nothing: the ions stand in the relaxed host as it was without them.
    Nothing,
}

impl Freedom {
    /// Name and freedom, the default first.
    pub const NAMES: [(&'static str, Self); 4] =
        [("all", Self::All), ("atoms", Self::Atoms), ("host", Self::Host), ("nothing", Self::Nothing)];

    /// How a cell of so many atoms, the last `n` of them ions, is relaxed.
    pub(super) fn options(self, usual: &RelaxOptions, atoms: usize, n: usize) -> RelaxOptions {
        let fixed = RelaxOptions { cell: false, ..*usual };
        match self {
            Self::All => RelaxOptions { nudge: NUDGE, ..*usual },
            Self::Atoms => RelaxOptions { nudge: NUDGE, ..fixed },
            Self::Host => RelaxOptions { nudge: NUDGE, held: n, ..fixed },
            Self::Nothing => RelaxOptions { held: atoms, ..fixed },
        }
    }
}

impl Request<'_> {
    /// The crystal that is relaxed as the host, and the rows by which it is enlarged afterwards.
    pub(super) fn host(&self) -> Result<(Structure, Option<HermiteForm>), AdsorptionError> {
        match (self.spacing, &self.place) {
            (Some(_), Place::Sites(_)) => Err(AdsorptionError::Undefined(
                "sites are fractions of the cell that is given; leave out the spacing, and give a supercell instead"
                    .into(),
            )),
            (Some(spacing), _) => spaced(self.host, spacing).map(|(primitive, form)| (primitive, Some(form))),
            (None, _) => Ok((self.host.clone(), None)),
        }
    }

    /// For each place of the relaxed host, the configurations to relax, or why there is none.
    pub(super) fn places(
        &self,
        host: &Structure,
    ) -> Result<Vec<Result<Vec<Insertion>, AdsorptionError>>, AdsorptionError> {
        let within = match &self.place {
            Place::Sites(points) => return Ok(vec![at(host, &self.ion, self.n, points).map(|found| vec![found])]),
            Place::Within(within) => vec![*within],
            Place::EachChannel => match tunnels(host, &site_radii(host, Radii::Shannon)?)?.len() {
                0 => vec![Within::Cavities],
                channels => (0..channels).map(Within::Channel).collect(),
            },
        };
        Ok(within.into_iter().map(|within| starts(host, &self.ion, self.n, within, self.starts.max(1))).collect())
    }
}
