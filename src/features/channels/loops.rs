//! Loops of a periodic graph: union-find that remembers lattice translations, and the lattice that the loops span.
//!
//! A component of the quotient graph (nodes modulo the lattice) may repeat along no, one, two or three directions. Every
//! node stores the translation from it to the root of its component. A link between two nodes of one component whose
//! translations do not cancel closes a loop that ends in another cell than it began: its vector joins the component's
//! loop lattice, whose rank is the number of independent directions in which the component is endless.

use crystal::{Lattice, add, sub};

/// A sublattice of Z³ by a row echelon basis: the row in place k, if any, has its first non-zero entry in column k.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LoopLattice {
    rows: [Option<[i64; 3]>; 3],
}

impl LoopLattice {
    /// Adds a vector to those that span the lattice.
    pub fn insert(&mut self, mut v: [i64; 3]) {
        for k in 0..3 {
            if v[k] == 0 {
                continue;
            }
            let Some(row) = &mut self.rows[k] else {
                self.rows[k] = Some(v);
                return;
            };
            // Euclid's algorithm on the leading entries: the row keeps their greatest common divisor, v loses its own.
            while v[k] != 0 {
                let times = row[k].div_euclid(v[k]);
                let rest = std::array::from_fn(|i| row[i] - times * v[i]);
                (*row, v) = (v, rest);
            }
        }
    }

    fn insert_all(&mut self, other: &Self) {
        other.rows.iter().flatten().for_each(|&row| self.insert(row));
    }

    /// Number of independent directions, 0 to 3.
    pub fn rank(&self) -> usize {
        self.rows.iter().flatten().count()
    }

    /// The shortest vector, in Å, that is no combination of `known`; of equals the first in the order [1,0,0], [0,1,0],
    /// [0,0,1]. Its first non-zero entry is positive.
    pub fn shortest(&self, lattice: &Lattice, known: &[[i32; 3]]) -> Option<[i32; 3]> {
        let cartesian = |v: [i64; 3]| lattice.to_cartesian(v.map(|x| x as f64));
        let dot = |u, v| super::dot(cartesian(u), cartesian(v));
        let mut basis: Vec<[i64; 3]> = self.rows.iter().flatten().copied().collect();
        // Pairwise reduction, until no vector gets shorter by another.
        let mut changed = true;
        while changed {
            changed = false;
            for i in 0..basis.len() {
                for j in (0..basis.len()).filter(|&j| j != i) {
                    let times = (dot(basis[i], basis[j]) / dot(basis[j], basis[j]) * (1.0 - 1e-9)).round() as i64;
                    if times != 0 {
                        basis[i] = std::array::from_fn(|k| basis[i][k] - times * basis[j][k]);
                        changed = true;
                    }
                }
            }
        }
        let mut best: Option<(f64, [i64; 3])> = None;
        for code in 0..5_i64.pow(basis.len() as u32) {
            let mut v = [0_i64; 3];
            let mut rest = code;
            for b in &basis {
                let times = rest % 5 - 2;
                rest /= 5;
                (0..3).for_each(|k| v[k] += times * b[k]);
            }
            if v.iter().find(|x| **x != 0).is_none_or(|x| *x < 0) || dependent(known, v) {
                continue;
            }
            let length = dot(v, v);
            if best.is_none_or(|(l, w)| length < l - 1e-6 * l || (length < l + 1e-6 * l && v > w)) {
                best = Some((length, v));
            }
        }
        best.map(|(_, v)| v.map(|x| x as i32))
    }
}

/// Whether `v` is in the span of `known`.
fn dependent(known: &[[i32; 3]], v: [i64; 3]) -> bool {
    let mut span = LoopLattice::default();
    known.iter().for_each(|w| span.insert(w.map(i64::from)));
    let before = span.rank();
    span.insert(v);
    span.rank() == before
}

/// Union-find over the nodes of a periodic graph.
#[derive(Debug)]
pub(crate) struct Components {
    parent: Vec<u32>,
    /// Node n in cell T belongs with its parent in cell T + offset[n].
    offset: Vec<[i32; 3]>,
    size: Vec<u32>,
    loops: Vec<LoopLattice>,
}

impl Components {
    /// `n` nodes, each on its own.
    pub fn new(n: usize) -> Self {
        Self {
            parent: (0..n as u32).collect(),
            offset: vec![[0; 3]; n],
            size: vec![1; n],
            loops: vec![LoopLattice::default(); n],
        }
    }

    /// Root of `node` and the translation to it.
    pub fn find(&mut self, node: u32) -> (u32, [i32; 3]) {
        let (mut root, mut total) = (node, [0; 3]);
        while self.parent[root as usize] != root {
            total = add(total, self.offset[root as usize]);
            root = self.parent[root as usize];
        }
        // Second pass: hang every node on the way directly from the root.
        let (mut at, mut left) = (node, total);
        while self.parent[at as usize] != root && at != root {
            let (next, step) = (self.parent[at as usize], self.offset[at as usize]);
            self.parent[at as usize] = root;
            self.offset[at as usize] = left;
            left = sub(left, step);
            at = next;
        }
        (root, total)
    }

    /// Joins `from` with `to`, `image` cells away.
    pub fn join(&mut self, from: u32, to: u32, image: [i32; 3]) {
        let ((f, at_f), (t, at_t)) = (self.find(from), self.find(to));
        // Along the link, root t sits in this cell when root f is at home.
        let apart = sub(add(image, at_t), at_f);
        if f == t {
            self.loops[f as usize].insert(apart.map(i64::from));
            return;
        }
        let (root, child, offset) =
            if self.size[f as usize] >= self.size[t as usize] { (f, t, apart.map(|x| -x)) } else { (t, f, apart) };
        self.parent[child as usize] = root;
        self.offset[child as usize] = offset;
        self.size[root as usize] += self.size[child as usize];
        let loops = self.loops[child as usize];
        self.loops[root as usize].insert_all(&loops);
    }

    /// The loops of the component with this root.
    pub fn loops(&self, root: u32) -> &LoopLattice {
        &self.loops[root as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spanned(vectors: &[[i64; 3]]) -> LoopLattice {
        let mut lattice = LoopLattice::default();
        vectors.iter().for_each(|&v| lattice.insert(v));
        lattice
    }

    fn cubic() -> Lattice {
        Lattice::from_parameters(4.0, 4.0, 4.0, 90.0, 90.0, 90.0).unwrap()
    }

    #[test]
    fn rank_counts_independent_vectors_only() {
        assert_eq!(spanned(&[]).rank(), 0);
        assert_eq!(spanned(&[[0, 0, 0]]).rank(), 0);
        assert_eq!(spanned(&[[0, 2, 0], [0, -3, 0]]).rank(), 1);
        assert_eq!(spanned(&[[1, 2, 3], [2, 4, 6], [3, 6, 9]]).rank(), 1);
        assert_eq!(spanned(&[[1, 1, 0], [1, -1, 0], [5, 3, 0]]).rank(), 2);
        assert_eq!(spanned(&[[1, 1, 0], [0, 1, 1], [1, 0, 1]]).rank(), 3);
    }

    #[test]
    fn the_shortest_vector_is_found_whatever_spans_the_lattice() {
        assert_eq!(spanned(&[[0, 0, 4], [0, 0, -6]]).shortest(&cubic(), &[]), Some([0, 0, 2]));
        assert_eq!(spanned(&[[7, 5, 0], [4, 3, 0]]).shortest(&cubic(), &[]), Some([1, 0, 0]));
        assert_eq!(spanned(&[[7, 5, 0], [4, 3, 0]]).shortest(&cubic(), &[[1, 0, 0]]), Some([0, 1, 0]));
        assert_eq!(spanned(&[[1, 1, 0], [0, 1, 1], [1, 0, 1]]).shortest(&cubic(), &[]), Some([1, 1, 0]));
        assert_eq!(spanned(&[[1, 1, 0]]).shortest(&cubic(), &[[2, 2, 0]]), None);
    }

    #[test]
    fn a_path_that_returns_to_its_cell_closes_no_loop() {
        let mut c = Components::new(3);
        c.join(0, 1, [1, 0, 0]);
        c.join(1, 2, [0, 1, 0]);
        c.join(2, 0, [-1, -1, 0]);
        let (root, _) = c.find(0);
        assert_eq!(c.loops(root).rank(), 0);
        c.join(2, 0, [-1, 1, 0]);
        let (root, _) = c.find(1);
        assert_eq!(c.loops(root).shortest(&cubic(), &[]), Some([0, 2, 0]));
    }

    #[test]
    fn joining_components_joins_their_loops() {
        let mut c = Components::new(4);
        c.join(0, 1, [0, 0, 0]);
        c.join(0, 1, [1, 0, 0]);
        c.join(2, 3, [0, 5, 0]);
        c.join(3, 2, [0, -4, 0]);
        let (a, b) = (c.find(1).0, c.find(2).0);
        assert_ne!(a, b);
        assert_eq!((c.loops(a).rank(), c.loops(b).rank()), (1, 1));
        c.join(1, 3, [0, 0, 7]);
        let root = c.find(0).0;
        assert_eq!(c.loops(root).rank(), 2);
    }

    #[test]
    fn translations_survive_the_shortening_of_paths() {
        let mut c = Components::new(40);
        for n in 0..39 {
            c.join(n, n + 1, [1, n as i32, 0]);
        }
        let apart = sub(c.find(0).1, c.find(39).1);
        assert_eq!(apart, [39, 39 * 38 / 2, 0]);
        // A second look-up, after the paths were shortened, gives the same.
        assert_eq!(sub(c.find(0).1, c.find(39).1), apart);
    }
}
