//! The token that a client must show.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::ServeError;

/// Shortest token, characters.
const SHORTEST: usize = 16;

/// A token, kept as its digest.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// The token in a file that only its owner may read: its text without white space around it.
    ///
    /// # Errors
    /// A file that others may read, or a token that can be guessed.
    pub fn from_file(path: &Path) -> Result<Self, ServeError> {
        let file = |source| ServeError::File { path: path.to_owned(), source };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).map_err(file)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(ServeError::Usage(format!(
                    "{} may be read by others than its owner: chmod 600 {}",
                    path.display(),
                    path.display()
                )));
            }
        }
        let text = std::fs::read_to_string(path).map_err(file)?;
        Self::of(text.trim()).ok_or_else(|| {
            ServeError::Usage(format!(
                "the token in {} is shorter than {SHORTEST} characters, or no single word: openssl rand -hex 32 makes one",
                path.display()
            ))
        })
    }

    /// A token of that text; `None` where it is too short, or could not stand in a header.
    pub fn of(text: &str) -> Option<Self> {
        let fits = text.len() >= SHORTEST && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(Sha256::digest(text).into()))
    }

    /// Whether `given` is the token. The time that takes does not depend on it: digests are compared, and all of their bytes.
    pub fn is(&self, given: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        self.0.iter().zip(given).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_token_is_read_from_a_file_of_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o640);
        assert!(Token::from_file(&path).unwrap_err().to_string().contains("chmod 600"));
        mode(0o600);
        let token = Token::from_file(&path).unwrap();
        assert!(token.is("0123456789abcdef") && !token.is("0123456789abcdeF") && !token.is(""));
        for short in ["0123456789abcde", "0123456789 abcdef", ""] {
            std::fs::write(&path, short).unwrap();
            assert!(Token::from_file(&path).unwrap_err().to_string().contains("openssl"), "{short}");
        }
        assert!(Token::from_file(&dir.path().join("none")).is_err());
    }
}
