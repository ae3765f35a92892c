//! Densities that are known: Gaussians around the sites of a crystal.

use crystal::{Element, Lattice, Structure, norm};
use formats::{Quantity, Volumetric};

pub(super) struct Gaussians {
    pub structure: Structure,
    electrons: Vec<f64>,
    widths: Vec<f64>,
}

impl Gaussians {
    /// `electrons` in a Gaussian of standard deviation `widths` (Å) around each site.
    pub fn new(structure: Structure, electrons: &[f64], widths: &[f64]) -> Self {
        Self { structure, electrons: electrons.to_vec(), widths: widths.to_vec() }
    }

    /// LiO-like: 2 and 6 electrons, 2.6 Å apart in a triclinic cell.
    pub fn triclinic() -> Self {
        let lattice = Lattice::from_parameters(4.1, 4.6, 5.2, 78.0, 83.0, 108.0).unwrap();
        let species = ["Li", "O"].map(|s| Element::from_symbol(s).unwrap()).to_vec();
        let structure = Structure::new(lattice, species, vec![[0.11, 0.13, 0.17], [0.55, 0.62, 0.68]]).unwrap();
        Self::new(structure, &[2.0, 6.0], &[0.45, 0.6])
    }

    /// e/Å³ on a grid, all images within 6.5 standard deviations summed.
    pub fn density(&self, shape: [usize; 3]) -> Vec<f64> {
        let lattice = self.structure.lattice();
        let spacings = lattice.plane_spacings();
        let mut rho = vec![0.0; shape.iter().product()];
        for ((x, electrons), width) in self.structure.frac_coords().iter().zip(&self.electrons).zip(&self.widths) {
            let height = electrons / (std::f64::consts::TAU.sqrt() * width).powi(3);
            let reach: [i64; 3] = std::array::from_fn(|k| (6.5 * width / spacings[k] + 0.5).ceil() as i64);
            for (at, rho) in rho.iter_mut().enumerate() {
                let point = [at % shape[0], at / shape[0] % shape[1], at / shape[0] / shape[1]];
                let d: [f64; 3] = std::array::from_fn(|k| {
                    let d = point[k] as f64 / shape[k] as f64 - x[k];
                    d - d.round()
                });
                for i in -reach[0]..=reach[0] {
                    for j in -reach[1]..=reach[1] {
                        for k in -reach[2]..=reach[2] {
                            let r = norm(lattice.to_cartesian([d[0] + i as f64, d[1] + j as f64, d[2] + k as f64]));
                            if r < 6.5 * width {
                                *rho += height * (-0.5 * (r / width).powi(2)).exp();
                            }
                        }
                    }
                }
            }
        }
        rho
    }

    pub fn volumetric(&self, shape: [usize; 3]) -> Volumetric {
        let fields = vec![self.density(shape)];
        Volumetric { structure: self.structure.clone(), quantity: Quantity::Density, shape, fields }
    }
}
