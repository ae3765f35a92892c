//! What the reader of an architecture finds out from a checkpoint, and facts that several readers share.

use crate::crystal::Element;
use crate::models::batch::GaussianBasis;
use crate::models::network::{Config, Net};

/// The 89 elements of the Materials Project's crystals, in matgl's order.
pub(super) const MATERIALS_PROJECT: [&str; 89] = [
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca",
    "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",
    "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce",
    "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir",
    "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Ac", "Th", "Pa", "U", "Np", "Pu",
];

/// A network out of a foreign file.
pub(super) struct Found {
    pub net: Net,
    pub config: Config,
    /// The prediction is `mean + scale *` the network's value.
    pub mean: f64,
    pub scale: f64,
    /// Elements of the training set; empty where the file does not tell.
    pub elements: Vec<Element>,
    pub property: Option<String>,
    pub unit: Option<String>,
    pub correction_scheme: Option<String>,
    pub data: Option<String>,
    /// What everybody calls it, where the file is named in another way.
    pub name: Option<String>,
}

impl Found {
    /// A network of which nothing else is known.
    pub fn new(net: Net, config: Config) -> Self {
        let (elements, property, unit, correction_scheme, data, name) = (Vec::new(), None, None, None, None, None);
        Self { net, config, mean: 0.0, scale: 1.0, elements, property, unit, correction_scheme, data, name }
    }
}

/// Elements of a list of symbols, or of `mp`.
pub(super) fn elements_of(list: &str) -> Result<Vec<Element>, String> {
    let symbols: Vec<&str> = match list {
        "mp" => MATERIALS_PROJECT.to_vec(),
        list => list.split([',', ' ']).filter(|s| !s.is_empty()).collect(),
    };
    symbols.into_iter().map(|s| Element::from_symbol(s).map_err(|_| format!("'{s}' is no element"))).collect()
}

/// Gaussians every 0.2 Å from 0, of that width: the basis of CGCNN and of what descends from it.
pub(super) fn basis_of_fifths(count: usize) -> Result<GaussianBasis, String> {
    match count {
        0 | 1 => Err("a basis of one function".into()),
        _ => Ok(GaussianBasis { first: 0.0, last: 0.2 * (count - 1) as f32, count, gamma: 25.0 }),
    }
}
