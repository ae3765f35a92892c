//! The cheapest one-to-one assignment of rows to columns, exactly, where a row may take only the few columns it names.
//!
//! Successive shortest augmenting paths (Edmonds & Karp, *J. ACM* **19** (1972) 248) with Dijkstra's search on reduced
//! costs: rows enter one by one, each along the cheapest chain of exchanges. With n rows and E edges that is
//! O(n (E + n) log n) at worst; where every row's cheapest column is free, as it is for two settings of one crystal, it
//! is one pass.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Which columns each row may take, and at what cost. Rows and columns are equally many.
#[derive(Debug, Default)]
pub(super) struct Edges {
    /// Where the edges of a row begin; one entry more than there are rows.
    start: Vec<usize>,
    edge: Vec<(u32, f64)>,
}

impl Edges {
    /// Forgets every row.
    pub fn clear(&mut self) {
        self.start.clear();
        self.start.push(0);
        self.edge.clear();
    }

    /// Lets the row under construction take `column` at `cost`, which is not negative.
    pub fn push(&mut self, column: usize, cost: f64) {
        self.edge.push((column as u32, cost));
    }

    /// Ends the row; false where it has no column to take.
    pub fn end_row(&mut self) -> bool {
        let some = self.edge.len() > *self.start.last().unwrap_or(&0);
        self.start.push(self.edge.len());
        some
    }

    /// Where the edges of row `i` stand among all, in the order of their pushing.
    pub fn span(&self, i: usize) -> std::ops::Range<usize> {
        self.start[i]..self.start[i + 1]
    }

    fn row(&self, i: usize) -> &[(u32, f64)] {
        &self.edge[self.span(i)]
    }

    fn rows(&self) -> usize {
        self.start.len() - 1
    }
}

/// A column on the frontier of the search; the nearest comes first.
struct Reached {
    distance: f64,
    column: usize,
}

impl PartialEq for Reached {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Reached {}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reached {
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance).then(other.column.cmp(&self.column))
    }
}

const FREE: usize = usize::MAX;

/// The column of each row, with the least sum of costs; `None` where some row gets no column.
pub(super) fn assign(edges: &Edges) -> Option<Vec<usize>> {
    let n = edges.rows();
    let (mut column_of, mut row_of) = (vec![FREE; n], vec![FREE; n]);
    // Prices of rows and columns: cost - row - column >= 0 on every edge, and 0 on those that are taken.
    let (mut row_price, mut column_price) = (vec![0.0; n], vec![0.0; n]);
    for i in 0..n {
        let &(column, cost) = edges.row(i).iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        row_price[i] = cost;
        if row_of[column as usize] == FREE {
            (row_of[column as usize], column_of[i]) = (i, column as usize);
        }
    }
    let (mut distance, mut from) = (vec![f64::INFINITY; n], vec![FREE; n]);
    for start in 0..n {
        if column_of[start] != FREE {
            continue;
        }
        distance.fill(f64::INFINITY);
        let mut settled = Vec::new();
        let mut frontier = BinaryHeap::new();
        let (mut row, mut walked) = (start, 0.0);
        let (end, length) = loop {
            for &(column, cost) in edges.row(row) {
                let column = column as usize;
                let reach = walked + (cost - row_price[row] - column_price[column]).max(0.0);
                if reach < distance[column] {
                    (distance[column], from[column]) = (reach, row);
                    frontier.push(Reached { distance: reach, column });
                }
            }
            let next = loop {
                let next = frontier.pop()?;
                if next.distance <= distance[next.column] {
                    break next;
                }
            };
            if row_of[next.column] == FREE {
                break (next.column, next.distance);
            }
            settled.push(next.column);
            (row, walked) = (row_of[next.column], next.distance);
        };
        row_price[start] += length;
        for column in settled {
            let gain = length - distance[column];
            column_price[column] -= gain;
            row_price[row_of[column]] += gain;
        }
        let mut column = end;
        loop {
            let row = from[column];
            row_of[column] = row;
            std::mem::swap(&mut column, &mut column_of[row]);
            if row == start {
                break;
            }
        }
    }
    Some(column_of)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edges(costs: &[Vec<Option<f64>>]) -> Edges {
        let mut edges = Edges::default();
        edges.clear();
        for row in costs {
            for (column, cost) in row.iter().enumerate() {
                cost.iter().for_each(|&cost| edges.push(column, cost));
            }
            edges.end_row();
        }
        edges
    }

    /// The least sum over every permutation.
    fn cheapest(costs: &[Vec<Option<f64>>], row: usize, taken: u32) -> Option<f64> {
        if row == costs.len() {
            return Some(0.0);
        }
        let free = |column: &usize| taken & (1 << column) == 0;
        let sums = (0..costs.len())
            .filter(free)
            .filter_map(|column| Some(costs[row][column]? + cheapest(costs, row + 1, taken | 1 << column)?));
        sums.min_by(f64::total_cmp)
    }

    #[test]
    fn a_row_gives_way_where_the_sum_gains() {
        let costs = vec![vec![Some(1.0), Some(2.0)], vec![Some(1.0), Some(9.0)]];
        assert_eq!(assign(&edges(&costs)), Some(vec![1, 0]));
        let blocked = vec![vec![Some(1.0), None], vec![Some(1.0), None]];
        assert_eq!(assign(&edges(&blocked)), None);
    }

    proptest! {
        #[test]
        fn equal_to_the_search_of_all_permutations(
            costs in (1_usize..7).prop_flat_map(|n| {
                let cost = prop_oneof![1 => Just(None), 3 => (0..40_i32).prop_map(|c| Some(f64::from(c)))];
                prop::collection::vec(prop::collection::vec(cost, n), n)
            })
        ) {
            let found = assign(&edges(&costs)).map(|columns| {
                let mut seen = columns.clone();
                seen.sort_unstable();
                assert!(seen.iter().copied().eq(0..costs.len()));
                columns.iter().enumerate().map(|(i, &j)| costs[i][j].unwrap()).sum::<f64>()
            });
            prop_assert_eq!(found, cheapest(&costs, 0, 0));
        }
    }
}
