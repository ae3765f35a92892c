//! The reader of the `.hosts` notation. A fault names its line and column, what was expected and what was found.

use std::collections::HashSet;

use super::{Host, Site, symbol};
use crate::{FormatError, Position};
use crystal::CrystalError;
use crystal::{Composition, Element, Lattice, MERGE_DISTANCE, Setting, Structure, WyckoffPosition, expand_sites, norm};

/// Names of the cell parameters, in the order of [`Lattice::parameters`].
pub(super) const CELL: [&str; 6] = ["a", "b", "c", "alpha", "beta", "gamma"];

/// A word and the column that it begins at, from 1.
type Word<'a> = (usize, &'a str);

/// Reads every host of a `.hosts` text.
///
/// # Errors
/// The first fault, with its line and column: an unknown field, element or space group, a cell that does not fit the crystal system,
/// a site whose images are not as many as stated or lie on another Wyckoff position, overlapping atoms, a cell that does not
/// hold the stated formula, a missing field, or an id used twice.
pub fn parse(text: &str) -> Result<Vec<Host>, FormatError> {
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let row = index + 1;
        let line = raw.split('#').next().unwrap_or_default().trim_end();
        let words = words(line);
        match (words.first(), drafts.last_mut()) {
            (None, _) => {}
            (Some((1, _)), _) => drafts.push(Draft::begin(row, line, &words)?),
            (Some(_), Some(draft)) => draft.field(row, line, &words)?,
            (Some((column, _)), None) => {
                let message = "a field before any host: expected 'id formula name' from the first column";
                return Err(FormatError::syntax(row, *column, message));
            }
        }
    }
    let mut ids = HashSet::new();
    drafts
        .into_iter()
        .map(|draft| match ids.insert(draft.id) {
            true => draft.finish(),
            false => Err(FormatError::syntax(draft.line, 1, format!("the id '{}' is used twice", draft.id))),
        })
        .collect()
}

/// A number as a decimal or as a fraction, `0.3046` or `1/3`.
pub(super) fn number(word: &str) -> Option<f64> {
    let value = match word.split_once('/') {
        Some((dividend, divisor)) => dividend.parse::<f64>().ok()? / divisor.parse::<f64>().ok()?,
        None => word.parse().ok()?,
    };
    value.is_finite().then_some(value)
}

/// Whether a parameter is free in the lattice of a setting; the others follow from it.
pub(super) fn free(setting: &Setting, parameter: &str) -> bool {
    let names: &[&str] = match setting.number {
        1..=2 => &CELL,
        3..=15 => match setting.choice.trim_start_matches('-').as_bytes().first() {
            Some(b'a') => &["a", "b", "c", "alpha"],
            Some(b'c') => &["a", "b", "c", "gamma"],
            _ => &["a", "b", "c", "beta"],
        },
        16..=74 => &["a", "b", "c"],
        143..=194 if setting.choice == "R" => &["a", "alpha"],
        75..=194 => &["a", "c"],
        _ => &["a"],
    };
    names.contains(&parameter)
}

/// A host while its fields are read.
struct Draft<'a> {
    line: usize,
    id: &'a str,
    formula: Word<'a>,
    name: &'a str,
    group: Option<(usize, &'static Setting)>,
    cell: Option<(usize, Vec<Word<'a>>)>,
    sites: Vec<(usize, Vec<Word<'a>>)>,
    density: Option<f64>,
    citation: Option<&'a str>,
    note: Option<&'a str>,
}

impl<'a> Draft<'a> {
    fn begin(row: usize, line: &'a str, words: &[Word<'a>]) -> Result<Self, FormatError> {
        let [(_, id), formula, _, ..] = words else {
            return Err(FormatError::syntax(row, 1, "expected 'id formula name': a host begins with all three"));
        };
        Ok(Self {
            line: row,
            id,
            formula: *formula,
            name: rest(line, words, 2),
            group: None,
            cell: None,
            sites: Vec::new(),
            density: None,
            citation: None,
            note: None,
        })
    }

    fn field(&mut self, row: usize, line: &'a str, words: &[Word<'a>]) -> Result<(), FormatError> {
        let Some(&(column, key)) = words.first() else { return Ok(()) };
        let content = rest(line, words, 1);
        let once = |taken: bool| match (taken, content.is_empty()) {
            (true, _) => {
                Err(FormatError::syntax(row, column, format!("the field '{key}' is given twice for '{}'", self.id)))
            }
            (_, true) => Err(FormatError::syntax(row, column, format!("the field '{key}' is empty"))),
            _ => Ok(()),
        };
        match key {
            "group" => {
                once(self.group.is_some())?;
                self.group = Some((row, group(content).map_err(|m| FormatError::syntax(row, words[1].0, m))?));
            }
            "cell" => {
                once(self.cell.is_some())?;
                self.cell = Some((row, words[1..].to_vec()));
            }
            "density" => {
                once(self.density.is_some())?;
                let density = number(words[1].1).filter(|d| *d > 0.0 && words.len() == 2);
                self.density = Some(density.ok_or_else(|| {
                    let message = format!("expected one density above 0 in g/cm³, found '{content}'");
                    FormatError::syntax(row, words[1].0, message)
                })?);
            }
            "cite" => {
                once(self.citation.is_some())?;
                self.citation = Some(content);
            }
            "note" => {
                once(self.note.is_some())?;
                self.note = Some(content);
            }
            _ if key.starts_with(|c: char| c.is_ascii_uppercase()) => self.sites.push((row, words.to_vec())),
            _ => {
                let message = format!(
                    "expected group, cell, density, cite, note or a site that begins with its element, found '{key}'"
                );
                return Err(FormatError::syntax(row, column, message));
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Host, FormatError> {
        let missing = |field| FormatError::syntax(self.line, 1, format!("host '{}' has no field '{field}'", self.id));
        let (_, setting) = self.group.ok_or_else(|| missing("group"))?;
        let (cell_line, cell) = self.cell.as_ref().ok_or_else(|| missing("cell"))?;
        let density_stated = self.density.ok_or_else(|| missing("density"))?;
        let citation = self.citation.ok_or_else(|| missing("cite"))?.to_owned();
        let lattice = lattice(setting, *cell_line, cell)?;

        let positions = setting.wyckoff_positions();
        let (mut sites, mut species, mut coords) = (Vec::new(), Vec::new(), Vec::new());
        for (line, words) in &self.sites {
            let site = site(*line, words)?;
            let images: Vec<_> =
                expand_sites(&lattice, setting.operations(), &[site.position]).into_iter().map(|(_, x)| x).collect();
            let near = |x: [f64; 3]| norm(lattice.to_cartesian(x)) < MERGE_DISTANCE;
            let holds = |p: &WyckoffPosition| images.iter().any(|&image| near(p.offset(image)));
            let stated = |p: &&WyckoffPosition| p.multiplicity == images.len() && holds(p);
            match positions.iter().find(stated) {
                Some(found) if (found.multiplicity, found.letter) == (site.multiplicity, site.letter) => {}
                found => {
                    let found = found.map_or(format!("{} images", images.len()), |p| {
                        format!("position {}{} ({})", p.multiplicity, p.letter, p.coordinates)
                    });
                    let message = format!(
                        "{} is stated on {}{} of {}, but its coordinates lie on {found}",
                        site.label,
                        site.multiplicity,
                        site.letter,
                        symbol(setting)
                    );
                    return Err(FormatError::syntax(*line, words[1].0, message));
                }
            }
            species.extend(std::iter::repeat_n(site.element, images.len()));
            coords.extend(images);
            sites.push(site);
        }
        let located = |source| FormatError::Crystal { at: Position { line: self.line, column: 0 }, source };
        let structure = Structure::new(lattice, species, coords).map_err(located)?;
        let (column, formula) = self.formula;
        let stated = Composition::parse(formula)
            .map_err(|e| FormatError::Crystal { at: Position { line: self.line, column }, source: e })?;
        if !stated.same_proportions(&structure.composition(), 1e-9) {
            let found = structure.composition().reduced_formula();
            let message = format!("the formula is stated as {formula}, but the cell holds {found}");
            return Err(FormatError::syntax(self.line, column, message));
        }
        Ok(Host {
            id: self.id.to_owned(),
            name: self.name.to_owned(),
            formula: formula.to_owned(),
            spacegroup: setting.number,
            symbol: setting.short.replace(' ', ""),
            density_stated,
            citation,
            note: self.note.map(str::to_owned),
            setting,
            sites,
            structure,
        })
    }
}

/// The words of a line with their columns in characters, from 1.
fn words(line: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut start = None;
    for (column, (at, c)) in line.char_indices().enumerate().chain([(0, (line.len(), ' '))]) {
        match (start, c.is_whitespace()) {
            (None, false) => start = Some((column + 1, at)),
            (Some((first, from)), true) => {
                found.push((first, &line[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// The line from its word `index` on.
fn rest<'a>(line: &'a str, words: &[Word<'a>], index: usize) -> &'a str {
    let Some((column, _)) = words.get(index) else { return "" };
    line.char_indices().nth(column - 1).map_or("", |(at, _)| &line[at..])
}

/// `P 42/m n m (136)` as a setting.
fn group(content: &str) -> Result<&'static Setting, String> {
    let parts = content.trim_end().strip_suffix(')').and_then(|c| c.rsplit_once('('));
    let (name, number) =
        parts
            .and_then(|(symbol, number)| Some((symbol.trim(), number.trim().parse::<u16>().ok()?)))
            .ok_or_else(|| format!("expected a symbol and its number such as 'P 42/m n m (136)', found '{content}'"))?;
    let mut found = Setting::of_symbol(name);
    found.retain(|setting| setting.number == number);
    match found[..] {
        [setting] => Ok(setting),
        [] => Err(format!("'{name}' is not a tabulated symbol of space group {number}")),
        _ => {
            let choices: Vec<_> = found.iter().copied().map(symbol).collect();
            Err(format!("'{name}' leaves the setting open; say which: {}", choices.join(", ")))
        }
    }
}

/// The lattice from exactly the free parameters of the setting.
fn lattice(setting: &Setting, line: usize, words: &[Word<'_>]) -> Result<Lattice, FormatError> {
    let mut given = [None; 6];
    let expected = || CELL.iter().filter(|p| free(setting, p)).copied().collect::<Vec<_>>().join(", ");
    for pair in words.chunks(2) {
        let (column, name) = pair[0];
        let slot = CELL.iter().position(|p| *p == name && free(setting, p)).filter(|&k| given[k].is_none());
        let Some(slot) = slot else {
            let message = format!("expected each of {} once for {}, found '{name}'", expected(), symbol(setting));
            return Err(FormatError::syntax(line, column, message));
        };
        let (column, value) = pair.get(1).copied().unwrap_or((column, ""));
        given[slot] = Some(number(value).ok_or_else(|| {
            FormatError::syntax(line, column, format!("expected a number after '{name}', found '{value}'"))
        })?);
    }
    if let Some(name) = CELL.iter().zip(given).find_map(|(p, g)| (free(setting, p) && g.is_none()).then_some(p)) {
        let message = format!("the cell has no '{name}': {} needs {}", symbol(setting), expected());
        return Err(FormatError::syntax(line, 0, message));
    }
    let a = given[0].unwrap_or(0.0);
    let hexagonal = (143..=194).contains(&setting.number) && setting.choice != "R";
    let alpha = given[3].unwrap_or(90.0);
    let (beta, gamma) = match setting.choice {
        "R" => (alpha, alpha),
        _ => (given[4].unwrap_or(90.0), given[5].unwrap_or(if hexagonal { 120.0 } else { 90.0 })),
    };
    Lattice::from_parameters(a, given[1].unwrap_or(a), given[2].unwrap_or(a), alpha, beta, gamma)
        .map_err(|source| FormatError::Crystal { at: Position { line, column: 0 }, source })
}

/// `O2 4f 0.3046 0.3046 0` as a site.
fn site(line: usize, words: &[Word<'_>]) -> Result<Site, FormatError> {
    let [(column, label), (place, position), coordinates @ ..] = words else {
        return Err(FormatError::syntax(line, words[0].0, "expected 'element multiplicity-and-letter x y z'"));
    };
    let symbol = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let element = Element::from_symbol(symbol)
        .map_err(|source: CrystalError| FormatError::Crystal { at: Position { line, column: *column }, source })?;
    let letter = position.chars().last().filter(char::is_ascii_alphabetic);
    let multiplicity = letter.and_then(|c| position.strip_suffix(c)).and_then(|m| m.parse().ok());
    let (Some(letter), Some(multiplicity)) = (letter, multiplicity) else {
        let message = format!("expected a multiplicity and a Wyckoff letter such as 4f, found '{position}'");
        return Err(FormatError::syntax(line, *place, message));
    };
    if coordinates.len() != 3 {
        let message = format!("site {label} has {} coordinates, expected 3", coordinates.len());
        return Err(FormatError::syntax(line, *place, message));
    }
    let mut at = [0.0; 3];
    for (x, (column, word)) in at.iter_mut().zip(coordinates) {
        *x = number(word).ok_or_else(|| {
            FormatError::syntax(line, *column, format!("expected a coordinate such as 0.3046 or 1/3, found '{word}'"))
        })?;
    }
    Ok(Site { label: (*label).to_owned(), element, multiplicity, letter, position: at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUTILE: &str = "\
rutile  TiO2  the mineral  # a comment
    group    P 42/m n m (136)
    cell     a 4.594  c 2.959
    Ti  2a   0      0      0
    O   4f   0.305  0.305  0
    density  4.25
    cite     Someone, Some Journal 1 (1900) 1
";

    #[test]
    fn a_host_expands_to_its_cell_and_prints_back() {
        let host = parse(RUTILE).unwrap().remove(0);
        assert_eq!((host.id.as_str(), host.name.as_str(), host.spacegroup), ("rutile", "the mineral", 136));
        assert_eq!(host.symbol, "P4_2/mnm");
        assert_eq!(host.structure.len(), 6);
        assert_eq!(parse(&host.to_string()).unwrap(), [host]);
    }

    #[test]
    fn rhombohedral_axes_give_the_primitive_cell() {
        let text = "hematite Fe2O3 on rhombohedral axes\n group R -3 c :R (167)\n cell a 5.43 alpha 55.28\n \
                    Fe 4c 0.3553 0.3553 0.3553\n O 6e 0.55 -0.05 1/4\n density 5.2\n cite X, Y 1 (1925) 2\n";
        let host = parse(text).unwrap().remove(0);
        assert_eq!(host.structure.len(), 10);
        assert_eq!(parse(&host.to_string()).unwrap(), [host]);
    }

    #[test]
    fn faults_name_line_column_and_remedy() {
        for (from, to, expected) in [
            (
                "P 42/m n m (136)",
                "P 42/m n m (137)",
                "line 2, column 14: 'P 42/m n m' is not a tabulated symbol of space group 137",
            ),
            (
                "P 42/m n m (136)",
                "F d -3 m (227)",
                "line 2, column 14: 'F d -3 m' leaves the setting open; say which: F d -3 m :1, F d -3 m :2",
            ),
            ("P 42/m n m (136)", "P 42/m n m", "line 2, column 14: expected a symbol and its number"),
            ("a 4.594  c 2.959", "a 4.594  b 4.594", "line 3, column 23: expected each of a, c once"),
            ("a 4.594  c 2.959", "a 4.594", "line 3: the cell has no 'c'"),
            ("a 4.594  c 2.959", "a 4.594  c x", "line 3, column 25: expected a number after 'c', found 'x'"),
            (
                "2a",
                "2b",
                "line 4, column 9: Ti is stated on 2b of P 4_2/m n m, but its coordinates lie on position 2a (0,0,0)",
            ),
            (
                "4f   0.305  0.305",
                "4f   0.305  0.345",
                "line 5, column 9: O is stated on 4f of P 4_2/m n m, but its coordinates lie on position 8i (x,y,0)",
            ),
            ("Ti  2a", "Tj  2a", "line 4, column 5: 'Tj' is not a chemical element"),
            (
                "Ti  2a",
                "Ti  a2",
                "line 4, column 9: expected a multiplicity and a Wyckoff letter such as 4f, found 'a2'",
            ),
            ("0.305  0.305  0", "0.305  0.305", "line 5, column 9: site O has 2 coordinates, expected 3"),
            (
                "0.305  0.305  0",
                "0.305  1/0  0",
                "line 5, column 21: expected a coordinate such as 0.3046 or 1/3, found '1/0'",
            ),
            ("TiO2", "Ti2O3", "line 1, column 9: the formula is stated as Ti2O3, but the cell holds TiO2"),
            ("density  4.25", "density  -1", "line 6, column 14: expected one density above 0"),
            ("density", "weight", "line 6, column 5: expected group, cell, density, cite, note or a site"),
            (
                "    cite     Someone, Some Journal 1 (1900) 1\n",
                "",
                "line 1, column 1: host 'rutile' has no field 'cite'",
            ),
            ("rutile  TiO2  the mineral", "rutile  TiO2", "line 1, column 1: expected 'id formula name'"),
            ("rutile  TiO2", "  rutile  TiO2", "line 1, column 3: a field before any host"),
        ] {
            assert!(RUTILE.contains(from), "{from}");
            let error = parse(&RUTILE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{from} -> {to}\n  expected {expected}\n  found    {error}");
        }
        let twice = parse(&format!("{RUTILE}{RUTILE}")).unwrap_err().to_string();
        assert_eq!(twice, "line 8, column 1: the id 'rutile' is used twice");
    }

    #[test]
    fn overlapping_sites_are_refused() {
        let text = RUTILE.replace("    density", "    O2  4f   0.31   0.31   0\n    density");
        assert!(matches!(parse(&text), Err(FormatError::Crystal { at: Position { line: 1, .. }, .. })));
    }
}
