//! The stated content of a cell, which the sites and the symmetry must give.

use super::{at_line, block::Block, number};
use crate::FormatError;
use crystal::{Composition, Structure};

/// Amounts of the formula and of the cell may differ by this share of all atoms: one atom in 2000.
const FORMULA_TOLERANCE: f64 = 5e-4;
/// The same where occupancies are printed with two digits.
const SHARED_TOLERANCE: f64 = 0.01;

/// Formula and number of formula units.
pub(super) struct Stated {
    pub formula: Composition,
    text: String,
    line: usize,
    units: Option<f64>,
}

impl Stated {
    /// What the block states, if anything.
    ///
    /// # Errors
    /// A formula or a Z that is none.
    pub fn read(block: &Block) -> Result<Option<Self>, FormatError> {
        let Some(token) = block.first(&["_chemical_formula_sum"]) else { return Ok(None) };
        let text = token.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let formula = Composition::parse(&text).map_err(at_line(token.line))?;
        let units = match block.first(&["_cell_formula_units_Z"]) {
            Some(z) => Some(number(block, &z, "_cell_formula_units_Z")?).filter(|z| *z > 0.0),
            None => None,
        };
        Ok(Some(Self { formula, text, line: token.line, units }))
    }

    /// The cell must hold the stated elements in the stated proportions and, with Z, in the stated number.
    ///
    /// # Errors
    /// What is stated and what the cell holds.
    pub fn check(&self, structure: &Structure) -> Result<(), FormatError> {
        let found = structure.composition();
        if !found.same_proportions(&self.formula, FORMULA_TOLERANCE) {
            return Err(FormatError::syntax(self.line, 0, self.differs(&found)));
        }
        match self.units {
            Some(z) if !self.agrees(z, found.natoms()) => {
                let message = format!(
                    "Z = {z} units of '{}' are stated but the cell holds {}; check _cell_formula_units_Z and the operations",
                    self.text,
                    found.formula(),
                );
                Err(FormatError::syntax(self.line, 0, message))
            }
            _ => Ok(()),
        }
    }

    /// What is wrong where the elements of sites that are occupied in part are not in the stated proportions.
    pub fn differs_on_average(&self, found: &Composition) -> Option<String> {
        (!found.same_proportions(&self.formula, SHARED_TOLERANCE)).then(|| self.differs(found))
    }

    fn differs(&self, found: &Composition) -> String {
        format!(
            "_chemical_formula_sum is '{}' but the sites and the symmetry make {}; a site, an occupancy or an operation is missing or wrong",
            self.text,
            found.reduced_formula(),
        )
    }

    /// Whether so many atoms are Z formula units. Programs disagree whether Z multiplies the formula as printed, or the formula is
    /// that of the cell and Z counts its reduced units, of which some double HO and the like (H2O2, O2).
    fn agrees(&self, z: f64, natoms: f64) -> bool {
        let counts = |expected: f64| (expected - natoms).abs() < 0.5;
        let of_reduced = self.formula.reduced().natoms() * z;
        let doubled = counts(self.formula.natoms()) && counts(2.0 * of_reduced);
        counts(self.formula.natoms() * z) || counts(of_reduced) || doubled
    }
}
