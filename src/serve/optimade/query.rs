//! What is behind the `?` of a page.

use std::collections::BTreeSet;

use formats::OPTIMADE_PREFIX;

use super::filter::Filter;
use crate::error::{Kind, Refusal};
use crate::gate::Gate;
use crate::http::structures::decoded;

/// Entries of a page where no number is given, and most.
const PAGE: usize = 20;
const MOST: usize = 1000;

/// Farthest entry at which a page begins.
const FARTHEST: usize = 1_000_000_000;

/// The parameter that fixes the snapshot.
pub(super) const SNAPSHOT: &str = "_hollandite_snapshot";

/// Which entries are asked for, and what of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub filter: Option<Filter>,
    /// Names of properties; all that are stored where it is not given.
    pub fields: Option<BTreeSet<String>>,
    /// Names of properties, and whether the largest goes first.
    pub sort: Vec<(String, bool)>,
    pub limit: usize,
    pub offset: usize,
    pub snapshot: Option<i64>,
    pub warnings: Vec<String>,
}

impl Query {
    /// The parameters of a listing, or of a single entry, which are fewer.
    ///
    /// # Errors
    /// Unknown parameters, or values that they do not take.
    pub fn parse(gate: &Gate, text: &str, single: bool) -> Result<Self, Refusal> {
        let mut query = Self {
            filter: None,
            fields: None,
            sort: Vec::new(),
            limit: PAGE,
            offset: 0,
            snapshot: None,
            warnings: Vec::new(),
        };
        let mut page = None;
        let mut seen = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name, true)?, decoded(value, true)?);
            if seen.contains(&name) {
                return Err(Refusal::bad(format!("{name} is given twice")));
            }
            let whole = || value.parse::<usize>().map_err(|_| Refusal::bad(format!("{name} is a whole number from 0")));
            let names = || value.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            match name.as_str() {
                "filter" if !single => {
                    gate.check_text("filter", &value)?;
                    query.filter = Filter::parse(&value)?;
                }
                "sort" if !single => {
                    // What is sorted by once is sorted by.
                    let mut sorted = BTreeSet::new();
                    query.sort = names().map(direction).filter(|(name, _)| sorted.insert(name.clone())).collect();
                }
                "page_limit" if !single => query.limit = whole()?,
                "page_offset" if !single => query.offset = whole()?,
                "page_number" if !single => page = Some(whole()?.max(1) - 1),
                "response_fields" => query.fields = Some(names().collect()),
                "response_format" if value == "json" => {}
                "response_format" => return Err(Refusal::bad(format!("{value} is no format here; there is json"))),
                "include" if ["", "references"].contains(&value.as_str()) => {}
                "include" => return Err(Refusal::bad("nothing is related to the crystals here")),
                "email_address" | "api_hint" => {}
                "page_cursor" | "page_above" | "page_below" | "dimension_slices" | "property_ranges" => {
                    let message = format!("{name} is not supported here; pages have page_offset and page_limit");
                    return Err(Refusal::new(Kind::Unsupported, message));
                }
                SNAPSHOT => {
                    let number =
                        value.parse().map_err(|_| Refusal::bad(format!("{name} is the number of a snapshot")))?;
                    query.snapshot = Some(number);
                }
                other if other.starts_with('_') && !other.starts_with(OPTIMADE_PREFIX) => {
                    query.warnings.push(format!("{other} is of another provider, and was passed over"));
                }
                other => return Err(Refusal::bad(format!("{other} is no parameter of this page"))),
            }
            seen.push(name);
        }
        if query.limit > MOST {
            return Err(Refusal::forbidden(format!("a page has at most {MOST} entries")));
        }
        if query.limit == 0 {
            return Err(Refusal::bad("a page has at least one entry: page_limit is 0"));
        }
        query.offset = page.map_or(query.offset, |page| page.saturating_mul(query.limit));
        if query.offset > FARTHEST {
            return Err(Refusal::bad(format!("a page begins before entry {FARTHEST}")));
        }
        Ok(query)
    }
}

fn direction(name: String) -> (String, bool) {
    match name.strip_prefix('-') {
        Some(rest) => (rest.to_owned(), true),
        None => (name, false),
    }
}

/// The same parameters with those of the next page. What was given is repeated as it came.
pub(super) fn next(text: &str, offset: usize, snapshot: i64) -> String {
    let ours = ["page_offset", "page_number", SNAPSHOT];
    let kept =
        text.split('&').filter(|pair| !pair.is_empty() && !ours.contains(&pair.split('=').next().unwrap_or_default()));
    let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
    pairs.extend([format!("page_offset={offset}"), format!("{SNAPSHOT}={snapshot}")]);
    pairs.join("&")
}
