//! Atom-centred symmetry functions: sums of Gaussians over the neighbours of a site and over pairs of them, cut off
//! smoothly by f(r) = (1 + cos(π r / r_cut)) / 2 (Behler, *J. Chem. Phys.* **134** (2011) 074106).
//!
//! - G1 = Σ_j f(r_ij)
//! - G2 = Σ_j exp(-η (r_ij - R_s)²) f(r_ij)
//! - G4 = 2^(1-ζ) Σ_(j<k) (1 + λ cos θ_jik)^ζ exp(-η (r_ij² + r_ik² + r_jk²)) f(r_ij) f(r_ik) f(r_jk)
//!
//! G1 and G2 are summed for each element of the neighbour, G4 for each pair of elements. The order is dscribe's: for each
//! element by atomic number G1 and all G2; then for the pairs (Z_1, Z_1), (Z_2, Z_1), (Z_2, Z_2), (Z_3, Z_1) ... all G4.
//! The element of the site itself does not enter. Summed over elements, the default set is matminer's `GaussianSymmFunc`.

use super::environment::{elements_of, environments, pairs_within};
use crate::FeatureError;
use crystal::{Element, Structure};

/// Longest cutoff accepted, Å: a site of an oxide then has a million pairs of neighbours.
const MAX_CUTOFF: f64 = 15.0;
/// Most pairs of neighbours, each an angle: about a minute.
const MAX_ANGLES: f64 = 1e9;

/// The parameters of [`symmetry_functions`].
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetryFunctionOptions {
    /// Å.
    pub r_cut: f64,
    /// (η in Å⁻², R_s in Å) of each G2.
    pub g2: Vec<(f64, f64)>,
    /// (η in Å⁻², ζ, λ) of each G4.
    pub g4: Vec<(f64, f64, f64)>,
}

impl SymmetryFunctionOptions {
    /// The set of the program Amp, which matminer uses, for a cutoff in Å: G2 with η r_cut² = 0.05, 4, 20, 80 and R_s =
    /// 0; G4 with η r_cut² = 0.005, ζ = 1, 4 and λ = 1, -1.
    pub fn with_cutoff(r_cut: f64) -> Self {
        let per_square = 1.0 / (r_cut * r_cut);
        Self {
            r_cut,
            g2: [0.05, 4.0, 20.0, 80.0].map(|eta| (eta * per_square, 0.0)).into(),
            g4: [(1.0, 1.0), (1.0, -1.0), (4.0, 1.0), (4.0, -1.0)]
                .map(|(zeta, lambda)| (0.005 * per_square, zeta, lambda))
                .into(),
        }
    }
}

impl Default for SymmetryFunctionOptions {
    /// [`SymmetryFunctionOptions::with_cutoff`] of 6.5 Å.
    fn default() -> Self {
        Self::with_cutoff(6.5)
    }
}

/// The symmetry functions of a crystal's sites.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetryFunctions {
    /// Elements by atomic number.
    pub elements: Vec<Element>,
    /// Numbers a site has.
    pub features: usize,
    /// Those of one site after another, in the crystal's order.
    pub values: Vec<f64>,
}

impl SymmetryFunctions {
    /// The numbers of each site.
    pub fn sites(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.features)
    }
}

/// G1, G2 and G4 of every site.
///
/// # Errors
/// A cutoff outside 0 to 15 Å, an η that is negative, or more than some 10⁷ pairs of neighbours.
pub fn symmetry_functions(
    structure: &Structure,
    options: &SymmetryFunctionOptions,
) -> Result<SymmetryFunctions, FeatureError> {
    let SymmetryFunctionOptions { r_cut, g2, g4 } = options;
    if !(*r_cut > 0.0 && *r_cut <= MAX_CUTOFF) {
        return Err(FeatureError::Argument(format!("r_cut = {r_cut} Å is outside 0 to {MAX_CUTOFF} Å")));
    }
    if let Some(eta) = g2.iter().map(|g| g.0).chain(g4.iter().map(|g| g.0)).find(|eta| eta.is_nan() || *eta < 0.0) {
        return Err(FeatureError::Argument(format!("eta = {eta} Å⁻² is negative: its Gaussian grows without bound")));
    }
    let elements = elements_of(structure);
    let kinds = elements.len();
    let radial = 1 + g2.len();
    let features = radial * kinds + g4.len() * kinds * (kinds + 1) / 2;
    let mut values = vec![0.0; structure.len() * features];
    let channel: Vec<usize> =
        structure.species().iter().map(|e| elements.binary_search(e).unwrap_or_default()).collect();
    let pairs = pairs_within(structure, *r_cut)?;
    let angles: f64 = pairs.center.chunk_by(|a, b| a == b).map(|run| (run.len() * run.len()) as f64).sum();
    if angles > MAX_ANGLES {
        return Err(FeatureError::Argument(format!(
            "{} sites have {angles:.0e} pairs of neighbours within {r_cut} Å, over {MAX_ANGLES:.0e}; lower r_cut",
            structure.len()
        )));
    }
    let mut around: Vec<Neighbor> = vec![];
    for (seen, out) in environments(structure, &pairs).zip(values.chunks_exact_mut(features)) {
        around.clear();
        around.extend(seen.map(|(j, step, r)| Neighbor { channel: channel[j], step, r, cut: cutoff(r, *r_cut) }));
        for n in &around {
            let out = &mut out[n.channel * radial..][..radial];
            out[0] += n.cut;
            for (out, (eta, shift)) in out[1..].iter_mut().zip(g2) {
                *out += (-eta * (n.r - shift).powi(2)).exp() * n.cut;
            }
        }
        add_pairs(&around, options, &mut out[radial * kinds..]);
    }
    Ok(SymmetryFunctions { elements, features, values })
}

struct Neighbor {
    channel: usize,
    step: [f64; 3],
    r: f64,
    cut: f64,
}

/// Adds G4 of all pairs of neighbours.
fn add_pairs(
    around: &[Neighbor],
    SymmetryFunctionOptions { r_cut, g4, .. }: &SymmetryFunctionOptions,
    out: &mut [f64],
) {
    for (n, j) in around.iter().enumerate() {
        for k in &around[..n] {
            let apart2: f64 = (0..3).map(|a| (j.step[a] - k.step[a]).powi(2)).sum();
            if apart2 > r_cut * r_cut {
                continue;
            }
            let cosine = (0..3).map(|a| j.step[a] * k.step[a]).sum::<f64>() / (j.r * k.r);
            let cut = j.cut * k.cut * cutoff(apart2.sqrt(), *r_cut);
            let squares = j.r * j.r + k.r * k.r + apart2;
            let (low, high) = (j.channel.min(k.channel), j.channel.max(k.channel));
            let mut last = (f64::NAN, 0.0);
            for (out, &(eta, zeta, lambda)) in out[(high * (high + 1) / 2 + low) * g4.len()..].iter_mut().zip(g4) {
                if last.0 != eta {
                    last = (eta, 2.0 * (-eta * squares).exp() * cut);
                }
                // Rounding may put the cosine of a straight angle a little beyond -1.
                let base = (0.5 * (1.0 + lambda * cosine)).max(0.0);
                *out += last.1 * if zeta.fract() == 0.0 { base.powi(zeta as i32) } else { base.powf(zeta) };
            }
        }
    }
}

fn cutoff(r: f64, r_cut: f64) -> f64 {
    0.5 * (1.0 + (std::f64::consts::PI * r / r_cut).cos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::srtio3;

    #[test]
    fn the_octahedron_of_titanium_by_hand() {
        // Within 2.5 Å titanium sees six O at a/2, and pairs of them: 12 at right angles, a/√2 apart (the three straight
        // pairs are 3.9 Å apart).
        let r = 3.905 / 2.0;
        let options = SymmetryFunctionOptions { r_cut: 3.0, g2: vec![(0.7, 1.0)], g4: vec![(0.1, 3.0, -1.0)] };
        let got = symmetry_functions(&srtio3(), &options).unwrap();
        let at = srtio3().species().iter().position(|e| e.symbol() == "Ti").unwrap();
        // O, Ti, Sr: G1 and G2 each, then G4 of the six pairs.
        assert_eq!(got.features, 6 + 6);
        let site = got.sites().nth(at).unwrap();
        let f = |r: f64| 0.5 * (1.0 + (std::f64::consts::PI * r / 3.0).cos());
        let apart = r * 2.0_f64.sqrt();
        let want = [
            6.0 * f(r),
            6.0 * (-0.7 * (r - 1.0_f64).powi(2)).exp() * f(r),
            12.0 * 0.25 * (-0.1 * (2.0 * r * r + apart * apart)).exp() * f(r) * f(r) * f(apart),
        ];
        for (got, want) in [site[0], site[1], site[6]].iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
        assert!(site[2..6].iter().chain(&site[7..]).all(|x| *x == 0.0), "{site:?}");
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let refused = |options| symmetry_functions(&srtio3(), &options).unwrap_err().to_string();
        assert!(refused(SymmetryFunctionOptions::with_cutoff(16.0)).contains("16 Å"));
        assert!(refused(SymmetryFunctionOptions::with_cutoff(f64::NAN)).contains("NaN"));
        assert!(refused(SymmetryFunctionOptions { g2: vec![(-1.0, 0.0)], ..Default::default() }).contains("eta"));
    }
}
