//! What draws tokens.

use std::fmt;
use std::sync::Arc;

use crystal::{Composition, Element};

use super::{Conditions, Tokens};

/// What crystals are wanted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// The elements that crystals are made of, each of them or some.
    pub elements: Vec<Element>,
    /// The composition that crystals have, where one is asked for: structure prediction.
    pub composition: Option<Composition>,
    /// Most atoms in the conventional cell; `None` for any number.
    pub sites: Option<usize>,
    /// Properties that crystals are wanted to have; a sampler that knows nothing of them draws as if none were.
    pub conditions: Conditions,
}

impl Request {
    /// Crystals of one composition.
    pub fn of_composition(composition: Composition) -> Self {
        Self {
            elements: composition.iter().map(|(e, _)| e).collect(),
            composition: Some(composition),
            ..Self::default()
        }
    }
}

impl fmt::Display for Request {
    /// `Mo, V, O with at most 60 atoms in the conventional cell`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.composition {
            Some(composition) => f.write_str(&composition.reduced_formula())?,
            None => f.write_str(&self.elements.iter().map(|e| e.symbol()).collect::<Vec<_>>().join(", "))?,
        }
        self.sites.map_or(Ok(()), |most| write!(f, " with at most {most} atoms in the conventional cell"))
    }
}

/// Tokens, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The tokens.
    pub tokens: Tokens,
    /// The known crystal whose pattern of orbits they have, where a sampler takes it from one.
    pub template: Option<String>,
}

/// Draws tokens for one request.
///
/// A sampler is made for a request and holds all that it needs; drawing changes nothing in it, so that threads share it.
pub trait Sampler: Send + Sync {
    /// What it is called in the lineage of a crystal.
    fn name(&self) -> &'static str;

    /// The sample of a seed, always the same; `None` where this draw ends in no crystal, for instance because no choice of elements is
    /// charge-neutral.
    fn sample(&self, seed: u64) -> Option<Sample>;
}

impl<S: Sampler> Sampler for Arc<S> {
    fn name(&self) -> &'static str {
        self.as_ref().name()
    }

    fn sample(&self, seed: u64) -> Option<Sample> {
        self.as_ref().sample(seed)
    }
}
