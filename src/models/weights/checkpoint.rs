//! What every foreign file is read into: named arrays of numbers, and the few facts that stand beside them.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use burn_store::burn_pack::Tensor as PackTensor;
use burn_store::{ModuleAdapter, ModuleSnapshot, ModuleStore as _, PyTorchToBurnAdapter, SafetensorsStore, bridge};
use crystal::{Cause, explained};
use serde_json::Value;

/// Values that a checkpoint may hold in all: 256 MiB. The largest published model of this kind has 17 million bytes.
pub(crate) const MOST_VALUES: usize = 64 << 20;

/// One array, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    /// Lengths of its dimensions.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Vec<f32>,
}

impl Array {
    /// The values of a tensor in a file, whatever its type of number.
    ///
    /// # Errors
    /// Values that cannot be read, or are no numbers.
    pub fn read(tensor: &PackTensor) -> Result<Self, Cause> {
        let fault = |e: Cause| explained(format!("tensor {}: {e}", tensor.name), e);
        let data = bridge::to_data(tensor).map_err(|e| fault(e.into()))?;
        let values = data.try_cast_as::<f32>().and_then(|data| data.try_to_vec::<f32>());
        Ok(Self { shape: tensor.shape.to_vec(), values: values.map_err(|e| fault(e.into()))? })
    }
}

/// Whether tensors of these numbers of values may be read; a file may announce more than it holds.
pub(crate) fn bounded(mut counts: impl Iterator<Item = usize>) -> Result<(), String> {
    match counts.try_fold(0, |total: usize, n| total.checked_add(n).filter(|&total| total <= MOST_VALUES)) {
        Some(_) => Ok(()),
        None => Err(format!("more than {MOST_VALUES} values; no network of this kind is that large")),
    }
}

/// A foreign file: arrays by name, and facts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Checkpoint {
    /// The arrays, by the names of their own program.
    pub arrays: BTreeMap<String, Array>,
    /// Scalars, texts and lists that were saved beside the arrays (settings, normaliser).
    pub facts: Value,
    /// The JSON file that lies beside the weights (`model.json`, `config.json`, `NAME.json`).
    pub companion: Value,
    /// The file's name for users.
    pub title: String,
}

impl Checkpoint {
    /// The array of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn array(&self, name: &str) -> Result<&Array, String> {
        self.arrays.get(name).ok_or_else(|| format!("the tensor {name} is missing"))
    }

    /// Whether there is an array of that name.
    pub fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    /// Length of dimension `axis` of an array.
    ///
    /// # Errors
    /// No such array or dimension.
    pub fn length(&self, name: &str, axis: usize) -> Result<usize, String> {
        let shape = &self.array(name)?.shape;
        shape.get(axis).copied().ok_or_else(|| format!("the tensor {name} has {} dimensions", shape.len()))
    }

    /// How many of `prefix0suffix`, `prefix1suffix`, ... there are, in a row.
    pub fn count(&self, prefix: &str, suffix: &str) -> usize {
        (0..).take_while(|k| self.has(&format!("{prefix}{k}{suffix}"))).count()
    }

    /// Fills every tensor of `net`. `place` says where an array goes in `net`, or `None` for one that holds no weight (a
    /// counter, a fixed basis). Arrays of torch have their matrices turned, and their norms renamed, on the way.
    ///
    /// # Errors
    /// What is missing, of another shape, or has no place: another network than `net` then.
    pub fn fill(
        &self,
        net: &mut impl ModuleSnapshot,
        layout: Layout,
        place: impl Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let tensors = self.arrays.iter().filter_map(|(name, array)| {
            Some(bridge::from_data(TensorData::new(array.values.clone(), array.shape.clone()), place(name)?, None))
        });
        let adapter = (layout == Layout::Torch).then(|| Box::new(PyTorchToBurnAdapter) as Box<dyn ModuleAdapter>);
        let result = net.apply(tensors.collect(), None, adapter, true);
        if let Some(error) = result.errors.first() {
            return Err(error.to_string());
        }
        if let Some((name, _)) = result.missing.first() {
            return Err(format!("{} tensors are missing, the first is {name}", result.missing.len()));
        }
        if let Some(name) = result.unused.first() {
            return Err(format!(
                "{} tensors have no place in this architecture, the first is {name}: it is another network",
                result.unused.len()
            ));
        }
        if self.arrays.values().any(|a| a.values.iter().any(|v| !v.is_finite())) {
            return Err("some weights are not finite numbers".into());
        }
        Ok(())
    }
}

/// How matrices lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `[out, in]`, normalisations named `weight` and `bias`.
    Torch,
    /// As our own: `[in, out]`.
    Own,
}

/// Arrays of a safetensors file, and its metadata as facts.
pub(crate) fn from_safetensors(bytes: &[u8]) -> Result<Checkpoint, Cause> {
    let fault = |e: safetensors::SafeTensorError| explained(format!("not safetensors: {e}"), e);
    let (_, metadata) = safetensors::SafeTensors::read_metadata(bytes).map_err(fault)?;
    let tensors = safetensors::SafeTensors::deserialize(bytes).map_err(fault)?;
    let mut checkpoint = Checkpoint::default();
    let texts = metadata.metadata().iter().flatten();
    checkpoint.facts =
        texts.map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect::<serde_json::Map<_, _>>().into();
    bounded(tensors.iter().map(|(_, view)| view.shape().iter().product()))?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes.to_vec()));
    for (name, tensor) in store.get_all_tensors()? {
        checkpoint.arrays.insert(name.clone(), Array::read(tensor)?);
    }
    Ok(checkpoint)
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};
    use burn::prelude::*;
    use burn::tensor::DType;

    use super::*;

    fn linear() -> Checkpoint {
        let mut c = Checkpoint::default();
        c.arrays.insert("weight".into(), Array { shape: vec![1, 2], values: vec![2.0, 3.0] });
        c.arrays.insert("bias".into(), Array { shape: vec![1], values: vec![0.5] });
        c
    }

    fn filled(c: &Checkpoint) -> Result<Linear, String> {
        let mut net = LinearConfig::new(2, 1).init(&Device::flex());
        c.fill(&mut net, Layout::Torch, |name| Some(name.to_owned())).map(|()| net)
    }

    #[test]
    fn matrices_of_torch_are_turned() {
        let net = filled(&linear()).unwrap();
        let y = net.forward(Tensor::<2>::from_floats([[10.0, 100.0]], &Device::flex()));
        assert_eq!(y.into_scalar::<f32>(), 320.5);
    }

    #[test]
    fn missing_surplus_misshapen_and_infinite_tensors_are_refused() {
        let mut c = linear();
        c.arrays.remove("bias");
        assert!(filled(&c).unwrap_err().contains("missing, the first is bias"));
        let mut c = linear();
        c.arrays.insert("fcs.weight".into(), Array { shape: vec![1], values: vec![0.0] });
        assert!(filled(&c).unwrap_err().contains("fcs.weight"));
        let mut c = linear();
        c.arrays.insert("weight".into(), Array { shape: vec![2, 2], values: vec![0.0; 4] });
        let message = filled(&c).unwrap_err();
        assert!(message.contains("weight") && message.contains('2'), "{message}");
        let mut c = linear();
        c.arrays.insert("bias".into(), Array { shape: vec![1], values: vec![f32::NAN] });
        assert!(filled(&c).unwrap_err().contains("finite"));
    }

    #[test]
    fn numbers_of_every_width() {
        let read = |kind: DType, bytes: &[u8]| {
            let data = TensorData::from_bytes_vec(bytes.to_vec(), [bytes.len() / kind.size()], kind);
            Array::read(&bridge::from_data(data, "t".into(), None)).unwrap().values
        };
        assert_eq!(read(DType::F16, &[0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00]), [1.0, -2.0, 2.0_f32.powi(-24)]);
        assert_eq!(read(DType::BF16, &[0x80, 0x3f]), [1.0]);
        assert_eq!(read(DType::I64, &(-3_i64).to_le_bytes()), [-3.0]);
        assert_eq!(read(DType::F64, &0.25_f64.to_le_bytes()), [0.25]);
    }

    #[test]
    fn a_safetensors_file_that_is_cut_is_refused() {
        assert!(from_safetensors(&[9, 0, 0, 0, 0, 0, 0, 0, b'{']).unwrap_err().to_string().contains("not safetensors"));
        assert!(from_safetensors(&[0xff; 64]).is_err());
    }
}
