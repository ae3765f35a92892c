//! The Content-Security-Policy of a page: nothing is loaded from anywhere, and of scripts only those run whose hashes it names.

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};

/// The policy of a page with these inline scripts. Styles may stand in attributes, where the lengths of bars do; pictures are data.
pub(super) fn policy(scripts: &[&str]) -> String {
    let sources = sources(scripts);
    format!(
        "default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// These inline scripts as a policy names them.
pub(super) fn sources(scripts: &[&str]) -> String {
    let hash = |script: &&str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script.as_bytes())));
    scripts.iter().map(hash).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_hash_that_browsers_compute() {
        // The example of the specification (CSP Level 2, section 7.17.1): the script `alert('Hello, world.');`.
        let policy = policy(&["alert('Hello, world.');"]);
        assert!(policy.contains("script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=';"), "{policy}");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("http"));
    }
}
