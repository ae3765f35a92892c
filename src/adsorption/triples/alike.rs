//! Whether two calculations were done alike, so that their energies have a common zero.

use crystal::Element;
use formats::vasp::{HubbardU, Run, Settings};

/// Cutoffs that differ by less than this are equal, eV.
const SAME_CUTOFF: f64 = 1e-3;

/// The first setting by which the energies of a host and of an inserted crystal may not be compared; `None` where they may.
/// Pseudopotentials and Hubbard terms are compared for the elements that both have.
pub(super) fn difference(host: &Run, inserted: &Run) -> Option<String> {
    let (a, b) = (&host.settings, &inserted.settings);
    let says =
        |what: &str, there: &str, here: &str| (there != here).then(|| format!("{what} {there} there, {here} here"));
    says("functional", &a.functional, &b.functional)
        .or_else(|| cutoff(a, b))
        .or_else(|| says("ISPIN", &a.ispin.to_string(), &b.ispin.to_string()))
        .or_else(|| says("LNONCOLLINEAR", word(a.noncollinear), word(b.noncollinear)))
        .or_else(|| says("LASPH", word(a.lasph), word(b.lasph)))
        .or_else(|| {
            elements(a).into_iter().filter(|e| elements(b).contains(e)).find_map(|element| {
                let (u, v) = (hubbard(a, element), hubbard(b, element));
                says(&format!("pseudopotential of {element}"), &potcars(a, element), &potcars(b, element))
                    .or_else(|| says(&format!("U of {element}"), &u, &v))
            })
        })
}

/// The first setting by which the energy of a metal is no reference for an ion of a crystal.
pub(super) fn difference_of_metal(metal: &Run, crystal: &Run, ion: Element) -> Option<String> {
    let (a, b) = (&metal.settings, &crystal.settings);
    let (there, here) = (a.functional_without_u(), b.functional_without_u());
    if there != here {
        return Some(format!("functional {there} there, {here} here"));
    }
    let (there, here) = (potcars(a, ion), potcars(b, ion));
    cutoff(a, b).or_else(|| (there != here).then(|| format!("pseudopotential of {ion} {there} there, {here} here")))
}

fn cutoff(a: &Settings, b: &Settings) -> Option<String> {
    let same = (a.encut - b.encut).abs() < SAME_CUTOFF;
    (!same).then(|| format!("ENCUT {} eV there, {} eV here", a.encut, b.encut))
}

fn elements(of: &Settings) -> Vec<Element> {
    let mut elements: Vec<Element> = of.species.iter().map(|s| s.element).collect();
    elements.sort_unstable();
    elements.dedup();
    elements
}

/// The pseudopotentials of an element, which may be split over several kinds of atoms.
pub(super) fn potcars(of: &Settings, element: Element) -> String {
    let mut titles: Vec<&str> = of.species.iter().filter(|s| s.element == element).map(|s| s.potcar.as_str()).collect();
    titles.sort_unstable();
    titles.dedup();
    titles.join(" and ")
}

/// The Hubbard terms of an element, in words.
fn hubbard(of: &Settings, element: Element) -> String {
    let term =
        |h: &HubbardU| format!("{} eV (J {} eV, l {}, LDAUTYPE {})", h.u, h.j, h.l, of.hubbard_type.unwrap_or(2));
    let mut terms: Vec<String> = of.hubbard.iter().filter(|h| h.element == element).map(term).collect();
    terms.sort_unstable();
    if terms.is_empty() { "none".into() } else { terms.join(" and ") }
}

fn word(set: bool) -> &'static str {
    if set { "T" } else { "F" }
}
