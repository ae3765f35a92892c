//! The species that there are words for, and their elements.

use crystal::Element;

use crate::Species;

/// The words of a network, which its card keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vocabulary {
    species: Vec<Species>,
    elements: Vec<Element>,
}

impl Vocabulary {
    /// Of these species, in any order.
    pub fn new(mut species: Vec<Species>) -> Self {
        species.sort_unstable();
        species.dedup();
        let mut elements: Vec<Element> = species.iter().map(|s| s.element).collect();
        elements.dedup();
        Self { species, elements }
    }

    /// The species, in order; one more word is the end of a crystal, or its start where it is read.
    pub fn species(&self) -> &[Species] {
        &self.species
    }

    /// Their elements, in order.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The word of a species.
    pub fn word(&self, species: Species) -> Option<usize> {
        self.species.binary_search(&species).ok()
    }
}
