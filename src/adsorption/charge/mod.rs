//! The charge that ions leave: which electrons of a calculated density belong to which atom, and where they went.
//!
//! [`bader`](mod@bader) divides a density into basins, one for each of its maxima; [`net`](mod@net) gives them to the atoms and
//! counts what each has lost, q = Z_val - N, positive for a cation; [`transfer`] compares a host before and after an ion came
//! in; [`difference()`] subtracts densities on one grid.

pub mod bader;
pub mod difference;
mod levels;
mod nearest;
pub mod net;
#[cfg(test)]
mod testing;
mod voxels;

pub use bader::{Amounts, Basin, Basins, DEFAULT_VACUUM, basins};
pub use difference::{common_grid, difference, moved, planar_average};
pub use net::{Charges, DEFAULT_REACH, SiteCharge, Transfer, charges, transfer, valence_electrons};
