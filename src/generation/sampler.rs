//! What draws tokens.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crystal::{Composition, Element};

use super::{Conditions, GenerationError, Tokens, WyckoffModel};

/// What crystals are wanted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// The elements that crystals are made of, each of them or some.
    pub elements: Vec<Element>,
    /// The composition of the crystals, where one is requested: structure prediction.
    pub composition: Option<Composition>,
    /// Most atoms in the conventional cell; `None` for any number.
    pub sites: Option<usize>,
    /// Requested properties of the crystals. A sampler without conditions ignores them: see [`SamplerKind::check`].
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
    /// `Mo, V, O with at most 60 atoms in the conventional cell, void = 0.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.composition {
            Some(composition) => f.write_str(&composition.reduced_formula())?,
            None => f.write_str(&self.elements.iter().map(|e| e.symbol()).collect::<Vec<_>>().join(", "))?,
        }
        self.sites.map_or(Ok(()), |most| write!(f, " with at most {most} atoms in the conventional cell"))?;
        self.conditions.asked().try_for_each(|(condition, value)| write!(f, ", {} = {value}", condition.name))
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
    /// Its name in the lineage of a crystal.
    fn name(&self) -> &str;

    /// The sample of a seed, always the same; `None` where this draw ends in no crystal, for instance because no choice of elements is
    /// charge-neutral.
    fn sample(&self, seed: u64) -> Option<Sample>;

    /// Requested volume per atom, Å³; without it, from the sizes of the ions.
    fn volume(&self) -> Option<f64> {
        None
    }
}

/// The samplers that there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SamplerKind {
    /// Patterns of orbits of known crystals: [`TemplateSampler`](super::TemplateSampler).
    #[default]
    Templates,
    /// A network trained on known crystals: [`WyckoffSampler`](super::WyckoffSampler), with the network that ships.
    Wyckoff,
    /// The same with the network of this name or path.
    Trained(String),
}

impl SamplerKind {
    /// Name of [`SamplerKind::Templates`].
    pub const TEMPLATES: &str = "templates";
    /// Name of [`SamplerKind::Wyckoff`], and of its kind of networks.
    pub const WYCKOFF: &str = "wyckoff";

    /// Its name, in requests and in the lineage of a crystal.
    pub fn name(&self) -> &str {
        match self {
            Self::Templates => Self::TEMPLATES,
            Self::Wyckoff => Self::WYCKOFF,
            Self::Trained(name) => name,
        }
    }

    /// The network that draws, where one does: see [`WyckoffModel::find`].
    ///
    /// # Errors
    /// A name that no sampler has, or weights that cannot be read.
    pub fn network(&self, folder: Option<&Path>, paths: bool) -> Result<Option<Arc<WyckoffModel>>, GenerationError> {
        match self {
            Self::Templates => Ok(None),
            Self::Wyckoff => WyckoffModel::embedded().map(Some),
            Self::Trained(name) => WyckoffModel::find(name, folder, paths).map(Some),
        }
    }

    /// Whether it supports every condition of the request: one that it ignored would be missing from the crystals without a message.
    ///
    /// # Errors
    /// A condition that it does not support, with a sampler that does.
    pub fn check(&self, request: &Request) -> Result<(), GenerationError> {
        match (self, request.conditions.asked().next()) {
            (Self::Templates, Some((condition, _))) => Err(GenerationError::Condition {
                sampler: Self::TEMPLATES,
                condition: condition.name,
                other: Self::WYCKOFF,
            }),
            _ => Ok(()),
        }
    }
}

impl From<&str> for SamplerKind {
    /// The kind of a name, in any spelling of those that ship; another name is looked up when its network is loaded.
    fn from(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            Self::TEMPLATES => Self::Templates,
            Self::WYCKOFF => Self::Wyckoff,
            _ => Self::Trained(name.to_owned()),
        }
    }
}

impl<S: Sampler + ?Sized> Sampler for Arc<S> {
    fn name(&self) -> &str {
        self.as_ref().name()
    }

    fn sample(&self, seed: u64) -> Option<Sample> {
        self.as_ref().sample(seed)
    }

    fn volume(&self) -> Option<f64> {
        self.as_ref().volume()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplers_are_known_by_name() {
        let trained = SamplerKind::Trained("Mine".into());
        for (name, kind) in
            [("Templates", SamplerKind::Templates), ("WYCKOFF", SamplerKind::Wyckoff), ("Mine", trained)]
        {
            assert_eq!(SamplerKind::from(name), kind);
            assert!(kind.name().eq_ignore_ascii_case(name));
        }
        assert!(SamplerKind::Templates.network(None, false).unwrap().is_none());
        let shipped = SamplerKind::Wyckoff.network(None, false).unwrap().unwrap();
        assert_eq!(shipped.card().name, SamplerKind::WYCKOFF);
        let message = SamplerKind::from("wyckof").network(None, false).unwrap_err().to_string();
        assert_eq!(message, "no sampler 'wyckof'; known: templates, wyckoff");
    }

    #[test]
    fn a_condition_is_said_and_asked_of_no_sampler_that_leaves_it_out_of_account() {
        let open = Request { sites: Some(8), ..Request::default() };
        let wanted = Request { conditions: Conditions { void: Some(0.5), ..Conditions::default() }, ..open.clone() };
        assert_eq!(wanted.to_string(), format!("{open}, void = 0.5"));
        assert!([SamplerKind::Templates, SamplerKind::Wyckoff].iter().all(|kind| kind.check(&open).is_ok()));
        SamplerKind::Wyckoff.check(&wanted).unwrap();
        SamplerKind::from("mine").check(&wanted).unwrap();
        let message = SamplerKind::Templates.check(&wanted).unwrap_err().to_string();
        assert!(message.contains("knows nothing of void: take sampler 'wyckoff'"), "{message}");
    }
}
