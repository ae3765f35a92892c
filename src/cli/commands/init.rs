//! `hollandite init [DIR]`: an empty store, or one of a DuckLake that is there.

use std::path::Path;

use crate::cli::args::Init;
use crate::cli::{CliError, render};
use crate::store::Store;

pub(crate) async fn run(store: Option<&Path>, init: &Init) -> Result<(), CliError> {
    let dir = init.dir.as_deref().or(store).ok_or_else(|| {
        CliError::Usage(
            "name the folder of the new store: hollandite init DIR (or --store DIR, or HOLLANDITE_STORE)".into(),
        )
    })?;
    if Store::is_lake_of_others(dir) {
        let store = Store::adopt(dir).await?;
        return render::print(&format!("made a store of the DuckLake in {}\n", store.dir().display()));
    }
    let store = Store::init(dir).await?;
    render::print(&format!("created an empty store in {}\n", store.dir().display()))
}
