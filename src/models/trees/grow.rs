//! Growing: what an epoch adds.

use super::{
    TreesConfig,
    bins::Bins,
    forest::{Forest, questions},
};
use crate::{
    architecture::Growth,
    input::Input,
    loss::Loss,
    random::{Stream, mix},
};

/// Added to the number of crystals of a leaf: a leaf of few says less than their mean.
const PENALTY: f64 = 1.0;

/// Sum of the negative gradients, and number, of the crystals of a bin or a node.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sum {
    gradient: f64,
    count: u32,
}

impl Sum {
    fn minus(self, other: Self) -> Self {
        Self { gradient: self.gradient - other.gradient, count: self.count - other.count }
    }

    fn add(&mut self, gradient: f32) {
        self.gradient += f64::from(gradient);
        self.count += 1;
    }

    /// By how much the best single step lowers the loss, twice.
    fn gain(self) -> f64 {
        self.gradient * self.gradient / (f64::from(self.count) + PENALTY)
    }

    fn step(self) -> f64 {
        self.gradient / (f64::from(self.count) + PENALTY)
    }
}

/// Adds the trees of an epoch, as far as there is room; returns the sum of the losses after it.
pub(super) fn grow(forest: &mut Forest, config: &TreesConfig, items: &[(&Input, f32)], growth: &Growth) -> f64 {
    let rows: Vec<&[f32]> = items.iter().map(|(input, _)| input.vector()).collect();
    let bins = Bins::of(&rows);
    let mut values: Vec<f64> = rows.iter().map(|row| f64::from(forest.value(row))).collect();
    // The square has a curvature of 2, and a step is the gradient over the curvature.
    let curvature = if growth.loss == Loss::Mse { 2.0 } else { 1.0 };
    let error = |value: f64, label: f32| value - f64::from(label);
    for tree in forest.used..config.trees.min(forest.used + config.each) {
        let gradient =
            |(value, (_, label)): (&f64, &(&Input, f32))| (-growth.loss.of(error(*value, *label)).1 / curvature) as f32;
        let gradients: Vec<f32> = values.iter().zip(items).map(gradient).collect();
        let mut stream = Stream::new(mix(&[growth.seed, tree as u64]));
        let numbers = (0..bins.cuts.len()).filter(|&k| !bins.cuts[k].is_empty());
        let numbers: Vec<usize> = numbers.filter(|_| f64::from(stream.uniform()) < config.numbers).collect();
        let mut chosen: Vec<u32> = (0..rows.len() as u32).collect();
        chosen.retain(|_| f64::from(stream.uniform()) < config.rows);
        let grower =
            Grower { bins: &bins, gradients: &gradients, numbers: &numbers, least: config.least.max(1) as u32 };
        let all = questions(config.depth);
        let mut grown = Grown {
            rate: growth.rate,
            numbers: &mut forest.numbers[tree * all..][..all],
            thresholds: &mut forest.thresholds[tree * all..][..all],
            leaves: &mut forest.leaves[tree * (all + 1)..][..all + 1],
        };
        let sums = grower.sums(&chosen);
        grower.split(&mut grown, 0, &mut chosen, sums);
        forest.used = tree + 1;
        values.iter_mut().zip(&rows).for_each(|(value, row)| *value += f64::from(forest.leaf(tree, row)));
    }
    values.iter().zip(items).map(|(value, (_, label))| growth.loss.of(error(*value, *label)).0).sum()
}

/// The tree that grows.
struct Grown<'a> {
    rate: f64,
    numbers: &'a mut [usize],
    thresholds: &'a mut [f32],
    leaves: &'a mut [f32],
}

/// What a tree grows on.
struct Grower<'a> {
    bins: &'a Bins,
    /// Negative gradient of the loss of each crystal.
    gradients: &'a [f32],
    /// Numbers that the tree may use.
    numbers: &'a [usize],
    least: u32,
}

/// A number, and the last of its bins that go left.
type Question = (usize, usize);

impl Grower<'_> {
    /// Splits a node and all below it. `sums`: those of its crystals, by number and bin.
    fn split(&self, grown: &mut Grown<'_>, node: usize, rows: &mut [u32], sums: Vec<Vec<Sum>>) {
        let all = grown.numbers.len();
        let question = if node < all { self.best(&sums, self.total(rows)) } else { None };
        let Some((place, bin)) = question else {
            // All go left from here.
            grown.leaves[leftmost(node, all) - all] = (grown.rate * self.total(rows).step()) as f32;
            return;
        };
        let number = self.numbers[place];
        grown.numbers[node] = number;
        grown.thresholds[node] = self.bins.cuts[number][bin];
        let codes = &self.bins.codes[number];
        rows.sort_by_key(|&row| usize::from(codes[row as usize]) > bin);
        let left = rows.partition_point(|&row| usize::from(codes[row as usize]) <= bin);
        let (left, right) = rows.split_at_mut(left);
        // The sums of one are what those of the other leave; of leaves none are needed.
        let needed = 2 * node + 1 < all;
        let mut of_small = Vec::new();
        let mut of_large = Vec::new();
        if needed {
            of_small = self.sums(if left.len() <= right.len() { left } else { right });
            of_large = difference(sums, &of_small);
        }
        let (of_left, of_right) = if left.len() <= right.len() { (of_small, of_large) } else { (of_large, of_small) };
        self.split(grown, 2 * node + 1, left, of_left);
        self.split(grown, 2 * node + 2, right, of_right);
    }

    /// Sums of some crystals, by number and bin.
    fn sums(&self, rows: &[u32]) -> Vec<Vec<Sum>> {
        let of = |&number: &usize| {
            let codes = &self.bins.codes[number];
            let mut sums = vec![Sum::default(); self.bins.cuts[number].len() + 1];
            for &row in rows {
                sums[usize::from(codes[row as usize])].add(self.gradients[row as usize]);
            }
            sums
        };
        self.numbers.iter().map(of).collect()
    }

    fn total(&self, rows: &[u32]) -> Sum {
        let mut total = Sum::default();
        rows.iter().for_each(|&row| total.add(self.gradients[row as usize]));
        total
    }

    /// The question that lowers the loss most, the first of equals; `None` where none lowers it.
    fn best(&self, sums: &[Vec<Sum>], total: Sum) -> Option<Question> {
        let (mut best, mut question) = (total.gain() * (1.0 + 1e-9), None);
        for (place, bins) in sums.iter().enumerate() {
            let mut left = Sum::default();
            for (bin, sum) in bins[..bins.len() - 1].iter().enumerate() {
                left = Sum { gradient: left.gradient + sum.gradient, count: left.count + sum.count };
                let right = total.minus(left);
                if right.count < self.least {
                    break;
                }
                if left.count < self.least || sum.count == 0 {
                    continue;
                }
                let gain = left.gain() + right.gain();
                if gain > best {
                    (best, question) = (gain, Some((place, bin)));
                }
            }
        }
        question
    }
}

/// The place of the leaf that is reached from a node by going left.
fn leftmost(node: usize, questions: usize) -> usize {
    let mut place = node;
    while place < questions {
        place = 2 * place + 1;
    }
    place
}

/// `all - some`.
fn difference(mut all: Vec<Vec<Sum>>, some: &[Vec<Sum>]) -> Vec<Vec<Sum>> {
    for (all, some) in all.iter_mut().flatten().zip(some.iter().flatten()) {
        *all = all.minus(*some);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of crystals, and a label that depends on two of them.
    fn crystals(n: usize) -> (Vec<Input>, Vec<f32>) {
        let mut stream = Stream::new(9);
        let rows: Vec<Vec<f32>> = (0..n).map(|_| (0..5).map(|_| stream.uniform()).collect()).collect();
        let label = |x: &Vec<f32>| if x[1] > 0.3 { 1.0 + x[3] } else { -x[3] };
        let labels = rows.iter().map(label).collect();
        (rows.into_iter().map(Input::Vector).collect(), labels)
    }

    fn items((inputs, labels): &(Vec<Input>, Vec<f32>)) -> Vec<(&Input, f32)> {
        inputs.iter().zip(labels.iter().copied()).collect()
    }

    fn config() -> TreesConfig {
        TreesConfig { trees: 60, each: 20, depth: 3, least: 2, rows: 0.8, numbers: 0.9, volume: false }
    }

    #[test]
    fn trees_learn_what_depends_on_two_numbers_and_each_epoch_adds_some() {
        let (known, new) = (crystals(600), crystals(900));
        for loss in [Loss::Mse, Loss::Huber { delta: 0.25 }] {
            let mut forest = Forest::empty(60, 3);
            let growth = Growth { loss, rate: 0.2, seed: 3 };
            let losses: Vec<f64> = (0..4).map(|_| grow(&mut forest, &config(), &items(&known), &growth)).collect();
            assert!(losses[0] > 2.0 * losses[1] && losses[1] > losses[2], "{losses:?}");
            // There was no room for a fourth time twenty.
            assert!(forest.used == 60 && (losses[3] - losses[2]).abs() < 1e-6 * losses[2], "{losses:?}");
            let error = |(input, label): &(&Input, f32)| (forest.value(input.vector()) - label).powi(2);
            let new: Vec<_> = items(&new).split_off(600);
            let rmse = (new.iter().map(error).sum::<f32>() / new.len() as f32).sqrt();
            // The labels deviate from their mean by 0.9.
            assert!(rmse < 0.15, "{rmse}");
        }
    }

    #[test]
    fn the_first_question_is_the_best_of_all() {
        let known = crystals(80);
        let rows: Vec<&[f32]> = known.0.iter().map(Input::vector).collect();
        let bins = Bins::of(&rows);
        let gradients = known.1.clone();
        let numbers = [0, 1, 2, 3, 4];
        let grower = Grower { bins: &bins, gradients: &gradients, numbers: &numbers, least: 3 };
        let all: Vec<u32> = (0..80).collect();
        let (number, bin) = grower.best(&grower.sums(&all), grower.total(&all)).unwrap();
        let gain = |number: usize, cut: f32| {
            let sides = [true, false].map(|above| {
                let side: Vec<u32> =
                    all.iter().copied().filter(|&r| (rows[r as usize][number] > cut) == above).collect();
                grower.total(&side)
            });
            if sides.iter().any(|s| s.count < 3) { 0.0 } else { sides[0].gain() + sides[1].gain() }
        };
        let best = gain(number, bins.cuts[number][bin]);
        for number in numbers {
            for cut in &bins.cuts[number] {
                assert!(gain(number, *cut) <= best + 1e-9, "{number} at {cut}");
            }
        }
        // What one side leaves is the other.
        let (few, rest) = all.split_at(30);
        let left: Vec<Vec<Sum>> = difference(grower.sums(&all), &grower.sums(few));
        for (a, b) in left.iter().flatten().zip(grower.sums(rest).iter().flatten()) {
            assert!(a.count == b.count && (a.gradient - b.gradient).abs() < 1e-9);
        }
    }

    #[test]
    fn where_nothing_is_to_be_asked_all_share_one_leaf() {
        let same = (vec![Input::Vector(vec![1.0; 5]); 10], vec![0.5; 10]);
        let mut forest = Forest::empty(1, 3);
        let growth = Growth { loss: Loss::Mse, rate: 1.0, seed: 1 };
        grow(&mut forest, &TreesConfig { trees: 1, rows: 1.0, ..config() }, &items(&same), &growth);
        assert!((f64::from(forest.value(&[1.0; 5])) - 0.5 * 10.0 / (10.0 + PENALTY)).abs() < 1e-6);
    }
}
