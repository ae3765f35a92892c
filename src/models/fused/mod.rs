//! The graph networks without tensors: inference of all, with nothing that training would need, and the pieces of the training steps
//! of those that take theirs without tensors too.
//!
//! The burn modules say what a network is and train it; every operation of theirs is a pass over memory, and a batch of
//! crystals is as large as its intermediate tensors. Here the weights are taken out of the module once and packed, batch
//! normalisations are folded into them, and a crystal goes through alone: its edges in tiles that stay in cache from the
//! expansion of a length to the sum at an atom. Crystals of a batch are shared among the threads of rayon's pool, and a
//! large one is split further, so that as many threads work as the machine has cores, and the number of a crystal depends neither on its
//! batch nor on the threads.
//!
//! ```text
//! simd (one directory up)   vectors of each instruction set
//! linear, norm, rows, basis products, normalisations, gathers and sums, Gaussians
//! outer, gradients          gradients of weights, for the architectures that train without tensors
//! radial, set2set           numbers of a bond by its length, the readout of a crystal
//! product, row_norm, virial products and normalisations with the way back, forces and stress
//! runs, strips, scratch     tiles of edges, buffers that outlive a call
//! fused of an architecture  the networks, each in its folder; those that are an energy surface with forces and stress
//! ```

pub(super) mod basis;
pub(super) mod gradients;
pub(super) mod linear;
pub(super) mod norm;
pub(super) mod outer;
pub(super) mod product;
pub(super) mod radial;
pub(super) mod row_norm;
pub(super) mod rows;
pub(super) mod runs;
pub(super) mod scratch;
pub(super) mod set2set;
pub(super) mod strips;
pub(super) mod virial;

use rayon::prelude::*;

use super::{bond_graph::BondGraph, input::Input, potential::SinglePoint};

/// A network packed for inference.
pub trait Inference: std::fmt::Debug + Send + Sync {
    /// Its number for a crystal, in the units the weights were trained in.
    ///
    /// # Panics
    /// Where the input is of another architecture: a fault of the caller, not of data.
    fn one(&self, input: &Input) -> f32;

    /// The same network as a smooth energy surface, where it is one.
    fn surface(&self) -> Option<&dyn Surface> {
        None
    }
}

/// A network whose number is a total energy, with its gradients. It reads the bonds of a crystal.
pub trait Surface: std::fmt::Debug + Send + Sync {
    /// Energy of the cell, eV.
    fn energy(&self, graph: &BondGraph) -> f64;

    /// Energy, forces, stress and magnetic moments.
    fn single_point(&self, graph: &BondGraph) -> SinglePoint;
}

/// Of an energy surface the number is the energy of an atom, eV.
impl<S: Surface> Inference for S {
    fn one(&self, input: &Input) -> f32 {
        let graph = input.bonds();
        (self.energy(graph) / graph.numbers.len() as f64) as f32
    }

    fn surface(&self) -> Option<&dyn Surface> {
        Some(self)
    }
}

/// A network ready for inference.
#[derive(Debug)]
pub struct Fused(Box<dyn Inference>);

impl Fused {
    /// Of packed weights.
    pub(super) fn new(net: impl Inference + 'static) -> Self {
        Self(Box::new(net))
    }

    /// One number for each input, in the units the weights were trained in.
    ///
    /// # Panics
    /// Where inputs are of another architecture: a fault of the caller, not of data.
    pub fn forward(&self, inputs: &[&Input]) -> Vec<f32> {
        match inputs {
            // Alone: no need to hand it to another thread.
            [input] => vec![self.0.one(input)],
            _ => inputs.par_iter().map(|input| self.0.one(input)).collect(),
        }
    }

    /// The same network as a smooth energy surface, where it is one.
    pub(super) fn surface(&self) -> Option<&dyn Surface> {
        self.0.surface()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use burn::{
        module::{Module, ModuleMapper, Param},
        prelude::{Device, Tensor},
        tensor::TensorData,
    };

    use super::*;
    use crate::{
        alignn::{AlignnConfig, Normalisation},
        cgcnn::CgcnnConfig,
        chgnet::ChgnetConfig,
        deeper_gatgnn::DeeperGatgnnConfig,
        gatgnn::GatgnnConfig,
        megnet::MegnetConfig,
        nequix::NequixConfig,
        network::{Config, Net},
        schnet::SchnetConfig,
        tensornet::TensornetConfig,
    };
    use crystal::{Element, Lattice, Structure};

    /// Every parameter replaced, running means and variances too: ones by numbers near 1, zeros by small numbers, others by
    /// numbers as large as they were.
    pub struct Shaken(pub u64);

    impl ModuleMapper for Shaken {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, old, _) = param.consume();
            let (shape, values) = (old.dims(), linear::values(old.clone()));
            let largest = values.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            let mut noise = || {
                self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
            };
            let fresh = |old: f32| match old {
                0.0 => 0.1 * noise(),
                1.0 => 1.0 + 0.3 * noise(),
                _ => largest * noise(),
            };
            let values: Vec<f32> = values.into_iter().map(fresh).collect();
            let shaken = Tensor::from_data(TensorData::new(values, shape), &old.device());
            Param::initialized(id, if old.is_require_grad() { shaken.require_grad() } else { shaken })
        }
    }

    /// Crystals of 1 to 24 atoms, some with many images of the same atom, one with an atom far from the others.
    pub fn crystals() -> Vec<Structure> {
        let element = |s| Element::from_symbol(s).unwrap();
        let [sr, ti, o] = ["Sr", "Ti", "O"].map(element);
        let sites = vec![[0.52, 0.5, 0.49], [0.0; 3], [0.5, 0.03, 0.0], [0.0, 0.5, 0.06], [0.0, 0.02, 0.47]];
        let lattice = Lattice::new([[3.9, 0.0, 0.0], [0.2, 4.1, 0.0], [0.0, 0.3, 4.3]]).unwrap();
        let perovskite = Structure::new(lattice, vec![sr, ti, o, o, o], sites).unwrap();
        let cube = |a: f64| Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
        let alone = Structure::new(cube(2.7), vec![element("Mo")], vec![[0.1; 3]]).unwrap();
        let pair = Structure::new(cube(2.6), vec![element("Ni"), o], vec![[0.0; 3], [0.5; 3]]).unwrap();
        let far = vec![[0.0; 3], [0.18, 0.0, 0.0], [0.6, 0.6, 0.6]];
        let sparse = Structure::new(cube(11.0), vec![element("W"), o, o], far).unwrap();
        let double = perovskite.supercell([2, 2, 1]).unwrap();
        vec![perovskite, alone, pair, sparse, double]
    }

    /// Every form of every architecture, small where it may be, one of a width that is no multiple of a vector.
    pub fn configs() -> Vec<Config> {
        let alignn = |normalisation, hidden, alignn_layers, gcn_layers| {
            let published = AlignnConfig::published(normalisation);
            Config::Alignn(AlignnConfig { hidden, embedding: 24, alignn_layers, gcn_layers, ..published })
        };
        vec![
            Config::Megnet(MegnetConfig::original()),
            Config::Megnet(MegnetConfig::matgl()),
            Config::Megnet(MegnetConfig { steps: Some(5), blocks: 1, ..MegnetConfig::original() }),
            alignn(Normalisation::Batch, 64, 2, 2),
            alignn(Normalisation::Layer, 40, 2, 1),
            alignn(Normalisation::Layer, 32, 2, 0),
            alignn(Normalisation::Batch, 20, 0, 2),
            Config::DeeperGatgnn(DeeperGatgnnConfig { layers: 3, ..DeeperGatgnnConfig::periodic() }),
            Config::DeeperGatgnn(DeeperGatgnnConfig { layers: 2, hidden: 24, ..DeeperGatgnnConfig::published(8.0) }),
            Config::Gatgnn(GatgnnConfig::periodic()),
            Config::Gatgnn(GatgnnConfig { layers: 2, hidden: 24, weigher: 10, ..GatgnnConfig::published() }),
            Config::Cgcnn(CgcnnConfig::published()),
            Config::Cgcnn(CgcnnConfig { atom: 24, crystal: 10, convolutions: 2, ..CgcnnConfig::published() }),
            Config::Schnet(SchnetConfig::usual()),
            Config::Schnet(SchnetConfig { points: 50, layers: 2, hidden: 24, readout: 10, ..SchnetConfig::usual() }),
            Config::Chgnet(ChgnetConfig::published()),
            Config::Chgnet(ChgnetConfig { radial: 9, angular: 9, convolutions: 2, ..ChgnetConfig::published() }),
            Config::Tensornet(TensornetConfig::published()),
            Config::Tensornet(TensornetConfig { cutoff: 4.3, bessel: 4, units: 32, interactions: 1 }),
            Config::Nequix(NequixConfig { convolutions: 2, ..NequixConfig::published() }),
            Config::Nequix(NequixConfig {
                cutoff: 4.5,
                bessel: 5,
                perceptron: vec![12],
                first: 16,
                channels: vec![16, 32, 16],
                convolutions: 3,
                ..NequixConfig::published()
            }),
        ]
    }

    #[test]
    fn every_network_is_among_them() {
        let tested: Vec<String> = configs().iter().map(|config| format!("{config:?}")).collect();
        for name in crate::network::NAMES {
            // These have no packed form.
            let one = ["Cnn", "Trees"].contains(name);
            let is_tested = tested.iter().any(|config| config.starts_with(&format!("{name}(")));
            assert!(one != is_tested, "configs() lacks {name}, or has what is not packed");
        }
    }

    #[test]
    fn numbers_are_those_of_the_burn_modules() {
        for config in configs() {
            let name = config.architecture();
            let net = Net::new(&config, 1, &Device::flex()).map(&mut Shaken(1));
            // One of the crystals has no bond by the rule of the nearest image.
            let inputs: Vec<Input> = crystals().iter().filter_map(|s| config.input(s).ok()).collect();
            assert!(inputs.len() > 3);
            let inputs: Vec<&Input> = inputs.iter().collect();
            let want: Vec<f32> = net.forward(&config, &inputs, &Device::flex()).into_data().try_to_vec().unwrap();
            let fused = net.fused(&config).unwrap();
            let got = fused.forward(&inputs);
            for (k, (got, want)) in got.iter().zip(&want).enumerate() {
                assert!((got - want).abs() <= 1e-5 * want.abs().max(1.0), "{name}, crystal {k}: {got}, burn: {want}");
            }
            assert!(want.iter().any(|w| (w - want[0]).abs() > 1e-4), "{name}: {want:?} says too little");
            // To the bit: alone as in a batch, and with buffers that other crystals have used.
            for (k, input) in inputs.iter().enumerate() {
                assert_eq!(fused.forward(&[input]), [got[k]], "{name}, crystal {k} alone");
            }
        }
    }

    /// Forces and stress are gradients of the energy: against differences, whose last digits single precision takes.
    #[test]
    fn gradients_of_energy_models_are_those_of_differences() {
        let step = 4e-3;
        let mut surfaces = 0;
        for config in configs() {
            let fused = Net::new(&config, 1, &Device::flex()).map(&mut Shaken(1)).fused(&config).unwrap();
            let Some(surface) = fused.surface() else { continue };
            surfaces += 1;
            let name = config.architecture();
            let energy = |s: &Structure| surface.energy(config.input(s).unwrap().bonds());
            for crystal in crystals().iter().filter(|s| s.len() < 6 && config.input(s).is_ok()) {
                let got = surface.single_point(config.input(crystal).unwrap().bonds());
                assert!((got.energy - energy(crystal)).abs() < 1e-9 * got.energy.abs().max(1.0), "{name}");
                let largest = got.forces.as_flattened().iter().fold(0.5_f64, |m, f| m.max(f.abs()));
                for (site, force) in got.forces.iter().enumerate() {
                    for k in 0..3 {
                        let moved = |by: f64| {
                            let mut places = crystal.cart_coords();
                            places[site][k] += by;
                            let places = places.iter().map(|x| crystal.lattice().to_fractional(*x)).collect();
                            energy(&Structure::new(*crystal.lattice(), crystal.species().to_vec(), places).unwrap())
                        };
                        let want = (moved(-step) - moved(step)) / (2.0 * step);
                        assert!((force[k] - want).abs() < 4e-3 * largest, "{name}, {site}, {k}: {}, {want}", force[k]);
                    }
                }
                let largest = got.stress.as_flattened().iter().fold(0.02_f64, |m, f| m.max(f.abs()));
                for (r, c) in [(0, 0), (1, 1), (0, 1), (2, 1)] {
                    let strained = |by: f64| {
                        let rows = crystal.lattice().rows().map(|mut row| {
                            row[r] += by * row[c];
                            row
                        });
                        let (species, places) = (crystal.species().to_vec(), crystal.frac_coords().to_vec());
                        energy(&Structure::new(Lattice::new(rows).unwrap(), species, places).unwrap())
                    };
                    let want = (strained(2e-3) - strained(-2e-3)) / 4e-3 / crystal.volume();
                    assert!((got.stress[r][c] - want).abs() < 1e-2 * largest, "{name}: {:?}, {want}", got.stress[r][c]);
                }
            }
        }
        assert_eq!(surfaces, 6);
    }

    #[test]
    fn numbers_do_not_depend_on_the_threads() {
        let config = Config::Alignn(AlignnConfig {
            alignn_layers: 1,
            gcn_layers: 1,
            ..AlignnConfig::published(Normalisation::Batch)
        });
        let net = Net::new(&config, 1, &Device::flex()).map(&mut Shaken(1));
        let fused = net.fused(&config).unwrap();
        let input = config.input(&crystals()[4]).unwrap();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fused.forward(&[&input, &input]))
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn descriptor_networks_have_no_fused_form() {
        let config = Config::Cnn(crate::cnn::CnnConfig::usual(crate::cnn::Descriptor::Magpie));
        assert!(Net::new(&config, 1, &Device::flex()).fused(&config).is_none());
    }
}
