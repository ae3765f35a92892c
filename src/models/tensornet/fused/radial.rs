//! What a layer makes of the length of a bond: three numbers for each channel, by a perceptron or a product.
//!
//! They depend on one number alone, so polynomials replace them ([`crate::fused::radial`]). Against the perceptron in double precision the
//! values are off by what a float holds, 1e-7, and their derivatives, which are the polynomial's, by 1e-6 (from 1.2 Å on; 4e-5 at most
//! below, where no atoms are).

use burn::nn::Linear;

use crate::fused::linear::PANEL;
use crate::fused::radial::{Exact, Radial};
use crate::tensornet::basis::Basis;

/// Numbers of the three parts of a panel of channels.
pub const THREE: usize = 3 * PANEL;

/// Of the first layer: a product for each part, in the units of orthonormal components.
pub fn of_products(basis: &Basis, cutoff: f64, layers: &[Linear]) -> Radial {
    let layers: Vec<Exact> = layers.iter().map(|layer| Exact::of(std::slice::from_ref(layer))).collect();
    let units = layers[0].width();
    // √3 of the unit matrix, √2 of an antisymmetric one.
    let sizes = [3.0_f64.sqrt(), 2.0_f64.sqrt(), 1.0];
    Radial::new(cutoff, 3, units, |lengths| {
        let of = |&length: &f64| {
            let (x, fading) = (basis.expand(length), basis.fading(length));
            let parts = layers.iter().zip(sizes);
            parts.flat_map(|(layer, size)| layer.apply(&x).into_iter().map(move |y| y * size * fading)).collect()
        };
        lengths.iter().map(of).collect()
    })
}

/// Of an interaction: a perceptron, whose last layer has three numbers for each channel in turn.
pub fn of_perceptron(basis: &Basis, cutoff: f64, layers: &[Linear]) -> Radial {
    let perceptron = Exact::of(layers);
    let units = perceptron.width() / 3;
    Radial::new(cutoff, 3, units, |lengths| {
        let of = |&length: &f64| {
            let last: Vec<f64> = perceptron.apply(&basis.expand(length)).into_iter().map(silu).collect();
            let fading = basis.fading(length);
            (0..3 * units).map(|c| last[c % units * 3 + c / units] * fading).collect()
        };
        lengths.iter().map(of).collect()
    })
}

fn silu(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use burn::nn::LinearConfig;
    use burn::prelude::Device;

    use super::*;
    use crate::fused::radial::Asked;

    fn layers(widths: &[usize]) -> Vec<Linear> {
        widths.windows(2).map(|w| LinearConfig::new(w[0], w[1]).init(&Device::flex())).collect()
    }

    /// Weights of a bond of that length, and their derivatives: part after part.
    fn asked(radial: &Radial, length: f64, asked: Asked) -> Vec<f32> {
        let mut out = vec![0.0; radial.size(1)];
        radial.ask(&[radial.place(length)], asked, &mut out);
        let panels = out.len() / THREE;
        (0..3)
            .flat_map(|part| (0..panels).flat_map(move |p| (0..PANEL).map(move |k| p * THREE + part * PANEL + k)))
            .map(|k| out[k])
            .collect()
    }

    #[test]
    fn polynomials_go_through_the_perceptron() {
        let (basis, perceptron) = (Basis::new(5.0, 3), layers(&[3, 32, 64, 96]));
        let radial = of_perceptron(&basis, 5.0, &perceptron);
        let exact = Exact::of(&perceptron);
        let of = |length: f64| -> Vec<f64> {
            let last: Vec<f64> = exact.apply(&basis.expand(length)).into_iter().map(silu).collect();
            let place = |c: usize| c % 32 * 3 + c / 32;
            (0..96).map(|c| last[place(c)] * basis.fading(length)).collect()
        };
        for length in [0.71, 1.3, 2.0, 2.08, 3.337, 4.9, 4.999] {
            let (values, derivatives) =
                (asked(&radial, length, Asked::Values), asked(&radial, length, Asked::Derivatives));
            let (want, above, below) = (of(length), of(length + 1e-5), of(length - 1e-5));
            for c in 0..96 {
                assert!((f64::from(values[c]) - want[c]).abs() < 2e-7, "{length}, {c}: {}, {}", values[c], want[c]);
                let derivative = (above[c] - below[c]) / 2e-5;
                assert!(
                    (f64::from(derivatives[c]) - derivative).abs() < 1e-5,
                    "{length}, {c}: {}, {derivative}",
                    derivatives[c]
                );
            }
        }
    }

    #[test]
    fn the_first_layer_has_a_product_for_each_part() {
        let (basis, products) = (Basis::new(4.0, 2), [16, 16, 16].map(|n| layers(&[2, n]).remove(0)));
        let radial = of_products(&basis, 4.0, &products);
        let values = asked(&radial, 1.9, Asked::Values);
        for (part, size) in [3.0_f64.sqrt(), 2.0_f64.sqrt(), 1.0].into_iter().enumerate() {
            let want = Exact::of(&products[part..=part]).apply(&basis.expand(1.9));
            for (got, want) in values[part * 16..].iter().zip(want) {
                assert!((f64::from(*got) - want * size * basis.fading(1.9)).abs() < 2e-7);
            }
        }
    }
}
