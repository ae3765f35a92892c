//! Readers of the values of options, with the message for a wrong one.

use crate::crystal::{Element, Radii};
use crate::generation::{Condition, Request};
use crate::sql::{request_of_elements, request_of_formula};

pub(crate) fn direction(text: &str) -> Result<[i32; 3], String> {
    match text {
        "a" => return Ok([1, 0, 0]),
        "b" => return Ok([0, 1, 0]),
        "c" => return Ok([0, 0, 1]),
        _ => {}
    }
    let uvw: Option<Vec<i32>> =
        text.split(',').map(|n| n.trim().parse().ok().filter(|n: &i32| n.abs() < 100)).collect();
    match uvw.as_deref() {
        Some(&[u, v, w]) if [u, v, w] != [0; 3] => Ok([u, v, w]),
        _ => Err("expected a, b, c or three whole numbers that are not all 0, as in 1,1,0".into()),
    }
}

pub(crate) fn vector(text: &str) -> Result<usize, String> {
    ["a", "b", "c"].iter().position(|name| *name == text).ok_or_else(|| "expected a, b or c".into())
}

pub(crate) fn element(text: &str) -> Result<Element, String> {
    Element::from_symbol(text).map_err(|e| e.to_string())
}

pub(crate) fn request(text: &str) -> Result<Request, String> {
    if text.contains(',') { request_of_elements(text) } else { request_of_formula(text) }
}

/// A value of a condition.
pub(crate) fn value_of(condition: Condition) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync + 'static {
    move |text: &str| condition.check(text.parse::<f64>().map_err(|_| format!("'{text}' is no number"))?)
}

pub(crate) fn valence(text: &str) -> Result<(Element, f64), String> {
    let (symbol, electrons) = text.split_once('=').ok_or("expected an element and a number, as in Mn=7")?;
    let electrons = electrons.trim().parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
    Ok((element(symbol.trim())?, electrons.ok_or("expected a number of electrons above 0, as in Mn=7")?))
}

pub(crate) fn radii(text: &str) -> Result<Radii, String> {
    Radii::from_name(text).ok_or_else(|| "expected atomic, covalent, ionic or vdw".into())
}

pub(crate) fn radiation(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0);
    crate::features::wavelength(text).or(number).ok_or_else(|| {
        let names: Vec<&str> = crate::features::WAVELENGTHS.iter().map(|&(name, _)| name).collect();
        format!("expected a wavelength in Å or one of {}", names.join(", "))
    })
}

pub(crate) fn angles(text: &str) -> Result<(f64, f64), String> {
    let angle = |n: &str| n.trim().parse().ok().filter(|x: &f64| (0.0..=180.0).contains(x));
    let pair = text.split_once(',').and_then(|(low, high)| Some((angle(low)?, angle(high)?)));
    pair.filter(|(low, high)| low < high).ok_or_else(|| "expected two angles from 0 to 180, as in 5,90".into())
}

pub(crate) fn coverage(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|c: &f64| *c > 0.0 && *c < 1.0);
    share.ok_or_else(|| "expected a number between 0 and 1, as in 0.9".into())
}

pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|s: &f64| s.is_finite() && *s >= 0.0);
    share.ok_or_else(|| "expected a number that is not negative, as in 0.2".into())
}

/// A tolerance of the symmetry search, Å.
pub(crate) fn tolerance(text: &str) -> Result<f64, String> {
    let length = text.parse().ok().filter(|x: &f64| *x > 0.0 && *x <= 1.0);
    length.ok_or_else(|| "expected a length above 0 and up to 1 Å, as in 0.1".into())
}

/// A change of an occupancy.
pub(crate) fn occupancy(text: &str) -> Result<f64, String> {
    let change = text.parse().ok().filter(|x: &f64| *x > 0.0 && *x <= 0.5);
    change.ok_or_else(|| "expected a change of occupancies above 0 and up to 0.5, as in 0.05".into())
}

/// A chemical system of two elements or three, in the order that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System(pub Vec<Element>);

pub(crate) fn system(text: &str) -> Result<System, String> {
    let elements: Vec<Element> = text.split('-').map(|symbol| element(symbol.trim())).collect::<Result<_, _>>()?;
    if let Some(twice) = (1..elements.len()).find(|&i| elements[..i].contains(&elements[i])) {
        return Err(format!("{} is listed twice", elements[twice]));
    }
    match elements.len() {
        2 | 3 => Ok(System(elements)),
        n if n < 2 => Err("expected two elements or three, as in Ti-O or Ca-Mn-O".into()),
        n => Err(format!(
            "the hull of {n} elements lies over a space of {} dimensions, which no page shows: draw three of them at a time, as \
             in {}-{}-{}, or ask e_above_hull and decomposition in SQL",
            n - 1,
            elements[0],
            elements[1],
            elements[2]
        )),
    }
}

pub(crate) fn cells(text: &str) -> Result<[usize; 3], String> {
    let n: Option<Vec<usize>> =
        text.split('x').map(|n| n.trim().parse().ok().filter(|n| (1..=100).contains(n))).collect();
    match n.as_deref() {
        Some(&[a, b, c]) => Ok([a, b, c]),
        _ => Err("expected three whole numbers from 1 to 100, as in 2x2x1".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_and_cells_are_read() {
        assert_eq!([direction("b"), direction("1,-1,0")], [Ok([0, 1, 0]), Ok([1, -1, 0])]);
        for text in ["d", "0,0,0", "1,1", "1,2,x", ""] {
            assert!(direction(text).is_err(), "{text}");
        }
        assert_eq!((radiation("moka"), radiation("1.2")), (Ok(0.71073), Ok(1.2)));
        assert!(radiation("XxKa").unwrap_err().contains("CuKa1") && radiation("-1").is_err());
        assert_eq!(valence("Mn = 7").map(|(e, n)| (e.symbol(), n)), Ok(("Mn", 7.0)));
        assert!(["Mn", "Xx=1", "Mn=0", "Mn=x"].iter().all(|text| valence(text).is_err()));
        assert_eq!((vector("c"), vector("d").is_err()), (Ok(2), true));
        assert_eq!(angles("10, 60"), Ok((10.0, 60.0)));
        assert!(["60,10", "0,200", "5", "a,b"].iter().all(|text| angles(text).is_err()));
        // What --order alone means.
        assert_eq!(occupancy("0.02"), Ok(crate::stability::OCCUPANCY_TOLERANCE));
        assert_eq!((occupancy("0.05"), occupancy("0").is_err(), occupancy("0.6").is_err()), (Ok(0.05), true, true));
        assert_eq!((tolerance("0.1"), tolerance("0").is_err(), tolerance("2").is_err()), (Ok(0.1), true, true));
        assert_eq!((share("0.2"), share("-1").is_err(), share("x").is_err()), (Ok(0.2), true, true));
        assert_eq!(system("Ti-O").map(|s| s.0.len()), Ok(2));
        assert!(system("Li-Mn-P-O").unwrap_err().contains("as in Li-Mn-P"));
        assert!(["Ti", "", "Ti-O-Ti", "Ti-Xx", "TiO2"].iter().all(|text| system(text).is_err()));
        assert_eq!(cells("2x1x3"), Ok([2, 1, 3]));
        for text in ["2", "2x2", "0x1x1", "ax1x1", "1x1x101"] {
            assert!(cells(text).is_err(), "{text}");
        }
    }
}
