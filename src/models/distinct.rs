//! Sites that are equal to a graph network, as one node.
//!
//! A network that reads elements and bond lengths gives two atoms the same vector where they are of one element and have bonds of
//! the same lengths to atoms with the same vectors. The coarsest division with that property is found by colour refinement
//! (Weisfeiler and Leman 1968): atoms begin as their element, and are separated as long as their bonds differ. Sites related by symmetry, a
//! translation within a supercell included, are never separated, so that there are no more nodes than sites of the asymmetric unit, on
//! which Ruff, Reiser, Stühmer and Friederich (Digital Discovery 2024, 3, 594) build their graphs; no symmetry search is needed, and a
//! crystal without symmetry keeps all its atoms. A node stands for as many atoms as its weight says: sums over the bonds of an atom stay as
//! they are, means over atoms are weighted.
//!
//! Coordinates are rounded, so lengths within [`SPAN`] are taken as equal and replaced by the mean over all bonds that are merged.
//! A network's number, mean or sum over atoms, then has no error of first order in the differences: at the merged crystal its
//! gradient is the same for all of these bonds, and their differences from the mean add up to nothing.

use std::{collections::HashMap, ops::Range};

use super::graph::{Graph, Neighborhood, starts};
use crate::error::ModelError;
use crystal::Structure;

/// Lengths no farther apart than this are taken as equal, Å.
const SPAN: f32 = 5e-4;

impl Graph {
    /// [`Graph::new`] with one node for all atoms that are equal to a network of elements and lengths.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub fn of_distinct_sites(structure: &Structure, rule: Neighborhood) -> Result<Self, ModelError> {
        Ok(Self::new(structure, rule)?.merged())
    }

    fn merged(self) -> Self {
        let mut runs = Vec::new();
        starts(&self.center, self.nodes(), &mut runs);
        let shells = shells(&self.distance);
        let (class, count) = self.classes(&runs, &shells);
        if count == self.nodes() {
            return self;
        }
        // Of each node the edges in an order that is the same throughout its class.
        let in_order = |node: usize| {
            let mut edges: Vec<usize> = (runs[node]..runs[node + 1]).collect();
            let key = |e: usize| (shells[e], class[self.neighbor[e] as usize]);
            edges.sort_by(|&a, &b| key(a).cmp(&key(b)).then(self.distance[a].total_cmp(&self.distance[b])));
            edges
        };
        let mut merged = Self {
            numbers: Vec::with_capacity(count),
            weight: vec![0.0; count],
            center: Vec::new(),
            neighbor: Vec::new(),
            distance: Vec::new(),
            displacement: Vec::new(),
        };
        let mut sums: Vec<Vec<f64>> = Vec::with_capacity(count);
        let mut first: Vec<Vec<usize>> = Vec::with_capacity(count);
        for (node, &own) in class.iter().enumerate() {
            let (own, edges) = (own as usize, in_order(node));
            if own == first.len() {
                merged.numbers.push(self.numbers[node]);
                sums.push(vec![0.0; edges.len()]);
                first.push(edges.clone());
            }
            merged.weight[own] += self.weight[node];
            let lengths = edges.iter().map(|&e| f64::from(self.weight[node]) * f64::from(self.distance[e]));
            sums[own].iter_mut().zip(lengths).for_each(|(sum, length)| *sum += length);
        }
        for (node, (edges, sums)) in first.iter().zip(&sums).enumerate() {
            merged.center.extend(std::iter::repeat_n(node as u32, edges.len()));
            merged.neighbor.extend(edges.iter().map(|&e| class[self.neighbor[e] as usize]));
            merged.distance.extend(sums.iter().map(|sum| (sum / f64::from(merged.weight[node])) as f32));
            merged.displacement.extend(edges.iter().map(|&e| self.displacement[e]));
        }
        merged
    }

    /// The class of each node, numbered in the order of their first nodes, and how many there are.
    fn classes(&self, runs: &[usize], shells: &[u32]) -> (Vec<u32>, usize) {
        let (mut class, mut count) = numbered(self.numbers.iter().copied());
        while count < self.nodes() {
            let bonds = |node: usize| {
                let edges = runs[node]..runs[node + 1];
                let mut bonds: Vec<(u32, u32)> = edges.map(|e| (shells[e], class[self.neighbor[e] as usize])).collect();
                bonds.sort_unstable();
                (class[node], bonds)
            };
            let (finer, number) = numbered((0..self.nodes()).map(bonds));
            let settled = number == count;
            (class, count) = (finer, number);
            if settled {
                break;
            }
        }
        (class, count)
    }
}

/// The number of each key, in the order in which they come, and how many there are.
fn numbered<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> (Vec<u32>, usize) {
    let mut known = HashMap::new();
    let numbers = keys.map(|key| {
        let next = known.len() as u32;
        *known.entry(key).or_insert(next)
    });
    let numbers = numbers.collect();
    (numbers, known.len())
}

/// The number of each length, equal ones having the same: a range of lengths that is wider than [`SPAN`] is cut at its widest gap.
fn shells(lengths: &[f32]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_unstable_by(|&a, &b| lengths[a].total_cmp(&lengths[b]));
    let gap = |k: usize| lengths[order[k]] - lengths[order[k - 1]];
    let (mut shells, mut number) = (vec![0; lengths.len()], 0);
    // Gaps that must be cut in any case separate the lengths in one sweep.
    let wide: Vec<usize> = (1..order.len()).filter(|&k| gap(k) > SPAN).collect();
    let ends = wide.iter().copied().chain([order.len()]);
    let starts = [0].into_iter().chain(wide.iter().copied());
    let mut ranges: Vec<Range<usize>> = starts.zip(ends).map(|(start, end)| start..end).collect();
    while let Some(range) = ranges.pop() {
        if range.is_empty() {
            continue;
        }
        if lengths[order[range.end - 1]] - lengths[order[range.start]] > SPAN {
            let widest = (range.start + 1..range.end).max_by(|&a, &b| gap(a).total_cmp(&gap(b)));
            let cut = widest.unwrap_or(range.start);
            ranges.extend([range.start..cut, cut..range.end]);
            continue;
        }
        order[range].iter().for_each(|&e| shells[e] = number);
        number += 1;
    }
    shells
}

#[cfg(test)]
mod tests {
    use burn::prelude::Device;
    use crystal::{Element, Lattice, Setting, expand_sites, neighbors};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cgcnn::CgcnnConfig,
        deeper_gatgnn::DeeperGatgnnConfig,
        fused::Fused,
        gatgnn::GatgnnConfig,
        input::Input,
        megnet::MegnetConfig,
        network::{Config, Net},
        schnet::SchnetConfig,
    };

    /// Every network of elements and lengths, with random weights, and its rule.
    fn networks() -> Vec<(Neighborhood, Config, Fused)> {
        let cgcnn = CgcnnConfig { convolutions: 2, ..CgcnnConfig::published() };
        let periodic = DeeperGatgnnConfig { layers: 2, hidden: 32, ..DeeperGatgnnConfig::periodic() };
        let gatgnn = GatgnnConfig { layers: 2, hidden: 32, ..GatgnnConfig::periodic() };
        let schnet = SchnetConfig { layers: 2, hidden: 64, ..SchnetConfig::usual() };
        let megnet = MegnetConfig { blocks: 2, ..MegnetConfig::original() };
        let all = vec![
            (cgcnn.edges, Config::Cgcnn(cgcnn)),
            (periodic.edges, Config::DeeperGatgnn(periodic)),
            (gatgnn.edges, Config::Gatgnn(gatgnn)),
            (schnet.edges, Config::Schnet(schnet)),
            (Neighborhood::Within { cutoff: megnet.cutoff }, Config::Megnet(megnet)),
        ];
        let packed = |(rule, config): (Neighborhood, Config)| {
            let net = Net::new(&config, 1, &Device::flex());
            let fused = net.fused(&config).unwrap();
            (rule, config, fused)
        };
        all.into_iter().map(packed).collect()
    }

    /// A cell of the crystal system of a space group, and its axes at 90° or 120° where they must be.
    fn lattice(number: u16, [a, b, c]: [f64; 3], [alpha, beta, gamma]: [f64; 3]) -> Lattice {
        let cell = match number {
            1..=2 => [a, b, c, alpha, beta, gamma],
            3..=15 => [a, b, c, 90.0, beta, 90.0],
            16..=74 => [a, b, c, 90.0, 90.0, 90.0],
            75..=142 => [a, a, c, 90.0, 90.0, 90.0],
            143..=194 => [a, a, c, 90.0, 90.0, 120.0],
            _ => [a, a, a, 90.0, 90.0, 90.0],
        };
        let [a, b, c, alpha, beta, gamma] = cell;
        Lattice::from_parameters(a, b, c, alpha, beta, gamma).unwrap()
    }

    /// A crystal of a space group with these sites, its cell scaled to 14 Å³ an atom, and how many orbits it has; `None` where atoms
    /// overlap.
    fn crystal(number: u16, lengths: [f64; 3], angles: [f64; 3], sites: &[[f64; 3]]) -> Option<(Structure, usize)> {
        let (setting, unscaled) = (Setting::of_number(number)[0], lattice(number, lengths, angles));
        let atoms = expand_sites(&unscaled, setting.operations(), sites);
        let scale = (14.0 * atoms.len() as f64 / unscaled.volume()).cbrt();
        let rows = unscaled.rows().map(|row| row.map(|x| scale * x));
        let elements = ["Ti", "O", "Sr"].map(|symbol| Element::from_symbol(symbol).unwrap());
        let (species, frac) = atoms.into_iter().map(|(site, x)| (elements[site], x)).unzip();
        let structure = Structure::new(Lattice::new(rows).ok()?, species, frac).ok()?;
        // Atoms beside a special position may lie so near to each other that some of an orbit are taken for one.
        neighbors(&structure, 0.5).is_empty().then_some((structure, sites.len()))
    }

    fn assert_same(networks: &[(Neighborhood, Config, Fused)], structure: &Structure, orbits: usize) {
        for (rule, config, fused) in networks {
            let whole = Graph::new(structure, *rule).unwrap();
            let merged = whole.clone().merged();
            assert!(merged.nodes() <= orbits, "{}: {} nodes, {orbits} orbits", config.architecture(), merged.nodes());
            assert_eq!(merged.weight.iter().sum::<f32>(), structure.len() as f32);
            let [want, got] = [whole, merged].map(|graph| fused.forward(&[&Input::Graph(graph)])[0]);
            let name = config.architecture();
            // Single precision adds up to 192 atoms in another order.
            assert!((got - want).abs() <= 2e-5 * want.abs().max(1.0), "{name}: {got}, by all atoms {want}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn numbers_are_those_of_all_atoms_in_every_space_group(
            number in 1_u16..=230,
            lengths in [2.4..4.2_f64, 2.4..4.2, 2.4..4.2],
            angles in [75.0..110.0_f64, 75.0..110.0, 75.0..110.0],
            sites in [[0.0..1.0_f64, 0.0..1.0, 0.0..1.0], [0.0..1.0_f64, 0.0..1.0, 0.0..1.0]],
        ) {
            if let Some((structure, orbits)) = crystal(number, lengths, angles, &[sites[0], sites[1], [0.0; 3]]) {
                assert_same(&networks(), &structure, orbits);
            }
        }
    }

    #[test]
    fn a_supercell_has_the_nodes_of_its_cell_and_a_crystal_without_symmetry_all_its_atoms() {
        let sites = [[0.1, 0.23, 0.37], [0.61, 0.48, 0.83], [0.0; 3]];
        let (low, _) = crystal(1, [1.0, 1.1, 1.3], [80.0, 95.0, 101.0], &sites).unwrap();
        let rule = Neighborhood::Nearest { count: 12, cutoff: 5.0 };
        assert_eq!(Graph::of_distinct_sites(&low, rule).unwrap(), Graph::new(&low, rule).unwrap());
        let large = Graph::of_distinct_sites(&low.supercell([2, 1, 3]).unwrap(), rule).unwrap();
        assert_eq!((large.nodes(), &large.weight[..]), (3, &[6.0; 3][..]));
        assert_same(&networks(), &low.supercell([2, 1, 3]).unwrap(), 3);
    }

    /// Coordinates with five digits: equal lengths differ by up to a ten-thousandth of an Å.
    #[test]
    fn rounded_coordinates_leave_sites_equal() {
        let (exact, orbits) = crystal(62, [1.0, 1.2, 0.9], [90.0; 3], &[[0.12, 0.25, 0.4], [0.3, 0.05, 0.1]]).unwrap();
        let rounded = exact.frac_coords().iter().map(|x| x.map(|x| (x * 1e5).round() / 1e5)).collect();
        let rounded = Structure::new(*exact.lattice(), exact.species().to_vec(), rounded).unwrap();
        assert_same(&networks(), &rounded, orbits);
    }
}
