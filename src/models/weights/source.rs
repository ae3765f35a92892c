//! The file of weights behind a path: the weights themselves, a folder or an archive that holds them, and the JSON that lies beside them.

use std::path::{Path, PathBuf};

use super::archive::{MOST_BYTES, Zip, tar_gz};
use super::torch;
use crate::ModelError;

/// Endings of files that may be weights.
const ENDINGS: [&str; 9] =
    [".safetensors.zst", ".safetensors", ".pth.tar", ".pth", ".pt", ".ckpt", ".hdf5", ".h5", ".nqx"];

/// A file of weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    /// Path, and the member within an archive.
    pub name: String,
    /// Its name for users: the file's stem, or the folder's name where all such files have one name.
    pub title: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The content of the JSON beside it.
    pub companion: Option<Vec<u8>>,
}

/// Finds the weights at `path`; `member` picks one of several.
///
/// # Errors
/// Nothing there, no weights in it or several, or an archive that is damaged.
pub(super) fn find(path: &Path, member: Option<&str>) -> Result<Source, ModelError> {
    let shown = path.display().to_string();
    let fault = ModelError::weights(&shown);
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(ModelError::io(path))?;
        let names: Vec<String> =
            entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect();
        let chosen = choose(&names, member).map_err(|e| fault(e.into()))?;
        let companion = companions(chosen).into_iter().find(|c| names.contains(c));
        let companion = companion.map(|c| read(&path.join(c))).transpose()?;
        let folder = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(Source {
            name: path.join(chosen).display().to_string(),
            title: title(&format!("{folder}/{chosen}")),
            bytes: read(&path.join(chosen))?,
            companion,
        });
    }
    let bytes = read(path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let members = tar_gz(&bytes, |name| is_weights(name) || name.ends_with(".json")).map_err(&fault)?;
        let names: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
        let chosen = choose(&names, member).map_err(|e| fault(e.into()))?;
        let content = |name: &str| members.iter().find(|(n, _)| n == name).map(|(_, content)| content.clone());
        return Ok(Source {
            name: format!("{shown}: {chosen}"),
            title: title(chosen),
            bytes: content(chosen).unwrap_or_default(),
            companion: companions(chosen).iter().find_map(|c| content(c)),
        });
    }
    if Zip::looks_like(&bytes) {
        let mut archive = Zip::open(&bytes).map_err(&fault)?;
        let names = archive.names();
        if !torch::is_checkpoint(&names) {
            let chosen = choose(&names, member).map_err(|e| fault(e.into()))?;
            let mut content = |name: &str| archive.read(name).map_err(&fault);
            let companion = companions(chosen).into_iter().find(|c| names.contains(c));
            return Ok(Source {
                name: format!("{shown}: {chosen}"),
                title: title(chosen),
                bytes: content(chosen)?,
                companion: companion.map(|c| content(&c)).transpose()?,
            });
        }
    }
    let here = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let beside = |name: &String| absolute.with_file_name(name);
    let companion = companions(&here).iter().map(beside).find(|p: &PathBuf| p.is_file());
    Ok(Source {
        name: shown.clone(),
        title: title(&absolute.display().to_string()),
        bytes,
        companion: companion.map(|c| read(&c)).transpose()?,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    let size = std::fs::metadata(path).map_err(ModelError::io(path))?.len();
    if size > MOST_BYTES as u64 {
        return Err(ModelError::io(path)(format!("{size} bytes, more than any file of weights")));
    }
    std::fs::read(path).map_err(ModelError::io(path))
}

fn is_weights(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The one file of weights among `names`, or the one that `member` names.
fn choose<'a>(names: &'a [String], member: Option<&str>) -> Result<&'a str, String> {
    if let Some(member) = member {
        let found = names.iter().find(|n| *n == member || n.ends_with(&format!("/{member}")));
        return found.map(String::as_str).ok_or_else(|| format!("it has no member {member}"));
    }
    let mut found: Vec<&str> = names.iter().map(String::as_str).filter(|n| is_weights(n)).collect();
    // matgl's model.pt holds settings; the weights are state.pt beside it.
    let state = |n: &str| n.strip_suffix("model.pt").map(|folder| format!("{folder}state.pt"));
    found.retain(|n| !state(n).is_some_and(|state| names.contains(&state)));
    // The wheel of CHGNet holds older weights and those of another functional too; this is what it loads itself.
    let usual = |n: &&str| n.contains("chgnet/pretrained/0.3.0/");
    if found.len() > 1 && found.iter().filter(|n| usual(n)).count() == 1 {
        found.retain(usual);
    }
    match found[..] {
        [one] => Ok(one),
        [] => Err(format!("no weights in it; they end in {}", ENDINGS.join(", "))),
        _ => {
            found.sort_unstable();
            let shown = found.iter().take(8).copied().collect::<Vec<_>>().join(", ");
            Err(format!("{} files of weights in it; name one with --member: {shown}", found.len()))
        }
    }
}

/// Where the settings of a file of weights may stand.
fn companions(name: &str) -> [String; 5] {
    let (folder, file) = name.rsplit_once('/').map_or(("", name), |(folder, file)| (folder, file));
    let at = |file: &str| if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
    // The second is what the original MEGNet calls it.
    let [own, keras, bare] =
        [file, &format!("{}.hdf5", stem(file)), stem(file)].map(|name| at(&format!("{name}.json")));
    [own, keras, bare, at("model.json"), at("config.json")]
}

/// A file's name without its ending.
fn stem(file: &str) -> &str {
    ENDINGS.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file)
}

fn title(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let stem = stem(parts.next().unwrap_or_default()).to_owned();
    match stem.as_str() {
        "state" | "model" | "best_model" | "checkpoint" | "weights" | "my_model" => {
            parts.next().filter(|folder| !folder.is_empty()).map_or(stem, str::to_owned)
        }
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::super::archive::tests::zip;
    use super::*;

    #[test]
    fn a_folder_of_matgl_has_weights_settings_and_a_title() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("MEGNet-Eform");
        std::fs::create_dir(&at).unwrap();
        for (name, content) in [("state.pt", "w"), ("model.pt", "s"), ("model.json", "{}"), ("README.md", "")] {
            std::fs::write(at.join(name), content).unwrap();
        }
        for path in [at.clone(), at.join("state.pt")] {
            let source = find(&path, None).unwrap();
            assert_eq!((source.title.as_str(), &source.bytes[..]), ("MEGNet-Eform", &b"w"[..]));
            assert_eq!(source.companion.as_deref(), Some(&b"{}"[..]));
        }
    }

    #[test]
    fn of_the_wheel_of_chgnet_its_own_choice_is_taken() {
        let names = ["0.2.0/a", "0.3.0/b", "r2scan/c"].map(|n| format!("chgnet/pretrained/{n}.pth.tar"));
        assert_eq!(choose(&names, None), Ok("chgnet/pretrained/0.3.0/b.pth.tar"));
        assert_eq!(choose(&names, Some("c.pth.tar")), Ok("chgnet/pretrained/r2scan/c.pth.tar"));
    }

    #[test]
    fn a_wheel_with_several_asks_which() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("p-1.whl");
        let members: [(&str, &[u8]); 4] =
            [("p/a.hdf5", b"A"), ("p/a.hdf5.json", b"{}"), ("p/b.pt", b"B"), ("p/__init__.py", b"")];
        std::fs::write(&wheel, zip(&members, true)).unwrap();
        let message = find(&wheel, None).unwrap_err().to_string();
        assert!(message.contains("2 files") && message.contains("--member: p/a.hdf5, p/b.pt"), "{message}");
        let source = find(&wheel, Some("a.hdf5")).unwrap();
        assert_eq!((&source.bytes[..], source.companion.as_deref()), (&b"A"[..], Some(&b"{}"[..])));
        assert!(find(&wheel, Some("c.pt")).unwrap_err().to_string().contains("no member c.pt"));
        let bare = folder.path().join("bare.zip");
        std::fs::write(&bare, zip(&[("readme", b"")], false)).unwrap();
        assert!(find(&bare, None).unwrap_err().to_string().contains("no weights in it"));
        assert!(matches!(find(&folder.path().join("none.pt"), None), Err(ModelError::Io { .. })));
    }
}
