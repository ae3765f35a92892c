//! Products over channels, degree by degree: one for all components of a degree.

use std::ops::Range;

use burn::nn;

use crate::fused::linear::{PANEL, Plan, values};
use crate::fused::product::Product;
use crate::nequix::harmonics::components;
use crate::nequix::paths::Degrees;

/// A product for each degree from scalars on; degrees beyond have none.
#[derive(Debug)]
pub struct Mix(Vec<Product>);

impl Mix {
    /// With burn's weights.
    pub fn new(layers: &[nn::Linear]) -> Self {
        Self(layers.iter().map(|layer| Product::new(&[Plan::of(layer)])).collect())
    }

    /// `out += x W`.
    pub fn add(&self, x: &[f32], from: &Degrees, out: &mut [f32], to: &Degrees) {
        let rows = x.len() / from.width();
        for (product, ((degree, inputs, x_start), (_, outputs, start))) in self.0.iter().zip(from.each().zip(to.each()))
        {
            for m in (0..components(degree)).filter(|_| rows > 0) {
                let (x, out) = (&x[x_start + m * inputs..], &mut out[start + m * outputs..]);
                product.forward.add_into(x, from.width(), out, to.width(), rows);
            }
        }
    }

    /// `gradients += after Wᵀ`.
    pub fn add_back(&self, after: &[f32], to: &Degrees, gradients: &mut [f32], from: &Degrees) {
        let rows = after.len() / to.width();
        for (product, ((degree, inputs, x_start), (_, outputs, start))) in self.0.iter().zip(from.each().zip(to.each()))
        {
            for m in (0..components(degree)).filter(|_| rows > 0) {
                let (after, gradients) = (&after[start + m * outputs..], &mut gradients[x_start + m * inputs..]);
                product.back.add_into(after, to.width(), gradients, from.width(), rows);
            }
        }
    }
}

/// What a layer makes of an atom's tensors before anything arrives: what it sends, and what is added to what arrives.
#[derive(Debug)]
pub enum Begin {
    /// The first layer's: a row for each element, by atomic number from hydrogen on.
    Elements { sent: Vec<f32>, skip: Vec<f32> },
    /// Of tensors.
    Tensors { sent: Mix, skip: Mix },
}

impl Begin {
    /// The first layer's.
    pub fn of_elements(sent: &nn::Linear, skip: &nn::Linear) -> Self {
        Self::Elements { sent: values(sent.weight.val()), skip: values(skip.weight.val()) }
    }

    /// Another layer's.
    pub fn of_tensors(sent: &[nn::Linear], skip: &[nn::Linear]) -> Self {
        Self::Tensors { sent: Mix::new(sent), skip: Mix::new(skip) }
    }

    /// What these atoms send. `x`: the tensors of all atoms, which lie as what is sent.
    pub fn send(&self, numbers: &[u8], x: &[f32], shape: &Degrees, atoms: Range<usize>, out: &mut [f32]) {
        let width = shape.width();
        match self {
            Self::Elements { sent, .. } => of_elements(&numbers[atoms], sent, width, out, width),
            Self::Tensors { sent, .. } => {
                out.fill(0.0);
                sent.add(&x[atoms.start * width..atoms.end * width], shape, out, shape);
            }
        }
    }

    /// What is added to what arrives at these atoms.
    pub fn skip(&self, numbers: &[u8], x: &[f32], [from, to]: [&Degrees; 2], atoms: Range<usize>, out: &mut [f32]) {
        out.fill(0.0);
        match self {
            Self::Elements { skip, .. } => of_elements(&numbers[atoms], skip, to.0[0], out, to.width()),
            Self::Tensors { skip, .. } => {
                let width = from.width();
                skip.add(&x[atoms.start * width..atoms.end * width], from, out, to);
            }
        }
    }

    /// Gradients in the tensors from those in what [`Begin::skip`] makes of them, added; elements have none.
    pub fn skip_back(&self, after: &[f32], to: &Degrees, gradients: &mut [f32], from: &Degrees) {
        if let Self::Tensors { skip, .. } = self {
            skip.add_back(after, to, gradients, from);
        }
    }

    /// Gradients in the tensors from those in what is sent, added; elements have none.
    pub fn send_back(&self, after: &[f32], shape: &Degrees, gradients: &mut [f32]) {
        if let Self::Tensors { sent, .. } = self {
            sent.add_back(after, shape, gradients, shape);
        }
    }
}

/// Copies the rows of elements to the beginnings of the rows of atoms.
fn of_elements(numbers: &[u8], rows: &[f32], wide: usize, out: &mut [f32], width: usize) {
    for (out, &z) in out.chunks_exact_mut(width).zip(numbers) {
        let row = (usize::from(z) - 1) * wide;
        out[..wide].copy_from_slice(&rows[row..row + wide]);
    }
}

/// The same numbers by panels of channels, `[degree][panel][atom][component][16]`.
pub fn by_panels(x: &[f32], degrees: &Degrees, out: &mut [f32]) {
    let width = degrees.width();
    let mut out = out.chunks_exact_mut(PANEL);
    for (degree, channels, start) in degrees.each() {
        for panel in (0..channels).step_by(PANEL) {
            for row in x.chunks_exact(width) {
                for m in 0..components(degree) {
                    let from = start + m * channels + panel;
                    if let Some(out) = out.next() {
                        out.copy_from_slice(&row[from..from + PANEL]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_hold_every_number_once() {
        let degrees = Degrees(vec![32, 16]);
        let (atoms, width) = (3, degrees.width());
        let x: Vec<f32> = (0..atoms * width).map(|k| k as f32).collect();
        let mut out = vec![0.0; x.len()];
        by_panels(&x, &degrees, &mut out);
        // The second panel of scalars of the last atom, and the third component of the vectors of the second.
        assert_eq!(out[(3 + 2) * PANEL], (2 * width + PANEL) as f32);
        assert_eq!(out[(6 + 3 + 2) * PANEL + 5], (width + 32 + 2 * 16 + 5) as f32);
        out.sort_unstable_by(f32::total_cmp);
        assert_eq!(out, x);
    }
}
