//! Triples that the user names: a table with the columns `host`, `inserted`, `ion`, `n` and `channel`.
//!
//! Host and inserted are names of calculations, the ion an element; `n` and `channel` may be empty. They are not searched for: that the
//! frameworks are the same is taken from the user. Settings, convergence and the number of ions are checked as usual.

use serde::Deserialize;

use super::{Member, Reduced, References, Triple, Triples, alike::difference, framework, others, triple};
use crystal::Element;
use formats::FormatError;
use formats::vasp::Run;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Name of the host's calculation.
    pub host: String,
    /// Name of the calculation with the ions.
    pub inserted: String,
    /// Symbol of the ion.
    pub ion: String,
    /// Ions in the cell, beside those of the host; checked where it is given.
    #[serde(default)]
    pub n: Option<u32>,
    /// The tunnel.
    #[serde(default)]
    pub channel: Option<String>,
    /// Line of the file, from 1.
    #[serde(skip)]
    pub line: usize,
}

/// Reads the table.
///
/// # Errors
/// The line and what is wrong with it.
pub fn read_triples(text: &str) -> Result<Vec<Asked>, FormatError> {
    let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let fault = |e: csv::Error| {
        let line = e.position().map_or(1, |p| p.line() as usize);
        let message = format!("{e}; expected the columns host, inserted, ion and, where they are known, n and channel");
        FormatError::syntax(line, 0, message)
    };
    let header = table.headers().map_err(fault)?.clone();
    let mut rows = Vec::new();
    for record in table.records() {
        let record = record.map_err(fault)?;
        let mut row: Asked = record.deserialize(Some(&header)).map_err(fault)?;
        row.line = record.position().map_or(0, |p| p.line() as usize);
        rows.push(row);
    }
    Ok(rows)
}

/// The triples that `rows` name among `runs`. A row that cannot be one is in the second list, by its line.
pub fn given(runs: &[Run], references: &References, rows: &[Asked]) -> (Triples, Vec<(usize, String)>) {
    let (mut triples, mut refused) = (Triples::default(), Vec::new());
    for row in rows {
        match one(runs, references, row) {
            Ok(triple) => triples.found.push(triple),
            Err(reason) => refused.push((row.line, format!("{} with {}: {reason}", row.host, row.ion))),
        }
    }
    (triples, refused)
}

fn one(runs: &[Run], references: &References, row: &Asked) -> Result<Triple, String> {
    let ion = Element::from_symbol(&row.ion).map_err(|e| e.to_string())?;
    let member = |name: &str| -> Result<Member, String> {
        let mut named = runs.iter().enumerate().filter(|(_, run)| run.name == name);
        let (k, of) = named.next().ok_or_else(|| format!("no calculation is called {name}"))?;
        if named.next().is_some() {
            return Err(format!("several calculations are called {name}; import their folders one by one"));
        }
        let framework = framework(&of.structure, ion).ok_or_else(|| format!("{name} is nothing but {ion}"))?;
        if let Some(fault) = of.fault() {
            return Err(format!("{name}: {fault}"));
        }
        let ions = of.structure.len() - framework.len();
        Ok(Member { run: k, of, ions, framework: framework.len(), reduced: Reduced::of(&framework) })
    };
    let (host, inserted) = (member(&row.host)?, member(&row.inserted)?);
    let (a, b) = (host.of.structure.composition(), inserted.of.structure.composition());
    let ratio = others(&b, ion) / others(&a, ion);
    let same = a.iter().chain(b.iter()).all(|(e, _)| e == ion || (b.amount(e) - ratio * a.amount(e)).abs() < 1e-9);
    if !same {
        return Err(format!("{a} and {b} differ by more than {ion}"));
    }
    if let Some(difference) = difference(host.of, inserted.of) {
        return Err(format!("{} was computed otherwise: {difference}", host.of.name));
    }
    let mut found = triple(runs, references, ion, &host, &inserted)?;
    if let Some(n) = row.n.filter(|n| *n != found.n) {
        return Err(format!("n is {n}, and {} holds {} {ion} more than {}", row.inserted, found.n, row.host));
    }
    found.channel = row.channel.clone().filter(|c| !c.is_empty());
    Ok(found)
}
