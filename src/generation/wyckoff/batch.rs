//! Crystals of one number of orbits, as a network reads them together.

/// The tokens of some crystals, one crystal after another; each has one row more than it has orbits.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    /// Space group of each crystal, less one.
    pub groups: Vec<i32>,
    /// What each crystal is to be: see `Prompt`.
    pub prompt: Vec<f32>,
    /// The words that each row reads: species, site symmetry and number.
    pub tokens: Vec<[i32; 3]>,
    /// State of the crystal so far, for each row.
    pub state: Vec<f32>,
    /// The words that come after each row; after the last orbit of a crystal its end, without site symmetry and number, which are -1.
    pub next: Vec<[i32; 3]>,
    /// Added to the logits of site symmetries, for each row but the last of a crystal.
    pub symmetry_mask: Vec<f32>,
    /// The same of numbers, given species and site symmetry.
    pub number_mask: Vec<f32>,
}

impl Batch {
    /// Number of crystals.
    pub fn crystals(&self) -> usize {
        self.groups.len()
    }
}
