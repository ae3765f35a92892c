//! A training step: its result, and the passes that its crystals are cut into.

use std::ops::Range;

use burn::optim::GradientsParams;

use super::{input::Input, running::Buffers};

/// The result of a mini-batch.
pub(super) struct Step {
    /// Sum of the losses.
    pub loss: f64,
    /// Mean gradient.
    pub gradients: GradientsParams,
    /// Running statistics of its normalisations after the step.
    pub buffers: Buffers,
}

/// The passes of a mini-batch, each of about as many rows and not many more than `limit`: an even number of them, so that two or four
/// threads end together. In the order of the batch, which is random: where a normalisation works on a pass, it should see all sizes.
pub(super) fn even_passes(items: &[(&Input, f32)], limit: usize) -> Vec<Range<usize>> {
    let sizes: Vec<usize> = items.iter().map(|(input, _)| input.rows()).collect();
    let total: usize = sizes.iter().sum();
    cut(&sizes, total.div_ceil(limit.max(1)).next_multiple_of(2))
}

/// Cuts `0..sizes.len()` into runs of about equal totals, as few as keep them near `limit`.
pub(super) fn even_runs(sizes: &[usize], limit: usize) -> Vec<Range<usize>> {
    let total: usize = sizes.iter().sum();
    cut(sizes, total.div_ceil(limit.max(1)))
}

/// Cuts `0..sizes.len()` into about `count` runs of about equal totals.
fn cut(sizes: &[usize], count: usize) -> Vec<Range<usize>> {
    let total: usize = sizes.iter().sum();
    let share = total.div_ceil(count.max(1)).max(1);
    let (mut runs, mut first, mut sum): (Vec<Range<usize>>, _, _) = (Vec::new(), 0, 0);
    for (i, size) in sizes.iter().enumerate() {
        // The item goes to the side of the cut on which most of it lies.
        if i > first && sum + size / 2 > share * (runs.len() + 1) {
            runs.push(first..i);
            first = i;
        }
        sum += size;
    }
    if first < sizes.len() {
        runs.push(first..sizes.len());
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_even_and_cover_every_item_once() {
        let sizes = [5, 9, 1, 7, 3, 8, 2, 6, 4, 10, 5];
        let runs = even_runs(&sizes, 25);
        assert_eq!(runs.iter().cloned().flatten().collect::<Vec<_>>(), (0..sizes.len()).collect::<Vec<_>>());
        assert_eq!(runs.len(), 3);
        for run in runs {
            let total: usize = sizes[run].iter().sum();
            assert!((15..=25).contains(&total), "{total}");
        }
        assert_eq!(even_runs(&sizes, 1000), std::slice::from_ref(&(0..11)));
        assert!(even_runs(&[], 10).is_empty());
        assert_eq!(even_runs(&[0, 0], 0).len(), 1);
    }
}
