//! The edges of a graph, in the runs that its nodes gather, cut into tiles that fit the cache and shared among threads.
//!
//! Edges are sorted by the node that gathers them. A tile is a few whole runs, so that every sum at a node is a running sum
//! within one tile, nothing is added across tiles, and the result does not depend on how many threads there are.

use std::ops::Range;

use super::rows::Ends;

/// Edges in a tile: 64 rows of 256 numbers are a sixteenth of a second-level cache of 1 MiB.
const TILE: usize = 64;
/// Multiplications that are worth a thread's while.
const GRAIN: usize = 4 << 20;

/// A few nodes and the edges they gather.
pub struct Tile<'a> {
    /// The nodes.
    pub nodes: Range<usize>,
    /// Their edges.
    pub edges: Range<usize>,
    /// Where the run of each node begins in the whole graph, and where the last one ends.
    pub starts: &'a [usize],
    /// Rows of these edges, to be written.
    pub of_edges: &'a mut [f32],
    /// Rows of these nodes, to be written.
    pub of_nodes: &'a mut [f32],
}

impl Tile<'_> {
    /// Number of edges.
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// The ends of its edges, of those of the whole graph.
    pub fn ends<'a>(&'a self, other: &'a [u32]) -> Ends<'a> {
        Ends { first: self.nodes.start, starts: self.starts, other: &other[self.edges.clone()] }
    }
}

/// A graph's runs, and what each edge costs in multiplications.
#[derive(Clone, Copy)]
pub struct Runs<'a> {
    /// As [`super::super::graph::starts`] writes them.
    pub starts: &'a [usize],
    /// Multiplications for an edge.
    pub cost: usize,
}

impl Runs<'_> {
    /// Calls `f` with every tile, on several threads where that pays. `of_edges` has `edge_width` numbers for each edge (0:
    /// none are written), `of_nodes` has `node_width` for each node.
    pub fn tiles(self, of_edges: (&mut [f32], usize), of_nodes: (&mut [f32], usize), f: &(impl Fn(Tile<'_>) + Sync)) {
        self.part(0, of_edges, of_nodes, f);
    }

    /// `first` is the node at which the part begins.
    fn part(
        self,
        first: usize,
        (mut of_edges, edge_width): (&mut [f32], usize),
        (mut of_nodes, node_width): (&mut [f32], usize),
        f: &(impl Fn(Tile<'_>) + Sync),
    ) {
        let nodes = self.starts.len() - 1;
        let (begin, end) = (self.starts[0], self.starts[nodes]);
        if nodes > 1 && (end - begin) * self.cost > 2 * GRAIN && rayon::current_num_threads() > 1 {
            let half = self.starts.partition_point(|&s| s < begin + (end - begin) / 2).clamp(1, nodes - 1);
            let (edges_a, edges_b) = of_edges.split_at_mut((self.starts[half] - begin) * edge_width);
            let (nodes_a, nodes_b) = of_nodes.split_at_mut(half * node_width);
            let (a, b) =
                (Runs { starts: &self.starts[..=half], ..self }, Runs { starts: &self.starts[half..], ..self });
            rayon::join(
                || a.part(first, (edges_a, edge_width), (nodes_a, node_width), f),
                || b.part(first + half, (edges_b, edge_width), (nodes_b, node_width), f),
            );
            return;
        }
        let mut node = 0;
        while node < nodes {
            let from = self.starts[node];
            let mut until = node + 1;
            while until < nodes && self.starts[until + 1] - from <= TILE {
                until += 1;
            }
            let to = self.starts[until];
            let (edges_now, edges_later) = std::mem::take(&mut of_edges).split_at_mut((to - from) * edge_width);
            let (nodes_now, nodes_later) = std::mem::take(&mut of_nodes).split_at_mut((until - node) * node_width);
            (of_edges, of_nodes) = (edges_later, nodes_later);
            f(Tile {
                nodes: first + node..first + until,
                edges: from..to,
                starts: &self.starts[node..=until],
                of_edges: edges_now,
                of_nodes: nodes_now,
            });
            node = until;
        }
    }
}

/// `f(first row, rows)` over blocks of rows of `out`, each of `width` numbers and `cost` multiplications, on several threads
/// where that pays.
pub fn blocks(out: &mut [f32], width: usize, cost: usize, f: &(impl Fn(usize, &mut [f32]) + Sync)) {
    fn part(first: usize, out: &mut [f32], width: usize, cost: usize, f: &(impl Fn(usize, &mut [f32]) + Sync)) {
        let rows = out.len() / width;
        if rows > 1 && rows * cost > 2 * GRAIN && rayon::current_num_threads() > 1 {
            let half = rows / 2;
            let (a, b) = out.split_at_mut(half * width);
            rayon::join(|| part(first, a, width, cost, f), || part(first + half, b, width, cost, f));
        } else {
            for (k, block) in out.chunks_mut(TILE * width).enumerate() {
                f(first + k * TILE, block);
            }
        }
    }
    part(0, out, width, cost, f);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::rows::runs;
    use super::*;
    use crate::graph::starts;

    #[test]
    fn tiles_hold_whole_runs_and_every_edge_once() {
        // Runs of 0 to 96 edges, some empty.
        let degrees: Vec<usize> = (0..300).map(|k| (k * 37) % 97).collect();
        let gathering: Vec<u32> = degrees.iter().enumerate().flat_map(|(k, &n)| vec![k as u32; n]).collect();
        let mut first = Vec::new();
        starts(&gathering, degrees.len(), &mut first);
        let (mut edges, mut nodes) = (vec![0.0; gathering.len() * 2], vec![0.0; degrees.len()]);
        let tiles = Mutex::new(0);
        let all = Runs { starts: &first, cost: GRAIN / 100 };
        all.tiles((&mut edges, 2), (&mut nodes, 1), &|tile: Tile<'_>| {
            assert!(tile.len() <= TILE || tile.nodes.len() == 1);
            assert_eq!((tile.of_edges.len(), tile.of_nodes.len()), (tile.len() * 2, tile.nodes.len()));
            for (run, node) in runs(tile.starts).zip(tile.nodes.clone()) {
                assert_eq!(run.len(), degrees[node]);
                assert!(run.clone().all(|e| gathering[tile.edges.start + e] as usize == node));
            }
            for (run, out) in runs(tile.starts).zip(&mut *tile.of_nodes) {
                *out += run.len() as f32;
            }
            tile.of_edges.iter_mut().for_each(|x| *x += 1.0);
            *tiles.lock().unwrap() += 1;
        });
        assert!(edges.iter().all(|&x| x == 1.0));
        assert!(nodes.iter().zip(&degrees).all(|(&x, &n)| x == n as f32));
        assert!(*tiles.lock().unwrap() > 100);
    }

    #[test]
    fn blocks_cover_every_row_once() {
        let mut out = vec![0.0; 1000 * 3];
        blocks(&mut out, 3, GRAIN / 100, &|first, rows| {
            for (k, row) in rows.chunks_exact_mut(3).enumerate() {
                row.iter_mut().for_each(|x| *x += (first + k) as f32);
            }
        });
        assert!(out.chunks_exact(3).enumerate().all(|(k, row)| row.iter().all(|&x| x == k as f32)));
    }
}
