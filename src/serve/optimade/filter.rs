//! The filter language of OPTIMADE 1.2 (specification, "API Filtering Format Specification"; grammar v1.2.0), read into a tree.
//!
//! ```text
//! elements HAS ALL "Mn","O" AND NOT nelements > 3 AND (_hollandite_void > 0.5 OR chemical_formula_anonymous STARTS WITH "A2B")
//! ```
//! What the specification leaves optional and a table has no use for (values in correlated lists, operators before the values of a
//! list) is understood and refused as not supported.

use crate::error::{Kind, Refusal};

/// How deep conditions may be nested.
const DEEPEST: usize = 64;

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// `nsites > 3`; where the value comes first, turned around.
    Compare {
        property: String,
        operator: Comparison,
        value: Value,
    },
    /// `IS KNOWN`, `IS UNKNOWN`.
    Known {
        property: String,
        known: bool,
    },
    /// A part of a text.
    Part {
        property: String,
        part: Part,
        value: Value,
    },
    /// What a list holds.
    Has {
        property: String,
        which: Which,
        values: Vec<Value>,
    },
    /// How long a list is.
    Length {
        property: String,
        operator: Comparison,
        length: i64,
    },
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Comparison {
    /// The same with its sides exchanged.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }
}

/// Where in a text a part of it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Anywhere,
    First,
    Last,
}

/// Which of some values a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    Any,
    /// All that it holds are among them.
    Only,
}

/// A value, or the property that has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Number(f64),
    Flag(bool),
    Property(String),
}

impl Filter {
    /// The condition of a text; `None` where nothing is asked.
    ///
    /// # Errors
    /// Where the text is no filter, with the column; or what is not supported.
    pub fn parse(text: &str) -> Result<Option<Self>, Refusal> {
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Ok(None);
        }
        let mut reader = Reader { text, tokens, next: 0, depth: 0 };
        let filter = reader.expression()?;
        match reader.peek() {
            None => Ok(Some(filter)),
            Some(_) => Err(reader.expected("AND, OR or the end")),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A property, `a` or `a.b`.
    Name(String),
    /// In capitals.
    Word(String),
    Value(Value),
    Operator(Comparison),
    /// `(`, `)`, `,` or `:`.
    Sign(char),
}

/// The tokens of a text, with the columns at which they begin, from 1.
fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Refusal> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&c) = chars.get(at) {
        let begin = at;
        let run = |from: usize, of: fn(char) -> bool| chars[from..].iter().take_while(|c| of(**c)).count();
        let token = match c {
            _ if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' | ')' | ',' | ':' => {
                at += 1;
                Token::Sign(c)
            }
            '"' => Token::Value(Value::Text(quoted(&chars, &mut at)?)),
            '=' | '<' | '>' | '!' => Token::Operator(operator(&chars, &mut at)?),
            'a'..='z' | '_' => {
                at += run(at, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.+".contains(c));
                Token::Name(chars[begin..at].iter().collect())
            }
            'A'..='Z' => {
                at += run(at, |c| c.is_ascii_uppercase());
                match chars[begin..at].iter().collect::<String>() {
                    word if word == "TRUE" || word == "FALSE" => Token::Value(Value::Flag(word == "TRUE")),
                    word => Token::Word(word),
                }
            }
            '+' | '-' | '.' | '0'..='9' => {
                at += 1;
                while let Some(&c) = chars.get(at) {
                    let exponent = matches!(chars[at - 1], 'e' | 'E');
                    if !(c.is_ascii_digit() || ".eE".contains(c) || (exponent && "+-".contains(c))) {
                        break;
                    }
                    at += 1;
                }
                Token::Value(number(&chars[begin..at].iter().collect::<String>(), begin)?)
            }
            other => return Err(wrong(begin, &format!("'{other}' begins no name, value or operator"))),
        };
        tokens.push((token, begin + 1));
    }
    Ok(tokens)
}

fn wrong(at: usize, what: &str) -> Refusal {
    Refusal::bad(format!("the filter, at column {}: {what}", at + 1))
}

/// A text between quotes, in which a backslash lets a quote or backslash stand for itself.
fn quoted(chars: &[char], at: &mut usize) -> Result<String, Refusal> {
    let begin = *at;
    let mut text = String::new();
    loop {
        *at += 1;
        match chars.get(*at) {
            Some('"') => break,
            Some('\\') => {
                *at += 1;
                text.extend(chars.get(*at));
            }
            Some(c) => text.push(*c),
            None => return Err(wrong(begin, "the text that begins here has no closing quote")),
        }
    }
    *at += 1;
    Ok(text)
}

fn operator(chars: &[char], at: &mut usize) -> Result<Comparison, Refusal> {
    let equal = chars.get(*at + 1) == Some(&'=');
    let found = match (chars[*at], equal) {
        ('=', _) => Comparison::Equal,
        ('!', true) => Comparison::Unequal,
        ('<', true) => Comparison::AtMost,
        ('<', false) => Comparison::Less,
        ('>', true) => Comparison::AtLeast,
        ('>', false) => Comparison::Greater,
        _ => return Err(wrong(*at, "! is no operator; unequal is !=")),
    };
    *at += if equal && found != Comparison::Equal { 2 } else { 1 };
    Ok(found)
}

fn number(text: &str, at: usize) -> Result<Value, Refusal> {
    if let Ok(whole) = text.parse() {
        return Ok(Value::Whole(whole));
    }
    let number: Option<f64> = text.parse().ok().filter(|x: &f64| x.is_finite());
    number.map(Value::Number).ok_or_else(|| wrong(at, &format!("'{text}' is no number")))
}

/// Reads tokens by the rules of the grammar.
struct Reader<'a> {
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    /// Takes a word, where it is the next.
    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.next += usize::from(found);
        found
    }

    fn operator(&mut self) -> Option<Comparison> {
        let Some(Token::Operator(found)) = self.peek() else { return None };
        let found = *found;
        self.next += 1;
        Some(found)
    }

    fn expected(&self, what: &str) -> Refusal {
        let at = self.tokens.get(self.next).map_or(self.text.chars().count() + 1, |(_, at)| *at);
        wrong(at - 1, &format!("expected {what}"))
    }

    fn expression(&mut self) -> Result<Filter, Refusal> {
        let mut any = vec![self.clause()?];
        while self.word("OR") {
            any.push(self.clause()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Filter::Or(any) })
    }

    fn clause(&mut self) -> Result<Filter, Refusal> {
        let mut all = vec![self.phrase()?];
        while self.word("AND") {
            all.push(self.phrase()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
    }

    fn phrase(&mut self) -> Result<Filter, Refusal> {
        if self.word("NOT") {
            return Ok(Filter::Not(Box::new(self.bare_phrase()?)));
        }
        self.bare_phrase()
    }

    fn bare_phrase(&mut self) -> Result<Filter, Refusal> {
        if !self.sign('(') {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Refusal::bad(format!("the filter has conditions more than {DEEPEST} deep within one another")));
        }
        let inner = self.expression()?;
        self.depth -= 1;
        if self.sign(')') { Ok(inner) } else { Err(self.expected(")")) }
    }

    fn comparison(&mut self) -> Result<Filter, Refusal> {
        match self.peek() {
            Some(Token::Name(_)) => {
                let property = self.property()?;
                self.of_property(property)
            }
            Some(Token::Value(_)) => {
                let value = self.value()?;
                let operator = self.operator().ok_or_else(|| self.expected("an operator"))?;
                match self.value()? {
                    Value::Property(property) => Ok(Filter::Compare { property, operator: operator.turned(), value }),
                    _ => Err(Refusal::bad("the filter compares two values; one of them must be a property")),
                }
            }
            _ => Err(self.expected("a property, a value, NOT or (")),
        }
    }

    fn property(&mut self) -> Result<String, Refusal> {
        match self.take() {
            Some(Token::Name(name)) => Ok(name),
            _ => {
                self.next -= 1;
                Err(self.expected("a property"))
            }
        }
    }

    fn value(&mut self) -> Result<Value, Refusal> {
        match self.take() {
            Some(Token::Value(value)) => Ok(value),
            Some(Token::Name(name)) => Ok(Value::Property(name)),
            _ => {
                self.next -= 1;
                Err(self.expected("a value"))
            }
        }
    }

    fn of_property(&mut self, property: String) -> Result<Filter, Refusal> {
        if let Some(operator) = self.operator() {
            return Ok(Filter::Compare { property, operator, value: self.value()? });
        }
        let Some(Token::Word(word)) = self.peek().cloned() else {
            if self.peek() == Some(&Token::Sign(':')) {
                return Err(unsupported("lists that belong together (a:b HAS ..)"));
            }
            return Err(self.expected("an operator, HAS, LENGTH, CONTAINS, STARTS, ENDS or IS"));
        };
        self.next += 1;
        match word.as_str() {
            "IS" => {
                let known = self.word("KNOWN");
                if !known && !self.word("UNKNOWN") {
                    return Err(self.expected("KNOWN or UNKNOWN"));
                }
                Ok(Filter::Known { property, known })
            }
            "CONTAINS" => Ok(Filter::Part { property, part: Part::Anywhere, value: self.value()? }),
            "STARTS" | "ENDS" => {
                self.word("WITH");
                let part = if word == "STARTS" { Part::First } else { Part::Last };
                Ok(Filter::Part { property, part, value: self.value()? })
            }
            "LENGTH" => {
                let operator = self.operator().unwrap_or(Comparison::Equal);
                match self.value()? {
                    Value::Whole(length) => Ok(Filter::Length { property, operator, length }),
                    _ => Err(Refusal::bad("after LENGTH the filter needs a whole number")),
                }
            }
            "HAS" => self.has(property),
            _ => {
                self.next -= 1;
                Err(self.expected("an operator, HAS, LENGTH, CONTAINS, STARTS, ENDS or IS"))
            }
        }
    }

    fn has(&mut self, property: String) -> Result<Filter, Refusal> {
        let words = [("ALL", Which::All), ("ANY", Which::Any), ("ONLY", Which::Only)];
        let which = words.into_iter().find(|(word, _)| self.word(word)).map(|(_, which)| which);
        let mut values = Vec::new();
        loop {
            if self.operator().is_some() {
                return Err(unsupported("operators before the values of a list (HAS < 3)"));
            }
            values.push(self.value()?);
            if self.peek() == Some(&Token::Sign(':')) {
                return Err(unsupported("values that belong together (HAS a:b)"));
            }
            if which.is_none() || !self.sign(',') {
                return Ok(Filter::Has { property, which: which.unwrap_or(Which::All), values });
            }
        }
    }
}

/// A part of the language that the specification leaves optional.
pub(super) fn unsupported(what: &str) -> Refusal {
    Refusal::new(Kind::Unsupported, format!("filters with {what} are not supported here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Filter {
        Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).unwrap()
    }

    fn compare(property: &str, operator: Comparison, value: Value) -> Filter {
        Filter::Compare { property: property.into(), operator, value }
    }

    #[test]
    fn examples_of_the_specification_are_read() {
        for text in [
            "nelements > 3",
            "chemical_formula_hill = \"H2O\" AND chemical_formula_anonymous != \"AB\"",
            "_exmpl_aax <= +.1e8 OR nelements >= 10 AND NOT ( _exmpl_x != \"Some string\" OR NOT _exmpl_a = 7)",
            "_exmpl_spacegroup=\"P2\"",
            "_exmpl_cell_volume<100.0",
            "_exmpl_bandgap > 5.0 AND _exmpl_molecular_weight < 350",
            "_exmpl_melting_point<300 AND nelements=4 AND chemical_formula_descriptive=\"SiO2\"",
            "_exmpl_some_string_property = 42 AND 5 < _exmpl_a",
            "((NOT (_exmpl_a>_exmpl_b)) AND _exmpl_x>0)",
            "NOT chemical_formula_anonymous CONTAINS \"C\" AND chemical_formula_reduced STARTS WITH \"O\"",
            "chemical_formula_reduced ENDS \"O2\" AND elements HAS ONLY \"H\",\"He\"",
            "elements LENGTH >= 3 AND species.chemical_symbols IS KNOWN",
            "key=TRUE AND other=FALSE",
        ] {
            parse(text);
        }
        assert_eq!(Filter::parse(" \t").unwrap(), None);
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        let [a, b, c] = ["a", "b", "c"].map(|name| compare(name, Comparison::Equal, Value::Whole(1)));
        let all = Filter::And(vec![Filter::Not(Box::new(b)), c]);
        assert_eq!(parse("a=1 OR NOT b=1 AND c=1"), Filter::Or(vec![a, all]));
    }

    #[test]
    fn values_have_their_types_and_come_first_where_they_please() {
        assert_eq!(parse("3 < a"), compare("a", Comparison::Greater, Value::Whole(3)));
        assert_eq!(parse("a >= -2.5e-1"), compare("a", Comparison::AtLeast, Value::Number(-0.25)));
        assert_eq!(parse("a = \"x\\\"y\\\\\""), compare("a", Comparison::Equal, Value::Text("x\"y\\".into())));
        assert_eq!(parse("a = b.c"), compare("a", Comparison::Equal, Value::Property("b.c".into())));
    }

    #[test]
    fn what_is_no_filter_is_refused_where_it_is_wrong() {
        for (text, said) in [
            ("nelements >", "column 12: expected a value"),
            ("nelements", "column 10: expected an operator"),
            ("(a=1", "column 5: expected )"),
            ("a=1 b=2", "column 5: expected AND"),
            ("a=\"x", "column 3: the text that begins here"),
            ("a=1.2.3", "'1.2.3' is no number"),
            ("a ! 1", "! is no operator"),
            ("a IS NULL", "expected KNOWN"),
            ("a=1 §", "'§' begins no"),
            ("1 = 2", "one of them must be a property"),
            ("elements LENGTH \"x\"", "whole number"),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert!(error.kind == Kind::Bad && error.message.contains(said), "{text}: {error}");
        }
        let deep = format!("{}a=1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(Filter::parse(&deep).unwrap_err().message.contains("deep"));
    }

    #[test]
    fn optional_parts_are_not_supported_by_name() {
        for text in ["elements HAS < \"H\"", "a:b HAS 1:2", "a HAS ALL 1:2"] {
            assert_eq!(Filter::parse(text).unwrap_err().kind, Kind::Unsupported, "{text}");
        }
    }
}
