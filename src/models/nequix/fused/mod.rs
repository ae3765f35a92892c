//! Nequix: energy, forces and stress of a crystal.
//!
//! The tensor products are dense: the direction of a bond, with what joins three degrees, is a small matrix for each triple of degrees, and
//! the same for all channels and layers. The way back is written out by hand: it needs of the way forward what each layer sent and what it
//! had before its normalisation, and every step of it is its step forward turned round.
//!
//! ```text
//! geometry   the matrices of bonds, and their derivatives        messages   what goes along bonds, and back
//! mix        products over channels, degree by degree       rows       normalisation and gates
//! ```

mod geometry;
mod messages;
mod mix;
mod rows;

use burn::nn;

use crate::fused::{
    linear::{PANEL, values},
    product::Sum,
    radial::{Exact, Place, Radial},
    scratch::{Pool, sized},
    strips::{Strip, shares},
    virial::Virial,
};
use crate::{
    bond_graph::BondGraph,
    fused::Surface,
    nequix::{
        NequixConfig,
        basis::Basis,
        harmonics::components,
        module,
        paths::{Degrees, Path, Shape},
    },
    potential::SinglePoint,
};
use geometry::{Geometry, Triples};
use messages::{Messages, THREE, Target, arrive, arrive_back, check};
use mix::{Begin, Mix, by_panels};
use rows::{Gates, Normal, gate, gate_back, normalise, normalise_back};

/// The network.
#[derive(Debug)]
pub struct Nequix {
    /// Energy of an atom of each element to which the network adds, eV.
    references: Vec<f32>,
    triples: Triples,
    layers: Vec<Layer>,
    readout: Sum,
    buffers: Pool<Buffers>,
    spare: Pool<Spare>,
}

/// A layer.
#[derive(Debug)]
struct Layer {
    shape: Shape,
    radial: Radial,
    begin: Begin,
    mixed: Mix,
    norm: Normal,
    gates: Gates,
}

/// Buffers of one crystal; what a layer writes on the way forward stays for the way back.
#[derive(Debug, Default)]
struct Buffers {
    places: Vec<Place>,
    geometry: Geometry,
    layers: Vec<Rows>,
    /// Tensors of atoms before and after a layer.
    x: Vec<f32>,
    next: Vec<f32>,
    /// What is sent, by atoms.
    sent: Vec<f32>,
    /// Gradients in the tensors after a layer and before it, in what arrives, by atoms and by panels, and in what is sent.
    back: Vec<f32>,
    before: Vec<f32>,
    of_arrived: Vec<f32>,
    panels: Vec<f32>,
    of_sent: Vec<f32>,
    /// Gradients of each directed bond.
    of_edges: Vec<f32>,
}

/// What a layer leaves for the way back.
#[derive(Debug, Default)]
struct Rows {
    /// What is sent, by panels.
    sent: Vec<f32>,
    /// Before the normalisation, and by what that multiplied.
    mixed: Vec<f32>,
    spreads: Vec<f32>,
}

/// Buffers of one share of the atoms.
#[derive(Debug, Default)]
struct Spare {
    arrived: Vec<f32>,
    normal: Vec<f32>,
    of_mixed: Vec<f32>,
}

impl Nequix {
    /// The network with burn's weights.
    pub fn new(net: &module::Nequix, config: &NequixConfig) -> Self {
        let basis = Basis::new(config.cutoff, config.bessel, config.power);
        let shapes: Vec<Shape> = (0..config.convolutions).map(|t| config.shape(t)).collect();
        let triples = Triples::new(config.channels.len(), shapes.iter().flat_map(|shape| shape.paths.iter().copied()));
        let layers = net.layers.iter().zip(shapes).enumerate();
        let layers = layers.map(|(t, (layer, shape))| Layer {
            radial: radial(&basis, config.cutoff, &layer.radial, &shape),
            begin: match t {
                0 => Begin::of_elements(&layer.sent[0], &layer.skip[0]),
                _ => Begin::of_tensors(&layer.sent, &layer.skip),
            },
            mixed: Mix::new(&layer.mixed),
            norm: Normal::new(&layer.norm, &shape.mixed),
            gates: Gates::new(&shape),
            shape,
        });
        Self {
            references: values(net.references.val()),
            triples,
            layers: layers.collect(),
            readout: Sum::of(&net.readout),
            buffers: Pool::default(),
            spare: Pool::default(),
        }
    }

    fn forward(&self, graph: &BondGraph, b: &mut Buffers) -> f64 {
        let atoms = graph.numbers.len();
        b.places.clear();
        // All layers reach equally far.
        let radial = &self.layers[0].radial;
        b.places.extend(graph.direction.iter().map(|&e| radial.place(graph.length[e as usize])));
        check(graph, &b.places, radial);
        self.triples.fill(graph, &mut b.geometry);
        b.layers.resize_with(self.layers.len(), Rows::default);
        for (layer, rows) in self.layers.iter().zip(&mut b.layers) {
            let shape = &layer.shape;
            let (sent, mixed, kept) = (shape.sent.width(), shape.mixed.width(), shape.kept.width());
            let of_atoms = &mut b.sent;
            shares(&graph.starts, [Strip::of_atoms(sized(of_atoms, atoms * sent), sent)], &|atoms, [sent]| {
                layer.begin.send(&graph.numbers, &b.x, &shape.sent, atoms, sent);
            });
            by_panels(&of_atoms[..atoms * sent], &shape.sent, sized(&mut rows.sent, atoms * sent));
            let panels = &rows.sent[..atoms * sent];
            let strips = [
                Strip::of_atoms(sized(&mut rows.mixed, atoms * mixed), mixed),
                Strip::of_atoms(sized(&mut rows.spreads, atoms), 1),
                Strip::of_atoms(sized(&mut b.next, atoms * kept), kept),
            ];
            shares(&graph.starts, strips, &|atoms, [mixed, spreads, next]| {
                self.spare.with(|spare| {
                    let width = shape.arrived.width();
                    let arrived = sized(&mut spare.arrived, atoms.len() * width);
                    self.each_panel(layer, graph, &b.places, &b.geometry, |path, panel, messages| {
                        let target = target(&shape.arrived, path.to, path.place + panel * PANEL);
                        arrive(messages, block(panels, &shape.sent, path.from, panel), atoms.clone(), arrived, target);
                    });
                    layer.begin.skip(&graph.numbers, &b.x, [&shape.sent, &shape.mixed], atoms, mixed);
                    layer.mixed.add(arrived, &shape.arrived, mixed, &shape.mixed);
                    let normal = sized(&mut spare.normal, mixed.len());
                    normalise(mixed, &layer.norm, normal, spreads);
                    gate(normal, &layer.gates, next);
                });
            });
            std::mem::swap(&mut b.x, &mut b.next);
        }
        let width = self.readout.weight.len();
        let rows = b.x[..atoms * width].chunks_exact(width).zip(&graph.numbers);
        let site = |(row, &z): (&[f32], &u8)| {
            f64::from(self.readout.of_row(row)) + f64::from(self.references[usize::from(z) - 1])
        };
        rows.map(site).sum()
    }

    /// Calls `f` with every panel of channels of every path of a layer.
    fn each_panel<'a>(
        &'a self,
        layer: &'a Layer,
        graph: &'a BondGraph,
        places: &'a [Place],
        geometry: &'a Geometry,
        mut f: impl FnMut(&Path, usize, Messages<'a>),
    ) {
        let bonds = graph.direction.len();
        for path in &layer.shape.paths {
            let (before, size) = self.triples.block(path).unwrap_or((0, 0));
            let (begin, end) = (before * bonds, (before + size) * bonds);
            for panel in 0..path.channels / PANEL {
                let messages = Messages {
                    graph,
                    places,
                    terms: layer.radial.panel(path.weight / PANEL + panel),
                    pace: layer.radial.pace(),
                    matrices: &geometry.matrices[begin..end],
                    derivatives: &geometry.derivatives[2 * begin..2 * end],
                    signs: &geometry.signs,
                    odd: !path.by.is_multiple_of(2),
                    from: path.from,
                    to: path.to,
                };
                f(path, panel, messages);
            }
        }
    }

    /// Forces and stress, after a way forward.
    fn back(&self, graph: &BondGraph, b: &mut Buffers) -> (Vec<[f64; 3]>, [[f64; 3]; 3]) {
        let (atoms, edges) = (graph.numbers.len(), graph.neighbor.len());
        let last = self.readout.weight.len();
        for row in sized(&mut b.back, atoms * last).chunks_exact_mut(last) {
            row.copy_from_slice(&self.readout.weight);
        }
        sized(&mut b.of_edges, edges * THREE).fill(0.0);
        for (layer, rows) in self.layers.iter().zip(&b.layers).rev() {
            let shape = &layer.shape;
            let [sent, arrived, mixed, kept] =
                [&shape.sent, &shape.arrived, &shape.mixed, &shape.kept].map(Degrees::width);
            let strips = [
                Strip::of_atoms(sized(&mut b.of_arrived, atoms * arrived), arrived),
                Strip::of_atoms(sized(&mut b.before, atoms * sent), sent),
            ];
            let back = &b.back[..atoms * kept];
            shares(&graph.starts, strips, &|atoms, [of_arrived, before]| {
                self.spare.with(|spare| {
                    let of = |width: usize| atoms.start * width..atoms.end * width;
                    let had = &rows.mixed[of(mixed)];
                    let normal = sized(&mut spare.normal, had.len());
                    let spreads = &mut sized(&mut spare.arrived, atoms.len())[..];
                    normalise(had, &layer.norm, normal, spreads);
                    let of_mixed = sized(&mut spare.of_mixed, had.len());
                    gate_back(normal, &layer.gates, &back[of(kept)], of_mixed);
                    normalise_back(had, &layer.norm, &rows.spreads[of(1)], of_mixed);
                    of_arrived.fill(0.0);
                    layer.mixed.add_back(of_mixed, &shape.mixed, of_arrived, &shape.arrived);
                    before.fill(0.0);
                    layer.begin.skip_back(of_mixed, &shape.mixed, before, &shape.sent);
                });
            });
            by_panels(&b.of_arrived[..atoms * arrived], &shape.arrived, sized(&mut b.panels, atoms * arrived));
            let (panels, x) = (&b.panels[..atoms * arrived], &rows.sent[..atoms * sent]);
            let strips = [
                Strip::of_atoms(sized(&mut b.of_sent, atoms * sent), sent),
                Strip::of_runs(&mut b.of_edges[..edges * THREE], THREE, &graph.starts),
                Strip::of_atoms(&mut b.before[..atoms * sent], sent),
            ];
            shares(&graph.starts, strips, &|atoms, [of_sent, of_edges, before]| {
                of_sent.fill(0.0);
                self.each_panel(layer, graph, &b.places, &b.geometry, |path, panel, messages| {
                    let target = target(&shape.sent, path.from, panel * PANEL);
                    let x = block(x, &shape.sent, path.from, panel);
                    let gradients = block(panels, &shape.arrived, path.to, path.place / PANEL + panel);
                    arrive_back(messages, x, gradients, atoms.clone(), of_sent, target, of_edges);
                });
                layer.begin.send_back(of_sent, &shape.sent, before);
            });
            std::mem::swap(&mut b.back, &mut b.before);
        }
        gathered(graph, &b.geometry, &b.of_edges)
    }
}

/// Forces and stress from the gradients of directed bonds in the length and direction of their bonds.
fn gathered(graph: &BondGraph, geometry: &Geometry, of_edges: &[f32]) -> (Vec<[f64; 3]>, [[f64; 3]; 3]) {
    let mut gradients = vec![[0.0; 3]; graph.direction.len()];
    for (row, &bond) in of_edges.chunks_exact(THREE).zip(&graph.bond) {
        for (gradient, panel) in gradients[bond as usize].iter_mut().zip(row.chunks_exact(PANEL)) {
            *gradient += panel.iter().copied().map(f64::from).sum::<f64>();
        }
    }
    let mut virial = Virial::new(graph);
    for (atom, run) in graph.starts.windows(2).enumerate() {
        for e in run[0]..run[1] {
            let bond = graph.bond[e] as usize;
            if graph.direction[bond] as usize == e {
                let ([along, first, second], [u, a, b]) = (gradients[bond], geometry.axes[bond]);
                // The direction is against the bond's vector.
                let gradient = |k: usize| -(along * u[k] + (first * a[k] + second * b[k]) / graph.length[e]);
                virial.add(graph, atom, e, std::array::from_fn(gradient));
            }
        }
    }
    let stress = virial.stress(graph);
    (virial.forces, stress)
}

/// Where a channel of a degree begins in the rows of atoms.
fn target(degrees: &Degrees, degree: usize, channel: usize) -> Target {
    Target { width: degrees.width(), start: degrees.start(degree) + channel, apart: degrees.0[degree] }
}

/// A panel of a degree, of all atoms, as [`by_panels`] writes it.
fn block<'a>(panels: &'a [f32], degrees: &Degrees, degree: usize, panel: usize) -> &'a [f32] {
    let (atoms, size) = (panels.len() / degrees.width(), components(degree) * PANEL);
    let begin = atoms * (degrees.start(degree) + panel * size);
    &panels[begin..begin + atoms * size]
}

/// The weights of a layer's paths by the length of a bond. Matrices of bonds are normalised for the product, weights for each component
/// of the result.
fn radial(basis: &Basis, cutoff: f64, layers: &[nn::Linear], shape: &Shape) -> Radial {
    let perceptron = Exact::of(layers);
    let factor = |path: &Path| if path.by == 0 { 1.0 } else { (components(path.to) as f64).sqrt() };
    let factors: Vec<f64> =
        shape.paths.iter().flat_map(|path| std::iter::repeat_n(factor(path), path.channels)).collect();
    Radial::new(cutoff, 1, factors.len(), |lengths| {
        let of =
            |&length: &f64| perceptron.apply(&basis.expand(length)).iter().zip(&factors).map(|(w, f)| w * f).collect();
        lengths.iter().map(of).collect()
    })
}

impl Surface for Nequix {
    fn energy(&self, graph: &BondGraph) -> f64 {
        self.buffers.with(|buffers| self.forward(graph, buffers))
    }

    fn single_point(&self, graph: &BondGraph) -> SinglePoint {
        self.buffers.with(|buffers| {
            let energy = self.forward(graph, buffers);
            let (forces, stress) = self.back(graph, buffers);
            SinglePoint { energy, forces, stress, magmoms: None }
        })
    }
}
