//! One data block: its items and its loops, as far as a crystal needs them.

use super::lexer::{Kind, Lexer, Token};
use crate::FormatError;

/// Beginnings of the data names that are kept. The others are skipped, and faults in their values do not matter: real files are careless
/// with the quotes of authors and titles.
const KEPT: [&str; 6] =
    ["_cell", "_atom_site", "_symmetry", "_space_group", "_parent_space_group", "_chemical_formula_sum"];

/// A data block.
pub(super) struct Block<'a> {
    pub name: &'a str,
    pub line: usize,
    /// The lexer, for the places of errors.
    pub lexer: Lexer<'a>,
    items: Vec<(&'a str, Token<'a>)>,
    loops: Vec<Loop<'a>>,
}

/// A table of a data block: `tags.len()` values a row.
pub(super) struct Loop<'a> {
    pub line: usize,
    tags: Vec<&'a str>,
    values: Vec<Token<'a>>,
}

impl<'a> Loop<'a> {
    pub fn column(&self, name: &str) -> Option<usize> {
        self.tags.iter().position(|tag| same(tag, name))
    }

    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[Token<'a>]> {
        self.values.chunks_exact(self.tags.len())
    }
}

impl<'a> Block<'a> {
    /// The next block of the text; `None` at its end. After an error the lexer stands at the next heading.
    pub fn read(lexer: &mut Lexer<'a>) -> Option<Result<Self, (usize, FormatError)>> {
        let mut start = lexer.clone();
        let first = match start.next() {
            Ok(first) => first?,
            Err(e) => {
                lexer.skip_to_heading();
                return Some(Err((start.line, e)));
            }
        };
        if first.kind != Kind::Data {
            let message = format!("expected a heading 'data_NAME' before '{}'", clip(first.text));
            let error = lexer.error(&first, message);
            lexer.skip_to_heading();
            return Some(Err((first.line, error)));
        }
        *lexer = start;
        let mut block =
            Self { name: first.text, line: first.line, lexer: lexer.clone(), items: Vec::new(), loops: Vec::new() };
        Some(match block.fill(lexer) {
            Ok(()) => Ok(block),
            Err(e) => {
                lexer.skip_to_heading();
                Err((first.line, e))
            }
        })
    }

    fn fill(&mut self, lexer: &mut Lexer<'a>) -> Result<(), FormatError> {
        let mut ahead = lexer.next()?;
        while let Some(token) = ahead {
            match token.kind {
                Kind::Data => {
                    (lexer.at, lexer.line) = (token.at, token.line);
                    return Ok(());
                }
                Kind::Reserved => ahead = lexer.next()?,
                Kind::Loop => ahead = self.table(token, lexer)?,
                Kind::Tag => {
                    lexer.lenient = !kept(token.text);
                    let mut after = lexer.clone();
                    let Some(value) = after.next()?.filter(Token::is_value) else {
                        if lexer.lenient {
                            ahead = lexer.next()?;
                            continue;
                        }
                        let message = format!("{} has no value; write ? where it is unknown", token.text);
                        return Err(lexer.error(&token, message));
                    };
                    *lexer = after;
                    if kept(token.text) {
                        self.keep(token, value)?;
                    }
                    ahead = lexer.next()?;
                }
                Kind::Bare | Kind::Quoted if lexer.lenient => ahead = lexer.next()?,
                Kind::Bare | Kind::Quoted => {
                    let message = format!(
                        "expected a data name or loop_, found '{}'; a value of several words needs quotes",
                        clip(token.text)
                    );
                    return Err(lexer.error(&token, message));
                }
            }
        }
        Ok(())
    }

    /// Keeps an item; given twice it must have the same value, or none the other time.
    fn keep(&mut self, tag: Token<'a>, value: Token<'a>) -> Result<(), FormatError> {
        match self.items.iter_mut().find(|(name, _)| same(name, tag.text)) {
            None => self.items.push((tag.text, value)),
            Some((_, kept)) if kept.known().is_none() => *kept = value,
            Some((_, kept)) if value.known().is_none() || value.text == kept.text => {}
            Some((_, kept)) => {
                let message = format!(
                    "{} is given twice in data block '{}', as '{}' and as '{}'",
                    tag.text,
                    self.name,
                    clip(kept.text),
                    clip(value.text)
                );
                return Err(self.lexer.error(&tag, message));
            }
        }
        Ok(())
    }

    /// A loop after its `loop_`; returns the token that ends it.
    fn table(&mut self, opening: Token<'a>, lexer: &mut Lexer<'a>) -> Result<Option<Token<'a>>, FormatError> {
        let mut tags: Vec<&'a str> = Vec::new();
        let mut keep = false;
        let mut ahead = lexer.next()?;
        while let Some(token) = ahead.filter(|t| t.kind == Kind::Tag) {
            if tags.iter().any(|tag| same(tag, token.text)) {
                return Err(lexer.error(&token, format!("{} is given twice in one loop", token.text)));
            }
            tags.push(token.text);
            keep |= kept(token.text);
            lexer.lenient = !keep;
            ahead = lexer.next()?;
        }
        if tags.is_empty() {
            (lexer.at, lexer.line) = (opening.at, opening.line);
            return Err(lexer.error(&opening, "loop_ is followed by no data name"));
        }
        let (mut values, mut count, mut last) = (Vec::new(), 0, opening);
        while let Some(token) = ahead.filter(Token::is_value) {
            if keep {
                values.push(token);
            }
            (count, last) = (count + 1, token);
            ahead = lexer.next()?;
        }
        if keep && count % tags.len() != 0 {
            // The token that ends the loop may be the next heading: give it back.
            (lexer.at, lexer.line) = (last.at, last.line);
            // Most loops have a row a line: the first line with another number of values is the faulty one.
            let faulty =
                values.chunk_by(|a, b| a.line == b.line).find(|row| row.len() != tags.len()).map_or(last, |row| row[0]);
            let found = values.iter().filter(|v| v.line == faulty.line).count().max(1);
            let message = format!(
                "this loop has {} columns from {} and {count} values, which fill no whole number of rows; this line has {found}",
                tags.len(),
                tags[0],
            );
            return Err(lexer.error(&faulty, message));
        }
        if keep {
            self.loops.push(Loop { line: opening.line, tags, values });
        }
        Ok(ahead)
    }

    /// The value of a data name outside loops, where it is known.
    pub fn item(&self, name: &str) -> Option<Token<'a>> {
        self.items.iter().find(|(tag, _)| same(tag, name)).map(|(_, value)| *value).filter(|v| v.known().is_some())
    }

    /// The first known value of several names for one thing, outside loops or in a loop of one row.
    pub fn first(&self, names: &[&str]) -> Option<Token<'a>> {
        let single = |name: &&str| {
            let table = self.table_of(name)?;
            let row = table.rows().next().filter(|_| table.rows().len() == 1)?;
            row.get(table.column(name)?).copied().filter(|v| v.known().is_some())
        };
        names.iter().find_map(|name| self.item(name)).or_else(|| names.iter().find_map(single))
    }

    /// Every data name with its value: an item's, or the first known one of a column.
    pub fn names(&self) -> impl Iterator<Item = (&'a str, Token<'a>)> {
        let items = self.items.iter().copied().filter(|(_, value)| value.known().is_some());
        let columns = self.loops.iter().flat_map(|table| {
            let first = move |k: usize| table.rows().map(|row| row[k]).find(|value| value.known().is_some());
            table.tags.iter().enumerate().filter_map(move |(k, tag)| Some((*tag, first(k)?)))
        });
        items.chain(columns)
    }

    /// The loop that has a column of this name.
    pub fn table_of(&self, name: &str) -> Option<&Loop<'a>> {
        self.loops.iter().find(|l| l.column(name).is_some())
    }

    /// Whether the block has a cell or sites, and so is meant as a crystal.
    pub fn is_crystal(&self) -> bool {
        self.items.iter().any(|(tag, _)| starts(tag, "_cell_length") || starts(tag, "_atom_site"))
            || self.loops.iter().any(|l| l.tags.iter().any(|tag| starts(tag, "_atom_site_")))
    }
}

/// Data names are the same in any case; DDLm dictionaries write `_cell.length_a`.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && starts(a, b)
}

/// Whether a data name begins so.
pub(super) fn starts(name: &str, prefix: &str) -> bool {
    let plain = |c: u8| if c == b'.' { b'_' } else { c.to_ascii_lowercase() };
    name.len() >= prefix.len() && name.bytes().zip(prefix.bytes()).all(|(a, b)| plain(a) == plain(b))
}

fn kept(name: &str) -> bool {
    KEPT.iter().any(|prefix| starts(name, prefix)) && !starts(name, "_atom_site_aniso")
}

/// The head of a text, for messages.
pub(super) fn clip(text: &str) -> String {
    let head: String = text.chars().take(40).collect();
    if head.len() < text.len() { format!("{head}…") } else { head }
}
