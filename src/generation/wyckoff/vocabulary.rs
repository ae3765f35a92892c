//! What a network has words for: species, their elements, and the bins of the conditions.

use crystal::Element;

use super::conditions::Bins;
use crate::Species;

/// The words of a network, which its card keeps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vocabulary {
    species: Vec<Species>,
    elements: Vec<Element>,
    bins: Bins,
}

impl Vocabulary {
    /// Of these species, in any order, and the usual bins.
    pub fn new(mut species: Vec<Species>) -> Self {
        species.sort_unstable();
        species.dedup();
        let mut elements: Vec<Element> = species.iter().map(|s| s.element).collect();
        elements.dedup();
        Self { species, elements, bins: Bins::usual() }
    }

    /// The same words with other bins.
    pub fn in_bins(self, bins: Bins) -> Self {
        Self { bins, ..self }
    }

    /// The bins of the conditions.
    pub fn bins(&self) -> &Bins {
        &self.bins
    }

    /// Length of a prompt: of which elements, in which amounts, and in which bins.
    pub fn prompt_len(&self) -> usize {
        2 * self.elements.len() + self.bins.count()
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
