//! What every foreign file is read into: named arrays of numbers, and the few facts that stand beside them.

use std::collections::BTreeMap;

use burn_store::{ModuleSnapshot, SafetensorsStore};
use serde_json::Value;

/// Values that a checkpoint may hold in all: 256 MiB. The largest published model of this kind has 17 million bytes.
pub(super) const MOST_VALUES: usize = 64 << 20;

/// One array, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    /// Lengths of its dimensions.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Vec<f32>,
}

/// A foreign file: arrays by name, and facts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Checkpoint {
    /// The arrays, by the names of their own program.
    pub arrays: BTreeMap<String, Array>,
    /// Scalars, texts and lists that were saved beside the arrays (settings, normaliser).
    pub facts: Value,
    /// The JSON file that lies beside the weights (`model.json`, `config.json`, `*.hdf5.json`).
    pub companion: Value,
}

impl Checkpoint {
    /// Adds an array; the total is bounded.
    pub fn insert(&mut self, name: String, array: Array) -> Result<(), String> {
        let total = self.arrays.values().map(|a| a.values.len()).sum::<usize>() + array.values.len();
        if total > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values; no network of this kind is that large"));
        }
        self.arrays.insert(name, array);
        Ok(())
    }

    /// The array of that name.
    pub fn array(&self, name: &str) -> Result<&Array, String> {
        self.arrays.get(name).ok_or_else(|| format!("the tensor {name} is missing"))
    }

    /// Whether there is an array of that name.
    pub fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    /// Length of dimension `axis` of an array.
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
        let views = self.arrays.iter().filter_map(|(name, array)| Some((place(name)?, array)));
        let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = views
            .map(|(name, a)| (name, a.shape.clone(), a.values.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        let views = bytes.iter().map(|(name, shape, bytes)| {
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).map(|view| (name, view))
        });
        let views = views.collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
        let file = safetensors::serialize(views, None).map_err(|e| e.to_string())?;
        let mut store = SafetensorsStore::from_bytes(Some(file)).skip_enum_variants(true).allow_partial(true);
        if layout == Layout::Torch {
            store = store.with_from_adapter(burn_store::PyTorchToBurnAdapter);
        }
        let result = net.load_from(&mut store).map_err(|e| e.to_string())?;
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
pub(super) enum Layout {
    /// `[out, in]`, normalisations named `weight` and `bias`.
    Torch,
    /// As our own: `[in, out]`.
    Own,
}

/// Arrays of a safetensors file, and its metadata as facts.
pub(super) fn from_safetensors(bytes: &[u8]) -> Result<Checkpoint, String> {
    let (_, metadata) = safetensors::SafeTensors::read_metadata(bytes).map_err(|e| format!("not safetensors: {e}"))?;
    let tensors = safetensors::SafeTensors::deserialize(bytes).map_err(|e| format!("not safetensors: {e}"))?;
    let mut checkpoint = Checkpoint::default();
    let texts = metadata.metadata().iter().flatten();
    checkpoint.facts =
        texts.map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect::<serde_json::Map<_, _>>().into();
    for (name, view) in tensors.iter() {
        use safetensors::Dtype;
        let kind = match view.dtype() {
            Dtype::F64 => Number::F64,
            Dtype::F32 => Number::F32,
            Dtype::F16 => Number::F16,
            Dtype::BF16 => Number::Bf16,
            Dtype::I64 => Number::I64,
            Dtype::I32 => Number::I32,
            other => return Err(format!("the tensor {name} holds {other:?}, not numbers of a network")),
        };
        checkpoint.insert(name.to_owned(), Array { shape: view.shape().to_vec(), values: kind.read(view.data()) })?;
    }
    Ok(checkpoint)
}

/// A type of number in a file, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    U8,
}

impl Number {
    /// Bytes of one.
    pub fn width(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::U8 => 1,
        }
    }

    /// Whole numbers of `bytes`, in single precision.
    pub fn read(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.chunks_exact(N).map(|c| f(std::array::from_fn(|i| c[i]))).collect()
        }
        match self {
            Self::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F16 => each(bytes, |b| half(u16::from_le_bytes(b))),
            Self::Bf16 => each(bytes, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)),
            Self::I64 => each(bytes, |b| i64::from_le_bytes(b) as f32),
            Self::I32 => each(bytes, |b| i32::from_le_bytes(b) as f32),
            Self::U8 => bytes.iter().map(|&b| f32::from(b)).collect(),
        }
    }
}

/// A half-precision number (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff) / 1024.0);
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-14),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        e => (1.0 + fraction) * 2.0_f32.powi(e - 15),
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};
    use burn::prelude::*;

    use super::*;

    fn linear() -> Checkpoint {
        let mut c = Checkpoint::default();
        c.insert("weight".into(), Array { shape: vec![1, 2], values: vec![2.0, 3.0] }).unwrap();
        c.insert("bias".into(), Array { shape: vec![1], values: vec![0.5] }).unwrap();
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
    fn missing_surplus_misshapen_and_infinite_tensors_are_told() {
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
        assert_eq!(Number::F16.read(&[0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00]), [1.0, -2.0, 2.0_f32.powi(-24)]);
        assert_eq!(Number::Bf16.read(&[0x80, 0x3f]), [1.0]);
        assert_eq!(Number::I64.read(&(-3_i64).to_le_bytes()), [-3.0]);
        assert_eq!(Number::F64.read(&0.25_f64.to_le_bytes()), [0.25]);
    }

    #[test]
    fn a_safetensors_file_that_is_cut_is_refused() {
        assert!(from_safetensors(&[9, 0, 0, 0, 0, 0, 0, 0, b'{']).unwrap_err().contains("not safetensors"));
        assert!(from_safetensors(&[0xff; 64]).is_err());
    }
}
