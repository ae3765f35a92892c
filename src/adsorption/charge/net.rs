//! Net charges of ions: the valence electrons that an atom brings, less those in its Bader basins.
//!
//! q = Z_val - N, in e and positive for a cation; Z_val is the `ZVAL` of the pseudopotential that the calculation used, so
//! that electrons kept in the core count nowhere. The basins should be those of an all-electron density (AECCAR0 + AECCAR2):
//! a valence density has a hollow where a heavy core is, and maxima around it.

use super::{Basin, Basins, basins, common_grid};
use crate::AdsorptionError;
use crystal::{Element, Structure, norm};
use formats::Volumetric;

/// A maximum further than this from every atom, Å, is none of theirs: electrons of a cage or an electride.
pub const DEFAULT_REACH: f64 = 1.0;
/// An ion of a host that moved further than this, Å, when another came in is not recognised.
const SAME_ION: f64 = 1.5;

/// The charge of one site.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteCharge {
    /// Electrons in its basins.
    pub electrons: f64,
    /// Their volume, Å³.
    pub volume: f64,
    /// Net charge Z_val - N, e.
    pub net_charge: f64,
    /// Magnetic moment in its basins, µ_B: signed where spins are collinear, else its length. `None` without spin.
    pub moment: Option<f64>,
}

/// The charges of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Charges {
    /// The crystal.
    pub structure: Structure,
    /// In the order of its sites.
    pub sites: Vec<SiteCharge>,
    /// Electrons of the whole cell.
    pub electrons: f64,
    /// Electrons where the reference density is below the vacuum threshold, and the volume of it, Å³.
    pub vacuum: (f64, f64),
    /// Basins whose maximum is out of reach of every atom.
    pub unassigned: Vec<Basin>,
    /// Σ Z_val less the electrons: the charge of the cell, 0 up to the accuracy of the density's grid in a neutral one.
    pub cell_charge: f64,
}

impl Charges {
    /// Electrons that no atom has: of the vacuum and of basins out of reach.
    pub fn unassigned_electrons(&self) -> f64 {
        self.vacuum.0 + self.unassigned.iter().map(electrons).sum::<f64>()
    }
}

fn electrons(basin: &Basin) -> f64 {
    basin.amounts.integrals.first().copied().unwrap_or(0.0)
}

/// Valence electrons of each site from those of each element.
///
/// # Errors
/// An element without a number of valence electrons, or with two.
pub fn valence_electrons(structure: &Structure, known: &[(Element, f64)]) -> Result<Vec<f64>, AdsorptionError> {
    let of = |element: Element| {
        let mut values = known.iter().filter(|(e, _)| *e == element).map(|(_, z)| *z);
        let symbol = element.symbol();
        let Some(first) = values.next() else {
            return Err(AdsorptionError::Undefined(format!(
                "the number of valence electrons of {symbol} is not known: put the POTCAR or the OUTCAR of the calculation \
                 beside the density, name it with --potcar, or say it: --valence {symbol}=N (ZVAL of its pseudopotential)"
            )));
        };
        match values.find(|z| *z != first) {
            Some(other) => Err(AdsorptionError::Undefined(format!(
                "two pseudopotentials of {symbol} with {first} and {other} valence electrons; say which: --valence {symbol}=N"
            ))),
            None => Ok(first),
        }
    };
    structure.species().iter().map(|&element| of(element)).collect()
}

/// The net charge of each site: `valence` is integrated over the basins of `reference` (summed; of `valence` itself where there
/// is none), `electrons` are the valence electrons of each site, `vacuum` (e/Å³) the density below which a point belongs to no
/// atom, `reach` (Å) how far from an atom the maximum of its basin may lie.
///
/// # Errors
/// Densities on unlike grids or of unlike crystals, or a list of another length than that of the sites.
pub fn charges(
    valence: &Volumetric,
    reference: &[Volumetric],
    electrons_of: &[f64],
    vacuum: f64,
    reach: f64,
) -> Result<Charges, AdsorptionError> {
    let structure = &valence.structure;
    if electrons_of.len() != structure.len() {
        let (n, m) = (electrons_of.len(), structure.len());
        return Err(AdsorptionError::Undefined(format!("{n} numbers of valence electrons for {m} sites")));
    }
    for other in reference {
        common_grid(valence, other, true)?;
    }
    let summed: Vec<f64>;
    let reference = match reference {
        [] => valence.total(),
        [one] => one.total(),
        [first, rest @ ..] => {
            summed = (0..first.total().len())
                .map(|p| rest.iter().fold(first.total()[p], |sum, r| sum + r.total()[p]))
                .collect();
            &summed
        }
    };
    let spin = valence.magnetisation();
    let fields: Vec<&[f64]> = std::iter::once(valence.total()).chain(spin.iter().map(Vec::as_slice)).collect();
    let Basins { basins, vacuum } = basins(structure, valence.shape, reference, &fields, vacuum)?;
    let mut sites: Vec<(f64, f64, [f64; 3])> = vec![(0.0, 0.0, [0.0; 3]); structure.len()];
    let mut unassigned = Vec::new();
    for basin in basins {
        if basin.distance > reach {
            unassigned.push(basin);
            continue;
        }
        let (n, volume, moment) = &mut sites[basin.site];
        *n += electrons(&basin);
        *volume += basin.amounts.volume;
        for (to, value) in moment.iter_mut().zip(&basin.amounts.integrals[1..]) {
            *to += value;
        }
    }
    let sites = sites
        .iter()
        .zip(electrons_of)
        .map(|(&(n, volume, moment), z)| SiteCharge {
            electrons: n,
            volume,
            net_charge: z - n,
            moment: match spin.len() {
                0 => None,
                1 => Some(moment[0]),
                _ => Some(norm(moment)),
            },
        })
        .collect();
    let electrons = valence.integral();
    Ok(Charges {
        structure: structure.clone(),
        sites,
        electrons,
        vacuum: (vacuum.integrals.first().copied().unwrap_or(0.0), vacuum.volume),
        unassigned,
        cell_charge: electrons_of.iter().sum::<f64>() - electrons,
    })
}

/// What a site gave when ions came in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transfer {
    /// Whether the site is one of the ions that came in.
    pub inserted: bool,
    /// Charge that the site gained, e: of an ion, compared with the neutral atom, what it gave away; of a site of the host,
    /// compared with the empty host, negative where it took electrons up.
    pub charge: f64,
}

/// The charge that each site of `inserted` gained by the insertion of ions into `host`. A site of the host is recognised by its
/// element and its place, in fractions of the cell, which the insertion may strain. The sum over the sites is the charge of the
/// cell, 0 in a neutral one where every electron is assigned.
///
/// # Errors
/// A site of the host that has no counterpart within 1.5 Å, or has another's.
pub fn transfer(inserted: &Charges, host: &Charges) -> Result<Vec<Transfer>, AdsorptionError> {
    let lattice = inserted.structure.lattice();
    let mut transfers: Vec<Transfer> =
        inserted.sites.iter().map(|site| Transfer { inserted: true, charge: site.net_charge }).collect();
    let places = inserted.structure.species().iter().zip(inserted.structure.frac_coords());
    let host_sites = host.structure.species().iter().zip(host.structure.frac_coords()).zip(&host.sites);
    for (number, ((element, x), site)) in host_sites.enumerate() {
        let near = places.clone().enumerate().filter(|(_, (e, _))| *e == element).map(|(i, (_, y))| {
            let apart: [f64; 3] = std::array::from_fn(|k| y[k] - x[k] - (y[k] - x[k]).round());
            (i, norm(lattice.to_cartesian(apart)))
        });
        let (i, distance) = near.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, f64::INFINITY));
        if distance > SAME_ION || !transfers[i].inserted {
            return Err(AdsorptionError::Undefined(format!(
                "site {} ({}) of the host has no counterpart of its own after the insertion (the nearest {} is {distance:.2} Å \
                 away): are these two cells of one host, in the same setting?",
                number + 1,
                element.symbol(),
                element.symbol(),
            )));
        }
        transfers[i] = Transfer { inserted: false, charge: transfers[i].charge - site.net_charge };
    }
    Ok(transfers)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Gaussians;
    use super::*;
    use crate::charge::DEFAULT_VACUUM;

    fn of(g: &Gaussians, z: &[f64]) -> Charges {
        charges(&g.volumetric([28, 32, 36]), &[], z, DEFAULT_VACUUM, DEFAULT_REACH).unwrap()
    }

    #[test]
    fn charges_and_electrons_add_up() {
        let found = of(&Gaussians::triclinic(), &[3.0, 6.0]);
        assert!((found.electrons - 8.0).abs() < 1e-6 && (found.cell_charge - 1.0).abs() < 1e-6);
        let assigned: f64 = found.sites.iter().map(|s| s.electrons).sum();
        assert!((assigned + found.unassigned_electrons() - found.electrons).abs() < 1e-9);
        let volume: f64 = found.sites.iter().map(|s| s.volume).sum();
        assert!((volume + found.vacuum.1 - found.structure.volume()).abs() < 1e-9);
        let net: f64 = found.sites.iter().map(|s| s.net_charge).sum();
        assert!((net - found.unassigned_electrons() - found.cell_charge).abs() < 1e-9);
        // The wide oxygen reaches into lithium's basin and the other way round: about two electrons each way is too much.
        assert!((found.sites[0].electrons - 2.0).abs() < 0.3, "{:?}", found.sites);
    }

    #[test]
    fn the_reference_decides_the_basins_and_the_valence_is_integrated() {
        let g = Gaussians::triclinic();
        let core = Gaussians::new(g.structure.clone(), &[2.0, 2.0], &[0.2, 0.2]);
        let shape = [28, 32, 36];
        let valence = g.volumetric(shape);
        let found = charges(&valence, &[core.volumetric(shape), valence.clone()], &[3.0, 6.0], 0.0, 0.5).unwrap();
        assert!((found.electrons - 8.0).abs() < 1e-6 && found.unassigned.is_empty());
        // A core at the nucleus moves no boundary between the atoms.
        let alone = charges(&valence, &[], &[3.0, 6.0], 0.0, 0.5).unwrap();
        assert!((found.sites[0].electrons - alone.sites[0].electrons).abs() < 1e-3);
        let narrow = charges(&valence, &[core.volumetric([28, 32, 40])], &[3.0, 6.0], 0.0, 0.5).unwrap_err();
        assert!(narrow.to_string().contains("28 x 32 x 40"), "{narrow}");
    }

    #[test]
    fn electrons_out_of_reach_of_every_atom_are_reported() {
        let g = Gaussians::triclinic();
        let mut volumetric = g.volumetric([28, 32, 36]);
        let lone =
            Structure::new(*g.structure.lattice(), vec![g.structure.species()[0]], vec![g.structure.frac_coords()[0]]);
        volumetric.structure = lone.unwrap();
        let found = charges(&volumetric, &[], &[3.0], DEFAULT_VACUUM, DEFAULT_REACH).unwrap();
        assert_eq!(found.unassigned.len(), 1);
        assert!((found.sites[0].electrons + found.unassigned_electrons() - 8.0).abs() < 1e-6);
        assert!(found.unassigned_electrons() > 5.0);
    }

    #[test]
    fn spin_is_integrated_too() {
        let g = Gaussians::triclinic();
        let mut volumetric = g.volumetric([28, 32, 36]);
        let up = Gaussians::new(g.structure.clone(), &[0.0, 1.5], &[0.45, 0.3]).density([28, 32, 36]);
        volumetric.fields.push(up.iter().map(|x| -x).collect());
        let found = charges(&volumetric, &[], &[3.0, 6.0], DEFAULT_VACUUM, DEFAULT_REACH).unwrap();
        assert!((found.sites[1].moment.unwrap() + 1.5).abs() < 1e-3 && found.sites[0].moment.unwrap().abs() < 1e-3);
        volumetric.fields.extend([up.clone(), vec![0.0; up.len()]]);
        let found = charges(&volumetric, &[], &[3.0, 6.0], DEFAULT_VACUUM, DEFAULT_REACH).unwrap();
        assert!((found.sites[1].moment.unwrap() - 1.5 * 2.0_f64.sqrt()).abs() < 1e-3);
    }

    #[test]
    fn a_missing_valence_says_how_to_give_it() {
        let [li, o] = ["Li", "O"].map(|s| Element::from_symbol(s).unwrap());
        let crystal = Gaussians::triclinic().structure;
        assert_eq!(valence_electrons(&crystal, &[(o, 6.0), (li, 3.0), (o, 6.0)]).unwrap(), [3.0, 6.0]);
        let missing = valence_electrons(&crystal, &[(o, 6.0)]).unwrap_err().to_string();
        assert!(missing.contains("--valence Li=N") && missing.contains("POTCAR"), "{missing}");
        let both = valence_electrons(&crystal, &[(li, 1.0), (li, 3.0), (o, 6.0)]).unwrap_err().to_string();
        assert!(both.contains("1 and 3 valence electrons"), "{both}");
    }

    #[test]
    fn what_an_ion_gives_the_host_takes() {
        let full = Gaussians::triclinic();
        let o = full.structure.species()[1];
        // The empty host, its oxygen a little aside and over the border of the cell.
        let [x, y, z] = full.structure.frac_coords()[1];
        let empty = Structure::new(*full.structure.lattice(), vec![o], vec![[x - 1.02, y + 0.01, z]]).unwrap();
        let host = of(&Gaussians::new(empty, &[5.0], &[0.6]), &[6.0]);
        let inserted = of(&full, &[3.0, 6.0]);
        let transfers = transfer(&inserted, &host).unwrap();
        assert_eq!(transfers.iter().map(|t| t.inserted).collect::<Vec<_>>(), [true, false]);
        assert_eq!(transfers[0].charge, inserted.sites[0].net_charge);
        assert!((transfers[1].charge - (inserted.sites[1].net_charge - host.sites[0].net_charge)).abs() < 1e-12);
        assert!(transfer(&host, &inserted).unwrap_err().to_string().contains("site 1 (Li) of the host"));
    }
}
