//! Elements as files write them: `Ti`, `Ti4+`, `O2-`, `Fe3`, `TI1`, `O1A`, `Ti_sv`. Deuterium and tritium, `D` and `T`, are hydrogen;
//! [`is_isotope`] recognises them, for a note.

use crystal::CrystalError;
use crystal::{Composition, Element};

/// The element at the head of a type symbol (`Ti4+`, `TI`, `O2-`) or a pseudopotential's name (`Ti_sv`). The letters up to the
/// first other character must be the symbol; the charge after it does not matter.
pub(super) fn element_of_symbol(text: &str) -> Result<Element, CrystalError> {
    let text = text.trim();
    let letters = head(text);
    if is_isotope(text) {
        return Ok(Element::H);
    }
    symbol(letters).ok_or_else(|| CrystalError::UnknownElement(text.to_owned()))
}

/// The letters at the head of a symbol or label.
fn head(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_alphabetic).count()]
}

/// Whether a symbol or label is that of deuterium or tritium.
pub(super) fn is_isotope(text: &str) -> bool {
    matches!(head(text.trim()), "D" | "T")
}

/// The element of a site label (`Ti1`, `O1A`, `OW2`, `NB3`): the longest symbol at its head. In capitals two letters may be one
/// element or an element and a letter (`CO1`): `formula`, where the file gives one, decides. `D1` and `T1` are hydrogen where a
/// formula with hydrogen stands beside them: they label sites of garnets and zeolites, too.
pub(super) fn element_of_label(label: &str, formula: Option<&Composition>) -> Result<Element, CrystalError> {
    // Mineralogists label a water molecule `Wat`: no tungsten.
    if label.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("wat")) {
        return Err(CrystalError::UnknownElement(label.to_owned()));
    }
    if is_isotope(label) && formula.is_some_and(|f| f.amount(Element::H) > 0.0) {
        return Ok(Element::H);
    }
    let letters = &label[..label.bytes().take_while(u8::is_ascii_alphabetic).take(2).count()];
    let candidates = [letters, &letters[..letters.len().min(1)]].map(symbol);
    let known = |e: &Element| formula.is_none_or(|f| f.amount(*e) > 0.0);
    let mut found = candidates.iter().flatten();
    found
        .clone()
        .find(|e| known(e))
        .or_else(|| found.next())
        .copied()
        .ok_or_else(|| CrystalError::UnknownElement(label.to_owned()))
}

/// The element of a whole symbol in any case.
fn symbol(letters: &str) -> Option<Element> {
    if let Ok(element) = Element::from_symbol(letters) {
        return Some(element);
    }
    let mut usual = letters.to_ascii_lowercase();
    usual.get_mut(..1)?.make_ascii_uppercase();
    Element::from_symbol(&usual).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_symbols() {
        for (text, expected) in
            [("Ti4+", "Ti"), ("O2-", "O"), ("Fe3", "Fe"), ("MN", "Mn"), ("Ti_sv", "Ti"), ("W", "W"), ("O0+", "O")]
        {
            assert_eq!(element_of_symbol(text).unwrap().symbol(), expected, "{text}");
        }
        for text in ["D", "D+", "T1-", "H1+"] {
            assert_eq!((element_of_symbol(text), is_isotope(text)), (Ok(Element::H), !text.starts_with('H')), "{text}");
        }
        for text in ["", "4+", "Xx", "Tix", "é", "d", "Dx"] {
            assert!(element_of_symbol(text).is_err(), "{text}");
        }
    }

    #[test]
    fn labels_are_settled_by_the_formula() {
        let of = |label: &str, formula: &str| {
            let formula = Composition::parse(formula).ok();
            element_of_label(label, formula.as_ref()).map(Element::symbol)
        };
        assert_eq!(of("O1A", "TiO2"), Ok("O"));
        assert_eq!(of("CO1", "LiCoO2"), Ok("Co"));
        assert_eq!(of("CO1", "CaCO3"), Ok("C"));
        assert_eq!(of("OW2", ""), Ok("O"));
        assert_eq!(of("NB3", ""), Ok("Nb"));
        assert_eq!(of("D1", "D2O"), Ok("H"));
        assert!(of("D1", "").is_err() && of("T1", "SiO2").is_err() && of("TI1", "TiH2") == Ok("Ti"));
        assert!(of("Wat1", "").is_err() && of("W1", "") == Ok("W"));
        assert!(of("Q1", "").is_err() && of("1", "").is_err() && of("é1", "").is_err());
    }
}
