//! 3Dmol.js, the library that turns the crystals of a page (vendor/README.md has its version, licence and hash).

use std::io::Read;

use crate::ReportError;
use crate::page::html::lines;

const LIBRARY: &[u8] = include_bytes!("vendor/3Dmol-min.js.zst");
/// The licences of the library, and of all that it holds.
pub const LICENSE: &str = include_str!("vendor/LICENSE.txt");

/// The library's script, as it was published.
pub(super) fn library() -> Result<String, ReportError> {
    let mut script = String::new();
    zstd::Decoder::new(LIBRARY)?.read_to_string(&mut script)?;
    Ok(script)
}

/// What its licence asks a page that carries it to say.
pub(super) fn notice() -> String {
    format!(
        "<details class=\"licence\">\n<summary>This page holds 3Dmol.js 2.5.5 (N. Rego &amp; D. Koes, Bioinformatics 2015, 31, 1322)</summary>\n\
         <pre>{}</pre>\n</details>\n",
        lines(LICENSE)
    )
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_library_is_the_one_that_its_readme_names() {
        let script = library().unwrap();
        let hash = crystal::hex(&Sha256::digest(script.as_bytes()));
        let readme = include_str!("vendor/README.md");
        assert!(readme.contains(&format!("`{hash}`")), "the sha256 is {hash}");
        let version = readme.split("| what | 3Dmol.js ").nth(1).unwrap().split(',').next().unwrap();
        assert!(
            notice().contains(&format!("3Dmol.js {version} ")) && LICENSE.starts_with(&format!("3Dmol.js {version}\n"))
        );
        assert!(notice().contains("University of Pittsburgh") && notice().contains("Three.js"));
    }

    #[test]
    fn the_library_may_stand_between_script_tags() {
        let script = library().unwrap();
        // A browser hashes a script with its line ends made one, and ends it at the first closing tag.
        assert!(!script.contains('\r') && !script.to_lowercase().contains("</script") && !script.contains("<!--"));
    }
}
