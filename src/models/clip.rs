//! Clipping of gradients by their common norm (Pascanu, Mikolov and Bengio, ICML 2013): the direction stays, the length is bounded.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;

use super::network::Net;

/// `gradients` of `net`, scaled down where their norm over all parameters exceeds `longest`.
pub(super) fn clipped(net: &Net, gradients: GradientsParams, longest: f64) -> GradientsParams {
    let mut norm = Norm { gradients: &gradients, square: 0.0 };
    net.visit(&mut norm);
    let norm = norm.square.sqrt();
    // A norm that is no number is left as it is: the training says so by its loss.
    if norm <= longest || !norm.is_finite() {
        return gradients;
    }
    let mut scale = Scale { gradients, factor: longest / norm };
    net.visit(&mut scale);
    scale.gradients
}

struct Norm<'a> {
    gradients: &'a GradientsParams,
    square: f64,
}

impl ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.square += f64::from(gradient.square().sum().into_scalar::<f32>());
        }
    }
}

struct Scale {
    gradients: GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cgcnn::CgcnnConfig, network::Config};

    /// A gradient of `value` for every value of every parameter.
    struct Fill(GradientsParams, f32, usize);

    impl ModuleVisitor for Fill {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                let shape = param.val().dims();
                self.0.register(param.id, Tensor::<D>::full(shape, self.1, &Device::flex()));
                self.2 += shape.iter().product::<usize>();
            }
        }
    }

    fn norm(net: &Net, gradients: &GradientsParams) -> f64 {
        let mut norm = Norm { gradients, square: 0.0 };
        net.visit(&mut norm);
        norm.square.sqrt()
    }

    #[test]
    fn the_common_norm_is_bounded_and_short_gradients_stay() {
        let net = Net::new(&Config::Cgcnn(CgcnnConfig::published()), 1, &Device::flex().autodiff());
        let filled = |value| {
            let mut fill = Fill(GradientsParams::new(), value, 0);
            net.visit(&mut fill);
            (fill.0, f64::from(value) * (fill.2 as f64).sqrt())
        };
        let (long, length) = filled(0.1);
        assert!((norm(&net, &long) - length).abs() < 1e-3 * length && length > 3.0);
        assert!((norm(&net, &clipped(&net, long, 3.0)) - 3.0).abs() < 1e-3);
        let (short, length) = filled(1e-4);
        assert!(length < 3.0 && (norm(&net, &clipped(&net, short, 3.0)) - length).abs() < 1e-3 * length);
    }
}
