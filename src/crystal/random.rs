//! Random numbers that depend on the place in a run, not on earlier draws: a stopped run goes on with the same numbers, on any number of
//! threads, without a generator's state in its checkpoint.

/// 64 bits that depend on every word and on their order: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) as a sponge.
#[inline]
pub fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0, |state, &word| finish((state ^ word).wrapping_add(GOLDEN)))
}

/// A stream of numbers in [0, 1) from a seed.
#[derive(Debug, Clone, Copy)]
pub struct Stream(u64);

impl Stream {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, of 24 random bits.
    #[inline]
    pub fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(GOLDEN);
        (finish(self.0) >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// The next index below `n`.
    #[inline]
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(GOLDEN);
        ((u128::from(finish(self.0)) * n as u128) >> 64) as usize
    }

    /// All of them in a random order (Fisher and Yates).
    pub fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        for i in (1..all.len()).rev() {
            all.swap(i, self.below(i + 1));
        }
        all
    }
}

/// 2⁶⁴ divided by the golden ratio, odd.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

fn finish(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_and_their_order_matter() {
        assert_eq!(mix(&[1, 2]), mix(&[1, 2]));
        let others = [mix(&[1, 2]), mix(&[2, 1]), mix(&[1, 3]), mix(&[1]), mix(&[1, 2, 0])];
        assert!((0..5).all(|i| (0..i).all(|j| others[i] != others[j])), "{others:?}");
    }

    #[test]
    fn a_stream_is_even() {
        let mut stream = Stream::new(mix(&[7]));
        let mean = (0..100_000).map(|_| f64::from(stream.uniform())).sum::<f64>() / 1e5;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
        let mut counts = [0; 7];
        (0..70_000).for_each(|_| counts[stream.below(7)] += 1);
        assert!(counts.iter().all(|n| (9_500..10_500).contains(n)), "{counts:?}");
    }
}
