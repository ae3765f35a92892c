//! How the affine normaliser of a space group permutes its Wyckoff letters.
//!
//! Which of two equivalent special positions is called a and which b depends on the choice of origin and axes: shifting
//! the origin of Fd-3m by (½, ½, ½) exchanges 8a and 8b, 16c and 16d. The affine normaliser of a group is the group of
//! all such choices (*International Tables* A, chapter 3.5). Here it is found by search: integer matrices of the crystal
//! system that map the group's rotations onto themselves, one for each coset of the point group, with every origin of a
//! grid that holds all translations of all normalisers (eighths; sixths and twelfths in hexagonal axes; an origin that
//! is free along a polar axis changes no letter). A point of each Wyckoff position is moved, and the position on which it
//! arrives names the new letter. For monoclinic groups, whose shears are infinitely many, the permutations found are
//! closed under composition.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::setting::SETTINGS;
use super::{Setting, SymOp, WyckoffPosition};

/// Coordinates nearer than this are equal: they are sums of a few fractions.
const SAME: f64 = 1e-6;

/// Letters before and after a change of origin or axes: pairs (old, new) of all letters of a setting.
type Renaming = Vec<(char, char)>;

impl Setting {
    /// Every way in which a change of origin or axes renames the Wyckoff letters of the setting, the identity among them: pairs (old,
    /// new) of all letters.
    pub fn renamings(&self) -> &'static [Vec<(char, char)>] {
        static FOUND: [OnceLock<Vec<Renaming>>; SETTINGS as usize] = [const { OnceLock::new() }; SETTINGS as usize];
        FOUND[usize::from(self.hall_number) - 1].get_or_init(|| find(self))
    }
}

fn find(setting: &Setting) -> Vec<Renaming> {
    let (number, operations, positions) = (setting.number, setting.operations(), setting.wyckoff_positions());
    let letters: Vec<char> = positions.iter().map(|p| p.letter).collect();
    let identity: Vec<usize> = (0..positions.len()).collect();
    let mut found = BTreeSet::from([identity]);
    let alone = |p: &WyckoffPosition| positions.iter().filter(|q| q.multiplicity == p.multiplicity).count() == 1;
    if !positions.iter().all(alone) {
        let mut cosets: Vec<[[i8; 3]; 3]> = Vec::new();
        for linear in linear_parts(number) {
            let of_coset = |known: &[[i8; 3]; 3]| operations.iter().any(|g| product(&g.rotation, known) == linear);
            if cosets.iter().any(of_coset) || !keeps_rotations(&linear, operations) {
                continue;
            }
            cosets.push(linear);
            for shift in origins(number) {
                let change = SymOp { rotation: linear, translation: shift };
                if normalizes(&change, operations)
                    && let Some(permutation) = permutation(&change, positions, operations)
                {
                    found.insert(permutation);
                }
            }
        }
    }
    if (3..=15).contains(&number) {
        close(&mut found);
    }
    found.into_iter().map(|p| p.iter().enumerate().map(|(i, &j)| (letters[i], letters[j])).collect()).collect()
}

type Matrix = [[i8; 3]; 3];

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

fn determinant(m: &Matrix) -> i32 {
    SymOp { rotation: *m, translation: [0.0; 3] }.determinant()
}

/// Inverse of a matrix of determinant ±1.
fn inverse(m: &Matrix) -> Matrix {
    let d = determinant(m) as i8;
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            let [i1, i2, j1, j2] = [(i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3];
            d * (m[j1][i1] * m[j2][i2] - m[j1][i2] * m[j2][i1])
        })
    })
}

/// Changes of axes that a normaliser of the crystal system can hold. Hexagonal axes for trigonal groups, b unique for
/// monoclinic ones: the usual settings.
fn linear_parts(number: u16) -> Vec<Matrix> {
    let whole = |range: std::ops::RangeInclusive<i8>, n: usize| -> Vec<Vec<i8>> {
        (0..n).fold(vec![Vec::new()], |rows, _| {
            rows.into_iter().flat_map(|row| range.clone().map(move |x| [row.as_slice(), &[x]].concat())).collect()
        })
    };
    let unimodular = |m: &Matrix| determinant(m).abs() == 1;
    match number {
        // Modulo 2, which is all that the inversion centres at halves of the vectors see, these are all matrices.
        1..=2 => {
            let square = |x: Vec<i8>| std::array::from_fn(|i| std::array::from_fn(|j| x[3 * i + j]));
            whole(0..=1, 9).into_iter().map(square).filter(unimodular).collect()
        }
        3..=15 => {
            let block = |x: Vec<i8>| [[x[0], 0, x[1]], [0, 1, 0], [x[2], 0, x[3]]];
            whole(-2..=2, 4).into_iter().map(block).filter(unimodular).collect()
        }
        143..=194 => {
            let generators: [Matrix; 3] = [
                [[1, -1, 0], [1, 0, 0], [0, 0, 1]],
                [[0, 1, 0], [1, 0, 0], [0, 0, -1]],
                [[-1, 0, 0], [0, -1, 0], [0, 0, -1]],
            ];
            let mut group = vec![SymOp::IDENTITY.rotation];
            let mut at = 0;
            while at < group.len() {
                for generator in &generators {
                    let next = product(&group[at], generator);
                    if !group.contains(&next) {
                        group.push(next);
                    }
                }
                at += 1;
            }
            group
        }
        _ => {
            let axes = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
            let signs = (0..8).map(|s| [0, 1, 2].map(|k| if s >> k & 1 == 1 { -1 } else { 1 }));
            signs
                .flat_map(|sign| {
                    axes.map(|axis| {
                        std::array::from_fn(|i| std::array::from_fn(|j| if axis[i] == j { sign[i] } else { 0 }))
                    })
                })
                .collect()
        }
    }
}

/// Origins among which every normaliser finds its translations.
fn origins(number: u16) -> Vec<[f64; 3]> {
    let (steps, size) = match number {
        1..=2 => ([2; 3], [2.0; 3]),
        143..=194 => ([6, 6, 12], [6.0, 6.0, 12.0]),
        _ => ([8; 3], [8.0; 3]),
    };
    let along = |k: usize| (0..steps[k]).map(move |i| f64::from(i) / size[k]);
    along(0).flat_map(|x| along(1).flat_map(move |y| along(2).map(move |z| [x, y, z]))).collect()
}

fn keeps_rotations(linear: &Matrix, operations: &[SymOp]) -> bool {
    let back = inverse(linear);
    operations.iter().all(|g| {
        let image = product(&product(linear, &g.rotation), &back);
        operations.iter().any(|h| h.rotation == image)
    })
}

/// Whether change · g · change⁻¹ is an operation of the group for each of its operations g.
fn normalizes(change: &SymOp, operations: &[SymOp]) -> bool {
    let back = inverse(&change.rotation);
    operations.iter().all(|g| {
        let rotation = product(&product(&change.rotation, &g.rotation), &back);
        let turned = SymOp { rotation, translation: [0.0; 3] }.apply(change.translation);
        let moved = change.apply(g.translation);
        let translation: [f64; 3] = std::array::from_fn(|k| moved[k] - turned[k]);
        operations.iter().any(|h| h.rotation == rotation && (0..3).all(|k| is_whole(h.translation[k] - translation[k])))
    })
}

fn is_whole(x: f64) -> bool {
    (x - x.round()).abs() < SAME
}

/// Where a change of setting takes each position; `None` where a position has no image, which no normaliser does.
fn permutation(change: &SymOp, positions: &[WyckoffPosition], operations: &[SymOp]) -> Option<Vec<usize>> {
    positions
        .iter()
        .map(|from| {
            let point = change.apply(from.generic());
            positions.iter().position(|onto| {
                onto.multiplicity == from.multiplicity
                    && operations.iter().any(|g| onto.offset(g.apply(point)).into_iter().all(|d| d.abs() < SAME))
            })
        })
        .collect()
}

/// Adds every product of the permutations.
fn close(found: &mut BTreeSet<Vec<usize>>) {
    let generators: Vec<_> = found.iter().cloned().collect();
    let mut fresh = generators.clone();
    while let Some(p) = fresh.pop() {
        for q in &generators {
            let product: Vec<usize> = p.iter().map(|&i| q[i]).collect();
            if found.insert(product.clone()) {
                fresh.push(product);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The renamings of the usual setting of a space group, written with the letters in their order.
    fn of(number: u16) -> BTreeSet<String> {
        let text = |renaming: &Vec<(char, char)>| {
            let mut pairs = renaming.clone();
            pairs.sort_unstable();
            pairs.iter().map(|(_, new)| *new).collect::<String>()
        };
        Setting::usual(number).unwrap().renamings().iter().map(text).collect()
    }

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|s| (*s).to_string()).collect()
    }

    #[test]
    fn equivalent_positions_of_the_international_tables() {
        // Shift by (1/2, 1/2, 1/2): Pm-3m exchanges a and b, c and d, e and f (the perovskites' two settings).
        assert!(of(221).iter().all(|s| s.starts_with("abcd") || s.starts_with("badc")), "{:?}", of(221));
        assert_eq!(of(221).len(), 2);
        // Fd-3m: a and b, c and d.
        assert_eq!(of(227), set(&["abcdefghi", "badcefghi"]));
        // Fm-3m: 4a and 4b.
        assert!(of(225).iter().any(|s| s.starts_with("bac")));
        // The eight inversion centres of P-1 are all alike: any can be the origin, AGL(3, 2) has 1344 elements.
        assert_eq!(of(2).len(), 1344);
        // P2_1/c: 2a, 2b, 2c and 2d.
        assert!(of(14).iter().all(|s| s.ends_with('e')));
        assert!(["a", "b", "c", "d"].iter().all(|l| of(14).iter().any(|s| s.starts_with(l))));
        // Nothing to exchange in P1 and in Pnma's 4c.
        assert_eq!(of(1), set(&["a"]));
        assert_eq!(of(62), set(&["abcd", "bacd"]));
    }
}
