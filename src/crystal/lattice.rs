//! A lattice: three row vectors a, b, c in Å.

use crate::CrystalError;

/// Longest lattice vector accepted, Å. The longest in the Inorganic Crystal Structure Database is below 1000 Å.
const MAX_LENGTH: f64 = 1.0e4;
/// Smallest cell volume accepted, Å³: half the volume of the smallest atom in a dense crystal.
const MIN_VOLUME: f64 = 0.5;
/// Smallest spacing of the planes (100), (010), (001) accepted, Å: below it the vectors are so skewed that a search of
/// neighbours would visit millions of images. Any crystal has a reduced cell far above it.
const MIN_SPACING: f64 = 0.01;
/// Smallest [`Lattice::compactness`] accepted. A rhombohedral cell of a layered crystal, 3 Å wide and 300 Å high, has 0.02.
const MIN_COMPACTNESS: f64 = 1e-3;

/// Three lattice vectors as rows, Å. Finite, and of a volume greater than zero, by construction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lattice {
    rows: [[f64; 3]; 3],
    inverse: [[f64; 3]; 3],
}

impl Lattice {
    /// Lattice from its rows a, b, c in Å.
    ///
    /// # Errors
    /// A component that is not finite, a vector longer than 10⁴ Å, a volume below 0.5 Å³, planes less than 0.01 Å apart, or
    /// a [`Lattice::compactness`] below 0.001.
    pub fn new(rows: [[f64; 3]; 3]) -> Result<Self, CrystalError> {
        for (name, row) in ["a", "b", "c"].iter().zip(rows) {
            if row.iter().any(|x| !x.is_finite()) {
                return Err(CrystalError::Lattice(format!("vector {name} = {row:?} is not finite")));
            }
            let length = norm(row);
            if length > MAX_LENGTH {
                return Err(CrystalError::Lattice(format!("vector {name} is {length:.1} Å long, over {MAX_LENGTH} Å")));
            }
        }
        let volume = triple(rows).abs();
        if volume < MIN_VOLUME {
            return Err(CrystalError::Lattice(format!(
                "the cell's volume is {volume:.4} Å³, below {MIN_VOLUME} Å³: the three vectors are coplanar or too short"
            )));
        }
        let lattice = Self { rows, inverse: invert(rows) };
        let spacing = lattice.plane_spacings().into_iter().fold(f64::INFINITY, f64::min);
        if spacing.is_nan() || spacing < MIN_SPACING {
            return Err(CrystalError::Lattice(format!(
                "lattice planes are {spacing:.4} Å apart, below {MIN_SPACING} Å: reduce the cell to shorter vectors"
            )));
        }
        let compactness = lattice.compactness();
        if compactness < MIN_COMPACTNESS {
            return Err(CrystalError::Lattice(format!(
                "the cell is so skewed that the product of its plane spacings is {compactness:.5} of its volume, below \
                 {MIN_COMPACTNESS}: reduce it to shorter vectors"
            )));
        }
        Ok(lattice)
    }

    /// Lattice from lengths in Å and angles in degrees: a along x, b in the xy plane (International Tables' usual setting).
    ///
    /// # Errors
    /// Lengths or angles that no cell can have, or as [`Lattice::new`].
    pub fn from_parameters(a: f64, b: f64, c: f64, alpha: f64, beta: f64, gamma: f64) -> Result<Self, CrystalError> {
        for (name, x) in [("a", a), ("b", b), ("c", c)] {
            if !(x.is_finite() && x > 0.0) {
                return Err(CrystalError::Lattice(format!("length {name} = {x} Å is not positive")));
            }
        }
        for (name, x) in [("alpha", alpha), ("beta", beta), ("gamma", gamma)] {
            if !(x.is_finite() && x > 0.0 && x < 180.0) {
                return Err(CrystalError::Lattice(format!("angle {name} = {x}° is not between 0° and 180°")));
            }
        }
        let [ca, cb, cg] = [alpha, beta, gamma].map(exact_cosine);
        let sg = (1.0 - cg * cg).sqrt();
        let cx = cb;
        let cy = (ca - cb * cg) / sg;
        let cz2 = 1.0 - cx * cx - cy * cy;
        if cz2 <= 0.0 {
            return Err(CrystalError::Lattice(format!("angles {alpha}°, {beta}°, {gamma}° do not close a cell")));
        }
        Self::new([[a, 0.0, 0.0], [b * cg, b * sg, 0.0], [c * cx, c * cy, c * cz2.sqrt()]])
    }

    /// The rows a, b, c in Å.
    #[inline]
    pub fn rows(&self) -> &[[f64; 3]; 3] {
        &self.rows
    }

    /// (a, b, c, alpha, beta, gamma) in Å and degrees.
    pub fn parameters(&self) -> [f64; 6] {
        let [a, b, c] = self.rows;
        let [la, lb, lc] = [norm(a), norm(b), norm(c)];
        let angle = |u, v, lu: f64, lv: f64| (dot(u, v) / (lu * lv)).clamp(-1.0, 1.0).acos().to_degrees();
        [la, lb, lc, angle(b, c, lb, lc), angle(a, c, la, lc), angle(a, b, la, lb)]
    }

    /// Volume in Å³.
    pub fn volume(&self) -> f64 {
        triple(self.rows).abs()
    }

    /// Whether a, b, c form a right-handed system.
    pub fn is_right_handed(&self) -> bool {
        triple(self.rows) > 0.0
    }

    /// Spacing of the lattice planes (100), (010), (001) in Å: the height of the cell along each reciprocal axis.
    pub fn plane_spacings(&self) -> [f64; 3] {
        std::array::from_fn(|k| 1.0 / norm([self.inverse[0][k], self.inverse[1][k], self.inverse[2][k]]))
    }

    /// The product of the plane spacings over the volume: 1 in a cell of right angles, less the more it is skewed. A search
    /// along the cell's axes visits about 1 / compactness times the images that a sphere holds.
    pub fn compactness(&self) -> f64 {
        self.plane_spacings().iter().product::<f64>() / self.volume()
    }

    /// Cartesian Å of fractional coordinates.
    #[inline]
    pub fn to_cartesian(&self, frac: [f64; 3]) -> [f64; 3] {
        times(frac, &self.rows)
    }

    /// Fractional coordinates of Cartesian Å.
    #[inline]
    pub fn to_fractional(&self, cartesian: [f64; 3]) -> [f64; 3] {
        times(cartesian, &self.inverse)
    }

    /// Metric tensor G_ij = r_i · r_j in Å²: what a rotation of the crystal does not change.
    pub fn metric(&self) -> [[f64; 3]; 3] {
        std::array::from_fn(|i| std::array::from_fn(|j| dot(self.rows[i], self.rows[j])))
    }
}

/// Cosine of an angle in degrees, exact where the cosine is rational, so that a 90° cell has zeros and not 6e-17.
fn exact_cosine(degrees: f64) -> f64 {
    match degrees {
        90.0 => 0.0,
        60.0 => 0.5,
        120.0 => -0.5,
        _ => degrees.to_radians().cos(),
    }
}

/// Scalar product.
#[inline]
pub fn dot(u: [f64; 3], v: [f64; 3]) -> f64 {
    u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
}

/// Length, in the unit of the components.
#[inline]
pub fn norm(u: [f64; 3]) -> f64 {
    dot(u, u).sqrt()
}

/// Sum of two lattice translations.
#[inline]
pub fn add(a: [i32; 3], b: [i32; 3]) -> [i32; 3] {
    std::array::from_fn(|k| a[k] + b[k])
}

/// Difference of two lattice translations.
#[inline]
pub fn sub(a: [i32; 3], b: [i32; 3]) -> [i32; 3] {
    std::array::from_fn(|k| a[k] - b[k])
}

/// Vector product, right-handed.
#[inline]
pub fn cross(u: [f64; 3], v: [f64; 3]) -> [f64; 3] {
    [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
}

fn triple([a, b, c]: [[f64; 3]; 3]) -> f64 {
    dot(a, cross(b, c))
}

/// Row vector times matrix.
fn times(v: [f64; 3], m: &[[f64; 3]; 3]) -> [f64; 3] {
    std::array::from_fn(|k| v[0] * m[0][k] + v[1] * m[1][k] + v[2] * m[2][k])
}

fn invert(rows: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let [a, b, c] = rows;
    let volume = triple(rows);
    let columns = [cross(b, c), cross(c, a), cross(a, b)];
    std::array::from_fn(|i| std::array::from_fn(|j| columns[j][i] / volume))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_round_trip_through_rows() {
        let lattice = Lattice::from_parameters(5.1, 6.2, 7.3, 81.0, 95.0, 113.0).unwrap();
        for (got, want) in lattice.parameters().iter().zip([5.1, 6.2, 7.3, 81.0, 95.0, 113.0]) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
    }

    #[test]
    fn fractional_and_cartesian_are_inverse() {
        let lattice = Lattice::from_parameters(5.1, 6.2, 7.3, 81.0, 95.0, 113.0).unwrap();
        let frac = [0.1, -0.7, 2.3];
        let back = lattice.to_fractional(lattice.to_cartesian(frac));
        assert!(frac.iter().zip(back).all(|(x, y)| (x - y).abs() < 1e-14));
    }

    #[test]
    fn plane_spacing_of_a_hexagonal_cell() {
        let lattice = Lattice::from_parameters(4.0, 4.0, 6.0, 90.0, 90.0, 120.0).unwrap();
        let [x, y, z] = lattice.plane_spacings();
        assert!((x - 4.0 * 0.75_f64.sqrt()).abs() < 1e-12 && (y - x).abs() < 1e-12 && (z - 6.0).abs() < 1e-12);
    }

    #[test]
    fn compactness_of_a_cube_and_of_a_layered_rhombohedron() {
        let cube = Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
        assert!((cube.compactness() - 1.0).abs() < 1e-12);
        // Hexagonal a = 3 Å, c = 300 Å in its primitive rhombohedral cell.
        let (x, y, z) = (1.5, 1.5 / 3.0_f64.sqrt(), 100.0);
        let layered = Lattice::new([[x, y, z], [-x, y, z], [0.0, -2.0 * y, z]]).unwrap();
        assert!((0.022..0.023).contains(&layered.compactness()), "{}", layered.compactness());
    }

    #[test]
    fn impossible_cells_are_refused_with_their_numbers() {
        assert!(Lattice::new([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).is_err());
        assert!(Lattice::new([[f64::NAN, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]).is_err());
        assert!(Lattice::new([[9e3, 0.0, 0.0], [0.0, 9e3, 0.0], [6e3, 6e3, 0.001]]).is_err());
        let skewed = Lattice::new([[3.0, 0.0, 0.0], [45.0, 3.0, 0.0], [-12.0, 30.0, 3.0]]).unwrap_err().to_string();
        assert!(skewed.contains("so skewed") && skewed.contains("below 0.001"), "{skewed}");
        let message = Lattice::from_parameters(4.0, 4.0, 4.0, 20.0, 20.0, 170.0).unwrap_err().to_string();
        assert!(message.contains("170°"), "{message}");
    }
}
