//! Dropout (Srivastava et al., J. Mach. Learn. Res. 2014, 15, 1929) whose masks are a function of seed, step and pass.
//!
//! burn draws masks from one generator of the whole process: with several threads, or after a resume, a run would not
//! repeat itself. Here a pass, which runs on one thread, says first where in the run it is.

use std::cell::Cell;

use burn::prelude::*;
use burn::tensor::TensorData;

use super::random::{Stream, mix};

thread_local! {
    static PLACE: Cell<u64> = const { Cell::new(0) };
}

/// The masks that this thread draws from now on are those of this place in the run.
pub(super) fn draw_masks_at(place: &[u64]) {
    PLACE.set(mix(place));
}

/// `x` with each value dropped with probability `share` and the others scaled to keep the mean; in inference, `x`.
pub(super) fn dropout<const D: usize>(x: Tensor<D>, share: f64) -> Tensor<D> {
    if share == 0.0 || !x.device().is_autodiff() {
        return x;
    }
    let place = PLACE.get();
    PLACE.set(mix(&[place]));
    let mut stream = Stream::new(place);
    let (keep, scale) = (1.0 - share as f32, (1.0 - share as f32).recip());
    let mask: Vec<f32> =
        (0..x.shape().num_elements()).map(|_| if stream.uniform() < keep { scale } else { 0.0 }).collect();
    let mask = Tensor::<D>::from_data(TensorData::new(mask, x.dims()), &x.device());
    x * mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(share: f64, device: &Device) -> Vec<f32> {
        dropout(Tensor::<2>::ones([100, 100], device), share).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn training_drops_the_share_and_keeps_the_mean() {
        let device = Device::flex().autodiff();
        draw_masks_at(&[1, 2, 3]);
        let (first, second) = (values(0.3, &device), values(0.3, &device));
        let dropped = first.iter().filter(|x| **x == 0.0).count();
        assert!((2_800..3_200).contains(&dropped), "{dropped}");
        assert!((first.iter().sum::<f32>() / 1e4 - 1.0).abs() < 0.02);
        assert_ne!(first, second, "layers have masks of their own");
        draw_masks_at(&[1, 2, 3]);
        assert_eq!(first, values(0.3, &device));
        draw_masks_at(&[1, 2, 4]);
        assert_ne!(first, values(0.3, &device));
    }

    #[test]
    fn inference_drops_nothing() {
        assert!(values(0.3, &Device::flex()).iter().all(|x| *x == 1.0));
        assert!(values(0.0, &Device::flex().autodiff()).iter().all(|x| *x == 1.0));
    }
}
