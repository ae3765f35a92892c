//! Magpie: 132 numbers of a composition, six statistics of 22 properties of its elements.
//!
//! L. Ward, A. Agrawal, A. Choudhary, C. Wolverton, *npj Comput. Mater.* **2** (2016) 16028, in the order and by the
//! definitions of matminer's `ElementProperty.from_preset("magpie")`. With p the property of each element and w its
//! amount:
//!
//! ```text
//! minimum, maximum, range     of p; amounts play no part
//! mean        Σ w p / Σ w
//! avg_dev     Σ w |p - mean| / Σ w
//! mode        p of the most abundant element; the smallest p where several are (numpy's isclose)
//! ```
//!
//! The properties stand in `schema/elements/magpie.csv`. Where the table has no value for one of the elements all six
//! statistics of that property are missing, unless the gap is filled with the property's mean over all elements, which
//! is matminer's `impute_nan = True`.

use std::array::from_fn;
use std::sync::LazyLock;

use crystal::{Composition, Element};

/// Number of element properties.
const PROPERTIES: usize = 22;
/// Statistics of one property, in order.
const STATISTICS: [&str; 6] = ["minimum", "maximum", "range", "mean", "avg_dev", "mode"];
/// Number of Magpie descriptors.
pub const MAGPIE_LEN: usize = PROPERTIES * STATISTICS.len();

const CSV: &str = include_str!("../../schema/elements/magpie.csv");

/// The properties of one element; NaN where there is none.
type Properties = [f64; PROPERTIES];

struct Table {
    names: Vec<String>,
    /// By atomic number - 1.
    published: Vec<Properties>,
    /// The same with every gap filled by the mean of its property.
    imputed: Vec<Properties>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut lines = CSV.lines().filter(|l| !l.starts_with('#'));
    let header = lines.next().unwrap_or_default().split(',').skip(2);
    let names = header.flat_map(|property| STATISTICS.map(|s| format!("{s} {property}"))).collect();
    let published: Vec<Properties> = lines
        .map(|line| {
            let mut fields = line.split(',').skip(2).map(|field| field.parse().unwrap_or(f64::NAN));
            from_fn(|_| fields.next().unwrap_or(f64::NAN))
        })
        .collect();
    let mean: Properties = from_fn(|k| {
        let known = || published.iter().map(|p| p[k]).filter(|x| !x.is_nan());
        known().sum::<f64>() / known().count() as f64
    });
    let fill = |p: &Properties| from_fn(|k| if p[k].is_nan() { mean[k] } else { p[k] });
    let imputed = published.iter().map(fill).collect();
    Table { names, published, imputed }
});

/// What replaces a property that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingProperty {
    /// Nothing: the statistics of that property are missing.
    Missing,
    /// The mean of the property over all elements that have it.
    Mean,
}

/// Names of the descriptors in order, property by property: `minimum Number`, `maximum Number`, ... `mode SpaceGroupNumber`.
pub fn magpie_names() -> &'static [String] {
    &TABLE.names
}

/// The descriptors of a composition, in the order of [`magpie_names`]. `None` where an element has no value of the
/// property. Units are those of the table: u, K, pm, Å³/atom, eV, Bohr magnetons.
pub fn magpie(composition: &Composition) -> [Option<f64>; MAGPIE_LEN] {
    let amounts: Vec<_> = composition.iter().collect();
    magpie_of(&amounts, MissingProperty::Missing).map(|x| (!x.is_nan()).then_some(x))
}

/// The descriptors of elements and their amounts (all positive, in any unit), NaN where missing.
pub fn magpie_of(amounts: &[(Element, f64)], missing: MissingProperty) -> [f64; MAGPIE_LEN] {
    let table = match missing {
        MissingProperty::Missing => &TABLE.published,
        MissingProperty::Mean => &TABLE.imputed,
    };
    let properties = |element: Element| &table[usize::from(element.z()) - 1];
    let total: f64 = amounts.iter().map(|(_, w)| w).sum();
    let most = amounts.iter().map(|&(_, w)| w).fold(0.0, f64::max);

    let [mut least, mut mode] = [[f64::INFINITY; PROPERTIES]; 2];
    let mut greatest = [f64::NEG_INFINITY; PROPERTIES];
    let [mut mean, mut deviation] = [[0.0; PROPERTIES]; 2];
    for &(element, w) in amounts {
        let p = properties(element);
        for k in 0..PROPERTIES {
            least[k] = least[k].min(p[k]);
            greatest[k] = greatest[k].max(p[k]);
            mean[k] += w * p[k];
        }
        if (w - most).abs() <= 1e-8 + 1e-5 * most {
            for k in 0..PROPERTIES {
                mode[k] = mode[k].min(p[k]);
            }
        }
    }
    // Whole amounts of whole numbers are summed without rounding, and divided once.
    mean = mean.map(|sum| sum / total);
    for &(element, w) in amounts {
        let p = properties(element);
        for k in 0..PROPERTIES {
            deviation[k] += w * (p[k] - mean[k]).abs();
        }
    }
    let mut out = [f64::NAN; MAGPIE_LEN];
    for (k, six) in out.as_chunks_mut::<6>().0.iter_mut().enumerate() {
        // `min` and `max` pass over a NaN; the mean keeps it.
        if !mean[k].is_nan() {
            *six = [least[k], greatest[k], greatest[k] - least[k], mean[k], deviation[k] / total, mode[k]];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(formula: &str) -> [Option<f64>; MAGPIE_LEN] {
        magpie(&Composition::parse(formula).unwrap())
    }

    fn named(formula: &str, name: &str) -> Option<f64> {
        of(formula)[magpie_names().iter().position(|n| n == name).unwrap()]
    }

    #[test]
    fn the_table_names_every_element_in_order() {
        assert_eq!(magpie_names().len(), MAGPIE_LEN);
        assert_eq!(magpie_names()[..7].last().unwrap(), "minimum MendeleevNumber");
        assert_eq!(magpie_names()[131], "mode SpaceGroupNumber");
        assert_eq!(TABLE.published.len(), 118);
        for (element, line) in Element::all().zip(CSV.lines().filter(|l| !l.starts_with('#')).skip(1)) {
            assert!(line.starts_with(&format!("{},{element},", element.z())), "{line}");
            assert_eq!(line.split(',').count(), 2 + PROPERTIES, "{line}");
        }
    }

    #[test]
    fn matminers_own_example() {
        // matminer's test of Fe2O3: 8, 26, 18, 15.2, 8.64, 8.
        let number = of("Fe2O3")[..6].iter().map(|x| x.unwrap()).collect::<Vec<_>>();
        for (got, want) in number.iter().zip([8.0, 26.0, 18.0, 15.2, 8.64, 8.0]) {
            assert!((got - want).abs() < 1e-12, "{number:?}");
        }
    }

    #[test]
    fn ties_of_the_mode_fall_to_the_smallest_property() {
        // Equal amounts: the mode of each property is the smaller of both, whichever element has it.
        assert_eq!(named("TiO", "mode Number"), Some(8.0));
        assert_eq!(named("TiO", "mode MendeleevNumber"), Some(43.0));
        assert_eq!(named("TiO", "mode Electronegativity"), Some(1.54));
        // Numpy counts 1 and 1.000009 as equal, 1 and 1.00002 not.
        assert_eq!(named("TiO1.000009", "mode Electronegativity"), Some(1.54));
        assert_eq!(named("TiO1.00002", "mode Electronegativity"), Some(3.44));
    }

    #[test]
    fn multiples_of_a_formula_have_the_same_descriptors() {
        let (one, four) = (of("Nb2WO8"), of("Nb8W4O32"));
        for ((name, a), b) in magpie_names().iter().zip(one).zip(four) {
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!((a - b).abs() <= 1e-12 * a.abs(), "{name}: {a} {b}");
        }
    }

    #[test]
    fn missing_values_stay_missing_unless_they_are_imputed() {
        // Argon has no electronegativity; everything else it has.
        let argon = of("ArO2");
        for (name, value) in magpie_names().iter().zip(argon) {
            assert_eq!(value.is_none(), name.ends_with("Electronegativity"), "{name}");
        }
        let composition: Vec<_> = Composition::parse("ArO2").unwrap().iter().collect();
        let imputed = magpie_of(&composition, MissingProperty::Mean);
        assert!(imputed.iter().all(|x| x.is_finite()));
        let known: Vec<f64> = TABLE.published.iter().map(|p| p[7]).filter(|x| !x.is_nan()).collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let at = magpie_names().iter().position(|n| n == "minimum Electronegativity").unwrap();
        assert!((imputed[at] - mean).abs() < 1e-12);
    }
}
