//! The Content-Security-Policy of a page: nothing is loaded from anywhere, and of scripts only those run whose hashes it names.

use sha2::{Digest, Sha256};

/// The policy of a page with these inline scripts. Styles may stand in attributes, where the lengths of bars do; pictures are data.
pub(super) fn policy(scripts: &[&str]) -> String {
    let hashes: Vec<String> =
        scripts.iter().map(|script| format!("'sha256-{}'", base64(&Sha256::digest(script.as_bytes())))).collect();
    format!(
        "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
        hashes.join(" ")
    )
}

/// Base64 (RFC 4648) with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, k| bits << 8 | u32::from(chunk.get(k).copied().unwrap_or(0)));
        for k in 0..4 {
            out.push(if k > chunk.len() { '=' } else { DIGITS[(bits >> (18 - 6 * k)) as usize & 63] as char });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standard_s_test_vectors() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (text, coded) in vectors {
            assert_eq!(base64(text.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn the_policy_names_the_hash_that_browsers_compute() {
        // The example of the specification (CSP Level 2, section 7.17.1): the script `alert('Hello, world.');`.
        let policy = policy(&["alert('Hello, world.');"]);
        assert!(policy.contains("script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=';"), "{policy}");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("http"));
    }
}
