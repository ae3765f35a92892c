//! The properties of a crystal: those of the specification, the columns of its table, and the functions of a crystal.

use std::sync::LazyLock;

use formats::{OPTIMADE_SPACE_GROUP, optimade_name};
use sql::FunctionDoc;

use Kind::{Dictionary, List, Number, Text, Time, Whole};

/// What a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Number,
    Flag,
    Time,
    Dictionary,
    List(&'static Kind),
    /// Of another provider: always unknown.
    Nothing,
}

impl Kind {
    /// Of a type as SQL spells it.
    pub fn of(sql_type: &str) -> Self {
        match sql_type.strip_suffix("[]") {
            Some(item) => match Self::of(item) {
                Text => List(&Text),
                Whole => List(&Whole),
                Number => List(&Number),
                _ => List(&Dictionary),
            },
            None if sql_type.starts_with("STRUCT") => Dictionary,
            None if sql_type == "BOOLEAN" => Self::Flag,
            None if sql_type == "INTEGER" || sql_type.ends_with("INT") || sql_type.starts_with("UINT") => Whole,
            None if ["DOUBLE", "FLOAT", "DECIMAL"].iter().any(|number| sql_type.starts_with(number)) => Number,
            None if ["TIMESTAMP", "DATE"].iter().any(|time| sql_type.starts_with(time)) => Time,
            None => Text,
        }
    }

    /// In the words of OPTIMADE.
    pub fn word(self) -> &'static str {
        match self {
            Text | Self::Nothing => "string",
            Whole => "integer",
            Number => "float",
            Self::Flag => "boolean",
            Time => "timestamp",
            Dictionary => "dictionary",
            List(_) => "list",
        }
    }

    /// Whether its values have an order.
    pub fn sorts(self) -> bool {
        !matches!(self, Dictionary | List(_))
    }
}

/// A property of the specification.
pub(super) struct Standard {
    pub name: &'static str,
    pub kind: Kind,
    /// The column of the dictionary that holds the same, where a table has it.
    pub column: Option<&'static str>,
    pub summary: &'static str,
}

impl Standard {
    /// Whether it is computed where `response_fields` names it, and not unasked.
    pub fn on_request(&self) -> bool {
        OPTIMADE_SPACE_GROUP.contains(&self.name)
    }

    /// Whether filters and orders may ask for it, which the specification leaves open for space groups: the number is a column or a
    /// function of ours, before which a plan puts what is cheap, and the others are not.
    pub fn queried(&self) -> bool {
        !self.on_request() || self.kind == Whole
    }
}

const fn standard(name: &'static str, kind: Kind, column: Option<&'static str>, summary: &'static str) -> Standard {
    Standard { name, kind, column, summary }
}

/// The properties that crystals have here.
pub(super) static STANDARD: [Standard; 22] = [
    standard("id", Text, Some("id"), "Name of the crystal in its table."),
    standard("type", Text, None, "structures"),
    standard("immutable_id", Text, Some("structure_hash"), "Content hash of the crystal: equal for equal crystals."),
    standard("last_modified", Time, None, "When the entry changed last; not noted here."),
    standard("elements", List(&Text), Some("elements"), "Symbols of the elements, alphabetical."),
    standard("nelements", Whole, Some("nelements"), "Number of different elements."),
    standard("elements_ratios", List(&Number), None, "Fraction of the sites that each element has, as in elements."),
    standard("chemical_formula_descriptive", Text, Some("formula"), "Reduced formula, electropositive elements first."),
    standard("chemical_formula_reduced", Text, None, "Reduced formula, elements in alphabetical order."),
    standard(
        "chemical_formula_anonymous",
        Text,
        None,
        "Reduced formula with letters for elements, most frequent first.",
    ),
    standard("dimension_types", List(&Whole), None, "1 for each lattice vector along which the crystal is periodic."),
    standard("nperiodic_dimensions", Whole, None, "Number of periodic dimensions."),
    standard("lattice_vectors", List(&List(&Number)), None, "Lattice vectors, in Å."),
    standard("cartesian_site_positions", List(&List(&Number)), None, "Cartesian positions of the sites, in Å."),
    standard("nsites", Whole, Some("natoms"), "Number of sites in the cell."),
    standard("species", List(&Dictionary), None, "What can be at a site: here an element each."),
    standard("species_at_sites", List(&Text), None, "The species at each site."),
    standard("structure_features", List(&Text), None, "What is special about the structure: nothing here."),
    standard(
        "space_group_it_number",
        Whole,
        Some("spacegroup"),
        "Number of the space group, found with distances up to 0.1 Å taken as equal. Computed where it is asked for.",
    ),
    standard(
        "space_group_symbol_hermann_mauguin",
        Text,
        None,
        "Short Hermann-Mauguin symbol of the space group. Computed where it is asked for.",
    ),
    standard(
        "space_group_symbol_hall",
        Text,
        None,
        "Hall symbol, where axes and origin of the cell are those of a tabulated setting. Computed where it is asked for.",
    ),
    standard(
        "space_group_symmetry_operations_xyz",
        List(&Text),
        None,
        "Operations of the space group, where there is a Hall symbol. Computed where they are asked for.",
    ),
];

/// Properties of the specification that are known, and unknown of every crystal here: no cell shows whether chemists see HO or H2O2, and
/// the extended symbol of other than standard axes needs a change of basis that the table of settings does not have.
pub(super) const UNKNOWN: [&str; 3] =
    ["chemical_formula_hill", "space_group_symbol_hermann_mauguin_extended", "assemblies"];

/// Columns that are no properties: the entry itself, the JSON of what has no column, and files of the host.
pub(super) const NO_PROPERTIES: [&str; 4] = ["id", "structure", "extra", "path"];

/// Functions that need nothing but a crystal and give one value, by their names as properties.
pub(super) static FUNCTIONS: LazyLock<Vec<(String, FunctionDoc)>> = LazyLock::new(|| {
    let of_a_crystal = |function: &FunctionDoc| {
        let arguments = function.signature[function.name.len()..].trim_start_matches('(');
        let rest = arguments.strip_prefix("structure").or_else(|| arguments.strip_prefix("crystal"));
        let one = matches!(Kind::of(&function.returns), Text | Whole | Number | Kind::Flag);
        one && !["STRUCTURE", "TABLE"].contains(&function.returns.as_str())
            && rest.is_some_and(|rest| rest.starts_with([')', '[']))
    };
    let functions = sql::functions().into_iter().filter(of_a_crystal);
    functions.map(|function| (optimade_name(&function.name), function)).collect()
});

/// A unit as UCUM writes it, in which OPTIMADE has units.
pub(super) fn ucum(unit: &str) -> String {
    match unit {
        "eV/atom" => "eV/{atom}".into(),
        "valence units" => "{valence unit}".into(),
        "μ_B" => "{Bohr magneton}".into(),
        other => other.replace('Å', "Ao").replace('³', "3").replace('²', "2").replace("degree", "deg"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_one_crystal_with_one_value_are_properties() {
        let names: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["void", "spacegroup", "predict_ef", "predict_energy", "is_charge_neutral", "prototype"] {
            assert!(names.contains(&optimade_name(name).as_str()), "{name}: {names:?}");
        }
        for name in ["relax", "primitive", "predict", "has_element", "magpie", "structure", "read_csv", "most_similar"]
        {
            assert!(!names.contains(&optimade_name(name).as_str()), "{name}");
        }
    }

    #[test]
    fn every_attribute_of_a_space_group_is_a_property() {
        for name in OPTIMADE_SPACE_GROUP {
            let known = STANDARD.iter().find(|known| known.name == name).unwrap();
            assert!(known.on_request() && known.queried() == (name == "space_group_it_number"), "{name}");
        }
        assert!(STANDARD.iter().filter(|known| known.on_request()).count() == OPTIMADE_SPACE_GROUP.len());
    }

    #[test]
    fn types_and_units_are_those_of_the_specification() {
        let words = ["INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN", "VARCHAR[]", "STRUCT(a INTEGER[])"]
            .map(|t| Kind::of(t).word());
        assert_eq!(words, ["integer", "integer", "float", "string", "boolean", "list", "dictionary"]);
        assert_eq!(["Å³", "g/cm³", "eV/atom"].map(ucum), ["Ao3", "g/cm3", "eV/{atom}"]);
    }
}
