//! The clearance itself, from the networks of grown radii.
//!
//! The network of the radii grown by t is exact for {d >= t}: whether it holds a point, whether it repeats, which points are connected. So
//! a width is exact when the network of the radii grown by it gives the same width; a network at another t gives a larger one where t is
//! too small, and a smaller one where it is too large.

use super::{TIE, around::bounded, flow::Flow, grown, pores::Pores};
use crate::FeatureError;
use crate::tessellation::Tessellation;
use crystal::Structure;

/// A width is found when its own network gives the same to this, Å.
const SETTLED: f64 = 1e-9;
/// Steps to it; two or three are the rule.
const STEPS: usize = 60;

/// The t at which `network(t)` = t, by secants between bounds; `known` is a pair t, `network(t)`. A value that is not above 0 by then
/// stays.
pub(super) fn settle(
    known: (f64, f64),
    mut network: impl FnMut(f64) -> Result<f64, FeatureError>,
) -> Result<f64, FeatureError> {
    let (mut before, mut t) = ((known.0, known.1 - known.0), known.1);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    for _ in 0..STEPS {
        if t <= 0.0 {
            break;
        }
        let next = network(t)?;
        let excess = next - t;
        if excess.abs() < SETTLED {
            return Ok(next);
        }
        if excess > 0.0 {
            low = t
        } else {
            high = t
        }
        let secant = t - excess * (t - before.0) / (excess - before.1);
        before = (t, excess);
        t = [secant, next]
            .into_iter()
            .find(|x| *x > low && *x < high)
            .unwrap_or(0.5 * (low + high.min(2.0 * low + 1.0)));
    }
    Ok(t)
}

/// A connected part of {d >= level}, or several.
pub(super) struct Part {
    level: f64,
    tessellation: Tessellation,
    pores: Pores,
    /// Which nodes belong to it.
    inside: Vec<bool>,
}

impl Part {
    /// All parts that repeat.
    ///
    /// # Errors
    /// As [`grown`] and [`bounded`].
    pub fn endless(structure: &Structure, radii: &[f64], level: f64) -> Result<Self, FeatureError> {
        let tessellation = grown(structure, radii, level)?;
        let pores = Pores::new(structure, radii, &tessellation);
        bounded(structure, radii, &pores)?;
        let mut components = pores.sweep(&pores.all(), level, |_, _, _| true);
        let inside = (0..pores.frac.len() as u32).map(|n| {
            let root = components.find(n).0;
            components.loops(root).rank() > 0
        });
        Ok(Self { level, inside: inside.collect(), tessellation, pores })
    }

    /// The part to which the open point `seed` (Cartesian) belongs.
    ///
    /// # Errors
    /// As [`Part::endless`].
    pub fn around(structure: &Structure, radii: &[f64], level: f64, seed: [f64; 3]) -> Result<Self, FeatureError> {
        let tessellation = grown(structure, radii, level)?;
        let pores = Pores::new(structure, radii, &tessellation);
        bounded(structure, radii, &pores)?;
        let mut components = pores.sweep(&pores.all(), level, |_, _, _| true);
        let node = Flow::new(structure, radii, level, &tessellation, &pores.network).corner(seed);
        let root = node.map(|n| components.find(n).0);
        let inside = (0..pores.frac.len() as u32).map(|n| Some(components.find(n).0) == root);
        Ok(Self { level, inside: inside.collect(), tessellation, pores })
    }

    /// Radius of the largest sphere that fits into it, Å.
    ///
    /// # Errors
    /// As [`grown`].
    pub fn widest(&self, structure: &Structure, radii: &[f64]) -> Result<f64, FeatureError> {
        let flow = Flow::new(structure, radii, self.level, &self.tessellation, &self.pores.network);
        let here = self.pores.clearance.iter().zip(&self.inside).filter(|(_, inside)| **inside);
        let first = here.map(|(r, _)| *r).fold(self.level, f64::max);
        settle((self.level, first), |t| {
            let pores = Pores::new(structure, radii, &grown(structure, radii, t)?);
            let mut order: Vec<usize> = (0..pores.frac.len()).collect();
            order.sort_by(|&a, &b| pores.clearance[b].total_cmp(&pores.clearance[a]));
            let of_part = |n: &&usize| {
                let corner = flow.corner(structure.lattice().to_cartesian(pores.frac[**n]));
                corner.is_some_and(|node| self.inside[node as usize])
            };
            Ok(order.iter().find(of_part).map_or(self.level, |&n| pores.clearance[n]))
        })
    }
}

/// Radius of the largest sphere that reaches the point `seed` (Cartesian) and travels on without end, Å; `known` is a pair t and the width
/// of the network of the radii grown by t.
pub(super) fn passing(
    structure: &Structure,
    radii: &[f64],
    seed: [f64; 3],
    known: (f64, f64),
) -> Result<f64, FeatureError> {
    settle(known, |t| {
        let tessellation = grown(structure, radii, t)?;
        let pores = Pores::new(structure, radii, &tessellation);
        bounded(structure, radii, &pores)?;
        let Some(node) = Flow::new(structure, radii, t, &tessellation, &pores.network).corner(seed) else {
            return Ok(0.0);
        };
        let mut level = 0.0;
        pores.sweep(&pores.all(), -TIE, |width, components, _| {
            let root = components.find(node).0;
            let endless = components.loops(root).rank() > 0;
            if endless {
                level = width;
            }
            !endless
        });
        Ok(level)
    })
}
