//! Symmetry operations: reading `-y, x-y, z+1/3`, printing it, and expanding an asymmetric unit into the whole cell.

use std::fmt;

use super::{Lattice, lattice::norm};

/// Two images of one site nearer than this, Å, are one atom on a special position whose coordinates were rounded:
/// three printed digits of a 30 Å cell. Sites of different labels are never merged.
pub const MERGE_DISTANCE: f64 = 0.05;

/// A space-group operation on fractional coordinates: x' = R x + t.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SymOp {
    /// R, acting on column vectors.
    pub rotation: [[i8; 3]; 3],
    /// t, fractions of the lattice vectors.
    pub translation: [f64; 3],
}

impl SymOp {
    /// x, y, z.
    pub const IDENTITY: Self = Self { rotation: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], translation: [0.0; 3] };

    /// Reads three comma-separated expressions in x, y, z (any case, any spacing): `-y, x-y, z+1/3`, `1/2+X,Y,Z`, `x,y,z+0.25`.
    ///
    /// # Errors
    /// What was expected and found, where the text is not an operation or its rotation is not of determinant ±1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let (mut rotation, mut translation) = ([[0; 3]; 3], [0.0; 3]);
        for k in 0..3 {
            let part = parts.next().ok_or_else(|| format!("operation '{text}' has {k} expressions, expected 3"))?;
            (rotation[k], translation[k]) =
                expression(part).map_err(|message| format!("operation '{text}': {message}"))?;
        }
        if parts.next().is_some() {
            return Err(format!("operation '{text}' has more than 3 expressions"));
        }
        let op = Self { rotation, translation };
        match op.determinant() {
            1 | -1 => Ok(op),
            d => Err(format!("operation '{text}' has determinant {d}, expected 1 or -1")),
        }
    }

    /// The image of fractional coordinates, not wrapped.
    #[inline]
    pub fn apply(&self, x: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|i| {
            let [a, b, c] = self.rotation[i].map(f64::from);
            a * x[0] + b * x[1] + c * x[2] + self.translation[i]
        })
    }

    /// The operation that applies `first` and then `self`, its translation in [0, 1).
    pub fn after(&self, first: &Self) -> Self {
        let rotation = std::array::from_fn(|i| {
            std::array::from_fn(|j| (0..3).map(|k| self.rotation[i][k] * first.rotation[k][j]).sum())
        });
        Self { rotation, translation: self.apply(first.translation).map(wrap) }
    }

    /// Determinant of the rotation: 1 or -1 for every operation of a crystal.
    pub fn determinant(&self) -> i32 {
        let [a, b, c] = self.rotation.map(|row| row.map(i32::from));
        a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    }

    /// Whether the rotation maps the lattice onto itself: RᵀGR = G, each element to `tolerance` of the lengths it joins.
    pub fn fits(&self, lattice: &Lattice, tolerance: f64) -> bool {
        let g = lattice.metric();
        let r = self.rotation.map(|row| row.map(f64::from));
        (0..3).all(|i| {
            (0..3).all(|j| {
                let image: f64 = (0..3).map(|k| (0..3).map(|l| r[k][i] * g[k][l] * r[l][j]).sum::<f64>()).sum();
                (image - g[i][j]).abs() <= tolerance * (g[i][i] * g[j][j]).sqrt()
            })
        })
    }
}

/// One coordinate of an operation: its row of R and its t.
pub(super) fn expression(text: &str) -> Result<([i8; 3], f64), String> {
    let (mut row, mut shift) = ([0_i8; 3], 0.0);
    let bytes = text.trim().as_bytes();
    let mut at = 0;
    if bytes.is_empty() {
        return Err("an expression is empty; expected one such as x+1/2".into());
    }
    while at < bytes.len() {
        let mut sign = 1.0;
        while let Some(&c) = bytes.get(at).filter(|c| matches!(c, b'+' | b'-' | b' ' | b'\t')) {
            sign = if c == b'-' { -sign } else { sign };
            at += 1;
        }
        let number = |at: &mut usize| {
            let start = *at;
            while bytes.get(*at).is_some_and(|c| c.is_ascii_digit() || *c == b'.') {
                *at += 1;
            }
            std::str::from_utf8(&bytes[start..*at]).ok().and_then(|digits| digits.parse::<f64>().ok())
        };
        let mut factor = number(&mut at);
        if factor.is_some() && bytes.get(at) == Some(&b'/') {
            at += 1;
            let divisor = number(&mut at).filter(|d| *d > 0.0).ok_or("expected a number above 0 after '/'")?;
            factor = factor.map(|x| x / divisor);
        }
        if factor.is_some() && bytes.get(at) == Some(&b'*') {
            at += 1;
        }
        match (bytes.get(at).map(u8::to_ascii_lowercase), factor) {
            (Some(axis @ b'x'..=b'z'), factor) => {
                let factor = sign * factor.unwrap_or(1.0);
                if factor.abs() > 3.0 || factor.fract() != 0.0 {
                    return Err(format!("the factor {factor} of '{}' is not a small whole number", char::from(axis)));
                }
                row[usize::from(axis - b'x')] += factor as i8;
                at += 1;
            }
            (_, Some(constant)) => shift += sign * constant,
            (Some(_), None) => {
                let found = text.trim().get(at..).and_then(|rest| rest.chars().next()).unwrap_or('?');
                return Err(format!("expected x, y, z or a number, found '{found}'"));
            }
            (None, None) => return Err("the expression ends after a sign".into()),
        }
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
    }
    Ok((row, shift))
}

impl fmt::Display for SymOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (row, t)) in self.rotation.iter().zip(self.translation).enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            let mut first = true;
            for (&factor, axis) in row.iter().zip(["x", "y", "z"]) {
                let sign = if factor < 0 { "-" } else { "+" };
                match (factor.abs(), first && factor > 0) {
                    (0, _) => continue,
                    (1, true) => f.write_str(axis)?,
                    (1, false) => write!(f, "{sign}{axis}")?,
                    (n, true) => write!(f, "{n}{axis}")?,
                    (n, false) => write!(f, "{sign}{n}{axis}")?,
                }
                first = false;
            }
            // Crystallographic translations are twelfths or, for body diagonals of F, eighths.
            match [2.0, 3.0, 4.0, 6.0, 8.0, 12.0].iter().find(|d| ((t * **d).round() - t * **d).abs() < 1e-9) {
                _ if t == 0.0 && !first => {}
                Some(d) if t.fract() != 0.0 => {
                    write!(f, "{}{}/{d}", if t < 0.0 || first { "" } else { "+" }, (t * d).round())?
                }
                _ if first => write!(f, "{t}")?,
                _ => write!(f, "{t:+}")?,
            }
        }
        Ok(())
    }
}

/// Every atom of the cell from its asymmetric unit: (index of the site, coordinates), site by site in the order of `ops`.
///
/// Images of the same site nearer than [`MERGE_DISTANCE`] are one atom on a special position: the site is moved to the
/// mean of the images that fall upon it (so that 0.333 becomes 1/3 where the symmetry says so) and counted once. The image
/// under the identity keeps its coordinates as given otherwise; the others are wrapped into [0, 1). Images of different sites are not
/// merged: [`super::Structure::new`] refuses those that overlap.
pub fn expand_sites(lattice: &Lattice, ops: &[SymOp], sites: &[[f64; 3]]) -> Vec<(usize, [f64; 3])> {
    let mut atoms = Vec::with_capacity(sites.len() * ops.len().min(48));
    if ops.len() < 2 {
        atoms.extend(sites.iter().copied().enumerate());
        return atoms;
    }
    let spacings = lattice.plane_spacings();
    let near = |a: &[f64; 3], b: &[f64; 3]| -> Option<[f64; 3]> {
        let mut delta = [0.0; 3];
        for k in 0..3 {
            let d = b[k] - a[k];
            delta[k] = d - d.round();
            if delta[k].abs() * spacings[k] > MERGE_DISTANCE {
                return None;
            }
        }
        (norm(lattice.to_cartesian(delta)) < MERGE_DISTANCE).then_some(delta)
    };
    for (index, site) in sites.iter().enumerate() {
        let (mut site, mut stabiliser) = (*site, 1);
        // At the mean more images may fall upon the site: those farther than some of the others, on an axis in a mirror plane.
        loop {
            let (mut shift, mut count) = ([0.0; 3], 0);
            for delta in ops.iter().filter_map(|op| near(&site, &op.apply(site))) {
                count += 1;
                (0..3).for_each(|k| shift[k] += delta[k]);
            }
            if count <= stabiliser {
                break;
            }
            site = std::array::from_fn(|k| site[k] + shift[k] / f64::from(count));
            stabiliser = count;
        }
        let first = atoms.len();
        for op in ops {
            let image = if *op == SymOp::IDENTITY { site } else { op.apply(site).map(wrap) };
            if atoms[first..].iter().all(|(_, kept)| near(kept, &image).is_none()) {
                atoms.push((index, image));
            }
        }
    }
    atoms
}

/// Into [0, 1), with the noise of 1 - 1e-17 taken as 0.
fn wrap(x: f64) -> f64 {
    let wrapped = x - x.floor();
    if wrapped >= 1.0 - 1e-15 { 0.0 } else { wrapped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_way_of_writing_an_operation() {
        let op = SymOp::parse("-y+1/2, X - Y, 0.25+z").unwrap();
        assert_eq!(op.rotation, [[0, -1, 0], [1, -1, 0], [0, 0, 1]]);
        assert_eq!(op.translation, [0.5, 0.0, 0.25]);
        assert_eq!(SymOp::parse("1/2-x,y,-1/3+z").unwrap().translation, [0.5, 0.0, -1.0 / 3.0]);
        assert_eq!(op.apply([0.1, 0.2, 0.3]), [0.3, -0.1, 0.55]);
    }

    #[test]
    fn refuses_what_is_no_operation() {
        for (text, said) in [
            ("x,y", "2 expressions"),
            ("x,y,z,z", "more than 3"),
            ("x,y,", "empty"),
            ("x,y,q", "found 'q'"),
            ("x,y,z+", "ends after a sign"),
            ("x,x,z", "determinant 0"),
            ("x,y,z+1/0", "above 0"),
            ("x,y,é", "found 'é'"),
            ("99x,y,z", "factor 99"),
        ] {
            let message = SymOp::parse(text).unwrap_err();
            assert!(message.contains(said), "{text}: {message}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["x, y, z", "-y+1/2, x-y, z+1/3", "y+3/4, -x+1/4, -z+5/6", "-x-1/2, y, z+1/8"] {
            assert_eq!(SymOp::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_rotation_must_fit_the_cell() {
        let hexagonal = Lattice::from_parameters(5.0, 5.0, 9.0, 90.0, 90.0, 120.0).unwrap();
        let threefold = SymOp::parse("-y,x-y,z").unwrap();
        assert!(threefold.fits(&hexagonal, 1e-9) && !SymOp::parse("-y,x,z").unwrap().fits(&hexagonal, 0.02));
        let twice = threefold.after(&threefold);
        assert_eq!(twice.after(&threefold), SymOp::IDENTITY);
    }

    #[test]
    fn a_rounded_special_position_is_one_atom_at_its_exact_place() {
        let cell = Lattice::from_parameters(8.0, 8.0, 5.0, 90.0, 90.0, 120.0).unwrap();
        let ops = ["x,y,z", "-y,x-y,z", "-x+y,-x,z"].map(|t| SymOp::parse(t).unwrap());
        let atoms = expand_sites(&cell, &ops, &[[0.333, 0.667, 0.1], [0.1, 0.2, 0.3]]);
        assert_eq!(atoms.iter().map(|a| a.0).collect::<Vec<_>>(), [0, 1, 1, 1]);
        let special = atoms[0].1;
        assert!((special[0] - 1.0 / 3.0).abs() < 1e-12 && (special[1] - 2.0 / 3.0).abs() < 1e-12, "{special:?}");
        assert_eq!(atoms[1].1, [0.1, 0.2, 0.3]);
    }

    #[test]
    fn a_site_beside_an_axis_in_a_mirror_plane_is_moved_onto_the_axis() {
        // 4mm: at first two of the eight images, opposite and across a diagonal plane, are farther than the rest.
        let cell = Lattice::from_parameters(4.0, 4.0, 5.0, 90.0, 90.0, 90.0).unwrap();
        let ops = ["x,y,z", "-x,-y,z", "-y,x,z", "y,-x,z", "-x,y,z", "x,-y,z", "y,x,z", "-y,-x,z"];
        let ops = ops.map(|t| SymOp::parse(t).unwrap());
        let atoms = expand_sites(&cell, &ops, &[[0.0055, 0.0045, 0.1]]);
        assert_eq!(atoms.len(), 1, "{atoms:?}");
        assert!(atoms[0].1[0].abs() < 1e-12 && atoms[0].1[1].abs() < 1e-12, "{atoms:?}");
    }
}
