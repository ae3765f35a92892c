//! The spheres that fit into a crystal and pass through it.
//!
//! The network of the radii themselves gives them as Zeo++ does ([`spheres`]); the network of the radii grown by the wanted value itself
//! gives them exactly ([`exact_spheres`]).

use super::{
    exact::{Part, settle},
    grown,
    pores::Pores,
};
use crate::FeatureError;
use crystal::Structure;

/// Diameters of the spheres that fit into a crystal and pass through it, Å; 0 where none does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spheres {
    /// Largest included sphere.
    pub di: f64,
    /// Largest free sphere.
    pub df: f64,
    /// Largest sphere along the path of the largest free sphere.
    pub dif: f64,
    /// Largest free sphere along at least 1, at least 2, and 3 independent directions.
    pub df_by_dimension: [f64; 3],
}

impl Spheres {
    fn clamped(self) -> Self {
        let Self { di, df, dif, df_by_dimension } = self;
        let whole = |x: f64| x.max(0.0);
        Self { di: whole(di), df: whole(df), dif: whole(dif), df_by_dimension: df_by_dimension.map(whole) }
    }
}

/// The spheres of `structure` with `radii` (Å, one per site) by the radical Voronoi network of the radii, as Zeo++ has them.
///
/// # Errors
/// As [`tessellate`](crate::tessellate).
pub fn spheres(structure: &Structure, radii: &[f64]) -> Result<Spheres, FeatureError> {
    Ok(spheres_grown(structure, radii, 0.0)?.clamped())
}

/// The spheres of the clearance itself, whatever the radii.
///
/// Each number t is the one for which the network of the radii grown by t gives t: then, and only then, {d >= t} and {d > t} differ. The
/// network of the radii alone is the first guess; where all radii are equal it is the last.
///
/// # Errors
/// As [`tessellate`](crate::tessellate).
pub fn exact_spheres(structure: &Structure, radii: &[f64]) -> Result<Spheres, FeatureError> {
    let mut exact = Exact::new(structure, radii)?;
    let df_by_dimension = [exact.df(1)?, exact.df(2)?, exact.df(3)?];
    let (di, dif) = (exact.di()?, exact.dif()?);
    Ok(Spheres { di, df: df_by_dimension[0], dif, df_by_dimension }.clamped())
}

/// Di of [`exact_spheres`] alone, Å.
///
/// # Errors
/// As [`tessellate`](crate::tessellate).
pub fn largest_included_sphere(structure: &Structure, radii: &[f64]) -> Result<f64, FeatureError> {
    Ok(Exact::new(structure, radii)?.di()?.max(0.0))
}

/// Df of [`exact_spheres`] along at least `dimensions` (1 to 3) independent directions alone, Å.
///
/// # Errors
/// A number of dimensions that is none, or as [`tessellate`](crate::tessellate).
pub fn largest_free_sphere(structure: &Structure, radii: &[f64], dimensions: usize) -> Result<f64, FeatureError> {
    if !(1..=3).contains(&dimensions) {
        return Err(FeatureError::Argument(format!("dimensions = {dimensions} is not 1, 2 or 3")));
    }
    Ok(Exact::new(structure, radii)?.df(dimensions)?.max(0.0))
}

/// Dif of [`exact_spheres`] alone, Å.
///
/// # Errors
/// As [`tessellate`](crate::tessellate).
pub fn largest_sphere_along_path(structure: &Structure, radii: &[f64]) -> Result<f64, FeatureError> {
    Ok(Exact::new(structure, radii)?.dif()?.max(0.0))
}

/// The networks made so far: symmetry makes several numbers equal, and each network is made once.
struct Exact<'a> {
    structure: &'a Structure,
    radii: &'a [f64],
    /// Growth of the radii, and the spheres of its network; the first is that of the radii.
    made: Vec<(f64, Spheres)>,
}

impl<'a> Exact<'a> {
    fn new(structure: &'a Structure, radii: &'a [f64]) -> Result<Self, FeatureError> {
        Ok(Self { structure, radii, made: vec![(0.0, spheres_grown(structure, radii, 0.0)?)] })
    }

    /// The diameter that is its own network's.
    fn of(&mut self, pick: impl Fn(&Spheres) -> f64) -> Result<f64, FeatureError> {
        let first = pick(&self.made[0].1);
        if super::equal(self.radii) {
            return Ok(first);
        }
        let network = |t: f64| {
            if let Some((_, spheres)) = self.made.iter().find(|(s, _)| *s == t) {
                return Ok(pick(spheres) / 2.0);
            }
            let spheres = spheres_grown(self.structure, self.radii, t)?;
            self.made.push((t, spheres));
            Ok(pick(&spheres) / 2.0)
        };
        Ok(2.0 * settle((0.0, first / 2.0), network)?)
    }

    fn di(&mut self) -> Result<f64, FeatureError> {
        self.of(|s| s.di)
    }

    fn df(&mut self, dimensions: usize) -> Result<f64, FeatureError> {
        self.of(|s| s.df_by_dimension[dimensions - 1])
    }

    fn dif(&mut self) -> Result<f64, FeatureError> {
        if super::equal(self.radii) {
            return Ok(self.made[0].1.dif);
        }
        let df = self.df(1)?;
        if df <= 0.0 {
            return Ok(0.0);
        }
        Ok(2.0 * Part::endless(self.structure, self.radii, df / 2.0)?.widest(self.structure, self.radii)?)
    }
}

/// The spheres by the network of `radii` grown by `growth`; negative where atoms overlap.
fn spheres_grown(structure: &Structure, radii: &[f64], growth: f64) -> Result<Spheres, FeatureError> {
    let pores = Pores::new(structure, radii, &grown(structure, radii, growth)?);
    let mut widest = pores.clearance.clone();
    let di = widest.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut by_dimension, mut dif, mut reached) = ([f64::NEG_INFINITY; 3], f64::NEG_INFINITY, 0);
    pores.sweep(&pores.all(), f64::NEG_INFINITY, |width, components, group| {
        let roots: Vec<u32> = group.iter().map(|&i| components.find(pores.passages[i as usize].from).0).collect();
        let rank = roots.iter().map(|&r| components.loops(r).rank()).max().unwrap_or(0);
        if reached == 0 && rank > 0 {
            // The widest sphere of each component so far.
            for node in 0..widest.len() {
                let root = components.find(node as u32).0 as usize;
                widest[root] = widest[root].max(widest[node]);
            }
            let endless = roots.iter().filter(|&&r| components.loops(r).rank() > 0);
            dif = endless.map(|&r| widest[r as usize]).fold(dif, f64::max);
        }
        (reached..rank.max(reached)).for_each(|k| by_dimension[k] = width);
        reached = reached.max(rank);
        reached < 3
    });
    Ok(Spheres {
        di: 2.0 * di,
        df: 2.0 * by_dimension[0],
        dif: 2.0 * dif,
        df_by_dimension: by_dimension.map(|r| 2.0 * r),
    })
}
