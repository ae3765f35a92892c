//! What a table may be called.

use super::{features, registry_tables};
use crate::StoreError;

/// Whether a name belongs to the registry or to the materialised features.
pub(super) fn is_reserved(name: &str) -> bool {
    name == features::VIEW || name.starts_with(features::PREFIX) || registry_tables::names().any(|taken| taken == name)
}

/// Refuses what cannot be the name of a table.
pub(super) fn check_table_name(name: &str) -> Result<(), StoreError> {
    let ok = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !is_reserved(name);
    if ok { Ok(()) } else { Err(refused(name)) }
}

/// What a name is refused with.
pub(super) fn refused(name: &str) -> StoreError {
    let reserved: Vec<&str> = registry_tables::names().collect();
    StoreError::TableName { name: name.to_owned(), reserved: reserved.join(", ") }
}
