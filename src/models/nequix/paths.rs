//! Which degrees a layer joins, and where their channels lie.
//!
//! All tensors have the parity of their degree, as harmonics have it: so of three degrees that are joined the sum is even.

use super::harmonics::components;

/// Channels of each degree, as they lie in a row of an atom: `[degree][component][channel]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Degrees(pub Vec<usize>);

impl Degrees {
    /// Each degree with its channels and where it begins in a row.
    pub fn each(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        let mut start = 0;
        self.0.iter().enumerate().map(move |(degree, &channels)| {
            let here = start;
            start += components(degree) * channels;
            (degree, channels, here)
        })
    }

    /// Where a degree begins in a row.
    pub fn start(&self, degree: usize) -> usize {
        self.0[..degree].iter().enumerate().map(|(degree, channels)| components(degree) * channels).sum()
    }

    /// Length of a row.
    pub fn width(&self) -> usize {
        self.start(self.0.len())
    }
}

/// A way to join what a neighbour sends with the direction of the bond: degrees, and how many channels it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    pub from: usize,
    pub by: usize,
    pub to: usize,
    pub channels: usize,
    /// The first of its weights among those of a bond.
    pub weight: usize,
    /// The first of its channels among those that arrive of the degree.
    pub place: usize,
}

/// The channels of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What a neighbour sends.
    pub sent: Degrees,
    /// What arrives.
    pub arrived: Degrees,
    /// What is made of it, gates among the scalars behind the others.
    pub mixed: Degrees,
    /// What passes the gates.
    pub kept: Degrees,
    /// In the order of their weights: by degree of the result, then of what is sent, then of the direction.
    pub paths: Vec<Path>,
}

impl Shape {
    /// Of a layer that is sent these channels and keeps those; directions have so many degrees.
    pub fn new(sent: Vec<usize>, kept: Vec<usize>, degrees: usize) -> Self {
        let (mut paths, mut weight) = (Vec::new(), 0);
        let mut arrived = vec![0; kept.len()];
        for (to, place) in arrived.iter_mut().enumerate() {
            for (from, &channels) in sent.iter().enumerate() {
                let within = from.abs_diff(to)..=(from + to).min(degrees - 1);
                for by in within.step_by(2) {
                    paths.push(Path { from, by, to, channels, weight, place: *place });
                    weight += channels;
                    *place += channels;
                }
            }
        }
        let gates: usize = kept[1..].iter().sum();
        let mut mixed = kept.clone();
        mixed[0] += gates;
        let [sent, arrived, mixed, kept] = [sent, arrived, mixed, kept].map(Degrees);
        Self { sent, arrived, mixed, kept, paths }
    }

    /// Weights of a bond.
    pub fn weights(&self) -> usize {
        self.paths.iter().map(|path| path.channels).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_layers_have_23_paths_between_the_first_and_the_last() {
        let shape = Shape::new(vec![128, 64, 32, 32], vec![128, 64, 32, 32], 4);
        assert_eq!((shape.paths.len(), shape.weights()), (23, 1312));
        assert_eq!(shape.arrived.0, [256, 352, 384, 320]);
        assert_eq!((shape.mixed.0.clone(), shape.mixed.width(), shape.kept.width()), (vec![256, 64, 32, 32], 832, 704));
        let degrees = |path: &Path| (path.from, path.by, path.to);
        let to_vectors: Vec<_> = shape.paths.iter().filter(|path| path.to == 1).map(degrees).collect();
        assert_eq!(to_vectors, [(0, 1, 1), (1, 0, 1), (1, 2, 1), (2, 1, 1), (2, 3, 1), (3, 2, 1)]);
        let last = Shape::new(vec![128, 64, 32, 32], vec![128], 4);
        assert_eq!((last.paths.len(), last.arrived.0, last.mixed.0), (4, vec![256], vec![128]));
        let first = Shape::new(vec![96], vec![128, 64, 32, 32], 4);
        assert_eq!((first.paths.len(), first.arrived.0), (4, vec![96; 4]));
        let starts: Vec<_> = shape.kept.each().map(|(_, _, start)| start).collect();
        assert_eq!(starts, [0, 128, 320, 480]);
    }
}
