//! To how many decimals the numbers of a table are printed: as many as mean something in their unit. Files, CSV and JSON have all of
//! them.

use arrow::datatypes::{DataType, FieldRef};

use crate::sql::ColumnUnits;

/// Decimals of the numbers of a column, and of the fields of its structs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digits {
    /// `None` where no unit says them.
    decimals: Option<usize>,
    fields: Vec<(String, Digits)>,
}

impl Digits {
    /// Those of the columns of a result.
    pub(crate) fn of(units: &[ColumnUnits]) -> Vec<Self> {
        let of_one = |column: &ColumnUnits| Self {
            decimals: column.unit.as_deref().and_then(decimals),
            fields: column.fields.iter().map(|(name, _)| name.clone()).zip(fields(&column.fields)).collect(),
        };
        units.iter().map(of_one).collect()
    }

    /// Those of a field of structs.
    pub(crate) fn field(&self, field: &FieldRef) -> Self {
        self.fields.iter().find(|(name, _)| name == field.name()).map_or(Self::default(), |(_, digits)| digits.clone())
    }

    /// A number as it is printed.
    pub(crate) fn text(&self, value: f64) -> String {
        match self.decimals {
            Some(decimals) => rounded(value, decimals),
            None => float(value),
        }
    }
}

fn fields(of: &[(String, ColumnUnits)]) -> Vec<Digits> {
    of.iter().flat_map(|(_, units)| Digits::of(std::slice::from_ref(units))).collect()
}

/// Decimals that mean something: a meV, a thousandth of an Å; no calculation is better than that.
fn decimals(unit: &str) -> Option<usize> {
    Some(match unit {
        "eV" | "eV/atom" | "eV per atom" | "eV per ion" | "eV/ion" | "eV/Å" | "V" => 3,
        "eV/Å³" => 4,
        "GPa" | "degrees" | "Å²" | "Å³" => 2,
        "Å" | "g/cm³" | "e per atom" | "μ_B" | "valence units" => 3,
        "mAh/g" | "mAh/cm³" => 1,
        _ => return None,
    })
}

/// A number with at most these decimals, or as a power of ten where they would show nothing of it.
fn rounded(value: f64, decimals: usize) -> String {
    let smallest = 0.5 * 10f64.powi(-(decimals as i32));
    match value.abs() {
        size if size >= smallest && size < 1e15 => trimmed(&format!("{value:.decimals$}")),
        size if size > 0.0 && size.is_finite() => format!("{value:.1e}"),
        _ => float(value),
    }
}

/// At most six decimals; powers of ten where six decimals would show nothing or too much.
fn float(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    if !(1e-4..1e15).contains(&value.abs()) {
        return format!("{value:.5e}");
    }
    trimmed(&format!("{value:.6}"))
}

/// Without the zeros at the end of its decimals: a value that is known to a tenth is not printed as known to a thousandth.
fn trimmed(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Whether a column has numbers that are rounded.
pub(crate) fn has_numbers(data_type: &DataType) -> bool {
    data_type.is_nested() || data_type.is_floating()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn of_unit(unit: &'static str) -> ColumnUnits {
        ColumnUnits { unit: Some(Cow::Borrowed(unit)), fields: Vec::new() }
    }

    #[test]
    fn numbers_without_a_unit_read_well() {
        for (value, text) in
            [(0.5, "0.5"), (-3.0, "-3"), (1.0 / 3.0, "0.333333"), (1.5e-7, "1.50000e-7"), (0.0, "0"), (f64::NAN, "NaN")]
        {
            assert_eq!(Digits::default().text(value), text);
        }
    }

    #[test]
    fn numbers_are_rounded_to_what_their_unit_means() {
        let units = [of_unit("eV/atom"), of_unit("Å³"), of_unit("sr")];
        let [energy, volume, angle] = Digits::of(&units).try_into().unwrap();
        for (digits, value, text) in [
            (&energy, -3.067_292_58, "-3.067"),
            (&energy, -3.0, "-3"),
            (&energy, -0.000_6, "-0.001"),
            (&energy, 1e-5, "1.0e-5"),
            (&energy, 0.0, "0"),
            (&energy, 4.4, "4.4"),
            (&energy, f64::INFINITY, "inf"),
            (&energy, 1e20, "1.0e20"),
            (&volume, 62.449_9, "62.45"),
            (&volume, 600.0, "600"),
            (&angle, 62.449_9, "62.4499"),
        ] {
            assert_eq!(digits.text(value), text, "{value}");
        }
        let structs = ColumnUnits { unit: None, fields: vec![("value".into(), of_unit("V"))] };
        let [digits] = Digits::of(&[structs]).try_into().unwrap();
        let field = |name: &str| FieldRef::new(arrow::datatypes::Field::new(name, DataType::Float64, true));
        assert_eq!(digits.field(&field("value")).text(2.345_678), "2.346");
        assert_eq!(digits.field(&field("other")).text(2.345_678), "2.345678");
    }
}
