//! What can be wrong with a crystal.

/// The cause of an error of any layer: the error of the system or of a library, or a message of our own where there is none.
///
/// Errors include their cause in their text, so that one line is enough; [`std::error::Error::source`] has it too, for programs that check
/// its type.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong in our words, with the remedy, and the error of the system or of a library as its cause.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Explained {
    message: String,
    source: Cause,
}

/// `source`, with a message of our own.
pub fn explained(message: impl Into<String>, source: impl Into<Cause>) -> Cause {
    Box::new(Explained { message: message.into(), source: source.into() })
}

/// A crystal that cannot exist, or that would need a guess.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CrystalError {
    /// The symbol is not one of the 118 elements.
    #[error("'{0}' is not a chemical element; expected a symbol such as O, Ti or Mo")]
    UnknownElement(String),
    /// The atomic number is outside 1..=118.
    #[error("atomic number {0} is outside 1..=118")]
    UnknownAtomicNumber(i64),
    /// A formula that cannot be read; `column` counts characters from 1.
    #[error("formula '{formula}', column {column}: {message}")]
    Formula {
        /// The text as given.
        formula: String,
        /// Character position of the fault, from 1.
        column: usize,
        /// What was expected and what was found.
        message: String,
    },
    /// A lattice that is not finite, is flat, or is too large to be a crystal.
    #[error("lattice: {0}")]
    Lattice(String),
    /// Lists of unlike lengths, or no site at all.
    #[error("{0}")]
    Sites(String),
    /// Two sites nearer than [`crate::MIN_SITE_DISTANCE`].
    #[error(
        "sites {i} ({first}) and {j} ({second}) are {distance:.3} Å apart, nearer than {limit} Å; \
         check the symmetry operations (origin choice) or delete the duplicate site"
    )]
    Overlap {
        /// Index of the first site, from 1.
        i: usize,
        /// Index of the second site, from 1.
        j: usize,
        /// Symbol of the first site.
        first: &'static str,
        /// Symbol of the second site.
        second: &'static str,
        /// Distance in Å, periodic images included.
        distance: f64,
        /// The smallest distance accepted, Å.
        limit: f64,
    },
    /// Partially occupied sites have no single crystal to compute with.
    #[error(
        "site {site} has occupancy {occupancy}; only fully occupied sites are accepted: `hollandite import --order` orders the \
         structure, or order it first (for instance with a supercell enumeration)"
    )]
    PartialOccupancy {
        /// Label of the site.
        site: String,
        /// Occupancy as read.
        occupancy: f64,
    },
    /// The symmetry search failed.
    #[error("symmetry search at symprec {symprec} Å failed: {message}")]
    Symmetry {
        /// Tolerance in Å.
        symprec: f64,
        /// moyo's own words.
        message: String,
    },
}
