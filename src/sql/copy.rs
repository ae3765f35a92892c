//! `COPY .. TO 'file'` writes beside a file and renames. That would put a plain file in the place of a link or a device.

use std::path::Path;

use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::dml::CopyTo;

/// The same copy to where links lead.
///
/// # Errors
/// A target that is a pipe or a device.
pub(super) fn to_a_file(mut copy: CopyTo) -> Result<CopyTo> {
    let path = Path::new(&copy.output_url);
    let Ok(found) = path.metadata() else { return Ok(copy) };
    if !found.is_file() && !found.is_dir() {
        return plan_err!(
            "COPY writes files, and {} is none; `hollandite export QUERY --to {0}` writes it",
            copy.output_url
        );
    }
    if found.is_file()
        && let Ok(target) = path.canonicalize()
    {
        copy.output_url = target.to_string_lossy().into_owned();
    }
    Ok(copy)
}
