//! What the files of ASE have in common: atoms by number and Cartesian position in a cell, and the results of calculators.

use serde_json::Value;

use super::{MAX_ATOMS, at_line};
use crate::FormatError;
use crystal::{Element, Lattice, Structure};

/// Scalars of a row or frame that keep their names.
pub(super) const SCALARS: [&str; 6] = ["calculator", "energy", "free_energy", "magmom", "charge", "fmax"];

/// Atoms as ASE writes them.
pub(super) struct Atoms {
    pub numbers: Vec<i64>,
    /// Å, three for each atom.
    pub positions: Vec<f64>,
    /// Rows a, b, c, Å.
    pub cell: Vec<f64>,
    /// Whether they repeat in all three directions.
    pub periodic: bool,
}

impl Atoms {
    /// The crystal; `line` is where the atoms stand.
    ///
    /// # Errors
    /// More atoms than are accepted, a direction that does not repeat, lists of unlike lengths, an element or a cell that is none.
    pub fn crystal(self, line: usize) -> Result<Structure, FormatError> {
        let syntax = |message: String| FormatError::syntax(line, 0, message);
        let Self { numbers, positions, cell, periodic } = self;
        if numbers.len() > MAX_ATOMS {
            return Err(syntax(format!("{} atoms, more than the {MAX_ATOMS} accepted", numbers.len())));
        }
        if !periodic {
            return Err(syntax(
                "pbc is not true in all three directions: only crystals are accepted; set atoms.pbc = True where the cell repeats"
                    .into(),
            ));
        }
        let [ax, ay, az, bx, by, bz, cx, cy, cz] = cell[..] else {
            return Err(syntax(format!("cell holds {} numbers; expected nine, the rows a, b, c in Å", cell.len())));
        };
        let lattice = Lattice::new([[ax, ay, az], [bx, by, bz], [cx, cy, cz]]).map_err(at_line(line))?;
        let (positions, rest) = positions.as_chunks::<3>();
        if positions.len() != numbers.len() || !rest.is_empty() {
            let (n, m) = (numbers.len(), 3 * positions.len() + rest.len());
            return Err(syntax(format!(
                "{n} atomic numbers but {m} numbers in positions; expected three for each atom"
            )));
        }
        let species = numbers.iter().map(|&z| Element::from_z(z)).collect::<Result<_, _>>().map_err(at_line(line))?;
        let coords = positions.iter().map(|&x| lattice.to_fractional(x)).collect();
        Structure::new(lattice, species, coords).map_err(at_line(line))
    }
}

/// The numbers of a JSON value, row after row: lists, or what ASE makes of arrays and cells (`__ndarray__`: shape, type, numbers).
pub(super) fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(items) => {
            let parts = items.iter().map(|item| match item {
                Value::Number(x) => Some(vec![x.as_f64()?]),
                Value::Bool(truth) => Some(vec![f64::from(u8::from(*truth))]),
                item => numbers(item),
            });
            Some(parts.collect::<Option<Vec<_>>>()?.concat())
        }
        Value::Object(members) => match (members.get("__ndarray__"), members.get("array")) {
            (Some(array), _) => numbers(array.get(2)?),
            (None, Some(cell)) => numbers(cell),
            _ => None,
        },
        _ => None,
    }
}

/// Whether all three directions repeat: three booleans, or one for all.
pub(super) fn periodic(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        other => numbers(other).is_some_and(|pbc| pbc.len() == 3 && pbc.iter().all(|p| *p != 0.0)),
    }
}
