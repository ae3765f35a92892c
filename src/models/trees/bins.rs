//! The numbers of all crystals in bins: where a question may cut, and between which cuts each crystal lies.

/// Most bins of a number.
const MOST: usize = 255;

/// Bins of the numbers of some crystals.
pub(super) struct Bins {
    /// Where each number may be cut, ascending.
    pub cuts: Vec<Vec<f32>>,
    /// For each number the bin of each crystal: how many cuts lie below it.
    pub codes: Vec<Vec<u8>>,
}

impl Bins {
    /// Of the numbers of each crystal. A number of few values is cut between any two of them, one of many so that about as many
    /// crystals lie between any two cuts.
    pub fn of(rows: &[&[f32]]) -> Self {
        let width = rows.first().map_or(0, |row| row.len());
        let cuts: Vec<Vec<f32>> = (0..width).map(|k| cuts(rows.iter().map(|row| row[k]).collect())).collect();
        let code = |cuts: &[f32], x: f32| cuts.partition_point(|cut| *cut < x) as u8;
        let codes = cuts.iter().enumerate().map(|(k, cuts)| rows.iter().map(|row| code(cuts, row[k])).collect());
        Self { codes: codes.collect(), cuts }
    }
}

fn cuts(mut values: Vec<f32>) -> Vec<f32> {
    values.retain(|x| x.is_finite());
    values.sort_unstable_by(f32::total_cmp);
    let sorted = values.clone();
    values.dedup();
    if values.len() > MOST {
        values = (0..MOST).map(|k| sorted[k * (sorted.len() - 1) / (MOST - 1)]).collect();
        values.dedup();
    }
    values.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_stand_between_values() {
        let rows: [&[f32]; 4] = [&[3.0, 0.0], &[1.0, 0.0], &[2.0, 0.0], &[1.0, 0.0]];
        let bins = Bins::of(&rows);
        assert_eq!(bins.cuts, [vec![1.5, 2.5], vec![]]);
        assert_eq!(bins.codes, [vec![2, 0, 1, 0], vec![0; 4]]);
        assert!(Bins::of(&[]).cuts.is_empty());
    }

    #[test]
    fn many_values_share_bins_evenly() {
        let values: Vec<f32> = (0..10_000).map(|k| (k as f32).powi(2)).collect();
        let rows: Vec<&[f32]> = values.chunks(1).collect();
        let bins = Bins::of(&rows);
        assert_eq!(bins.cuts[0].len(), MOST - 1);
        let mut counts = [0; MOST];
        bins.codes[0].iter().for_each(|&code| counts[usize::from(code)] += 1);
        assert!(counts.iter().all(|n| (15..=60).contains(n)), "{counts:?}");
    }
}
