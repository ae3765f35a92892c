//! What is the same at every door of the network: who may come in, and what is written down of a request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, header};
use serde::Serialize;
use serde_json::json;

use crate::error::{Kind, Refusal};
use crate::gate::Gate;
use crate::token::Token;

/// A stored query, by its name.
#[derive(Debug, Clone, Serialize)]
pub struct StoredQuery {
    /// Its name.
    pub name: &'static str,
    /// What it answers.
    pub answers: String,
    /// The statement.
    pub sql: &'static str,
}

/// A way in. Clones are the same one.
#[derive(Clone)]
pub struct Door(Arc<Inside>);

struct Inside {
    gate: Gate,
    token: Option<Token>,
    /// Whether only this machine is listened to.
    loopback: bool,
    encrypted: bool,
    queries: Vec<StoredQuery>,
    logs: bool,
    started: Instant,
}

impl Door {
    /// Before a gate, behind encryption or not. Where only `loopback` is listened to, requests must name this machine as their host.
    /// Requests are logged to standard error with `logs`.
    pub fn new(
        gate: Gate,
        token: Option<Token>,
        loopback: bool,
        encrypted: bool,
        queries: Vec<StoredQuery>,
        logs: bool,
    ) -> Self {
        Self(Arc::new(Inside { gate, token, loopback, encrypted, queries, logs, started: Instant::now() }))
    }

    /// What addresses of pages begin with.
    pub fn scheme(&self) -> &'static str {
        if self.0.encrypted { "https" } else { "http" }
    }

    /// The gate.
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// The stored queries.
    pub fn queries(&self) -> &[StoredQuery] {
        &self.0.queries
    }

    /// Since when it is open.
    pub fn age(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// # Errors
    /// A page of another site that sends its visitors here, under a name that it had point to this machine or without.
    pub fn check_host(&self, host: Option<&str>, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(host) = host else { return Err(Refusal::bad("the request names no host")) };
        if self.0.loopback && !is_loopback(host) {
            return Err(Refusal::forbidden("this server answers to localhost, 127.0.0.1 and [::1] alone"));
        }
        match headers.get(header::ORIGIN) {
            None => Ok(()),
            Some(origin) => match origin.to_str().ok().and_then(|origin| origin.split_once("://")) {
                Some((_, from)) if from.eq_ignore_ascii_case(host) => Ok(()),
                _ => Err(Refusal::forbidden("pages of other sites are not answered")),
            },
        }
    }

    /// # Errors
    /// A token that is missing or wrong, where there is one.
    pub fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match given.and_then(|value| value.split_once(' ')) {
            _ if self.0.token.is_none() => Ok(()),
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => self.check(token.trim()),
            _ => Err(Refusal::new(Kind::Unknown, "a token is asked for: Authorization: Bearer TOKEN")),
        }
    }

    /// # Errors
    /// Another text than the token, where there is one.
    pub fn check(&self, token: &str) -> Result<(), Refusal> {
        match &self.0.token {
            Some(known) if !known.is(token) => Err(Refusal::new(Kind::Unknown, "the token is wrong")),
            _ => Ok(()),
        }
    }

    /// Begins to write down a request.
    pub fn begin(&self, door: &'static str, what: &str) -> Visit {
        Visit {
            door: self.clone(),
            at: door,
            what: what.to_owned(),
            began: Instant::now(),
            outcome: Some(Kind::Cancelled),
            snapshot: None,
            rows: 0,
        }
    }
}

/// A request while it lasts. One that is dropped before its end was left by its client.
pub struct Visit {
    door: Door,
    at: &'static str,
    what: String,
    began: Instant,
    outcome: Option<Kind>,
    /// The snapshot that it read.
    pub snapshot: Option<i64>,
    /// Rows that it was given.
    pub rows: usize,
}

impl Visit {
    /// The same visit under these words.
    pub fn said(mut self, what: &str) -> Self {
        self.what = what.chars().take(200).collect();
        self
    }

    /// It was answered, or refused.
    pub fn end(mut self, outcome: Option<Kind>) {
        self.outcome = outcome;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        self.door.0.gate.counts().ended(self.at, self.outcome, took);
        if self.door.0.logs {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let line = json!({
                "time": now.as_secs_f64(),
                "door": self.at,
                "outcome": self.outcome.map_or("ok", Kind::word),
                "ms": took.as_secs_f64() * 1e3,
                "rows": self.rows,
                "snapshot": self.snapshot,
                "what": self.what,
            });
            eprintln!("{line}");
        }
    }
}

/// Whether a host, with or without a port, is this machine by a name that no other site can set.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_known() {
        for host in ["localhost", "LOCALHOST:7701", "127.0.0.1:80", "[::1]:7701", "127.1.2.3"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "10.0.0.1",
            "",
            "[::2]",
            "2130706433",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
