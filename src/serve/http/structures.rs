//! `GET /v1/structures/{id}.{format}`: a crystal as a file.

use axum::http::{HeaderValue, Uri};
use axum::response::Response;

use super::{Asked, end, of_text};
use crate::crystals::{self, FORMATS};
use crate::error::Refusal;

pub(super) async fn answer(asked: Asked) -> Response {
    let Asked { door, request, mut visit } = asked;
    let uri = request.into_parts().0.uri;
    let found = async {
        let Named { id, format, table, snapshot } = named(&uri)?;
        crystals::one(door.gate(), &table, &id, format, snapshot).await
    };
    match found.await {
        Ok(found) => {
            (visit.snapshot, visit.rows) = (Some(found.snapshot), 1);
            visit.end(None);
            let mut response = of_text(found.kind, found.text);
            response.headers_mut().insert("x-snapshot", HeaderValue::from(found.snapshot));
            response
        }
        Err(refusal) => end(visit, &refusal),
    }
}

/// What the address of a page says.
#[derive(Debug, PartialEq)]
struct Named {
    id: String,
    format: &'static str,
    table: String,
    snapshot: Option<i64>,
}

fn named(uri: &Uri) -> Result<Named, Refusal> {
    let file = decoded(uri.path().trim_start_matches("/v1/structures/"), false)?;
    let known = file.rsplit_once('.').and_then(|(id, format)| {
        Some((id.to_owned(), FORMATS.iter().map(|(name, _)| *name).find(|name| *name == format)?))
    });
    let (id, format) = known
        .filter(|(id, _)| !id.is_empty())
        .ok_or_else(|| Refusal::bad("name an id and a format: /v1/structures/ID.cif, .poscar, .json or .html"))?;
    let (mut table, mut snapshot) = ("tmo".to_owned(), None);
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("table", name)) => table = decoded(name, true)?,
            Some(("snapshot", number)) => {
                let wrong = |_| Refusal::bad(format!("a snapshot is a number, and not {number}"));
                snapshot = Some(number.parse().map_err(wrong)?);
            }
            _ => return Err(Refusal::bad("the parameters of a crystal are its table and a snapshot")),
        }
    }
    Ok(Named { id, format, table, snapshot })
}

/// A part of an address as text; in a query a plus is a space.
pub(crate) fn decoded(text: &str, plus: bool) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(|d| char::from(d).to_digit(16)));
                let [Some(high), Some(low)] = digits else {
                    return Err(Refusal::bad("the address has a % that is followed by no number"));
                };
                (high * 16 + low) as u8
            }
            b'+' if plus => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| Refusal::bad("the address is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_crystal_a_format_and_a_table() {
        let named = |text: &str| named(&text.parse().unwrap());
        let of = |id: &str, format, table: &str, snapshot| {
            Ok(Named { id: id.to_owned(), format, table: table.to_owned(), snapshot })
        };
        assert_eq!(named("/v1/structures/mp-1.cif"), of("mp-1", "cif", "tmo", None));
        let at = "/v1/structures/a%2Fb%20c.d.json?table=my+own&snapshot=7";
        assert_eq!(named(at), of("a/b c.d", "json", "my own", Some(7)));
        for wrong in ["mp-1", ".cif", "mp-1.xyz", "%zz.cif", "%ff.cif", "mp-1.cif?x=1", "mp-1.cif?snapshot=x"] {
            assert!(named(&format!("/v1/structures/{wrong}")).is_err(), "{wrong}");
        }
    }
}
