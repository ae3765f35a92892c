//! A content hash: one name for one crystal, however its file lists it.
//!
//! Sites are sorted, coordinates wrapped, the lattice enters by its metric tensor and handedness (so that a rotation of
//! the whole crystal does not matter), and every number is rounded to a grid. The grid is shifted by an irrational part
//! of its step, because coordinates are decimals: on an unshifted grid 0.12345 would lie on the border of two cells and
//! the last bit of a float would decide.

use sha2::{Digest, Sha256};

use super::Structure;

/// Step of the fractional coordinates: 1e-4 of a 10 Å cell is 0.001 Å.
const FRACTION_STEPS: i64 = 10_000;
/// Step of the metric tensor, Å².
const METRIC_STEP: f64 = 1e-3;
/// Where in a step the border lies: 1/π, which no decimal fraction hits.
const BORDER: f64 = std::f64::consts::FRAC_1_PI;

/// The first 128 bits of a SHA-256 over the canonical form of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash(pub u128);

impl std::fmt::Display for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::str::FromStr for ContentHash {
    type Err = std::num::ParseIntError;
    fn from_str(hex: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(hex, 16).map(Self)
    }
}

/// Two hexadecimal digits for each byte, as digests are written.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Content hash of a structure: the same for any order of its sites, any whole lattice translation of a site, any
/// rotation of the whole crystal and float noise well below 0.001 Å. Mirror images, other cells of the same lattice and
/// other origins hash differently.
pub fn content_hash(structure: &Structure) -> ContentHash {
    let mut sites: Vec<(u8, [i64; 3])> = structure
        .species()
        .iter()
        .zip(structure.frac_coords())
        .map(|(e, x)| (e.z(), x.map(|x| grid(x * FRACTION_STEPS as f64).rem_euclid(FRACTION_STEPS))))
        .collect();
    sites.sort_unstable();

    let mut hasher = Sha256::new();
    hasher.update(b"hollandite structure 1");
    hasher.update([u8::from(structure.lattice().is_right_handed())]);
    let metric = structure.lattice().metric();
    for (i, j) in [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)] {
        hasher.update(grid(metric[i][j] / METRIC_STEP).to_le_bytes());
    }
    for (z, x) in sites {
        hasher.update([z]);
        x.iter().for_each(|x| hasher.update(x.to_le_bytes()));
    }
    let digest = hasher.finalize();
    ContentHash(u128::from_be_bytes(std::array::from_fn(|k| digest[k])))
}

fn grid(x: f64) -> i64 {
    (x + BORDER).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Element, Lattice};

    fn wo3(coords: Vec<[f64; 3]>, order: &[usize]) -> Structure {
        let lattice = Lattice::from_parameters(3.8, 3.8, 3.8, 90.0, 90.0, 90.0).unwrap();
        let (w, o) = (Element::from_symbol("W").unwrap(), Element::from_symbol("O").unwrap());
        let species = [w, o, o, o];
        Structure::new(lattice, order.iter().map(|&i| species[i]).collect(), order.iter().map(|&i| coords[i]).collect())
            .unwrap()
    }

    #[test]
    fn order_wrap_noise_and_rotation_do_not_matter() {
        let plain = vec![[0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]];
        let moved = vec![[1.0, -1e-13, 2.0], [-0.5, 1.0, 0.0], [3.0, 0.5 + 1e-12, 1.0], [-1e-12, 0.0, 1.5]];
        let reference = wo3(plain.clone(), &[0, 1, 2, 3]);
        assert_eq!(content_hash(&reference), content_hash(&wo3(moved, &[2, 0, 3, 1])));
        let turned = Lattice::new([[0.0, 3.8, 0.0], [0.0, 0.0, 3.8], [3.8, 0.0, 0.0]]).unwrap();
        let turned = Structure::new(turned, reference.species().to_vec(), plain).unwrap();
        assert_eq!(content_hash(&reference), content_hash(&turned));
    }

    #[test]
    fn element_coordinate_lattice_and_hand_matter() {
        let plain = vec![[0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]];
        let reference = content_hash(&wo3(plain.clone(), &[0, 1, 2, 3]));
        let mut shifted = plain.clone();
        shifted[1][0] = 0.5002;
        assert_ne!(reference, content_hash(&wo3(shifted, &[0, 1, 2, 3])));
        let s = wo3(plain, &[0, 1, 2, 3]);
        let mirrored = Lattice::new([[-3.8, 0.0, 0.0], [0.0, 3.8, 0.0], [0.0, 0.0, 3.8]]).unwrap();
        let mirrored = Structure::new(mirrored, s.species().to_vec(), s.frac_coords().to_vec()).unwrap();
        assert_ne!(reference, content_hash(&mirrored));
    }

    #[test]
    fn prints_and_reads_as_hex() {
        let hash = ContentHash(0xabc);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().len(), 32);
    }
}
