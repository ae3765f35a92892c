//! Potentials of the package nequix: files `.nqx`.
//!
//! Its arrays have no names; they lie in the order of its fields, and the settings in the first line say which is which. What its layers
//! multiply by besides weights is the same for every crystal, and goes into the weights here:
//!
//! ```text
//! a product over n channels                  1 / √n
//! what arrives at an atom                    1 / √(mean number of neighbours)
//! what passes silu, into the next products   1 / (root mean square of silu over normal numbers)
//! energies of atoms                          a factor and a shift
//! ```

use std::collections::BTreeMap;

use burn::prelude::*;
use serde_json::Value;

use super::{ELEMENTS, MOST, Nequix, NequixConfig};
use crate::fused::linear::padded;
use crate::weights::checkpoint::{Array, Checkpoint, Layout};
use crate::weights::found::{Claims, Found, by_atomic_number};
use crate::weights::limits;
use crystal::Element;

/// Root mean square of silu at the 1 000 001 quantiles of the normal distribution that e3nn takes for its mean; over the whole
/// distribution it is 0.596 469, which is other energies.
const SILU: f64 = 0.596_458_685_4;

const REFERENCES: &str = "references";

/// Whether the settings are those of a Nequix.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    ["hidden_irreps", "radial_polynomial_p", "atomic_numbers"].iter().all(|key| !checkpoint.facts[*key].is_null())
}

/// The network.
pub(super) fn convert(
    mut checkpoint: Checkpoint,
    _: &Claims,
    device: &Device,
) -> Result<Found<NequixConfig, Nequix>, String> {
    let facts = std::mem::take(&mut checkpoint.facts);
    let symbols = symbols(&facts)?;
    let config = config(&facts, symbols.len())?;
    limits::check(&config)?;
    checkpoint.arrays = named(checkpoint.arrays, &config, symbols.len())?;
    fold(&mut checkpoint.arrays, &facts)?;
    pad(&mut checkpoint.arrays, &config, symbols.len());
    let mut elements = Vec::new();
    for name in [REFERENCES, "layers.0.sent.0.weight", "layers.0.skip.0.weight"] {
        elements = by_atomic_number(&mut checkpoint, name, &symbols, 1..ELEMENTS + 1)?;
    }
    let mut net = Nequix::new(&config, device);
    checkpoint.fill(&mut net, Layout::Own, |name| Some(name.to_owned()))?;
    let (data, correction_scheme) = learned(&facts).map(|(data, scheme)| (data, scheme.to_owned())).unzip();
    Ok(Found {
        elements,
        property: Some("formation_energy_per_atom".into()),
        unit: Some("eV/atom".into()),
        correction_scheme,
        data,
        ..Found::new(net, config)
    })
}

/// Training set of the weights, and scheme of the energies, as far as the file says.
fn learned(facts: &Value) -> Option<(String, &'static str)> {
    let trained = format!("{} {}", facts["train_path"], facts["extra_train_path"]);
    let has = |name: &str| trained.contains(name);
    let of_materials_project = "PBE and PBE+U of the Materials Project, without corrections: comparable with its energies once MP2020 \
                                is applied";
    let (data, scheme) = match (has("mptrj"), has("salex"), has("omat")) {
        (true, true, _) => ("OMat24, then sAlex (Alexandria) and MPtrj", of_materials_project),
        (true, false, _) => ("MPtrj", of_materials_project),
        (false, _, true) => (
            "OMat24",
            "PBE and PBE+U of OMat24, whose pseudopotentials are not those of the Materials Project: not comparable with MP2020",
        ),
        _ => return None,
    };
    let phonons = if has("phonon") { ", and of phonons" } else { "" };
    let description = format!(
        "Nequix (Koker, Kotak & Smidt, arXiv:2508.16067; Koker et al., arXiv:2601.07742), trained on {data}: energies, forces and \
         stresses of relaxations{phonons}, PBE and PBE+U. Published weights: CC-BY 4.0."
    );
    Some((description, scheme))
}

/// The elements, in the order of the arrays.
fn symbols(facts: &Value) -> Result<Vec<String>, String> {
    let mut numbers: Vec<u8> =
        serde_json::from_value(facts["atomic_numbers"].clone()).map_err(|e| format!("its atomic numbers: {e}"))?;
    numbers.sort_unstable();
    let symbol = |z: u8| Element::from_z(z.into()).map(|e| e.symbol().to_owned());
    numbers.into_iter().map(|z| symbol(z).map_err(|e| e.to_string())).collect()
}

/// The settings, where they are those of the form that is read.
fn config(facts: &Value, elements: usize) -> Result<NequixConfig, String> {
    for (key, read) in [("layer_norm", true), ("index_weights", false)] {
        if facts[key].as_bool() != Some(read) {
            return Err(format!("{key} is {}; only {read} is read", facts[key]));
        }
    }
    let count = |key: &str| facts[key].as_u64().map(|n| n as usize).ok_or_else(|| format!("{key} is {}", facts[key]));
    let number = |key: &str| facts[key].as_f64().ok_or_else(|| format!("{key} is {}", facts[key]));
    let irreps = facts["hidden_irreps"].as_str().unwrap_or_default();
    let channels = channels(irreps).filter(|channels| count("lmax").is_ok_and(|l| l + 1 == channels.len()));
    Ok(NequixConfig {
        cutoff: number("cutoff")?,
        bessel: count("radial_basis_size")?,
        power: number("radial_polynomial_p")?,
        perceptron: vec![count("radial_mlp_size")?; count("radial_mlp_layers")?.min(MOST + 1)],
        first: padded(elements),
        channels: channels.ok_or_else(|| {
            format!("its tensors are {irreps} and its directions of degree {}; only such as 128x0e + 64x1o + 32x2e with directions of \
                     the same degrees are read", facts["lmax"])
        })?,
        convolutions: count("n_layers")?,
    })
}

/// Channels of each degree of `128x0e + 64x1o + 32x2e`.
fn channels(irreps: &str) -> Option<Vec<usize>> {
    let of_degree = |(degree, part): (usize, &str)| {
        let (channels, kind) = part.trim().split_once('x')?;
        let parity = if degree.is_multiple_of(2) { 'e' } else { 'o' };
        (kind == format!("{degree}{parity}")).then(|| channels.parse().ok())?
    };
    irreps.split('+').enumerate().map(of_degree).collect()
}

/// The arrays by our names.
fn named(
    arrays: BTreeMap<String, Array>,
    config: &NequixConfig,
    elements: usize,
) -> Result<BTreeMap<String, Array>, String> {
    let order = order(config, elements);
    if arrays.len() != order.len() {
        return Err(format!("{} arrays; a network of its settings has {}", arrays.len(), order.len()));
    }
    let pairs = order.into_iter().zip(arrays);
    let named = pairs.map(|((name, shape), (place, array))| match array.shape == shape {
        true => Ok((name, array)),
        false => Err(format!("array {place} has shape {:?}; that of {name} is {shape:?}", array.shape)),
    });
    named.collect()
}

/// Names and shapes of the arrays, in the order of the file.
fn order(config: &NequixConfig, elements: usize) -> Vec<(String, Vec<usize>)> {
    let mut order = vec![(REFERENCES.to_owned(), vec![elements])];
    for t in 0..config.convolutions {
        let plain = NequixConfig { first: elements, ..config.clone() };
        let shape = plain.shape(t);
        let had = if t == 0 { vec![elements] } else { config.channels.clone() };
        let widths = [&[config.bessel], &config.perceptron[..], &[shape.weights()]].concat();
        let mut add = |list: &str, inputs: &[usize], outputs: &[usize]| {
            let pairs = inputs.iter().zip(outputs).enumerate();
            order.extend(pairs.map(|(k, (a, b))| (format!("layers.{t}.{list}.{k}.weight"), vec![*a, *b])));
        };
        add("radial", &widths, &widths[1..]);
        add("sent", &had, &shape.sent.0);
        add("mixed", &shape.arrived.0, &shape.mixed.0);
        add("skip", &had, &shape.mixed.0);
        order.extend(shape.mixed.0.iter().enumerate().map(|(k, n)| (format!("layers.{t}.norm.{k}"), vec![*n])));
    }
    order.push(("readout.weight".to_owned(), vec![config.channels[0], 1]));
    order
}

/// Takes the factors of the package's layers into the weights.
fn fold(arrays: &mut BTreeMap<String, Array>, facts: &Value) -> Result<(), String> {
    let number = |key: &str| facts[key].as_f64().ok_or_else(|| format!("{key} is {}", facts[key]));
    let (neighbours, scale, shift) = (number("avg_n_neighbors")?, number("scale")?, number("shift")?);
    for (name, array) in arrays.iter_mut() {
        let [inputs, _] = array.shape[..] else { continue };
        let width = 1.0 / (inputs as f64).sqrt();
        let after_silu = if name.starts_with("layers.0.") { 1.0 } else { 1.0 / SILU };
        let factor = match name.split('.').nth(2) {
            Some("sent" | "skip") => width * after_silu,
            Some("mixed") => width / neighbours.sqrt(),
            Some(_) => continue,
            None => width * scale / SILU,
        };
        array.values.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
    }
    let references = arrays.get_mut(REFERENCES).into_iter().flat_map(|array| &mut array.values);
    references.for_each(|e| *e = (f64::from(*e) + shift) as f32);
    Ok(())
}

/// Widens the scalars of the first layer to whole panels, by some that are 0.
fn pad(arrays: &mut BTreeMap<String, Array>, config: &NequixConfig, elements: usize) {
    let wide = config.first;
    let mut with = |name: &str, f: &dyn Fn(&Array) -> Array| {
        if let Some(array) = arrays.get_mut(name) {
            *array = f(array);
        }
    };
    let columns = |array: &Array| {
        let blocks = array.values.chunks_exact(elements);
        let values = blocks.flat_map(|block| block.iter().copied().chain(std::iter::repeat_n(0.0, wide - elements)));
        Array { shape: vec![array.shape[0], array.shape[1] / elements * wide], values: values.collect() }
    };
    let rows = |array: &Array| {
        let mut values = array.values.clone();
        values.resize(wide * array.shape[1], 0.0);
        Array { shape: vec![wide, array.shape[1]], values }
    };
    with("layers.0.sent.0.weight", &columns);
    with(&format!("layers.0.radial.{}.weight", config.perceptron.len()), &columns);
    for degree in 0..config.channels.len() {
        with(&format!("layers.0.mixed.{degree}.weight"), &rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts() -> Value {
        json!({
            "atomic_numbers": [8, 1, 3], "hidden_irreps": "32x0e + 16x1o", "lmax": 1, "cutoff": 5.0, "radial_basis_size": 4,
            "radial_mlp_size": 8, "radial_mlp_layers": 1, "radial_polynomial_p": 6.0, "layer_norm": true, "index_weights": false,
            "n_layers": 2, "avg_n_neighbors": 30.0, "scale": 2.0, "shift": -1.0, "train_path": ["data/mptrj", "data/salex"],
        })
    }

    /// A file whose weights are all 1.
    fn ones(facts: Value) -> Checkpoint {
        let config = config(&facts, 3).unwrap();
        let arrays = order(&config, 3).into_iter().enumerate();
        let one = |(k, (_, shape)): (usize, (String, Vec<usize>))| {
            (format!("{k:04}"), Array { values: vec![1.0; shape.iter().product()], shape })
        };
        Checkpoint { arrays: arrays.map(one).collect(), facts, title: "nequix-oam-1".into(), ..Checkpoint::default() }
    }

    #[test]
    fn arrays_find_their_places_and_the_card_says_what_the_energies_are() {
        let checkpoint = ones(facts());
        assert!(recognises(&checkpoint));
        let found = convert(checkpoint, &Claims::default(), &Device::flex()).unwrap();
        assert_eq!(found.elements.iter().map(|e| e.symbol()).collect::<Vec<_>>(), ["H", "Li", "O"]);
        assert_eq!((found.config.first, found.config.channels.clone()), (16, vec![32, 16]));
        let values = |tensor: Tensor<2>| tensor.into_data().try_to_vec::<f32>().unwrap();
        let sent = values(found.net.layers[0].sent[0].weight.val());
        // A row for each element of the list by its atomic number, three numbers in it that are not 0.
        let row = |z: usize| &sent[(z - 1) * 16..z * 16];
        assert!(row(2).iter().all(|x| *x == 0.0) && row(8)[3] == 0.0);
        assert!((row(8)[2] - 3.0_f32.sqrt().recip()).abs() < 1e-6);
        let mixed = values(found.net.layers[1].mixed[0].weight.val())[0];
        assert!((f64::from(mixed) - 1.0 / (48.0_f64 * 30.0).sqrt()).abs() < 1e-7);
        let readout = values(found.net.readout.weight.val())[5];
        assert!((f64::from(readout) - 2.0 / 32.0_f64.sqrt() / SILU).abs() < 1e-6);
        assert!(found.correction_scheme.unwrap().contains("once MP2020 is applied"));
        assert!(found.data.unwrap().contains("OMat24, then sAlex (Alexandria) and MPtrj: energies"));
    }

    #[test]
    fn the_data_are_known_from_the_paths_of_the_training() {
        let of = |key: &str, path: &str| learned(&json!({ key: path }));
        assert!(of("train_path", "data/omat/train").unwrap().1.contains("not comparable"));
        let phonons = json!({ "train_path": "data/phonon", "extra_train_path": ["data/mptrj"] });
        assert!(
            learned(&phonons)
                .unwrap()
                .0
                .contains("trained on MPtrj: energies, forces and stresses of relaxations, and of phonons")
        );
        assert_eq!(of("train_path", "data/own"), None);
    }

    #[test]
    fn other_forms_are_refused_with_what_they_are() {
        for (key, value, words) in [
            ("layer_norm", json!(false), "layer_norm is false"),
            ("index_weights", json!(true), "index_weights is true"),
            ("hidden_irreps", json!("32x0e + 16x1e"), "32x0e + 16x1e"),
            ("lmax", json!(2), "degree 2"),
            ("n_layers", json!(3), "arrays; a network of its settings has"),
            ("atomic_numbers", json!([8, 1, 200]), "200"),
            ("scale", json!(null), "scale is null"),
            ("cutoff", json!(1e9), "no energy model"),
        ] {
            let mut checkpoint = ones(facts());
            checkpoint.facts[key] = value;
            let message = convert(checkpoint, &Claims::default(), &Device::flex()).err().unwrap();
            assert!(message.contains(words), "{key}: {message}");
        }
        let mut checkpoint = ones(facts());
        checkpoint.arrays.get_mut("0002").unwrap().shape = vec![7, 8];
        assert!(
            convert(checkpoint, &Claims::default(), &Device::flex())
                .err()
                .unwrap()
                .contains("array 0002 has shape [7, 8]")
        );
    }
}
