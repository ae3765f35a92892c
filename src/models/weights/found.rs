//! The user's claims on a file of weights, what the reader of an architecture finds in it, and facts that several readers share.

use std::ops::Range;

use super::checkpoint::{Array, Checkpoint};
use crate::batch::GaussianBasis;
use crystal::Element;

/// The 89 elements of the Materials Project's crystals, in matgl's order.
pub(crate) const MATERIALS_PROJECT: [&str; 89] = [
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca",
    "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",
    "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce",
    "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir",
    "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Ac", "Th", "Pa", "U", "Np", "Pu",
];

/// The user's claims on a file of weights; they override the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims {
    /// Name in queries.
    pub name: Option<String>,
    /// What it predicts: `formation_energy_per_atom`.
    pub property: Option<String>,
    /// Unit of the prediction: `eV/atom`.
    pub unit: Option<String>,
    /// Corrections that the energies carry that it was trained on.
    pub correction_scheme: Option<String>,
    /// Elements it was trained on: symbols with commas, or `mp` for the 89 of the Materials Project.
    pub elements: Option<String>,
    /// Licence of the weights.
    pub licence: Option<String>,
    /// Longest bond of DeeperGATGNN's training set, Å.
    pub longest_bond: Option<f32>,
    /// Which file of a folder or archive.
    pub member: Option<String>,
}

/// A network out of a foreign file: settings and weights.
pub(crate) struct Found<C, N> {
    pub net: N,
    pub config: C,
    /// The prediction is `mean + scale *` the network's value.
    pub mean: f64,
    pub scale: f64,
    /// Elements of the training set; empty where the file does not say.
    pub elements: Vec<Element>,
    pub property: Option<String>,
    pub unit: Option<String>,
    pub correction_scheme: Option<String>,
    pub data: Option<String>,
    /// Its usual name, where the file is named in another way.
    pub name: Option<String>,
}

impl<C, N> Found<C, N> {
    /// A network without further facts.
    pub fn new(net: N, config: C) -> Self {
        let (elements, property, unit, correction_scheme, data, name) = (Vec::new(), None, None, None, None, None);
        Self { net, config, mean: 0.0, scale: 1.0, elements, property, unit, correction_scheme, data, name }
    }

    /// The same with settings and weights of other types.
    pub fn map<D, M>(self, config: impl FnOnce(C) -> D, net: impl FnOnce(N) -> M) -> Found<D, M> {
        let Self {
            net: weights,
            config: settings,
            mean,
            scale,
            elements,
            property,
            unit,
            correction_scheme,
            data,
            name,
        } = self;
        let (net, config) = (net(weights), config(settings));
        Found { net, config, mean, scale, elements, property, unit, correction_scheme, data, name }
    }
}

/// Elements of a list of symbols, or of `mp`.
pub(crate) fn elements_of(list: &str) -> Result<Vec<Element>, String> {
    let symbols: Vec<&str> = match list {
        "mp" => MATERIALS_PROJECT.to_vec(),
        list => list.split([',', ' ']).filter(|s| !s.is_empty()).collect(),
    };
    symbols.into_iter().map(|s| Element::from_symbol(s).map_err(|_| format!("'{s}' is not an element"))).collect()
}

/// Moves the rows of a tensor, which has one for each element of a list, to their atomic numbers: the first and the last number that get a
/// row stand in `numbers`, and rows of no element of the list are 0. The elements of the list.
///
/// # Errors
/// A list of another length, or with what is no element or has no place.
pub(crate) fn by_atomic_number(
    checkpoint: &mut Checkpoint,
    name: &str,
    order: &[String],
    numbers: Range<usize>,
) -> Result<Vec<Element>, String> {
    let array = checkpoint.arrays.get_mut(name).ok_or_else(|| format!("the tensor {name} is missing"))?;
    let rows = array.shape.first().copied().unwrap_or(0);
    if rows == 0 || rows != order.len() {
        return Err(format!("{name} has {rows} rows for {} elements", order.len()));
    }
    let width = array.values.len() / rows;
    let mut values = vec![0.0; numbers.len() * width];
    let mut elements = Vec::with_capacity(rows);
    for (row, symbol) in array.values.chunks_exact(width).zip(order) {
        let element = Element::from_symbol(symbol).map_err(|_| format!("model.json: {symbol} is not an element"))?;
        let place = usize::from(element.z()).checked_sub(numbers.start).map(|place| place * width);
        place
            .and_then(|place| values.get_mut(place..place + width))
            .ok_or_else(|| format!("{symbol} is heavier than plutonium"))?
            .copy_from_slice(row);
        elements.push(element);
    }
    let shape = [&[numbers.len()], &array.shape[1..]].concat();
    *array = Array { shape, values };
    Ok(elements)
}

/// Gaussians every 0.2 Å from 0, of that width: the basis of CGCNN and of what descends from it.
pub(crate) fn basis_of_fifths(count: usize) -> Result<GaussianBasis, String> {
    match count {
        0 | 1 => Err("a basis of one function".into()),
        _ => Ok(GaussianBasis { first: 0.0, last: 0.2 * (count - 1) as f32, count, gamma: 25.0 }),
    }
}
