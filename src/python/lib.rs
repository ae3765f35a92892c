//! hollandite for Python: what the package `hollandite` is made of, its command line, and a driver of ADBC, in one library.
//!
//! Everything here passes values between Python and the crate: what is computed, stored and printed is said there.

mod adbc;
mod arrow_capsules;
mod column;
mod connection;
mod crystal;
mod errors;
mod jobs;
mod potential;
mod progress;
mod reference;
mod result;
mod runtime;
mod values;

use pyo3::prelude::*;

/// Freed blocks are kept, not returned to the kernel: tensors of a few megabytes come and go with each graph.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The library behind the package `hollandite`.
#[pymodule(gil_used = false)]
fn _lib(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<column::Column>()?;
    module.add_class::<connection::Connection>()?;
    module.add_class::<crystal::Crystal>()?;
    module.add_class::<potential::Potential>()?;
    module.add_class::<result::Result>()?;
    module.add_function(wrap_pyfunction!(column::column, module)?)?;
    module.add_function(wrap_pyfunction!(connection::connect, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::main, module)?)?;
    module.add_function(wrap_pyfunction!(reference::commands, module)?)?;
    module.add_function(wrap_pyfunction!(reference::functions, module)?)?;
    module.add_function(wrap_pyfunction!(reference::queries, module)?)?;
    module.add_function(wrap_pyfunction!(runtime::not_forked, module)?)?;
    errors::add(module)
}
