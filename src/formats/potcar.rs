//! How many valence electrons each element brings into a VASP calculation: the `ZVAL` of its pseudopotential, which a POTCAR
//! states and an OUTCAR repeats.

use std::path::Path;

use super::{Rejection, source::Lines, species::element_of_symbol};
use crate::FormatError;
use crystal::Element;

/// The potentials of a POTCAR or an OUTCAR in their order: element and number of valence electrons. Of an OUTCAR no more is
/// read than its head.
///
/// # Errors
/// A file that cannot be read, that states no ZVAL, or that stops before one.
pub fn read_valences(path: &Path) -> Result<Vec<(Element, f64)>, Rejection> {
    let read = || valences(Lines::open(path)?);
    read().map_err(|error| Rejection::new(path, None, &error, "", 1))
}

fn valences(mut lines: Lines) -> Result<Vec<(Element, f64)>, FormatError> {
    let (mut found, mut element) = (Vec::new(), None);
    let mut last = 0;
    while let Some((number, line)) = lines.next() {
        let line = line?;
        last = number;
        if let Some((_, name)) = line.split_once("VRHFIN =") {
            let name = name.split(':').next().unwrap_or("");
            let read = element_of_symbol(name).map_err(|e| FormatError::syntax(number, 0, format!("VRHFIN: {e}")))?;
            element = Some(read);
        } else if let Some((_, value)) = line.split_once("ZVAL").filter(|_| line.contains("POMASS")) {
            let value = value.trim_start_matches([' ', '=']).split_whitespace().next().unwrap_or("");
            let electrons = value.parse().ok().filter(|z: &f64| z.is_finite() && *z > 0.0);
            match (element.take(), electrons) {
                (Some(element), Some(electrons)) => found.push((element, electrons)),
                (None, _) => {
                    return Err(FormatError::syntax(number, 0, "a ZVAL without the VRHFIN that names its element"));
                }
                (_, None) => {
                    return Err(FormatError::syntax(number, 0, format!("expected the number ZVAL, found '{value}'")));
                }
            }
        } else if line.contains("ions per type") {
            break;
        }
    }
    match element {
        Some(element) => Err(FormatError::syntax(
            last,
            0,
            format!("the file ends before the ZVAL of {}; fetch it again", element.symbol()),
        )),
        None if found.is_empty() => {
            Err(FormatError::syntax(last, 0, "no line POMASS ..; ZVAL .. : is this a POTCAR or an OUTCAR?"))
        }
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POTENTIAL: &str = "  PAW_PBE Mn 06Sep2000\n   VRHFIN =Mn: 3p4s3d\n   TITEL  = PAW_PBE Mn 06Sep2000\n   \
        POMASS =   54.938; ZVAL   =    7.000    mass and valenz\n   VRHFIN =O: s2p4\n   POMASS =   16.000; ZVAL   =    6.000    mass and valenz\n";

    fn read(text: &str) -> Result<Vec<(Element, f64)>, Rejection> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("POTCAR");
        std::fs::write(&path, text).unwrap();
        read_valences(&path)
    }

    #[test]
    fn potentials_in_their_order() {
        let pairs: Vec<(&str, f64)> = read(POTENTIAL).unwrap().iter().map(|(e, z)| (e.symbol(), *z)).collect();
        assert_eq!(pairs, [("Mn", 7.0), ("O", 6.0)]);
        // An OUTCAR repeats the numbers in another form further down.
        let outcar = format!("{POTENTIAL}   ions per type =               4   8\n   ZVAL   =   7.00  6.00\n");
        assert_eq!(read(&outcar).unwrap().len(), 2);
    }

    #[test]
    fn faults_are_located() {
        for (text, line, said) in [
            ("prose\n".to_owned(), 1, "is this a POTCAR"),
            (POTENTIAL.replace("VRHFIN =O", "VRHFIN =Ox"), 5, "'Ox' is not"),
            (POTENTIAL.replace("   6.000", "   none"), 6, "found 'none'"),
            (POTENTIAL.replace("   VRHFIN =O: s2p4\n", ""), 5, "without the VRHFIN"),
            (POTENTIAL.lines().take(5).collect::<Vec<_>>().join("\n"), 5, "before the ZVAL of O"),
        ] {
            let rejection = read(&text).unwrap_err();
            assert!(rejection.line == line && rejection.reason.contains(said), "{rejection}");
        }
    }
}
