//! Space group, Wyckoff letters and standard cells, found by moyo.

use std::collections::BTreeSet;

use moyo::{
    MoyoDataset,
    base::{AngleTolerance, Cell, Lattice as MoyoLattice, Operation},
    data::Setting,
};
use nalgebra::Vector3;

use super::setting::Setting as Tabulated;
use super::{Element, Lattice, Structure, SymOp, dot, guard::guarded, lattice::norm, superbase::Superbase};
use crate::CrystalError;

/// Tolerance of the symmetry search, Å: the one of spglib's and the Materials Project's `spacegroup` column.
pub const DEFAULT_SYMPREC: f64 = 0.1;

/// A lattice whose longest vector c and shortest vector a have c · symprec² / a³ above this is not searched. A shear of c by
/// a turns c by a / c, which moyo (as spglib) takes for no turn at all where sin² · a · c < symprec², that is from 1 on; the
/// products of such shears it adds up without end. Half of that leaves room for the tolerances that it tries next. At
/// 0.1 Å a crystal that repeats after 3 Å may be 1 350 Å long.
const LONGEST: f64 = 0.5;

/// The symmetry of a structure at a tolerance, in spglib's default setting of each space group.
#[derive(Debug, Clone)]
pub struct Symmetry {
    /// Space-group number, 1 to 230.
    pub number: u16,
    /// Hermann-Mauguin symbol as spglib prints it, for instance `P4_2/mnm`.
    pub symbol: String,
    /// Pearson symbol: crystal family, centring and atoms in the conventional cell (`tP6`), in the primitive cell for
    /// rhombohedral crystals (`hR10`, corundum).
    pub pearson: String,
    /// Hall number, 1 to 530: the setting.
    pub hall_number: u16,
    /// Wyckoff letter of each site of the input.
    pub wyckoffs: Vec<char>,
    /// For each site of the input, the first site that is equivalent to it by symmetry.
    pub orbits: Vec<usize>,
    /// Number of symmetry operations of the input cell, centring translations included.
    pub operations: usize,
    /// The operations themselves on fractional coordinates of the input cell: x' = R x + t.
    images: Vec<([[f64; 3]; 3], [f64; 3])>,
    conventional: Cell,
    primitive: Cell,
}

impl Symmetry {
    /// Symmetry of `structure` with distances up to `symprec` Å taken as equal.
    ///
    /// # Errors
    /// [`CrystalError::Symmetry`] where moyo finds no consistent set of operations, or panics, and where the lattice is too
    /// long for its shortest repeat at this tolerance.
    pub fn of(structure: &Structure, symprec: f64) -> Result<Self, CrystalError> {
        let [a, b, c] = *structure.lattice().rows();
        let cell = Cell::new(
            MoyoLattice::from_basis([a, b, c]),
            structure.frac_coords().iter().map(|x| Vector3::new(x[0], x[1], x[2])).collect(),
            structure.species().iter().map(|e| i32::from(e.z())).collect(),
        );
        let search = || {
            searchable(structure, symprec)?;
            MoyoDataset::new(&cell, symprec, AngleTolerance::Default, Setting::Spglib, false).map_err(|e| e.to_string())
        };
        let found = guarded(search).flatten().map_err(|message| CrystalError::Symmetry { symprec, message })?;
        Ok(Self {
            number: found.number as u16,
            symbol: found.hm_symbol.replace(' ', ""),
            hall_number: found.hall_number as u16,
            pearson: pearson(&found),
            operations: found.num_operations(),
            images: found.operations.iter().map(image).collect(),
            wyckoffs: found.wyckoffs,
            orbits: found.orbits,
            conventional: found.std_cell,
            primitive: found.prim_std_cell,
        })
    }

    /// The images of a point (fractions of the input cell) under every operation, the centring translations included; not
    /// wrapped. Images on one point are listed as often as operations lead there.
    pub fn images(&self, x: [f64; 3]) -> impl Iterator<Item = [f64; 3]> {
        self.images.iter().map(move |(r, t)| std::array::from_fn(|k| dot(r[k], x) + t[k]))
    }

    /// How the operations permute the sites of `structure`, whose symmetry this is, found with `symprec` Å: the site to which
    /// each site comes, every permutation once. An operation that maps two sites onto one within that distance is left out.
    pub fn permutations(&self, structure: &Structure, symprec: f64) -> Vec<Vec<usize>> {
        let (species, frac) = (structure.species(), structure.frac_coords());
        let distance = |x: &[f64; 3], y: &[f64; 3]| {
            let wrapped = std::array::from_fn(|k| {
                let d = y[k] - x[k];
                d - d.round()
            });
            norm(structure.lattice().to_cartesian(wrapped))
        };
        let mut found = BTreeSet::new();
        for (r, t) in &self.images {
            let mut taken = vec![false; frac.len()];
            let moved = (0..frac.len()).map(|site| {
                let x: [f64; 3] = std::array::from_fn(|k| dot(r[k], frac[site]) + t[k]);
                let same = (0..frac.len()).filter(|&other| species[other] == species[site] && !taken[other]);
                let nearest = same
                    .map(|other| (other, distance(&x, &frac[other])))
                    .filter(|(_, d)| *d < 2.0 * symprec)
                    .min_by(|a, b| a.1.total_cmp(&b.1));
                nearest.map(|(other, _)| {
                    taken[other] = true;
                    other
                })
            });
            found.extend(moved.collect::<Option<Vec<usize>>>());
        }
        found.into_iter().collect()
    }

    /// The tabulated setting whose operations are those of `structure`, whose symmetry this is, found with `symprec` Å: its axes and
    /// its origin as they are. `None` where they are those of no setting, as in a primitive cell of a centred lattice.
    pub fn setting(&self, structure: &Structure, symprec: f64) -> Option<&'static Tabulated> {
        let same = |op: &SymOp, (r, t): &([[f64; 3]; 3], [f64; 3])| {
            let step = std::array::from_fn(|k| {
                let d = op.translation[k] - t[k];
                d - d.round()
            });
            op.rotation.map(|row| row.map(f64::from)) == *r
                && norm(structure.lattice().to_cartesian(step)) <= symprec.max(1e-3)
        };
        let fits = |setting: &&Tabulated| {
            let operations = setting.operations();
            operations.len() == self.images.len()
                && operations.iter().all(|op| self.images.iter().any(|image| same(op, image)))
        };
        Tabulated::of_group(self.number).find(fits)
    }

    /// The standardised conventional cell.
    ///
    /// # Errors
    /// As [`Structure::new`], where the tolerance moved two sites onto one.
    pub fn conventional(&self) -> Result<Structure, CrystalError> {
        from_moyo(&self.conventional)
    }

    /// The standardised primitive cell.
    ///
    /// # Errors
    /// As [`Symmetry::conventional`].
    pub fn primitive(&self) -> Result<Structure, CrystalError> {
        from_moyo(&self.primitive)
    }
}

/// Refuses lattices on which the search would not end, the crystal's own and that of its primitive cell.
fn searchable(structure: &Structure, symprec: f64) -> Result<(), String> {
    let too_long = |lattice: &Lattice| {
        let (shortest, longest) = Superbase::of(lattice).extent();
        (longest * symprec.powi(2) > LONGEST * shortest.powi(3)).then(|| {
            format!(
                "a lattice that repeats after {shortest:.2} Å and is {longest:.0} Å long has no symmetry at this tolerance: \
                 check the cell, or take a smaller symprec"
            )
        })
    };
    let refused = too_long(structure.lattice()).or_else(|| too_long(structure.primitive(symprec).lattice()));
    refused.map_or(Ok(()), Err)
}

fn image(operation: &Operation) -> ([[f64; 3]; 3], [f64; 3]) {
    let r = &operation.rotation;
    (std::array::from_fn(|i| std::array::from_fn(|j| f64::from(r[(i, j)]))), operation.translation.into())
}

/// moyo's symbol with the atoms of the primitive cell where the lattice is rhombohedral, and C for any centred face.
fn pearson(found: &MoyoDataset) -> String {
    let symbol: String = found.pearson_symbol.chars().take(2).collect();
    match symbol.as_str() {
        "hR" => format!("hR{}", found.prim_std_cell.num_atoms()),
        _ => format!("{}{}", symbol.replace('S', "C"), found.std_cell.num_atoms()),
    }
}

fn from_moyo(cell: &Cell) -> Result<Structure, CrystalError> {
    let lattice = Lattice::new(cell.lattice.basis_as_array())?;
    let species = cell.numbers.iter().map(|&z| Element::from_z(i64::from(z))).collect::<Result<_, _>>()?;
    Structure::new(lattice, species, cell.positions_as_arrays())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rutile;

    #[test]
    fn lattices_too_long_for_their_shortest_repeat_are_refused_and_not_searched_without_end() {
        let thin = |a: f64, c: f64, sites: usize| {
            let lattice = Lattice::from_parameters(a, 3.0, c, 90.0, 90.0, 90.0).unwrap();
            let column = (0..sites).map(|k| [k as f64 / sites as f64, 0.0, 0.0]).collect();
            Structure::new(lattice, vec![Element::O; sites], column).unwrap()
        };
        // moyo never ends on any of these; the last repeats within its cell.
        for (a, c, sites, symprec, repeat) in [
            (0.6, 40.0, 1, 0.1, 0.6),
            (1.5, 400.0, 1, 0.1, 1.5),
            (2.9, 4000.0, 1, 0.1, 2.9),
            (3.0, 400.0, 1, 0.3, 3.0),
            (3.0, 300.0, 3, 0.1, 1.0),
        ] {
            let error = Symmetry::of(&thin(a, c, sites), symprec).unwrap_err().to_string();
            assert!(error.contains(&format!("repeats after {repeat:.2} Å")), "{error}");
        }
        assert_eq!(Symmetry::of(&thin(2.9, 1000.0, 1), 0.1).unwrap().number, 47);
    }

    #[test]
    fn a_doubled_rutile_cell_is_still_rutile() {
        let rutile = rutile();
        let symmetry = Symmetry::of(&rutile.supercell([1, 2, 1]).unwrap(), 0.01).unwrap();
        assert_eq!((symmetry.number, symmetry.symbol.as_str()), (136, "P4_2/mnm"));
        assert_eq!(symmetry.wyckoffs.iter().collect::<String>(), "aaaaffffffff");
        assert_eq!(symmetry.primitive().unwrap().len(), 6);
        assert!((symmetry.conventional().unwrap().volume() - rutile.volume()).abs() < 1e-6);
    }

    #[test]
    fn the_setting_is_that_of_the_cell_as_it_is() {
        let rutile = rutile();
        let of = |structure: &Structure| {
            let setting = Symmetry::of(structure, 0.01).unwrap().setting(structure, 0.01);
            setting.map(|setting| (setting.number, setting.hall))
        };
        assert_eq!(of(&rutile), Some((136, "-P 4n 2n")));
        assert_eq!(of(&rutile.supercell([1, 1, 2]).unwrap()), None);
        // Of another origin, where no axis and no centre goes through it.
        let moved = rutile.frac_coords().iter().map(|x| [x[0] + 0.1, x[1] + 0.23, x[2] + 0.31]).collect();
        assert_eq!(of(&rutile.in_basis(*rutile.lattice(), moved)), None);
        // The tetragonal axis along a: no tabulated setting has it there.
        let [a, b, c] = *rutile.lattice().rows();
        let turned = rutile.frac_coords().iter().map(|x| [x[2], x[0], x[1]]).collect();
        assert_eq!(of(&rutile.in_basis(Lattice::new([c, a, b]).unwrap(), turned)), None);
    }

    #[test]
    fn coordinates_on_which_moyo_panics_are_an_error() {
        // No reader lets them through: a sum of two is infinite, and the difference of two such sums no number.
        let o = Element::O;
        let cube = Lattice::from_parameters(4.0, 4.0, 4.0, 90.0, 90.0, 90.0).unwrap();
        let fine = Structure::new(cube, vec![o, o], vec![[0.0; 3], [0.5; 3]]).unwrap();
        let message = Symmetry::of(&fine.in_basis(cube, vec![[0.0; 3], [1.7e308; 3]]), 0.1).unwrap_err().to_string();
        assert!(message.starts_with("symmetry search at symprec 0.1 Å failed"), "{message}");
    }

    #[test]
    fn the_images_of_an_atom_are_its_orbit() {
        // Cuprite's O sits at 0 and the centre of the body, Cu on a quarter of its diagonals.
        let (cu, o) = (Element::from_symbol("Cu").unwrap(), Element::O);
        let lattice = Lattice::from_parameters(4.267, 4.267, 4.267, 90.0, 90.0, 90.0).unwrap();
        let copper = [[0.25, 0.25, 0.25], [0.75, 0.75, 0.25], [0.75, 0.25, 0.75], [0.25, 0.75, 0.75]];
        let sites = [vec![[0.0; 3], [0.5; 3]], copper.to_vec()].concat();
        let cuprite = Structure::new(lattice, vec![o, o, cu, cu, cu, cu], sites).unwrap();
        let symmetry = Symmetry::of(&cuprite, 0.01).unwrap();
        let on = |x: [f64; 3], y: &[f64; 3]| (0..3).all(|k| ((x[k] - y[k]).round() - (x[k] - y[k])).abs() < 1e-9);
        let images: Vec<[f64; 3]> = symmetry.images(copper[0]).collect();
        assert_eq!(images.len(), symmetry.operations);
        assert!(images.iter().all(|&x| copper.iter().any(|y| on(x, y))));
        assert!(copper.iter().all(|y| images.iter().any(|&x| on(x, y))));
        let permutations = symmetry.permutations(&cuprite, 0.01);
        assert!(permutations.contains(&vec![0, 1, 2, 3, 4, 5]));
        assert!(permutations.iter().any(|p| p[0] == 1) && permutations.iter().any(|p| p[2] == 5));
        for p in &permutations {
            assert!(p[..2].iter().all(|&to| to < 2) && p[2..].iter().all(|&to| to >= 2), "{p:?}");
        }
        // The four copper atoms take all 24 orders of a tetrahedron; whether both oxygen atoms change places follows.
        assert_eq!(permutations.len(), 48);
    }
}
