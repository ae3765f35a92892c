//! Arguments that several functions take: how they are declared and checked, and what a row gives.

use std::fmt::Display;

use datafusion::common::plan_err;

use super::kernel::{Answer, Row};
use super::{Kind, Omitted, Parameter, number, optional, required};
use crate::structure_type::crystal_text;
use adsorption::{Freedom, Within, parse_sites};
use crystal::{DEFAULT_SYMPREC, Radii, Structure, Symmetry};
use features::{self, Ion, Tolerances};

/// A crystal.
pub(super) fn structure() -> Parameter {
    crystal("structure", crystal_text!("A structure, or ", "."))
}

/// A crystal by another name.
pub(super) fn crystal(name: &'static str, text: &'static str) -> Parameter {
    required(name, Kind::Crystal, text)
}

/// A crystal that ions go into.
pub(super) fn host() -> Parameter {
    crystal("structure", crystal_text!("The empty host: a structure, or ", "."))
}

/// A crystal of which the composition alone matters.
pub(super) fn composition() -> Parameter {
    required("crystal", Kind::Composition, crystal_text!("A structure, a formula such as `Mo3VO14`, or ", "."))
}

/// The name of one of some options, the first of them where it is left out.
pub(super) fn choice<T: Copy + Send + Sync + 'static>(
    name: &'static str,
    known: &'static [(&'static str, T)],
    text: &'static str,
) -> Parameter {
    optional(name, Kind::Text, Omitted::Text(known[0].0), text).parsed(|name| named(name, known))
}

/// The option of that name.
pub(super) fn named<T: Copy>(name: &str, known: &[(&'static str, T)]) -> Result<T, String> {
    known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(n, _)| *n).collect();
        format!("no option '{name}'; known: {}", names.join(", "))
    })
}

/// A radius set.
pub(super) fn radii(default: &'static str) -> Parameter {
    let text = "Radius set: atomic, covalent, ionic (Shannon) or vdw.";
    optional("radii", Kind::Text, Omitted::Text(default), text).parsed(radius_set)
}

/// The radius set of a name.
pub(super) fn radius_set(name: &str) -> Result<Radii, String> {
    Radii::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Radii::NAMES.iter().map(|(name, _)| *name).collect();
        format!("no radius set '{name}'; known sets: {}", known.join(", "))
    })
}

/// The radius of each site, Å, by the set that argument `k` names.
pub(super) fn site_radii(row: Row, k: usize, structure: &Structure) -> Answer<Vec<f64>> {
    Ok(features::site_radii(structure, radius_set(row.text(k))?)?)
}

/// Along how many directions something is asked to pass.
pub(super) fn dimensions() -> Parameter {
    number("dimensions", 1.0, "Number of independent directions in which it passes, 1 to 3.").measured(directions)
}

/// 1, 2 or 3.
pub(super) fn directions(number: f64) -> Result<usize, String> {
    [1, 2, 3].into_iter().find(|&n| n as f64 == number).ok_or_else(|| format!("dimensions = {number} is not 1, 2 or 3"))
}

/// Within which distance positions are taken as equal.
pub(super) fn symprec() -> Parameter {
    number("symprec", DEFAULT_SYMPREC, "Tolerance of the symmetry search, Å.")
}

/// The symmetry of a crystal at the tolerance that argument 1 gives.
pub(super) fn symmetry(row: Row, structure: &Structure) -> Answer<Symmetry> {
    match row.number(1) {
        symprec if symprec > 0.0 && symprec.is_finite() => Ok(Symmetry::of(structure, symprec)?),
        symprec => Err(format!("symprec is {symprec} Å; it must be positive").into()),
    }
}

/// Two crystals and how far they may differ.
pub(super) fn compared() -> Vec<Parameter> {
    let usual = Tolerances::default();
    vec![
        crystal("a", crystal_text!("A structure, or ", ".")),
        crystal("b", "The crystal to compare it with."),
        number("ltol", usual.length, "Largest relative difference of cell lengths.")
            .measured(move |length| Tolerances { length, ..usual }.checked()),
        number("stol", usual.site, "Largest distance of an atom from its partner, in units of (V/N)^(1/3).")
            .measured(move |site| Tolerances { site, ..usual }.checked()),
        number("angle_tol", usual.angle, "Largest difference of cell angles, degrees.")
            .measured(move |angle| Tolerances { angle, ..usual }.checked()),
    ]
}

/// The tolerances of a row of [`compared`].
pub(super) fn tolerances(row: Row) -> Answer<Tolerances> {
    let [length, site, angle] = [2, 3, 4].map(|k| row.number(k));
    Ok(Tolerances { length, site, angle }.checked()?)
}

/// An ion.
pub(crate) fn ion() -> Parameter {
    let text = "An ion such as 'Li', 'Ca' or 'Al3+'; without a charge, the most common one of the element.";
    required("ion", Kind::Text, text).parsed(Ion::parse)
}

/// Where ions go.
pub(super) fn channel() -> Parameter {
    let text = "Where: 'everywhere', 'channels', 'passing' (channels wide enough for the ion), 'cavities' (closed \
                ones), the number of a channel from 1, or a name such as 'hexagonal'.";
    optional("channel", Kind::NumberOrName, Omitted::Text("everywhere"), text).parsed(Within::parse)
}

/// How many ions go in.
pub(super) fn ion_number() -> Parameter {
    number("n", 1.0, "Number of ions inserted into the cell.")
}

/// How far an ion is from its images.
pub(super) fn spacing() -> Parameter {
    let text = "Least distance between an ion and its periodic images, Å: n ions go into the smallest supercell of the \
                primitive cell that keeps it. 0 takes the cell as it is given.";
    number("spacing", 0.0, text).measured(|x| match x >= 0.0 && x.is_finite() {
        true => Ok(()),
        false => Err(format!("spacing = {x} Å; it must be positive, or 0 for the cell as it is")),
    })
}

/// Points that are stated.
pub(super) fn sites() -> Parameter {
    let text = "Where exactly: three fractions of the cell for each of the n ions, ions apart by semicolons, such as \
                '0.5 0.5 0; 0.5 0.5 0.5'. Empty: sites are searched.";
    optional("sites", Kind::Text, Omitted::Text(""), text).parsed(|text| match text.trim() {
        "" => Ok(()),
        text => parse_sites(text).map(drop),
    })
}

/// What moves once ions are in.
pub(super) fn relaxes() -> Parameter {
    let text = "What is relaxed once the ions are in: all; atoms, in the cell of the relaxed host; host, its atoms alone, \
                with the ions held; or nothing.";
    choice("relaxes", &Freedom::NAMES, text)
}

/// `n` as a number of ions.
pub(super) fn count(n: f64) -> Result<usize, String> {
    whole("n", n, 1.0, f64::INFINITY)
}

/// A whole number within what is allowed.
///
/// # Errors
/// Another number, with what is allowed.
pub(crate) fn whole(name: &str, x: f64, least: f64, most: f64) -> Result<usize, String> {
    match (least..=most).contains(&x) && x.fract() == 0.0 {
        true => Ok(x as usize),
        false if most.is_finite() => Err(format!("{name} = {x}; it must be a whole number from {least} to {most}")),
        false => Err(format!("{name} = {x}; it must be a whole number from {least}")),
    }
}

/// The energy model of a session that sets none stands in options.rs.
const OF_SESSION: Omitted = Omitted::Means("the option `hollandite.energy_model`, 'chgnet'");

/// An energy model.
pub(crate) fn energy_model() -> Parameter {
    let text = "Name or path of an energy model, as a constant.";
    optional("model", Kind::Model, OF_SESSION, text).checked(|function, constant, environment| {
        match constant.map(|value| value.try_as_str().flatten().unwrap_or_default()) {
            Some("") => Ok(()),
            Some(name) => environment.potential(name).map(drop).map_err(Into::into),
            None => plan_err!("{function} needs the model's name as a constant, such as 'chgnet'"),
        }
    })
}

/// An energy model, or a column of them: their disagreement is computed from several at once.
pub(super) fn energy_models() -> Parameter {
    let text = "Name or path of an energy model. A column asks each row's own: `models` lists those that have forces.";
    optional("model", Kind::Model, OF_SESSION, text).checked(|_, constant, environment| {
        match constant.and_then(|value| value.try_as_str()).flatten().unwrap_or_default() {
            "" => Ok(()),
            name => environment.potential(name).map(drop).map_err(Into::into),
        }
    })
}

/// What an error says.
pub(super) fn reason(error: impl Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};
    use datafusion::common::ScalarValue;

    use super::super::Function;
    use super::*;
    use crate::environment::Environment;

    /// What a call of `f(NULL, constant)` is refused with when it is planned.
    fn refused(parameter: Parameter, constant: ScalarValue) -> Option<String> {
        let parameters = vec![structure(), parameter];
        let function = Function { name: "f", text: "", parameters, unit: None, example: "", kernel: () };
        let field = Field::new("x", constant.data_type(), true);
        let fields = [Field::new("s", DataType::Null, true), field];
        let constants = [None, Some(&constant)];
        function.check(fields.iter(), &constants, &Environment::default()).err().map(|e| e.to_string())
    }

    #[test]
    fn unknown_options_are_refused_with_the_known_ones() {
        const KNOWN: &[(&str, i32)] = &[("one", 1), ("two", 2)];
        assert_eq!(named("Two", KNOWN), Ok(2));
        let message = refused(choice("x", KNOWN, ""), ScalarValue::from("three")).unwrap();
        assert!(message.contains("f: no option 'three'; known: one, two"), "{message}");
        assert_eq!(radius_set("Ionic"), Ok(Radii::Shannon));
        let message = refused(radii("atomic"), ScalarValue::from("slater")).unwrap();
        assert!(message.contains("f: no radius set 'slater'") && message.contains("atomic, covalent"), "{message}");
        assert_eq!(refused(radii("atomic"), ScalarValue::from("vdw")), None);
    }

    #[test]
    fn constant_tolerances_are_checked_when_planned() {
        let [_, _, ltol, stol, _] = compared().try_into().ok().unwrap();
        assert_eq!(refused(ltol, ScalarValue::from(0.4)), None);
        let message = refused(stol, ScalarValue::from(7_i64)).unwrap();
        assert!(message.contains("f: stol is 7"), "{message}");
    }
}
