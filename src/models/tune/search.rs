//! Which settings to try next: after a few spread over the space, those from which a Gaussian process expects the greatest
//! improvement (Jones, Schonlau & Welch, *J. Global Optim.* **13** (1998) 455).
//!
//! [`propose`] is a function of the space, the seed and what was seen so far. A search that was killed therefore goes on as if
//! it had not been: nothing of it but its trials is kept.

use super::{
    super::random::{Stream, mix},
    space::{Settings, Space},
    surrogate::Surrogate,
};

/// Points drawn anywhere, among which improvement is looked for.
const ANYWHERE: usize = 600;
/// The best trials, around each of which this many points are drawn.
const AROUND: (usize, usize) = (5, 80);
/// The most promising points, each of which is climbed from in this many steps.
const CLIMB: (usize, usize) = (4, 60);

/// A finished trial: its settings and its error, `None` where it failed.
pub type Seen = (Settings, Option<f64>);

/// Trials that are spread over the space before the process is used.
pub fn first_trials(space: &Space) -> usize {
    4 + space.dimensions() / 2
}

/// The settings of the next trial; `None` where every one has been tried.
pub fn propose(space: &Space, seed: u64, seen: &[Seen]) -> Option<Settings> {
    let mut random = Random::new(seed, seen.len() as u64);
    let first = first_trials(space);
    if seen.len() < first {
        let settings = space.settings(&spread(space.dimensions(), first, seed)[seen.len()]);
        if is_new(&settings, seen) {
            return Some(settings);
        }
    }
    let expectation = Expectation::of(space, seen);
    let mut candidates: Vec<(f64, Settings, Vec<f64>)> = Vec::new();
    let mut consider = |point: &[f64]| {
        let settings = space.settings(point);
        if is_new(&settings, seen) {
            let point = space.point(&settings).unwrap_or_else(|| point.to_vec());
            let gain = expectation.as_ref().map_or(0.0, |e| e.improvement(space, &settings, &point));
            candidates.push((gain, settings, point));
        }
    };
    for _ in 0..ANYWHERE {
        consider(&random.point(space.dimensions()));
    }
    let mut best: Vec<(f64, &Settings)> = seen.iter().filter_map(|(s, e)| Some(((*e)?, s))).collect();
    best.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, settings) in best.into_iter().take(AROUND.0) {
        let Some(center) = space.point(settings) else { continue };
        for _ in 0..AROUND.1 {
            consider(&random.near(&center, 0.2));
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    candidates.truncate(CLIMB.0);
    if let Some(expectation) = &expectation {
        for (gain, settings, point) in &mut candidates {
            for k in 0..CLIMB.1 {
                let moved = space.settings(&random.near(point, 0.15 * (1.0 - k as f64 / CLIMB.1 as f64) + 0.01));
                let Some(at) = space.point(&moved).filter(|_| is_new(&moved, seen)) else { continue };
                let expected = expectation.improvement(space, &moved, &at);
                if expected > *gain {
                    (*gain, *settings, *point) = (expected, moved, at);
                }
            }
        }
    }
    candidates.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, settings, _)| settings)
}

fn is_new(settings: &Settings, seen: &[Seen]) -> bool {
    seen.iter().all(|(tried, _)| tried != settings)
}

/// The prediction from the trials so far.
struct Expectation {
    process: Surrogate,
    /// The lowest error that the process predicts at a point that was tried.
    lowest: f64,
}

impl Expectation {
    fn of(space: &Space, seen: &[Seen]) -> Option<Self> {
        let rows: Vec<(Vec<f64>, Option<f64>)> = seen
            .iter()
            .filter_map(|(settings, error)| Some((space.embedded(&space.point(settings)?, settings), *error)))
            .collect();
        let values = tamed(&rows.iter().map(|(_, error)| *error).collect::<Vec<_>>())?;
        let rows: Vec<Vec<f64>> = rows.into_iter().map(|(row, _)| row).collect();
        let process = Surrogate::fit(&rows, &space.owners(), &values)?;
        let lowest = rows.iter().map(|row| process.predict(row).0).fold(f64::INFINITY, f64::min);
        Some(Self { process, lowest })
    }

    /// E[max(lowest - value, 0)] at a point.
    fn improvement(&self, space: &Space, settings: &Settings, point: &[f64]) -> f64 {
        let (mean, deviation) = self.process.predict(&space.embedded(point, settings));
        let z = (self.lowest - mean) / deviation;
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        (deviation * (z * below(z) + density)).max(0.0)
    }
}

/// Errors as the process sees them: logarithms, because a ratio means the same at any error, and nothing beyond Tukey's fence
/// (the upper quartile and half as much again as lies between the quartiles, thrice), where failures lie too: how hopeless a
/// trial is does not matter, and one that diverged would flatten all others. `None` where no trial has an error.
fn tamed(errors: &[Option<f64>]) -> Option<Vec<f64>> {
    let logarithm = |error: f64| error.max(1e-12).ln();
    let mut sorted: Vec<f64> = errors.iter().flatten().copied().filter(|e| e.is_finite()).map(logarithm).collect();
    sorted.sort_by(f64::total_cmp);
    let quartile = |k: usize| sorted.get((sorted.len().checked_sub(1)? * k).div_ceil(4)).copied();
    let (lower, upper) = (quartile(1)?, quartile(3)?);
    let fence = upper + 1.5 * (upper - lower);
    Some(errors.iter().map(|e| e.filter(|e| e.is_finite()).map_or(fence, |e| logarithm(e).min(fence))).collect())
}

/// The normal distribution function, with a relative error below 2e-7 in both tails (erfc of Press *et al.*, *Numerical
/// Recipes*, §6.2).
fn below(z: f64) -> f64 {
    const C: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let x = (z / std::f64::consts::SQRT_2).abs();
    let t = 1.0 / (1.0 + 0.5 * x);
    let tail = 0.5 * t * (-x * x + C.iter().rev().fold(0.0, |sum, c| sum * t + c)).exp();
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// A Latin hypercube: of `n` points each coordinate falls once into each n-th of its range (McKay, Beckman & Conover 1979).
fn spread(dimensions: usize, n: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = Random::new(seed, u64::MAX);
    let mut points = vec![Vec::with_capacity(dimensions); n];
    for _ in 0..dimensions {
        let places: Vec<usize> = random.0.shuffled((0..n).collect());
        for (point, place) in points.iter_mut().zip(places) {
            point.push((place as f64 + random.unit()) / n as f64);
        }
    }
    points
}

/// Random points.
struct Random(Stream);

impl Random {
    fn new(seed: u64, stream: u64) -> Self {
        Self(Stream::new(mix(&[seed, stream])))
    }

    /// In [0, 1).
    fn unit(&mut self) -> f64 {
        f64::from(self.0.uniform())
    }

    fn point(&mut self, dimensions: usize) -> Vec<f64> {
        (0..dimensions).map(|_| self.unit()).collect()
    }

    /// Two coordinates or so moved by about `width`, now and then one of them anywhere.
    fn near(&mut self, center: &[f64], width: f64) -> Vec<f64> {
        let share = (2.0 / center.len() as f64).min(1.0);
        let mut point = center.to_vec();
        for x in &mut point {
            if self.unit() < share {
                // The sum of three uniform numbers is nearly normal.
                let normal = 2.0 * (self.unit() + self.unit() + self.unit() - 1.5);
                *x = if self.unit() < 0.2 { self.unit() } else { (*x + width * normal).clamp(0.0, 1.0) };
            }
        }
        point
    }
}

#[cfg(test)]
mod tests {
    use super::super::space::{Domain, Value};
    use super::*;

    /// A rate, a width, a depth, and one of three kinds: the error of a network as it usually depends on them.
    fn space() -> Space {
        Space::default()
            .with("rate", Domain::Log { low: 1e-4, high: 1e-1 })
            .with("width", Domain::Steps { low: 32, high: 256, step: 32 })
            .with("layers", Domain::Steps { low: 1, high: 5, step: 1 })
            .with("loss", Domain::Names(vec!["mse", "mae", "huber"]))
    }

    /// Lowest, 0.1, at rate 2e-3, width 160, 3 layers, Huber.
    fn error(settings: &Settings) -> f64 {
        let number = |name: &str| settings[name].number().unwrap();
        let rate = (number("rate") / 2e-3).ln();
        let (width, layers) = ((number("width") - 160.0) / 64.0, number("layers") - 3.0);
        let kind = match &settings["loss"] {
            Value::Name(name) if name == "huber" => 0.0,
            Value::Name(name) if name == "mae" => 0.3,
            _ => 0.6,
        };
        0.1 * (1.0 + 0.15 * rate * rate + 0.3 * width * width + 0.2 * layers * layers + kind + 0.1 * rate * layers)
    }

    /// Trials until the error is within a tenth of the lowest; `limit` where it never is.
    fn trials_needed(limit: usize, mut next: impl FnMut(&[Seen]) -> Settings) -> usize {
        let mut seen: Vec<Seen> = Vec::new();
        while seen.len() < limit {
            let settings = next(&seen);
            let value = error(&settings);
            seen.push((settings, Some(value)));
            if value < 0.11 {
                break;
            }
        }
        seen.len()
    }

    #[test]
    fn it_needs_far_fewer_trials_than_chance() {
        let space = space();
        let seeds = 8;
        let guided: usize = (0..seeds)
            .map(|seed| trials_needed(60, |seen| propose(&space, seed, seen).expect("the space is not exhausted")))
            .sum();
        let chance: usize = (0..seeds)
            .map(|seed| {
                let mut random = Random::new(seed, 0);
                trials_needed(1000, |_| space.settings(&random.point(4)))
            })
            .sum();
        println!("{} trials of the search, {} by chance", guided as f64 / 8.0, chance as f64 / 8.0);
        assert!(guided * 4 < chance && guided < 30 * seeds as usize, "{guided} against {chance}");
    }

    #[test]
    fn the_next_trial_depends_on_nothing_but_seed_and_trials() {
        let space = space();
        let run = |seed: u64, seen: &mut Vec<Seen>, n: usize| {
            while seen.len() < n {
                let settings = propose(&space, seed, seen).unwrap();
                let value = error(&settings);
                // Now and then a trial fails.
                seen.push((settings, (seen.len() % 5 != 3).then_some(value)));
            }
        };
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        run(7, &mut whole, 12);
        run(7, &mut parts, 9);
        // Through the text in which they are kept.
        let text = serde_json::to_string(&parts).unwrap();
        let mut parts: Vec<Seen> = serde_json::from_str(&text).unwrap();
        run(7, &mut parts, 12);
        assert_eq!(whole, parts);
        let mut other = Vec::new();
        run(8, &mut other, 1);
        assert_ne!(whole[0], other[0]);
    }

    #[test]
    fn no_settings_are_tried_twice_and_a_small_space_ends() {
        let space = Space::default()
            .with("layers", Domain::Steps { low: 1, high: 2, step: 1 })
            .with("width", Domain::Steps { low: 1, high: 3, step: 1 });
        let mut seen: Vec<Seen> = Vec::new();
        while let Some(settings) = propose(&space, 1, &seen) {
            assert!(is_new(&settings, &seen) && seen.len() < 6);
            seen.push((settings, Some(seen.len() as f64)));
        }
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn what_diverged_or_failed_lies_on_the_fence() {
        let values = tamed(&[Some(0.1), Some(0.2), Some(0.2), Some(0.4), Some(1e30), None, Some(f64::NAN)]).unwrap();
        let fence = values[5];
        assert!(values[4] == fence && values[6] == fence && values[3] < fence && fence < 1.0, "{values:?}");
        assert_eq!(tamed(&[None, None]), None);
    }

    #[test]
    fn the_normal_distribution_has_its_known_values() {
        for (z, p) in [(0.0, 0.5), (1.0, 0.841_344_746), (-2.0, 0.022_750_132), (-5.0, 2.866_515_7e-7)] {
            assert!((below(z) / p - 1.0).abs() < 3e-7, "{z}: {}", below(z));
        }
    }

    #[test]
    fn first_points_are_spread() {
        for d in 0..3 {
            let mut places: Vec<usize> = spread(3, 10, 4).iter().map(|p| (p[d] * 10.0) as usize).collect();
            places.sort_unstable();
            assert_eq!(places, (0..10).collect::<Vec<_>>());
        }
    }
}
