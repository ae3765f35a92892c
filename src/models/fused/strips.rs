//! Buffers cut together by atoms: what belongs to a few atoms, of their bonds, their angles and themselves, goes to one call.

use std::ops::Range;

/// Bonds or angles in a tile: 64 rows of 256 numbers are a sixteenth of a second-level cache of 1 MiB.
const TILE: usize = 64;
/// Rows that are worth a thread's while.
const GRAIN: usize = 512;
/// Rows in a share.
const SHARE: usize = 2 * GRAIN;

/// Rows that belong to atoms, in their order.
pub struct Strip<'a> {
    /// The numbers.
    pub rows: &'a mut [f32],
    /// Numbers in a row.
    pub width: usize,
    /// Where the rows of each atom begin, counted over the whole crystal; `None`: one row for each atom.
    pub starts: Option<&'a [usize]>,
}

impl<'a> Strip<'a> {
    /// One row for each atom.
    pub fn of_atoms(rows: &'a mut [f32], width: usize) -> Self {
        Self { rows, width, starts: None }
    }

    /// As many rows for an atom as `starts` says.
    pub fn of_runs(rows: &'a mut [f32], width: usize, starts: &'a [usize]) -> Self {
        Self { rows, width, starts: Some(starts) }
    }

    /// Those of `atoms` before `middle`, and the others.
    fn cut(self, atoms: &Range<usize>, middle: usize) -> (Self, Self) {
        let rows = self.starts.map_or(middle - atoms.start, |starts| starts[middle] - starts[atoms.start]);
        let (a, b) = self.rows.split_at_mut(rows * self.width);
        (Self { rows: a, ..self }, Self { rows: b, ..self })
    }
}

/// Calls `f` with every tile, a few atoms and the rows of each strip that are theirs, on several threads where that pays.
/// `starts` counts the rows by which tiles are measured.
pub fn tiles<const K: usize>(
    starts: &[usize],
    strips: [Strip<'_>; K],
    f: &(impl Fn(Range<usize>, [&mut [f32]; K]) + Sync),
) {
    part(0..starts.len() - 1, starts, strips, TILE, f);
}

/// As [`tiles`], but cut for threads only: what is done to one share of a crystal passes over all of it several times.
pub fn shares<const K: usize>(
    starts: &[usize],
    strips: [Strip<'_>; K],
    f: &(impl Fn(Range<usize>, [&mut [f32]; K]) + Sync),
) {
    let largest = if rayon::current_num_threads() > 1 { SHARE } else { usize::MAX };
    part(0..starts.len() - 1, starts, strips, largest, f);
}

fn part<const K: usize>(
    atoms: Range<usize>,
    starts: &[usize],
    strips: [Strip<'_>; K],
    largest: usize,
    f: &(impl Fn(Range<usize>, [&mut [f32]; K]) + Sync),
) {
    let rows = starts[atoms.end] - starts[atoms.start];
    if atoms.len() == 1 || rows <= largest {
        return f(atoms, strips.map(|strip| strip.rows));
    }
    let half = starts[atoms.start] + rows / 2;
    let middle = starts.partition_point(|&s| s < half).clamp(atoms.start + 1, atoms.end - 1);
    let mut halves = strips.map(|strip| {
        let (a, b) = strip.cut(&atoms, middle);
        [Some(a), Some(b)]
    });
    let [before, after] = [0, 1].map(|k| halves.each_mut().map(|half| half[k].take().expect("just cut")));
    let (first, last) = (atoms.start..middle, middle..atoms.end);
    if rows > 2 * GRAIN && rayon::current_num_threads() > 1 {
        rayon::join(|| part(first, starts, before, largest, f), || part(last, starts, after, largest, f));
    } else {
        part(first, starts, before, largest, f);
        part(last, starts, after, largest, f);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn every_row_is_met_once_with_its_atom() {
        // 40 atoms with 0 to 90 rows each.
        let counts: Vec<usize> = (0..40).map(|i| (i * 37) % 91).collect();
        let mut starts = vec![0];
        counts.iter().for_each(|n| starts.push(starts[starts.len() - 1] + n));
        let rows = starts[40];
        let (mut of_rows, mut of_atoms) = (vec![0.0; 2 * rows], vec![0.0; 40]);
        let met = Mutex::new(0);
        tiles(&starts, [Strip::of_runs(&mut of_rows, 2, &starts), Strip::of_atoms(&mut of_atoms, 1)], &|atoms,
                                                                                                        [
            of_rows,
            of_atoms,
        ]| {
            *met.lock().unwrap() += 1;
            let begin = starts[atoms.start];
            for (k, atom) in atoms.enumerate() {
                of_atoms[k] += 1.0;
                of_rows[2 * (starts[atom] - begin)..2 * (starts[atom + 1] - begin)].fill(atom as f32);
            }
        });
        assert!(of_atoms.iter().all(|&n| n == 1.0) && met.into_inner().unwrap() > 10);
        for (atom, run) in starts.windows(2).enumerate() {
            assert!(of_rows[2 * run[0]..2 * run[1]].iter().all(|&a| a == atom as f32), "{atom}");
        }
    }
}
