//! Compositions: reading a formula, printing it, reducing it.

use std::collections::BTreeMap;

use super::Element;
use crate::CrystalError;

/// Amounts of elements, in the order of atomic number. Amounts are positive and may be fractions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Composition {
    amounts: BTreeMap<Element, f64>,
}

/// Amounts nearer to a whole number than this are printed and reduced as that number.
const WHOLE: f64 = 1e-6;
/// Deepest nesting of groups in a formula; real ones need three.
const MAX_DEPTH: usize = 32;

impl Composition {
    /// Composition of a list of atoms.
    pub fn from_elements(atoms: &[Element]) -> Self {
        let mut amounts = BTreeMap::new();
        for &atom in atoms {
            *amounts.entry(atom).or_insert(0.0) += 1.0;
        }
        Self { amounts }
    }

    /// Reads a formula: symbols with amounts, groups in (), [] or {}, fractions, spaces, hydrates with `·`, `*` or `.`
    /// before the water (`CaSO4·2H2O`). D and T, deuterium and tritium, are hydrogen.
    ///
    /// # Errors
    /// The column and what was expected there.
    pub fn parse(formula: &str) -> Result<Self, CrystalError> {
        Reader { formula, chars: formula.chars().collect(), at: 0, depth: 0 }.formula()
    }

    /// Elements and their amounts, by atomic number.
    pub fn iter(&self) -> impl Iterator<Item = (Element, f64)> + '_ {
        self.amounts.iter().map(|(&e, &n)| (e, n))
    }

    /// Amount of one element; 0 where it is absent.
    pub fn amount(&self, element: Element) -> f64 {
        self.amounts.get(&element).copied().unwrap_or(0.0)
    }

    /// Number of different elements.
    pub fn nelements(&self) -> usize {
        self.amounts.len()
    }

    /// Sum of the amounts.
    pub fn natoms(&self) -> f64 {
        self.amounts.values().sum()
    }

    /// Mass, u.
    pub fn mass(&self) -> f64 {
        self.iter().map(|(e, n)| n * e.mass()).sum()
    }

    /// The chemical system: symbols in alphabetical order joined by '-', for instance `Li-Mn-O`.
    pub fn chemsys(&self) -> String {
        let mut symbols: Vec<_> = self.amounts.keys().map(|e| e.symbol()).collect();
        symbols.sort_unstable();
        symbols.join("-")
    }

    /// Divided by the greatest common divisor of its amounts; unchanged where an amount is not a whole number.
    pub fn reduced(&self) -> Self {
        let whole = |n: f64| ((n - n.round()).abs() < WHOLE && n.round() >= 1.0).then(|| n.round() as u64);
        let divisor = self.amounts.values().try_fold(0, |divisor, &n| Some(gcd(divisor, whole(n)?)));
        match divisor {
            Some(divisor) if divisor > 0 => {
                let amounts = self.amounts.iter().map(|(&e, &n)| (e, n.round() / divisor as f64)).collect();
                Self { amounts }
            }
            _ => self.clone(),
        }
    }

    /// Whether both hold the same elements in the same proportions, to a relative tolerance.
    pub fn same_proportions(&self, other: &Self, tolerance: f64) -> bool {
        let (n, m) = (self.natoms(), other.natoms());
        self.nelements() == other.nelements()
            && self.iter().all(|(e, amount)| (amount / n - other.amount(e) / m).abs() <= tolerance)
    }

    /// The formula with the amounts as they are, from the most electropositive element to the most electronegative
    /// (pymatgen's order); elements without an electronegativity come last.
    pub fn formula(&self) -> String {
        let mut parts: Vec<_> = self.iter().collect();
        parts.sort_by(|(a, _), (b, _)| {
            let x = |e: &Element| e.electronegativity().unwrap_or(f64::INFINITY);
            x(a).total_cmp(&x(b)).then(a.symbol().cmp(b.symbol()))
        });
        parts.iter().map(|(e, n)| format!("{e}{}", amount_text(*n))).collect()
    }

    /// Formula of [`Composition::reduced`], for instance `TiO2` for a cell of Ti2O4.
    pub fn reduced_formula(&self) -> String {
        self.reduced().formula()
    }
}

impl FromIterator<(Element, f64)> for Composition {
    /// Amounts of one element add up.
    fn from_iter<T: IntoIterator<Item = (Element, f64)>>(amounts: T) -> Self {
        let mut sums = BTreeMap::new();
        for (element, amount) in amounts {
            *sums.entry(element).or_insert(0.0) += amount;
        }
        Self { amounts: sums }
    }
}

impl std::fmt::Display for Composition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.formula())
    }
}

/// The greatest common divisor.
pub fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// An amount as printed after a symbol: nothing for 1, up to six decimals for what is not whole.
pub fn amount_text(n: f64) -> String {
    if (n - 1.0).abs() < WHOLE {
        String::new()
    } else if (n - n.round()).abs() < WHOLE {
        format!("{:.0}", n.round())
    } else {
        format!("{:.6}", n).trim_end_matches('0').to_owned()
    }
}

struct Reader<'a> {
    formula: &'a str,
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn error(&self, message: impl Into<String>) -> CrystalError {
        CrystalError::Formula { formula: self.formula.to_owned(), column: self.at + 1, message: message.into() }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn formula(mut self) -> Result<Composition, CrystalError> {
        let mut total = BTreeMap::new();
        loop {
            // After a hydrate dot the whole part may carry a factor: 2H2O.
            let factor = self.amount()?.unwrap_or(1.0);
            let part = self.group(None)?;
            add(&mut total, &part, factor);
            match self.peek() {
                Some('·' | '•' | '*' | '.') => self.at += 1,
                Some(c) => return Err(self.error(format!("'{c}' closes nothing; expected an element"))),
                None => return Ok(Composition { amounts: total }),
            }
        }
    }

    /// Symbols and groups up to `closing` (or the end, or a hydrate dot).
    fn group(&mut self, closing: Option<char>) -> Result<BTreeMap<Element, f64>, CrystalError> {
        let mut amounts = BTreeMap::new();
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() || c == '_' => self.at += 1,
                Some(c @ ('(' | '[' | '{')) => {
                    if self.depth == MAX_DEPTH {
                        return Err(self.error(format!("groups are nested deeper than {MAX_DEPTH}")));
                    }
                    self.at += 1;
                    self.depth += 1;
                    let inner = self.group(Some(match c {
                        '(' => ')',
                        '[' => ']',
                        _ => '}',
                    }))?;
                    self.depth -= 1;
                    let factor = self.amount()?.unwrap_or(1.0);
                    add(&mut amounts, &inner, factor);
                }
                Some(c) if c.is_ascii_uppercase() => {
                    let element = self.element()?;
                    let amount = self.amount()?.unwrap_or(1.0);
                    *amounts.entry(element).or_insert(0.0) += amount;
                }
                end if end == closing || (closing.is_none() && !end.is_some_and(char::is_alphanumeric)) => {
                    if amounts.is_empty() {
                        return Err(self.error("expected an element symbol"));
                    }
                    if closing.is_some() {
                        self.at += 1;
                    }
                    return Ok(amounts);
                }
                Some(c) => return Err(self.error(format!("expected an element symbol, found '{c}'"))),
                None => {
                    let closing = closing.unwrap_or(' ');
                    return Err(self.error(format!("expected '{closing}' before the end")));
                }
            }
        }
    }

    fn element(&mut self) -> Result<Element, CrystalError> {
        let first = self.chars[self.at];
        let second = self.chars.get(self.at + 1).filter(|c| c.is_ascii_lowercase());
        let symbol: String = std::iter::once(first).chain(second.copied()).collect();
        let element = match symbol.as_str() {
            "D" | "T" => Element::H,
            symbol => Element::from_symbol(symbol).map_err(|e| self.error(e.to_string()))?,
        };
        self.at += symbol.len();
        Ok(element)
    }

    /// The amount at this place, spaces before it allowed: `Ti 2 O 4`.
    fn amount(&mut self) -> Result<Option<f64>, CrystalError> {
        let before = self.at;
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let start = self.at;
        let is_part =
            |c: char, next: Option<char>| c.is_ascii_digit() || (c == '.' && next.is_some_and(|n| n.is_ascii_digit()));
        while self.peek().is_some_and(|c| is_part(c, self.chars.get(self.at + 1).copied())) {
            self.at += 1;
        }
        if start == self.at {
            self.at = before;
            return Ok(None);
        }
        let text: String = self.chars[start..self.at].iter().collect();
        match text.parse::<f64>() {
            Ok(n) if n > 0.0 && n.is_finite() => Ok(Some(n)),
            _ => {
                self.at = start;
                Err(self.error(format!("'{text}' is not a positive amount")))
            }
        }
    }
}

fn add(total: &mut BTreeMap<Element, f64>, part: &BTreeMap<Element, f64>, factor: f64) {
    for (&element, amount) in part {
        *total.entry(element).or_insert(0.0) += amount * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(formula: &str) -> Vec<(&'static str, f64)> {
        Composition::parse(formula).unwrap().iter().map(|(e, n)| (e.symbol(), n)).collect()
    }

    #[test]
    fn formulas_of_the_field() {
        assert_eq!(amounts("Nb12WO33"), [("O", 33.0), ("Nb", 12.0), ("W", 1.0)]);
        assert_eq!(amounts("Ca(OH)2"), [("H", 2.0), ("O", 2.0), ("Ca", 1.0)]);
        assert_eq!(amounts("K2[Fe(CN)6]"), [("C", 6.0), ("N", 6.0), ("K", 2.0), ("Fe", 1.0)]);
        assert_eq!(amounts("Li0.5CoO2"), [("Li", 0.5), ("O", 2.0), ("Co", 1.0)]);
        assert_eq!(amounts("CaSO4·2H2O"), [("H", 4.0), ("O", 6.0), ("S", 1.0), ("Ca", 1.0)]);
        assert_eq!(amounts("Ti 2  O 4"), [("O", 4.0), ("Ti", 2.0)]);
    }

    #[test]
    fn faults_have_a_column() {
        for (formula, column) in [("Xx2O", 1), ("TiO2)", 5), ("Ti(O2", 6), ("", 1), ("ti", 1), ("TiO0", 4), ("Ti%", 3)]
        {
            match Composition::parse(formula) {
                Err(CrystalError::Formula { column: found, .. }) => assert_eq!(found, column, "{formula}"),
                other => panic!("{formula}: {other:?}"),
            }
        }
    }

    #[test]
    fn reduced_formula_is_ordered_by_electronegativity() {
        let of = |f: &str| Composition::parse(f).unwrap().reduced_formula();
        assert_eq!(of("O4Ti2"), "TiO2");
        assert_eq!(of("O8Fe2Li2P2"), "LiFePO4");
        assert_eq!(of("Li0.5CoO2"), "Li0.5CoO2");
        assert_eq!(Composition::parse("O4Ti2").unwrap().formula(), "Ti2O4");
        assert_eq!(Composition::parse("MnLi2O4").unwrap().chemsys(), "Li-Mn-O");
    }

    #[test]
    fn proportions_ignore_the_number_of_formula_units() {
        let [a, b, c] = ["Ti2O4", "TiO2", "Ti2O3"].map(|f| Composition::parse(f).unwrap());
        assert!(a.same_proportions(&b, 1e-9) && !a.same_proportions(&c, 1e-3));
    }
}
