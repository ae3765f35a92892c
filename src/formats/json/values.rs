//! The values of a document as they may be written: a lattice in three ways, numbers flat or in rows.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// A string, borrowed from the text unless it holds escapes.
pub(super) struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(s)))
            }

            fn visit_str<E>(self, s: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(s.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

/// A lattice: three rows, nine numbers, or an object with `matrix` or with the six parameters.
pub(super) enum Rows {
    Vectors([[f64; 3]; 3]),
    Parameters([f64; 6]),
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Rows;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("three lattice vectors, or an object with 'matrix'")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Rows, A::Error> {
                let Numbers(flat) = Numbers::collect(seq)?;
                let [ax, ay, az, bx, by, bz, cx, cy, cz] = flat[..] else {
                    return Err(A::Error::custom(format!("a lattice has 9 numbers, found {}", flat.len())));
                };
                Ok(Rows::Vectors([[ax, ay, az], [bx, by, bz], [cx, cy, cz]]))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                const NAMES: [&str; 6] = ["a", "b", "c", "alpha", "beta", "gamma"];
                let (mut rows, mut parameters) = (None, [None; 6]);
                while let Some(Text(key)) = map.next_key()? {
                    match (key.as_ref(), NAMES.iter().position(|name| *name == key)) {
                        ("matrix", _) => rows = Some(map.next_value::<Rows>()?),
                        (_, Some(k)) => parameters[k] = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                match (rows, parameters) {
                    (Some(rows), _) => Ok(rows),
                    (None, [Some(a), Some(b), Some(c), Some(alpha), Some(beta), Some(gamma)]) => {
                        Ok(Rows::Parameters([a, b, c, alpha, beta, gamma]))
                    }
                    _ => Err(A::Error::custom("the lattice has no 'matrix'")),
                }
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

/// Numbers, flat or in rows of three, row after row.
pub(super) struct Numbers(pub Vec<f64>);

impl Numbers {
    fn collect<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut flat = Vec::new();
        while let Some(item) = seq.next_element()? {
            match item {
                Item::One(x) => flat.push(x),
                Item::Row(row) => flat.extend_from_slice(&row),
            }
        }
        Ok(Self(flat))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Flatten;
        impl<'de> Visitor<'de> for Flatten {
            type Value = Numbers;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of numbers or of rows of three")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Numbers, A::Error> {
                Numbers::collect(seq)
            }
        }
        deserializer.deserialize_seq(Flatten)
    }
}

enum Item {
    One(f64),
    Row([f64; 3]),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrRow;
        impl<'de> Visitor<'de> for OneOrRow {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number or a row of three")
            }

            fn visit_f64<E>(self, x: f64) -> Result<Item, E> {
                Ok(Item::One(x))
            }

            fn visit_i64<E>(self, x: i64) -> Result<Item, E> {
                Ok(Item::One(x as f64))
            }

            fn visit_u64<E>(self, x: u64) -> Result<Item, E> {
                Ok(Item::One(x as f64))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Item, A::Error> {
                let mut row = [0.0; 3];
                for (k, x) in row.iter_mut().enumerate() {
                    *x = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(k, &"a row of three"))?;
                }
                match seq.next_element::<IgnoredAny>()? {
                    None => Ok(Item::Row(row)),
                    Some(_) => Err(A::Error::custom("a row of more than three numbers")),
                }
            }
        }
        deserializer.deserialize_any(OneOrRow)
    }
}

/// A number, a text or a truth value; `None` for null, and for lists and objects, which are skipped.
pub(super) struct Scalar(pub Option<Value>);

impl Scalar {
    pub fn text(self) -> Option<String> {
        match self.0? {
            Value::String(s) => Some(s),
            other => Some(other.to_string()),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar(None))
            }

            fn visit_bool<E>(self, b: bool) -> Result<Scalar, E> {
                Ok(Scalar(Some(b.into())))
            }

            fn visit_i64<E>(self, n: i64) -> Result<Scalar, E> {
                Ok(Scalar(Some(n.into())))
            }

            fn visit_u64<E>(self, n: u64) -> Result<Scalar, E> {
                Ok(Scalar(Some(n.into())))
            }

            fn visit_f64<E>(self, x: f64) -> Result<Scalar, E> {
                Ok(Scalar(Some(x.into())))
            }

            fn visit_str<E>(self, s: &str) -> Result<Scalar, E> {
                Ok(Scalar(Some(s.into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
