//! The division of atoms among sites of least electrostatic energy.

use crystal::gcd;
use features::SiteMatrix;

/// Ways up to which each is tried.
const TRIED: f64 = 20_000.0;
/// Starts of the descent where there are more.
const STARTS: usize = 24;
/// Cost of two atoms that are too near, e²/Å: more than any order gains.
const CLASH: f64 = 1e3;
/// A step gains more than this.
const GAIN: f64 = 1e-9;

/// Atoms of one kind, or empty sites.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// The element; `None`: nothing.
    pub element: Option<crystal::Element>,
    /// e.
    pub charge: f64,
    /// How many.
    pub count: usize,
}

/// Sites, and what is to be put on those of each kind.
pub struct Search<'a> {
    phi: Vec<&'a [f64]>,
    /// Sites that cannot be taken with each.
    near: Vec<Vec<usize>>,
    kinds: Vec<usize>,
    labels: &'a [Vec<Label>],
}

/// What stands on each site: the number of its label among those of its kind.
type Choice = Vec<usize>;

impl<'a> Search<'a> {
    /// `potentials` as of [`ewald_potentials`](features::ewald_potentials), `clashes` the pairs of sites that are too near, the
    /// kind of each site, and the labels of each kind, whose counts sum to its sites.
    pub fn new(
        potentials: &'a SiteMatrix,
        clashes: Vec<(usize, usize)>,
        kinds: Vec<usize>,
        labels: &'a [Vec<Label>],
    ) -> Self {
        let mut near = vec![Vec::new(); kinds.len()];
        clashes.into_iter().for_each(|(i, j)| near[i].push(j));
        Self { phi: potentials.rows().collect(), near, kinds, labels }
    }

    /// The least energy, e²/Å, and what then stands on each site.
    pub fn best(&self) -> (f64, Vec<Label>) {
        let (energy, choice) = if self.ways() <= TRIED { self.try_all() } else { self.descend_from_several() };
        (energy, (0..choice.len()).map(|site| *self.label(site, choice[site])).collect())
    }

    fn label(&self, site: usize, choice: usize) -> &'a Label {
        &self.labels[self.kinds[site]][choice]
    }

    /// The number of ways to divide: a multinomial coefficient for each kind.
    fn ways(&self) -> f64 {
        let kind = |labels: &Vec<Label>| {
            let mut taken = 0;
            let counts = labels.iter().flat_map(|label| (1..=label.count).map(|k| k as f64));
            counts.fold(1.0, |ways, k| {
                taken += 1;
                ways * f64::from(taken) / k
            })
        };
        self.labels.iter().map(kind).product()
    }

    /// What label `choice` on `site` adds to the first sites, which are filled.
    fn cost(&self, site: usize, choice: usize, before: &[usize]) -> f64 {
        let label = self.label(site, choice);
        if label.element.is_none() {
            return 0.0;
        }
        let others: f64 =
            before.iter().enumerate().map(|(i, &other)| self.phi[site][i] * self.label(i, other).charge).sum();
        let taken = |i: &&usize| **i < site && self.label(**i, before[**i]).element.is_some();
        let clashes = self.near[site].iter().filter(taken).count();
        label.charge * (others + 0.5 * label.charge * self.phi[site][site]) + CLASH * clashes as f64
    }

    fn try_all(&self) -> (f64, Choice) {
        let mut left: Vec<Vec<usize>> =
            self.labels.iter().map(|labels| labels.iter().map(|label| label.count).collect()).collect();
        let mut best = (f64::INFINITY, Vec::new());
        self.extend(&mut Vec::with_capacity(self.kinds.len()), 0.0, &mut left, &mut best);
        best
    }

    /// Fills the next site in every way.
    fn extend(&self, filled: &mut Choice, energy: f64, left: &mut [Vec<usize>], best: &mut (f64, Choice)) {
        let site = filled.len();
        if site == self.kinds.len() {
            if energy < best.0 - GAIN {
                *best = (energy, filled.clone());
            }
            return;
        }
        let kind = self.kinds[site];
        for choice in 0..self.labels[kind].len() {
            if left[kind][choice] == 0 {
                continue;
            }
            let cost = self.cost(site, choice, filled);
            left[kind][choice] -= 1;
            filled.push(choice);
            self.extend(filled, energy + cost, left, best);
            filled.pop();
            left[kind][choice] += 1;
        }
    }

    /// Goes downhill from several starts.
    fn descend_from_several(&self) -> (f64, Choice) {
        let ends = (0..STARTS).map(|start| self.descend(self.start(start)));
        ends.reduce(|best, other| if other.0 < best.0 - GAIN { other } else { best })
            .unwrap_or_else(|| self.descend(self.start(0)))
    }

    /// The labels of each kind dealt out evenly along its sites, from another one at each start, and by another step.
    fn start(&self, start: usize) -> Choice {
        let mut choice = vec![0; self.kinds.len()];
        for (kind, labels) in self.labels.iter().enumerate() {
            let sites: Vec<usize> = (0..choice.len()).filter(|&site| self.kinds[site] == kind).collect();
            let n = sites.len();
            // A step without a divisor in common visits each site once.
            let step = (1 + start / 2..).find(|&step| gcd(step as u64, n as u64) == 1).unwrap_or(1);
            let mut dealt = vec![0; labels.len()];
            for k in 0..n {
                // The label that is furthest behind its share comes next.
                let behind = |&i: &usize| labels[i].count as f64 * (k + 1) as f64 / n as f64 - dealt[i] as f64;
                let left = (0..labels.len()).filter(|&i| dealt[i] < labels[i].count);
                let next = left.max_by(|a, b| behind(a).total_cmp(&behind(b)).then(b.cmp(a))).unwrap_or(0);
                dealt[next] += 1;
                choice[sites[(start + k * step) % n]] = next;
            }
        }
        choice
    }

    /// Exchanges what stands on two sites of a kind while that gains.
    fn descend(&self, mut choice: Choice) -> (f64, Choice) {
        let n = choice.len();
        let charge = |site: usize, choice: &Choice| self.label(site, choice[site]).charge;
        let mut field: Vec<f64> = (0..n).map(|i| (0..n).map(|j| self.phi[i][j] * charge(j, &choice)).sum()).collect();
        loop {
            let mut best: Option<(f64, usize, usize)> = None;
            for i in 0..n {
                for j in (i + 1..n).filter(|&j| self.kinds[j] == self.kinds[i] && choice[i] != choice[j]) {
                    let d = charge(j, &choice) - charge(i, &choice);
                    let own = self.phi[i][i] + self.phi[j][j] - 2.0 * self.phi[i][j];
                    let gain = d * (field[i] - field[j]) + 0.5 * d * d * own + self.clashes(i, j, &choice);
                    if gain < best.map_or(-GAIN, |(least, ..)| least) {
                        best = Some((gain, i, j));
                    }
                }
            }
            let Some((_, i, j)) = best else { break };
            let d = charge(j, &choice) - charge(i, &choice);
            choice.swap(i, j);
            (0..n).for_each(|k| field[k] += d * (self.phi[k][i] - self.phi[k][j]));
        }
        let energy = (0..n).map(|site| self.cost(site, choice[site], &choice[..site])).sum();
        (energy, choice)
    }

    /// What an exchange of two sites adds in clashes.
    fn clashes(&self, i: usize, j: usize, choice: &Choice) -> f64 {
        let taken = |site: usize| self.label(site, choice[site]).element.is_some();
        let exchanged = |site: usize| {
            taken(if site == i {
                j
            } else if site == j {
                i
            } else {
                site
            })
        };
        let of = |site: usize, taken: &dyn Fn(usize) -> bool| match taken(site) {
            true => self.near[site].iter().filter(|&&other| taken(other)).count() as f64,
            false => 0.0,
        };
        CLASH * (of(i, &exchanged) + of(j, &exchanged) - of(i, &taken) - of(j, &taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice, Structure};
    use features::ewald_potentials;

    /// A simple cubic cell of n x n x n sites.
    fn cube(n: usize) -> Structure {
        let lattice = Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
        Structure::new(lattice, vec![Element::O], vec![[0.0; 3]]).unwrap().supercell([n, n, n]).unwrap()
    }

    fn ions(counts: [usize; 2]) -> Vec<Vec<Label>> {
        let label = |charge: f64, count| Label { element: Some(Element::O), charge, count };
        vec![vec![label(1.0, counts[0]), label(-1.0, counts[1])]]
    }

    #[test]
    fn opposite_charges_on_a_cubic_lattice_are_rock_salt() {
        let points = cube(2);
        let potentials = ewald_potentials(&points, 1e-10).unwrap();
        let labels = ions([4, 4]);
        let search = Search::new(&potentials, Vec::new(), vec![0; 8], &labels);
        assert_eq!(search.ways(), 70.0);
        for (energy, choice) in [search.try_all(), search.descend_from_several()] {
            // Madelung's constant for the nearest distance, 3 Å: of each of four pairs.
            assert!((energy + 4.0 * 1.747_564_594_633 / 3.0).abs() < 1e-8, "{energy}");
            let parity =
                |i: usize| points.frac_coords()[i].iter().map(|x| (2.0 * x).round() as usize).sum::<usize>() % 2;
            assert!((0..8).all(|i| (parity(i) == parity(0)) == (choice[i] == choice[0])), "{choice:?}");
        }
    }

    #[test]
    fn the_descent_finds_it_where_the_ways_are_too_many() {
        let points = cube(4);
        let potentials = ewald_potentials(&points, 1e-8).unwrap();
        let labels = ions([32, 32]);
        let search = Search::new(&potentials, Vec::new(), vec![0; 64], &labels);
        assert!(search.ways() > 1e18);
        let (energy, _) = search.best();
        assert!((energy + 32.0 * 1.747_564_594_633 / 3.0).abs() < 1e-6, "{energy}");
    }

    #[test]
    fn sites_that_are_too_near_are_not_both_taken() {
        let points = cube(2);
        let potentials = ewald_potentials(&points, 1e-8).unwrap();
        let some = Label { element: Some(Element::O), charge: 1.0, count: 4 };
        let labels = vec![vec![some, Label { element: None, charge: 0.0, count: 4 }]];
        // The best ordering is that of rock salt, which takes both ends of two space diagonals: these are forbidden.
        let clashes: Vec<(usize, usize)> = (0..4).flat_map(|i| [(i, 7 - i), (7 - i, i)]).collect();
        let search = Search::new(&potentials, clashes, vec![0; 8], &labels);
        for (energy, choice) in [search.try_all(), search.descend_from_several()] {
            assert!(energy < 0.0 && (0..4).all(|i| choice[i] != choice[7 - i]), "{energy} {choice:?}");
        }
    }
}
