//! Which channel the void around each node belongs to when no probe draws a border: the one into which the widest way
//! leads.
//!
//! As passages open from the widest to the narrowest, a part of the network that becomes endless on its own is a new
//! channel. A pocket goes to the channel that it first joins; where it joins several at one width, as symmetry has it, to
//! all of them in equal parts. When channels meet, each keeps what it has.

use std::collections::{BTreeMap, BTreeSet};

use super::{loops::Components, pores::Pores};

pub(super) struct Basins {
    /// The share to which each node belongs.
    pub owner: Vec<Option<u32>>,
    /// The channels of each share.
    shares: Vec<BTreeSet<u32>>,
    /// Number of channels so far.
    channels: u32,
    /// Root of each node before the passages of this level opened.
    before: Vec<u32>,
}

impl Basins {
    pub fn new(nodes: usize) -> Self {
        Self { owner: vec![None; nodes], shares: Vec::new(), channels: 0, before: (0..nodes as u32).collect() }
    }

    /// Opens the passages of `group`, already joined in `components`. Roots of the channels that are born, numbered on.
    pub fn flood(&mut self, pores: &Pores, components: &mut Components, group: &[u32]) -> Vec<u32> {
        // Unowned parts that this level joins with one another, and the owned shares that they touch.
        let mut joined: BTreeMap<u32, u32> = BTreeMap::new();
        let mut touched: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for &i in group {
            let p = &pores.passages[i as usize];
            let (a, b) = (self.before[p.from as usize], self.before[p.to as usize]);
            match (self.owner[p.from as usize], self.owner[p.to as usize]) {
                (None, None) => {
                    let (a, b) = (leader(&mut joined, a), leader(&mut joined, b));
                    joined.insert(a.max(b), a.min(b));
                }
                (None, Some(share)) => drop(touched.entry(a).or_default().insert(share)),
                (Some(share), None) => drop(touched.entry(b).or_default().insert(share)),
                (Some(_), Some(_)) => {}
            }
        }
        let mut channels_of: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (part, shares) in touched {
            let whole = leader(&mut joined, part);
            let channels = shares.iter().flat_map(|&s| self.shares[s as usize].iter().copied());
            channels_of.entry(whole).or_default().extend(channels);
        }
        let mut share_of: BTreeMap<u32, u32> = BTreeMap::new();
        for (whole, channels) in channels_of {
            share_of.insert(whole, self.share(channels));
        }
        let mut born = Vec::new();
        for node in 0..self.owner.len() {
            let root = components.find(node as u32).0;
            if self.owner[node].is_none() {
                let whole = leader(&mut joined, self.before[node]);
                if let Some(&share) = share_of.get(&whole) {
                    self.owner[node] = Some(share);
                } else if components.loops(root).rank() > 0 {
                    let share = self.share(BTreeSet::from([self.channels]));
                    self.channels += 1;
                    share_of.insert(whole, share);
                    self.owner[node] = Some(share);
                    born.push(root);
                }
            }
            self.before[node] = root;
        }
        born
    }

    /// What each channel has of the amounts of the shares.
    pub fn divide(&self, amounts: &BTreeMap<u32, f64>) -> Vec<f64> {
        let mut of = vec![0.0; self.channels as usize];
        for (&share, amount) in amounts {
            let channels = &self.shares[share as usize];
            channels.iter().for_each(|&c| of[c as usize] += amount / channels.len() as f64);
        }
        of
    }

    /// The channels to which a node belongs.
    pub fn channels(&self, node: usize) -> impl Iterator<Item = u32> {
        self.owner[node].iter().flat_map(|&share| self.shares[share as usize].iter().copied())
    }

    fn share(&mut self, channels: BTreeSet<u32>) -> u32 {
        let known = self.shares.iter().position(|s| *s == channels);
        known.unwrap_or_else(|| {
            self.shares.push(channels);
            self.shares.len() - 1
        }) as u32
    }
}

/// The representative of the parts joined with `part`.
fn leader(joined: &mut BTreeMap<u32, u32>, part: u32) -> u32 {
    let mut at = part;
    while let Some(&next) = joined.get(&at)
        && next != at
    {
        at = next;
    }
    at
}
