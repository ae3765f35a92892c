//! The lower hull over two elements or three as a surface: its corners, the stable phases, and its facets, the phases that coexist.
//!
//! Two elements: the phases by their place on the axis. Three: phases are put one after another into the triangle of the elements,
//! each splits the facet in which it falls, and the edges around it are turned (Lawson's flips) until no corner lies below the
//! plane of a neighbouring facet. That ends at the hull, for every step begins at the hull of the phases so far (Edelsbrunner &
//! Shah, Algorithmica 15 (1996) 223), and no phase ends up above it, for only those that [`PhaseDiagram::e_above_hull`] calls stable are
//! put in. On which side of an edge a phase is, determinants of whole numbers, the atoms of its formula, decide exactly: phases on one line
//! of the triangle, of which there are many, are no problem. Where four or more stable phases are on one plane, any triangulation of them
//! is the hull, and one is chosen.

use super::PhaseDiagram;
use crystal::{Composition, Element};

/// A corner of a facet that lies below a plane by less than this, eV/atom, lies on it.
const LEVEL: f64 = 1e-10;

/// A stable phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Corner {
    /// Reduced formula.
    pub formula: String,
    /// Atomic fractions, in the order of the elements of the surface.
    pub fractions: Vec<f64>,
    /// Formation energy, eV/atom.
    pub energy: f64,
}

/// The lower hull over a chemical system of two elements or three.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// The elements.
    pub elements: Vec<Element>,
    /// The elements, then the stable compounds.
    pub corners: Vec<Corner>,
    /// The phases that coexist, as many as there are elements: places in `corners`.
    pub facets: Vec<Vec<usize>>,
}

impl Surface {
    /// The hull of the phases of a diagram that are made of these elements alone.
    ///
    /// # Errors
    /// Fewer elements than two or more than three, an element named twice, or a phase whose formula cannot be read.
    pub fn new(diagram: &PhaseDiagram, elements: &[Element]) -> Result<Self, String> {
        if !(2..=3).contains(&elements.len()) || (1..elements.len()).any(|i| elements[..i].contains(&elements[i])) {
            return Err(format!(
                "the hull is a line over two different elements and a surface over three; of {} it is neither",
                elements.len()
            ));
        }
        let mut corners: Vec<Corner> = (0..elements.len())
            .map(|i| Corner {
                formula: elements[i].symbol().to_owned(),
                fractions: (0..elements.len()).map(|j| f64::from(u8::from(i == j))).collect(),
                energy: 0.0,
            })
            .collect();
        // Atoms of each element in a formula.
        let mut amounts: Vec<Vec<f64>> = corners.iter().map(|corner| corner.fractions.clone()).collect();
        for (formula, energy) in diagram.phases() {
            let composition = Composition::parse(formula).map_err(|e| e.to_string())?;
            if composition.iter().any(|(element, _)| !elements.contains(&element)) {
                continue;
            }
            let atoms: Vec<f64> = elements.iter().map(|element| composition.amount(*element)).collect();
            if composition.nelements() == 1 {
                // An allotrope below the reference moves the reference.
                let i = atoms.iter().position(|n| *n > 0.0).unwrap_or(0);
                corners[i].energy = energy.min(0.0);
            } else if diagram.e_above_hull(&composition, energy)? == 0.0 {
                let fractions = atoms.iter().map(|n| n / composition.natoms()).collect();
                corners.push(Corner { formula: formula.to_owned(), fractions, energy });
                amounts.push(atoms);
            }
        }
        let facets = match elements.len() {
            2 => segments(&corners),
            _ => Triangles::of(&amounts, &corners).facets.into_iter().map(Vec::from).collect(),
        };
        Ok(Self { elements: elements.to_vec(), corners, facets })
    }

    /// Pairs of phases that coexist, each once: the edges of the facets.
    pub fn tie_lines(&self) -> Vec<[usize; 2]> {
        let edges = self.facets.iter().flat_map(|facet| {
            (0..facet.len()).flat_map(move |i| (0..i).map(move |j| [facet[i].min(facet[j]), facet[i].max(facet[j])]))
        });
        let mut edges: Vec<_> = edges.collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

/// Neighbours on the axis.
fn segments(corners: &[Corner]) -> Vec<Vec<usize>> {
    let mut along: Vec<usize> = (0..corners.len()).collect();
    along.sort_by(|&a, &b| corners[a].fractions[1].total_cmp(&corners[b].fractions[1]));
    along.windows(2).map(<[usize]>::to_vec).collect()
}

/// Triangles that cover the triangle of the elements, corners counterclockwise.
struct Triangles<'a> {
    amounts: &'a [Vec<f64>],
    energies: Vec<f64>,
    facets: Vec<[usize; 3]>,
}

impl<'a> Triangles<'a> {
    fn of(amounts: &'a [Vec<f64>], corners: &[Corner]) -> Self {
        let energies = corners.iter().map(|corner| corner.energy).collect();
        let mut triangles = Self { amounts, energies, facets: vec![[0, 1, 2]] };
        (3..amounts.len()).for_each(|p| triangles.insert(p));
        triangles
    }

    /// Twice the area of a triangle of formulas, times their numbers of atoms: positive where it turns counterclockwise. Exact for
    /// whole amounts of up to a hundred thousand atoms.
    fn side(&self, a: usize, b: usize, c: usize) -> f64 {
        let [a, b, c] = [a, b, c].map(|k| &self.amounts[k]);
        a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    }

    fn insert(&mut self, p: usize) {
        let around = |[a, b, c]: [usize; 3]| [(a, b), (b, c), (c, a)];
        // The facet with p in it; two, where p lies on the edge between them.
        let holds = |facet: &[usize; 3]| around(*facet).iter().all(|&(a, b)| self.side(a, b, p) >= 0.0);
        let (held, mut facets): (Vec<_>, Vec<_>) = self.facets.iter().copied().partition(holds);
        // The sides of what p splits, but for those on which it lies.
        let rim: Vec<_> = held.into_iter().flat_map(around).filter(|&(a, b)| self.side(a, b, p) > 0.0).collect();
        facets.extend(rim.iter().map(|&(a, b)| [p, a, b]));
        self.facets = facets;
        rim.into_iter().for_each(|(a, b)| self.turn(p, a, b));
    }

    /// Turns the edge a-b, which p has in view, where the corner behind it lies below the plane of p, a and b.
    fn turn(&mut self, p: usize, a: usize, b: usize) {
        let behind = |facet: &[usize; 3]| (0..3).find(|&i| facet[i] == b && facet[(i + 1) % 3] == a);
        let Some((other, at)) = self.facets.iter().enumerate().find_map(|(k, f)| behind(f).map(|i| (k, i))) else {
            return;
        };
        let q = self.facets[other][(at + 2) % 3];
        let convex = self.side(p, a, q) > 0.0 && self.side(p, q, b) > 0.0;
        if !convex || self.height(q, [p, a, b]) >= -LEVEL {
            return;
        }
        if let Some(near) = self.facets.iter().position(|f| *f == [p, a, b]) {
            self.facets[near] = [p, a, q];
            self.facets[other] = [p, q, b];
            self.turn(p, a, q);
            self.turn(p, q, b);
        }
    }

    /// How far q lies above the plane of three corners, eV/atom.
    fn height(&self, q: usize, [a, b, c]: [usize; 3]) -> f64 {
        let atoms = |k: usize| self.amounts[k].iter().sum::<f64>();
        let whole = self.side(a, b, c);
        let plane = [(a, self.side(q, b, c)), (b, self.side(a, q, c)), (c, self.side(a, b, q))];
        let energy: f64 = plane.iter().map(|&(k, share)| share / whole * atoms(k) * self.energies[k]).sum();
        self.energies[q] - energy / atoms(q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(symbols: &[&str]) -> Vec<Element> {
        symbols.iter().map(|symbol| Element::from_symbol(symbol).unwrap()).collect()
    }

    fn diagram(phases: &[(&str, f64)]) -> PhaseDiagram {
        let mut diagram = PhaseDiagram::default();
        for (formula, energy) in phases {
            diagram.add(&Composition::parse(formula).unwrap(), *energy).unwrap();
        }
        diagram
    }

    /// Of amounts of Ca, Mn and O, some of them 0.
    fn formula(n: [u64; 3]) -> String {
        let parts = ["Ca", "Mn", "O"].iter().zip(n).filter(|(_, n)| *n > 0);
        parts.map(|(symbol, n)| format!("{symbol}{n}")).collect()
    }

    fn area(surface: &Surface, [a, b, c]: [usize; 3]) -> f64 {
        let at = |k: usize| &surface.corners[k].fractions;
        let edge = |k: usize, i: usize| at(k)[i] - at(a)[i];
        edge(b, 1) * edge(c, 2) - edge(b, 2) * edge(c, 1)
    }

    /// Facets cover the triangle once, none above the hull of the linear program, which finds it in another way.
    fn assert_hull(diagram: &PhaseDiagram, surface: &Surface) {
        let areas: Vec<f64> = surface.facets.iter().map(|f| area(surface, [f[0], f[1], f[2]])).collect();
        assert!(areas.iter().all(|a| *a > 0.0), "{surface:?}");
        assert!((areas.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for facet in &surface.facets {
            for shares in [[1, 1, 1], [6, 3, 1], [1, 8, 1], [2, 0, 3]] {
                let total: f64 = shares.iter().map(|n| f64::from(*n)).sum();
                let mean = |of: &dyn Fn(&Corner) -> f64| {
                    let parts = facet.iter().zip(shares).map(|(&k, n)| f64::from(n) * of(&surface.corners[k]));
                    parts.sum::<f64>() / total
                };
                let x = surface.elements.iter().enumerate().map(|(i, e)| (*e, mean(&|c| c.fractions[i])));
                let hull = diagram.hull_energy(&x.filter(|(_, x)| *x > 0.0).collect()).unwrap();
                let facet = mean(&|c| c.energy);
                assert!((facet - hull).abs() < 1e-9, "{facet} eV/atom on a facet, {hull} on the hull");
            }
        }
    }

    #[test]
    fn a_binary_hull_is_a_chain() {
        let phases = [("TiO2", -3.31), ("Ti2O3", -3.09), ("TiO", -2.6), ("Ti3O5", -3.1), ("Li2O", -2.0), ("O", -0.1)];
        let surface = Surface::new(&diagram(&phases), &elements(&["Ti", "O"])).unwrap();
        let names: Vec<Vec<&str>> =
            surface.facets.iter().map(|f| f.iter().map(|&k| surface.corners[k].formula.as_str()).collect()).collect();
        let chain: [Vec<&str>; 4] = [vec!["Ti", "TiO"], vec!["TiO", "Ti2O3"], vec!["Ti2O3", "TiO2"], vec!["TiO2", "O"]];
        assert_eq!(names, chain);
        assert_eq!((surface.corners[1].energy, surface.tie_lines().len()), (-0.1, 4));
    }

    #[test]
    fn the_other_diagonal_is_taken_where_it_is_lower() {
        // Four phases at the corners of a parallelogram: the lower pair is joined.
        let around = |low: f64, high: f64| {
            let diagram = diagram(&[("Li2MnO", low), ("LiMn2O", high), ("LiMnO2", low), ("LiO", high)]);
            let surface = Surface::new(&diagram, &elements(&["Li", "Mn", "O"])).unwrap();
            assert_hull(&diagram, &surface);
            let place = |formula: &str| {
                let formula = Composition::parse(formula).unwrap().reduced_formula();
                surface.corners.iter().position(|c| c.formula == formula).unwrap()
            };
            let joined = |a: &str, b: &str| {
                let [a, b] = [place(a), place(b)];
                surface.tie_lines().contains(&[a.min(b), a.max(b)])
            };
            (joined("Li2MnO", "LiMnO2"), joined("LiMn2O", "LiO"))
        };
        assert_eq!(around(-2.0, -1.8), (true, false));
        assert_eq!(around(-1.8, -2.0), (false, true));
    }

    #[test]
    fn elements_alone_are_one_facet() {
        let surface = Surface::new(&PhaseDiagram::default(), &elements(&["Ca", "Mn", "O"])).unwrap();
        assert_eq!((surface.facets, surface.corners.len()), (vec![vec![0, 1, 2]], 3));
        for wrong in [&["Ca"][..], &["Ca", "Ca"], &["Ca", "Mn", "O", "H"]] {
            assert!(Surface::new(&PhaseDiagram::default(), &elements(wrong)).is_err());
        }
    }

    /// All compositions of a grid on few planes: phases in rows, on edges, and many to a facet.
    #[test]
    fn flat_facets_are_covered_once() {
        for planes in [1, 2, 3] {
            let mut phases = Vec::new();
            for i in 0..=8_u64 {
                for j in 0..=8 - i {
                    let n = [i, j, 8 - i - j];
                    if n.iter().filter(|n| **n > 0).count() < 2 {
                        continue;
                    }
                    let [x, y, z] = n.map(|n| n as f64 / 8.0);
                    // The greatest of convex functions is convex.
                    let convex = [-x - 2.0 * y, -2.0 * y - 0.5 * z - 0.2, -3.0 * z - 0.1];
                    let energy = convex[..planes].iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    phases.push((formula(n), energy - 3.0));
                }
            }
            let phases: Vec<_> = phases.iter().map(|(formula, energy)| (formula.as_str(), *energy)).collect();
            let diagram = diagram(&phases);
            let surface = Surface::new(&diagram, &elements(&["Ca", "Mn", "O"])).unwrap();
            assert!(surface.corners.len() > 20, "{}", surface.corners.len());
            assert_hull(&diagram, &surface);
            // Every stable phase is a corner of some facet.
            assert!((0..surface.corners.len()).all(|k| surface.facets.iter().any(|f| f.contains(&k))));
        }
    }

    /// Phases at random, many above the hull.
    #[test]
    fn the_facets_are_the_hull_of_the_linear_program() {
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..40 {
            let mut phases = Vec::new();
            for _ in 0..60 {
                let n = [random(7), random(7), random(7)];
                if n.iter().filter(|n| **n > 0).count() > 1 {
                    let x = n.map(|k| k as f64 / n.iter().sum::<u64>() as f64);
                    let bowl = x.iter().map(|x| x * x).sum::<f64>() - 1.5;
                    phases.push((formula(n), bowl + random(1000) as f64 * 2e-4));
                }
            }
            let phases: Vec<_> = phases.iter().map(|(formula, energy)| (formula.as_str(), *energy)).collect();
            let diagram = diagram(&phases);
            let surface = Surface::new(&diagram, &elements(&["Ca", "Mn", "O"])).unwrap();
            assert!(surface.facets.len() > 5);
            assert_hull(&diagram, &surface);
        }
    }
}
