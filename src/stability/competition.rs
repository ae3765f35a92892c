//! Does a host take up ions, or does it react with them? A filled host beside the phases of its elements.

use super::{PhaseDiagram, conversion_voltage, formation_energy};
use crystal::{Composition, Element};

/// A filled host this far above the hull, eV/atom, reacts sooner than it takes up ions: nine in ten of the metastable crystals that
/// are known lie lower (W. Sun *et al.*, *Sci. Adv.* **2** (2016) e1600225, less than 0.07 eV/atom), and so do all but a few of the
/// filled hosts of electrodes whose voltage is known, by the hull of the Materials Project.
const CONVERTS: f64 = 0.1;

/// Why a filled host so far above the hull, eV/atom, does not stay; `None` where it may.
pub fn converts(above_hull: f64) -> Option<String> {
    (above_hull > CONVERTS).then(|| {
        format!(
            "the filled host is {above_hull:.2} eV/atom above the hull: at more than {CONVERTS} it reacts sooner than it takes up the ions"
        )
    })
}

/// Where a host with ions stands beside other phases.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Competition {
    /// Formation energy of the filled host, eV/atom; `None` where an element has no reference energy, as all that follows.
    pub formation_energy: Option<f64>,
    /// Its energy above the hull of the diagram, eV/atom.
    pub e_above_hull: Option<f64>,
    /// The voltage of the reaction of host and ions to the phases of the diagram, V; see [`conversion_voltage`].
    pub conversion_voltage: Option<f64>,
}

impl Competition {
    /// Of a cell `host` that takes up `n` ions, of total energies `e_host` and `e_filled`, eV; `reference` is the energy of each element,
    /// eV/atom, on the scale of both.
    pub fn of(
        (host, e_host): (&Composition, f64),
        (ion, charge): (Element, i8),
        (n, e_filled): (f64, f64),
        reference: impl Fn(Element) -> Result<f64, String>,
        diagram: Option<&PhaseDiagram>,
    ) -> Self {
        let filled: Composition = host.iter().chain([(ion, n)]).collect();
        let formed = |cell: &Composition, energy: f64| formation_energy(cell, energy / cell.natoms(), &reference).ok();
        let formation_energy = formed(&filled, e_filled);
        let beside = diagram.zip(formation_energy);
        Self {
            formation_energy,
            e_above_hull: beside.and_then(|(diagram, energy)| diagram.e_above_hull(&filled, energy).ok()),
            conversion_voltage: beside.and_then(|(diagram, _)| {
                conversion_voltage(diagram, host, formed(host, e_host)?, (ion, charge), n).ok()
            }),
        }
    }

    /// Whether it reacts sooner than it takes up the ions; `None` without a diagram.
    pub fn converts(&self) -> Option<bool> {
        self.e_above_hull.map(|above| converts(above).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_host_is_measured_by_the_phases_of_its_elements() {
        let [host, filled] = ["TiO2", "LiTiO2"].map(|formula| Composition::parse(formula).unwrap());
        let mut diagram = PhaseDiagram::new(None);
        diagram.add(&host, -3.3).unwrap();
        diagram.add(&filled, -2.9).unwrap();
        let lithium = Element::from_symbol("Li").unwrap();
        // Total energies, where the elements lie at -1 eV/atom.
        let of = |formation: f64, diagram: Option<&PhaseDiagram>| {
            let energies = [3.0 * (-3.3 - 1.0), 4.0 * (formation - 1.0)];
            Competition::of((&host, energies[0]), (lithium, 1), (1.0, energies[1]), |_| Ok(-1.0), diagram)
        };
        let high = of(-2.7, Some(&diagram));
        assert!((high.formation_energy.unwrap() + 2.7).abs() < 1e-9, "{high:?}");
        assert!((high.e_above_hull.unwrap() - 0.2).abs() < 1e-9, "{high:?}");
        // -(4 · -2.9 + 3 · 3.3), whatever the filled host is.
        assert!((high.conversion_voltage.unwrap() - 1.7).abs() < 1e-9, "{high:?}");
        assert_eq!((high.converts(), of(-2.85, Some(&diagram)).converts()), (Some(true), Some(false)));
        assert!(converts(0.31).is_some_and(|reason| reason.contains("0.31 eV/atom above the hull")));
        assert_eq!((converts(0.09), converts(-0.2)), (None, None));
        let alone = of(-2.7, None);
        assert_eq!((alone.e_above_hull, alone.conversion_voltage, alone.converts()), (None, None, None));
        let unknown = |e: Element| Err(format!("no energy of {e}"));
        let nothing = Competition::of((&host, -12.9), (lithium, 1), (1.0, -14.8), unknown, Some(&diagram));
        assert_eq!(nothing, Competition::default());
    }
}
