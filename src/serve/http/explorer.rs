//! `/`: a page to explore the store with. It is one file that asks nobody but this server, and of scripts only its own and those that
//! turn a crystal run on it: the browser is told their hashes.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use report::page::policy_around;

use super::{Asked, end, of_text};
use crate::error::{Kind, Refusal};

const PAGE: &str = include_str!("explorer.html");

/// What the browser lets the page do.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let script = PAGE.split("<script>").nth(1)?.split("</script>").next()?;
    let policy = policy_around(script).ok()?;
    HeaderValue::from_str(&format!("{policy}; connect-src 'self'; frame-ancestors 'none'")).ok()
});

pub(super) async fn answer(asked: Asked) -> Response {
    let Some(policy) = POLICY.clone() else {
        return end(asked.visit, &Refusal::new(Kind::Fault, "the page has no policy"));
    };
    asked.visit.end(None);
    let mut response = of_text("text/html; charset=utf-8", PAGE.to_owned());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
