//! `vasprun.xml`: what VASP computed, read element by element, so that a file of gigabytes takes the memory of one ionic step.
//!
//! | element | what is taken |
//! |---|---|
//! | `generator` | version |
//! | `incar`, `parameters` | tags as requested, and as used; the latter count, where present |
//! | `kpoints` | mesh and number |
//! | `atominfo` | kinds of atoms and their pseudopotentials |
//! | `structure name="initialpos"` | the crystal before |
//! | `calculation` | an ionic step: electronic steps (`scstep`), crystal, forces, stress, energy |
//!
//! Densities of states, eigenvalues and projections are passed over. A file that does not end with `</modeling>` is of a run
//! that has not ended, or a copy that was cut short, and is refused.

mod xml;

use std::path::Path;

use super::vasp::{self, Kpoints, Run, Settings, Species, Tags};
use super::{at_line, source};
use crate::FormatError;
use crystal::Element;
use xml::{Item, Tag, Xml};

/// Reads a calculation under a name.
///
/// # Errors
/// Line and reason: where the text departs from XML, ends early, or lacks what a calculation has.
pub(super) fn read(path: &Path, name: &str) -> Result<Run, FormatError> {
    let mut xml = Xml::new(source::open(path)?);
    let mut found = Found::default();
    found.document(&mut xml)?;
    let hash = xml.finish()?;
    found.run(path, name, hash)
}

/// What has been read so far.
#[derive(Default)]
struct Found {
    version: String,
    requested: Tags,
    used: Tags,
    kpoints: Option<Kpoints>,
    species: Vec<Species>,
    sites: Vec<Element>,
    initial: Option<vasp::Geometry>,
    steps: usize,
    last: Option<Step>,
    end: usize,
}

/// An ionic step.
#[derive(Default)]
struct Step {
    line: usize,
    electronic: usize,
    /// Energies of the last electronic step, as text.
    inner: Energies,
    outer: Energies,
    geometry: Option<vasp::Geometry>,
    forces: Option<Vec<[f64; 3]>>,
    stress: Option<Vec<[f64; 3]>>,
}

/// The energies of a step, parsed only when needed: the first electronic steps of a bad start overflow.
#[derive(Default)]
struct Energies {
    line: usize,
    free: Option<String>,
    zero: Option<String>,
}

impl Energies {
    /// Free energy and the one that is labelled σ→0, eV.
    fn read(&self, what: &str) -> Result<(f64, f64), FormatError> {
        let number = |text: &Option<String>, name: &str| match text {
            Some(text) => vasp::exactly::<1>(text)
                .map(|[x]| x)
                .map_err(|e| FormatError::syntax(self.line, 0, format!("{name} of {what}: {e}"))),
            None => Err(FormatError::syntax(self.line, 0, format!("{what} has no {name}"))),
        };
        Ok((number(&self.free, "e_fr_energy")?, number(&self.zero, "e_0_energy")?))
    }
}

impl Found {
    fn document(&mut self, xml: &mut Xml) -> Result<(), FormatError> {
        match xml.next("the file")? {
            Item::Open(root) if root.tag == "modeling" => {}
            Item::Open(root) => {
                return Err(xml.error(format!("expected <modeling>, found <{}>; this is not a vasprun.xml", root.tag)));
            }
            _ => return Err(xml.error("expected <modeling>; this is not a vasprun.xml")),
        }
        xml.children("modeling", |xml, child| match (child.tag.as_str(), child.name.as_deref()) {
            ("generator", _) => self.generator(xml),
            ("incar", _) => tags(xml, "incar", &mut self.requested),
            ("parameters", _) => tags(xml, "parameters", &mut self.used),
            ("kpoints", _) if self.kpoints.is_none() => {
                self.kpoints = Some(kpoints(xml)?);
                Ok(())
            }
            ("atominfo", _) => self.atoms(xml),
            ("structure", Some("initialpos")) => {
                self.initial = Some(geometry(xml)?);
                Ok(())
            }
            ("calculation", _) => {
                self.last = Some(step(xml)?);
                self.steps += 1;
                Ok(())
            }
            _ => xml.skip(&child),
        })?;
        self.end = xml.line();
        Ok(())
    }

    fn generator(&mut self, xml: &mut Xml) -> Result<(), FormatError> {
        let mut found = Tags::default();
        tags(xml, "generator", &mut found)?;
        match found.0.get("PROGRAM").map(String::as_str) {
            Some("vasp") => {}
            other => return Err(xml.error(format!("the program is '{}', expected vasp", other.unwrap_or("not named")))),
        }
        self.version = found.0.remove("VERSION").unwrap_or_default();
        Ok(())
    }

    /// Kinds of atoms, and which of them stands at each site.
    fn atoms(&mut self, xml: &mut Xml) -> Result<(), FormatError> {
        let (mut announced, mut kinds) = (None, Vec::new());
        xml.children("atominfo", |xml, child| match (child.tag.as_str(), child.name.as_deref()) {
            ("atoms", _) => {
                let text = xml.text(&child)?;
                announced = Some(
                    text.trim()
                        .parse::<usize>()
                        .map_err(|_| xml.error(format!("atoms is '{text}', expected a number")))?,
                );
                Ok(())
            }
            ("array", Some("atoms")) => rows(xml, &child, |xml, cells| {
                let [_, kind] = cells else { return Err(xml.error("an atom has an element and a kind")) };
                kinds.push(
                    kind.parse::<usize>()
                        .map_err(|_| xml.error(format!("kind of atom is '{kind}', expected a number")))?,
                );
                Ok(())
            }),
            ("array", Some("atomtypes")) => rows(xml, &child, |xml, cells| {
                let [count, symbol, _, valence, potcar] = cells else {
                    return Err(xml.error("a kind of atom has count, element, mass, valence and pseudopotential"));
                };
                let number = |text: &str| vasp::exactly::<1>(text).map(|[x]| x).map_err(|e| xml.error(e));
                let kind =
                    Species::new(potcar, number(count)? as usize, number(valence)?).map_err(at_line(xml.line()))?;
                // VASP cuts symbols that stand unusually in the POTCAR: X for Xe, r for Zr.
                if !kind.element.symbol().contains(symbol.as_str()) {
                    return Err(xml.error(format!("the element is {symbol}, its pseudopotential {}", kind.potcar)));
                }
                self.species.push(kind);
                Ok(())
            }),
            _ => xml.skip(&child),
        })?;
        self.sites = vasp::sites(&self.species, xml.line())?;
        let expected = self.species.iter().enumerate().flat_map(|(k, s)| std::iter::repeat_n(k + 1, s.count));
        if announced != Some(kinds.len()) || !kinds.iter().copied().eq(expected) {
            let counts: Vec<String> = self.species.iter().map(|s| s.count.to_string()).collect();
            let message = format!("{} atoms are listed, and their kinds count {}", kinds.len(), counts.join(" + "));
            return Err(xml.error(message));
        }
        Ok(())
    }

    fn run(self, path: &Path, name: &str, hash: crystal::ContentHash) -> Result<Run, FormatError> {
        let end = self.end;
        let missing = |what: &str| FormatError::syntax(end, 0, format!("the file has no {what}"));
        if self.species.is_empty() {
            return Err(missing("<atominfo>"));
        }
        let last = self.last.ok_or_else(|| missing("<calculation>: VASP stopped before its first step"))?;
        let step =
            FormatError::syntax(last.line, 0, "the last ionic step has no electronic step; it was stopped in between");
        if last.electronic == 0 {
            return Err(step);
        }
        let (inner_free, inner_zero) = last.inner.read("the last electronic step")?;
        let (free_energy, _) = last.outer.read("the last ionic step")?;
        let geometry =
            last.geometry.ok_or_else(|| FormatError::syntax(last.line, 0, "the ionic step has no <structure>"))?;
        let natoms = self.sites.len();
        if let Some(forces) = last.forces.as_ref().filter(|f| f.len() != natoms) {
            let message = format!("{} forces for {natoms} atoms", forces.len());
            return Err(FormatError::syntax(last.line, 0, message));
        }
        let stress = match last.stress {
            Some(rows) => {
                let n = rows.len();
                let message = || FormatError::syntax(last.line, 0, format!("the stress has {n} rows, expected 3"));
                Some(vasp::stress(rows.try_into().map_err(|_| message())?))
            }
            None => None,
        };
        // The requested tags include some that older versions do not list among those used, and have Hubbard terms for all kinds of atoms,
        // where the list of those used may be cut.
        let mut all = Tags::default();
        for tag in ["LDAUL", "LDAUU", "LDAUJ"] {
            if let Some(text) = self.requested.0.get(tag) {
                all.enter(tag, text);
            }
        }
        let all = all.or(self.used).or(self.requested);
        let settings = Settings::new(&all, self.species, self.kpoints.unwrap_or_default(), free_energy - inner_free)
            .map_err(|message| FormatError::syntax(end, 0, message))?;
        let initial = self.initial.as_ref().unwrap_or(&geometry);
        Ok(Run {
            name: name.to_owned(),
            path: path.to_owned(),
            hash,
            version: Some(self.version),
            initial: vasp::structure(initial, &self.sites, false)?,
            structure: vasp::structure(&geometry, &self.sites, false)?,
            energy: free_energy + (inner_zero - inner_free),
            free_energy,
            forces: last.forces,
            stress,
            magmoms: None,
            magnetization: None,
            ionic_steps: self.steps,
            electronic_steps: last.electronic,
            electronic_converged: last.electronic < settings.nelm.max(0) as usize,
            ionic_converged: vasp::ions_at_rest(&settings, self.steps, false),
            settings,
        })
    }
}

/// Every `<i>` and `<v>` below an element, however deep.
fn tags(xml: &mut Xml, inside: &str, into: &mut Tags) -> Result<(), FormatError> {
    xml.children(inside, |xml, child| match (child.tag.as_str(), &child.name) {
        ("i" | "v", Some(name)) => {
            let text = xml.text(&child)?;
            into.enter(name, &text);
            Ok(())
        }
        ("separator", _) => tags(xml, "separator", into),
        _ => xml.skip(&child),
    })
}

fn kpoints(xml: &mut Xml) -> Result<Kpoints, FormatError> {
    let mut found = Kpoints::default();
    xml.children("kpoints", |xml, child| match (child.tag.as_str(), child.name.as_deref()) {
        ("generation", _) => {
            found.scheme = child.param.clone();
            xml.children("generation", |xml, child| match (child.tag.as_str(), child.name.as_deref()) {
                ("v", Some("divisions")) => {
                    let text = xml.text(&child)?;
                    let mesh = vasp::exactly::<3>(&text).map_err(|e| xml.error(format!("divisions: {e}")))?;
                    found.mesh = Some(mesh.map(|n| n as i32));
                    Ok(())
                }
                _ => xml.skip(&child),
            })
        }
        ("varray", Some("kpointlist")) => {
            found.count = vectors(xml)?.len();
            Ok(())
        }
        _ => xml.skip(&child),
    })?;
    Ok(found)
}

fn step(xml: &mut Xml) -> Result<Step, FormatError> {
    let mut step = Step { line: xml.line(), ..Step::default() };
    xml.children("calculation", |xml, child| match (child.tag.as_str(), child.name.as_deref()) {
        ("scstep", _) => {
            step.electronic += 1;
            step.inner = Energies::default();
            xml.children("scstep", |xml, child| match child.tag.as_str() {
                "energy" => energies(xml, &mut step.inner),
                _ => xml.skip(&child),
            })
        }
        ("energy", _) => energies(xml, &mut step.outer),
        ("structure", _) => {
            step.geometry = Some(geometry(xml)?);
            Ok(())
        }
        ("varray", Some("forces")) => {
            step.forces = Some(vectors(xml)?);
            Ok(())
        }
        ("varray", Some("stress")) => {
            step.stress = Some(vectors(xml)?);
            Ok(())
        }
        _ => xml.skip(&child),
    })?;
    Ok(step)
}

fn energies(xml: &mut Xml, into: &mut Energies) -> Result<(), FormatError> {
    into.line = xml.line();
    xml.children("energy", |xml, child| match child.name.as_deref() {
        Some("e_fr_energy") => {
            into.free = Some(xml.text(&child)?);
            Ok(())
        }
        Some("e_0_energy") => {
            into.zero = Some(xml.text(&child)?);
            Ok(())
        }
        _ => xml.skip(&child),
    })
}

/// A `<structure>`: cell and fractional positions.
fn geometry(xml: &mut Xml) -> Result<vasp::Geometry, FormatError> {
    let mut found = vasp::Geometry { line: xml.line(), ..vasp::Geometry::default() };
    xml.children("structure", |xml, child| match (child.tag.as_str(), child.name.as_deref()) {
        ("crystal", _) => xml.children("crystal", |xml, child| match child.name.as_deref() {
            Some("basis") => {
                found.rows = vectors(xml)?;
                Ok(())
            }
            _ => xml.skip(&child),
        }),
        ("varray", Some("positions")) => {
            found.sites = vectors(xml)?;
            Ok(())
        }
        _ => xml.skip(&child),
    })?;
    Ok(found)
}

/// The rows of a `<varray>`, three numbers each.
fn vectors(xml: &mut Xml) -> Result<Vec<[f64; 3]>, FormatError> {
    let mut found = Vec::new();
    xml.children("varray", |xml, child| {
        let text = xml.text(&child)?;
        if found.len() >= super::MAX_ATOMS {
            return Err(xml.error(format!("more than {} rows", super::MAX_ATOMS)));
        }
        found.push(vasp::exactly(&text).map_err(|e| xml.error(e))?);
        Ok(())
    })?;
    Ok(found)
}

/// The rows `<rc>` of an `<array>`: what their cells `<c>` hold.
fn rows(
    xml: &mut Xml,
    array: &Tag,
    mut row: impl FnMut(&Xml, &[String]) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    xml.children(&array.tag, |xml, child| match child.tag.as_str() {
        "set" => xml.children("set", |xml, _| {
            let mut cells = Vec::new();
            xml.children("rc", |xml, cell| {
                cells.push(xml.text(&cell)?.trim().to_owned());
                Ok(())
            })?;
            row(xml, &cells)
        }),
        _ => xml.skip(&child),
    })
}

#[cfg(test)]
mod tests;
