//! A crystal as a graph: atoms are nodes, and edges run from a neighbour to the centre that gathers it, periodic images
//! included. Atoms that are equal to a network may be one node ([`super::distinct`]).

use crate::ModelError;
use crystal::{Neighbors, Structure, neighbors_up_to};

/// Which pairs of atoms have an edge. Part of a model: another rule gives other numbers.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Neighborhood {
    /// Every pair, periodic images included.
    Within {
        /// Largest distance, Å.
        cutoff: f64,
    },
    /// Each atom's nearest neighbours in whole shells: all that are no farther than the `count`-th, and the reverse of
    /// every such edge.
    Nearest {
        /// Neighbours that an atom has at least.
        count: usize,
        /// Where the search begins, Å; it widens until every atom has its neighbours.
        cutoff: f64,
    },
    /// CGCNN's and GATGNN's own rule: each atom's nearest neighbours, so many and no more, one way. Of neighbours at one
    /// distance the lighter are taken; among those of one element the choice depends on the description of the crystal.
    Exactly {
        /// Neighbours of an atom.
        count: usize,
        /// Largest distance, Å; an atom with fewer neighbours within it has fewer.
        cutoff: f64,
    },
    /// DeeperGATGNN's own rule: of each pair of sites the nearest image only, of those the `count` nearest, one way. Depends on
    /// the choice of cell: in a supercell atoms have more neighbours.
    MinimumImage {
        /// Neighbours that an atom has at most.
        count: usize,
        /// Largest distance, Å.
        cutoff: f64,
    },
}

impl Neighborhood {
    /// The same rule with another number of neighbours, where it counts them and one is given.
    pub(super) fn with_count(mut self, neighbors: Option<usize>) -> Self {
        match &mut self {
            Self::Nearest { count, .. } | Self::Exactly { count, .. } | Self::MinimumImage { count, .. } => {
                *count = neighbors.unwrap_or(*count);
            }
            Self::Within { .. } => {}
        }
        self
    }
}

/// Neighbours no farther than this beyond the last counted one belong to its shell, Å.
const SHELL: f64 = 1e-3;
/// Distances are compared in these steps, Å: symmetry makes many equal but for rounding.
const TIE: f64 = 1e-5;
/// Where the search for nearest neighbours ends, Å: a crystal whose atoms are farther apart is not one.
const FARTHEST: f64 = 64.0;

/// Most pairs of one crystal: some 20 000 atoms in reach of 6 Å. What a network keeps of each is some kilobytes.
const MAX_PAIRS: usize = 2_000_000;

/// The crystal graph of one structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Atomic number of each node.
    pub numbers: Vec<u8>,
    /// Atoms that each node stands for.
    pub weight: Vec<f32>,
    /// Node at which each edge is gathered, ascending.
    pub center: Vec<u32>,
    /// Node at the other end of each edge.
    pub neighbor: Vec<u32>,
    /// Length of each edge, Å.
    pub distance: Vec<f32>,
    /// From the neighbour to the centre, Å.
    pub displacement: Vec<[f32; 3]>,
}

impl Graph {
    /// Graph of the pairs that `rule` selects.
    ///
    /// # Errors
    /// [`ModelError::NoBonds`] where no pair is that near, [`ModelError::TooManyBonds`] where too many are.
    pub fn new(structure: &Structure, rule: Neighborhood) -> Result<Self, ModelError> {
        let (pairs, cutoff) = match rule {
            Neighborhood::Within { cutoff } => (pairs_within(structure, cutoff)?, cutoff),
            Neighborhood::Nearest { count, cutoff } => nearest_shells(structure, count, cutoff)?,
            Neighborhood::Exactly { count, cutoff } => (nearest(structure, count, cutoff)?, cutoff),
            Neighborhood::MinimumImage { count, cutoff } => (minimum_image(structure, count, cutoff)?, cutoff),
        };
        if pairs.is_empty() {
            return Err(ModelError::NoBonds { cutoff });
        }
        let (lattice, frac) = (structure.lattice(), structure.frac_coords());
        let displacement = (0..pairs.len())
            .map(|e| {
                let (i, j, image) = (pairs.center[e] as usize, pairs.neighbor[e] as usize, pairs.image[e]);
                let step = std::array::from_fn(|k| frac[i][k] - frac[j][k] - f64::from(image[k]));
                lattice.to_cartesian(step).map(|x| x as f32)
            })
            .collect();
        Ok(Self {
            numbers: structure.species().iter().map(|e| e.z()).collect(),
            weight: vec![1.0; structure.len()],
            center: pairs.center,
            neighbor: pairs.neighbor,
            distance: pairs.distance.into_iter().map(|d| d as f32).collect(),
            displacement,
        })
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.numbers.len()
    }

    /// The share of each node in the atoms.
    pub fn shares(&self) -> impl Iterator<Item = f32> {
        let atoms: f32 = self.weight.iter().sum();
        self.weight.iter().map(move |weight| weight / atoms)
    }

    /// Edges that each edge stands for: it counts as often as the node that gathers it.
    pub fn edge_weights(&self) -> impl Iterator<Item = f32> {
        self.center.iter().map(|&node| self.weight[node as usize])
    }

    /// The share of an edge of each node in the edges.
    pub fn edge_shares(&self) -> impl Iterator<Item = f32> {
        let edges: f32 = self.edge_weights().sum();
        self.weight.iter().map(move |weight| weight / edges)
    }

    /// Number of directed edges.
    pub fn edges(&self) -> usize {
        self.center.len()
    }
}

/// All pairs within `cutoff`, Å.
///
/// # Errors
/// [`ModelError::TooManyBonds`].
pub(super) fn pairs_within(structure: &Structure, cutoff: f64) -> Result<Neighbors, ModelError> {
    neighbors_up_to(structure, cutoff, MAX_PAIRS).ok_or(ModelError::TooManyBonds { cutoff, most: MAX_PAIRS })
}

/// The pairs of [`Neighborhood::Nearest`], and how far the search went.
fn nearest_shells(structure: &Structure, count: usize, cutoff: f64) -> Result<(Neighbors, f64), ModelError> {
    let mut reach = cutoff;
    loop {
        let pairs = pairs_within(structure, reach)?;
        let mut degree = vec![0; structure.len()];
        pairs.center.iter().for_each(|&i| degree[i as usize] += 1);
        if degree.iter().any(|&d| d < count) && reach < FARTHEST {
            reach *= 1.5;
            continue;
        }
        let mut shell = vec![0.0; structure.len()];
        let mut first = 0;
        for (i, &n) in degree.iter().enumerate() {
            let mut distances = pairs.distance[first..first + n].to_vec();
            if n > 0 {
                let last = count.min(n) - 1;
                shell[i] = *distances.select_nth_unstable_by(last, f64::total_cmp).1 + SHELL;
            }
            first += n;
        }
        let near = |e: usize| {
            let reach = shell[pairs.center[e] as usize].max(shell[pairs.neighbor[e] as usize]);
            pairs.distance[e] <= reach
        };
        return Ok((chosen(&pairs, near), reach));
    }
}

/// The pairs of [`Neighborhood::Exactly`].
fn nearest(structure: &Structure, count: usize, cutoff: f64) -> Result<Neighbors, ModelError> {
    let pairs = pairs_within(structure, cutoff)?;
    let species = structure.species();
    let mut kept = vec![false; pairs.len()];
    let mut first = 0;
    for run in pairs.center.chunk_by(|a, b| a == b) {
        let mut edges: Vec<usize> = (first..first + run.len()).collect();
        first += run.len();
        edges.sort_by_key(|&e| ((pairs.distance[e] / TIE).round() as u64, species[pairs.neighbor[e] as usize].z()));
        edges.iter().take(count).for_each(|&e| kept[e] = true);
    }
    Ok(chosen(&pairs, |e| kept[e]))
}

/// The pairs of [`Neighborhood::MinimumImage`].
fn minimum_image(structure: &Structure, count: usize, cutoff: f64) -> Result<Neighbors, ModelError> {
    let pairs = pairs_within(structure, cutoff)?;
    let mut kept = vec![false; pairs.len()];
    let mut first = 0;
    for run in pairs.center.chunk_by(|a, b| a == b) {
        let edges = first..first + run.len();
        first = edges.end;
        let order = |a: &usize, b: &usize| pairs.distance[*a].total_cmp(&pairs.distance[*b]);
        let mut nearest: Vec<usize> = Vec::new();
        // Neighbours of a centre are ordered by site.
        for images in edges.collect::<Vec<_>>().chunk_by(|&a, &b| pairs.neighbor[a] == pairs.neighbor[b]) {
            // An atom is its own nearest image, at distance 0: no edge to itself.
            if pairs.neighbor[images[0]] != run[0] {
                nearest.extend(images.iter().min_by(|a, b| order(a, b)));
            }
        }
        nearest.sort_by(|&a, &b| pairs.distance[a].total_cmp(&pairs.distance[b]));
        nearest.truncate(count);
        nearest.into_iter().for_each(|e| kept[e] = true);
    }
    Ok(chosen(&pairs, |e| kept[e]))
}

/// The pairs for which `keep` holds, in their order.
fn chosen(pairs: &Neighbors, keep: impl Fn(usize) -> bool) -> Neighbors {
    let mut some = Neighbors::default();
    for e in (0..pairs.len()).filter(|&e| keep(e)) {
        some.center.push(pairs.center[e]);
        some.neighbor.push(pairs.neighbor[e]);
        some.image.push(pairs.image[e]);
        some.distance.push(pairs.distance[e]);
    }
    some
}

/// Where the run of each node begins, and where the last one ends; `gathering` is ascending.
pub(super) fn starts(gathering: &[u32], nodes: usize, starts: &mut Vec<usize>) {
    starts.clear();
    starts.resize(nodes + 1, 0);
    for &node in gathering {
        starts[node as usize + 1] += 1;
    }
    for node in 0..nodes {
        starts[node + 1] += starts[node];
    }
}

/// Splits `0..sizes.len()`, ordered by size, into runs of which none exceeds `limit` in total (a single larger one stands
/// alone): graphs of like size share a forward pass.
pub fn batches_by_size(sizes: &[usize], limit: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&i| sizes[i]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut total = 0;
    for i in order {
        match batches.last_mut() {
            Some(batch) if total + sizes[i] <= limit => batch.push(i),
            _ => {
                batches.push(vec![i]);
                total = 0;
            }
        }
        total += sizes[i];
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    #[test]
    fn a_lone_atom_beyond_the_cutoff_has_no_graph() {
        let lattice = Lattice::from_parameters(9.0, 9.0, 9.0, 90.0, 90.0, 90.0).unwrap();
        let far = Structure::new(lattice, vec![Element::O], vec![[0.0; 3]]).unwrap();
        assert!(matches!(Graph::new(&far, Neighborhood::Within { cutoff: 5.0 }), Err(ModelError::NoBonds { .. })));
        let graph = Graph::new(&far, Neighborhood::Within { cutoff: 9.0 }).unwrap();
        assert_eq!((graph.nodes(), graph.edges()), (1, 6));
    }

    #[test]
    fn a_graph_that_would_not_fit_is_refused_before_it_is_made() {
        let lattice = Lattice::from_parameters(1.0, 1.0, 1.0, 90.0, 90.0, 90.0).unwrap();
        let dense = Structure::new(lattice, vec![Element::O], vec![[0.0; 3]]).unwrap();
        let error = Graph::new(&dense, Neighborhood::Within { cutoff: 90.0 }).unwrap_err().to_string();
        assert!(
            error.starts_with("more than 2000000 pairs of atoms lie within the model's reach of 90.0 Å"),
            "{error}"
        );
    }

    #[test]
    fn exactly_so_many_neighbours_and_the_lighter_of_equals() {
        // Caesium chloride: 8 neighbours of the other kind, then 6 of the own, then 12 at a sqrt 2.
        let lattice = Lattice::from_parameters(4.0, 4.0, 4.0, 90.0, 90.0, 90.0).unwrap();
        let [cs, cl] = ["Cs", "Cl"].map(|s| Element::from_symbol(s).unwrap());
        let salt = Structure::new(lattice, vec![cs, cl], vec![[0.0; 3], [0.5; 3]]).unwrap();
        let graph = Graph::new(&salt, Neighborhood::Exactly { count: 12, cutoff: 8.0 }).unwrap();
        let near = |i: u32| graph.center.iter().zip(&graph.distance).filter(|(c, d)| **c == i && **d < 3.5).count();
        assert_eq!((graph.edges(), near(0), near(1)), (24, 8, 8));
        // Two chlorines and two fluorines at 1.5 Å: of two neighbours both are fluorines.
        let cubic = Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
        let species = vec![cs, cl, Element::from_symbol("F").unwrap()];
        let tied = Structure::new(cubic, species, vec![[0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]).unwrap();
        let graph = Graph::new(&tied, Neighborhood::Exactly { count: 2, cutoff: 8.0 }).unwrap();
        assert_eq!((&graph.center[..2], &graph.neighbor[..2]), (&[0, 0][..], &[2, 2][..]));
    }

    #[test]
    fn batches_hold_every_index_once_and_respect_the_limit() {
        let sizes = [5, 100, 1, 30, 30, 2, 70];
        let batches = batches_by_size(&sizes, 64);
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..sizes.len()).collect::<Vec<_>>());
        for batch in batches {
            assert!(batch.len() == 1 || batch.iter().map(|&i| sizes[i]).sum::<usize>() <= 64);
        }
    }
}
