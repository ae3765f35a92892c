//! `hollandite man [--to DIR]`: the manual, in the form that `man` reads.

use clap::CommandFactory;
use clap_mangen::Man as Page;

use crate::cli::args::{Args, Man};
use crate::cli::{CliError, render};

pub(crate) fn run(man: &Man) -> Result<(), CliError> {
    let io = |path: &std::path::Path| {
        let path = path.to_path_buf();
        move |source| CliError::Io { path, source }
    };
    let Some(folder) = &man.to else {
        let mut page = Vec::new();
        Page::new(Args::command()).render(&mut page).map_err(io("the manual page".as_ref()))?;
        return render::print(&String::from_utf8_lossy(&page));
    };
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    clap_mangen::generate_to(Args::command(), folder).map_err(io(folder))?;
    eprintln!("wrote the manual pages to {}; `man -l {0}/hollandite.1` reads the first", folder.display());
    Ok(())
}
