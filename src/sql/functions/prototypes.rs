//! Crystals that are built and not found: walls of octahedra around tunnels, and blocks of them.

use super::kernel::{Answer, Kernel, Row, rows, values};
use super::{Function, Kind, Omitted, Parameter, optional, required};
use crate::cost::Cost;
use crystal::{Element, Structure};
use generation::{Build, Prototype};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "blocks",
            text: "A crystal of blocks: ReO3-type columns of n x m corner-sharing octahedra that share edges with the next, as in \
                   Wadsley-Roth phases (Cava et al. 1983): 3 x 3 is TiNb2O7, 3 x 4 Nb12O29. Bonds are as long as Shannon's radii \
                   ask for in the oxidation states in which it is charge-neutral: a guess to begin a relaxation with.",
            parameters: vec![metals(), width("n"), width("m"), anion()],
            unit: None,
            example: "SELECT formula(blocks('Nb', 3, 4)), largest_free_sphere(blocks('Nb', 3, 4))",
            kernel: built(|row, n, m| Ok((Prototype::Blocks(n, m), build(row, 3, None)?))),
        },
        Function {
            name: "tunnels",
            text: "A crystal of m x n tunnels between walls of edge-sharing octahedra, m and n wide (Turner & Buseck 1981): 1 x 1 is \
                   rutile, 2 x 2 hollandite, 2 x 3 romanechite, 3 x 3 todorokite. Bonds are as long as Shannon's radii ask for in \
                   the oxidation states in which it is charge-neutral: a guess to begin a relaxation with.",
            parameters: vec![
                metals(),
                width("m"),
                width("n"),
                optional(
                    "ion",
                    Kind::Text,
                    Omitted::Text(""),
                    "Symbol of an ion in the tunnels, one for each period; empty for none.",
                )
                .parsed(ion),
                anion(),
            ],
            unit: None,
            example: "SELECT m, largest_free_sphere(tunnels('Mn', m, m), 'ionic') AS sphere FROM generate_series(1, 4) AS t(m)",
            kernel: built(|row, m, n| Ok((Prototype::Tunnels(m, n), build(row, 4, ion(row.text(3))?)?))),
        },
    ]
}

/// Of the octahedra.
fn metals() -> Parameter {
    let text = "Symbol of the metal in the octahedra, or one for each of them, as in 'Ti,Nb,Nb,Nb'.";
    required("metal", Kind::Text, text).parsed(elements)
}

fn width(name: &'static str) -> Parameter {
    required(name, Kind::Number, "Octahedra along one side.").measured(octahedra)
}

fn anion() -> Parameter {
    optional("anion", Kind::Text, Omitted::Text("O"), "Symbol of the anion.").parsed(Element::from_symbol)
}

/// What `f(row, width, width)` says is built.
fn built(f: impl Fn(Row, usize, usize) -> Answer<(Prototype, Build)> + Send + Sync + 'static) -> Kernel {
    let of_row = move |row: Row| -> Answer<Structure> {
        let (prototype, build) = f(row, octahedra(row.number(1))?, octahedra(row.number(2))?)?;
        Ok(prototype.build(&build)?)
    };
    rows(Cost::Crystal, values(), move |arguments| {
        let read = arguments.read()?;
        Ok(arguments.rows(|i| Some(of_row(Row { read: &read, i }))))
    })
}

/// The elements of a row, the anion in argument `k`.
fn build(row: Row, k: usize, ion: Option<Element>) -> Answer<Build> {
    Ok(Build { metals: elements(row.text(0))?, anion: Element::from_symbol(row.text(k))?, ion })
}

fn elements(list: &str) -> Result<Vec<Element>, String> {
    list.split(',').map(|symbol| Element::from_symbol(symbol.trim()).map_err(|e| e.to_string())).collect()
}

fn ion(symbol: &str) -> Result<Option<Element>, String> {
    (!symbol.is_empty()).then(|| Element::from_symbol(symbol).map_err(|e| e.to_string())).transpose()
}

/// A number of octahedra; whether there can be so many is the prototype's to say.
fn octahedra(n: f64) -> Result<usize, String> {
    match n >= 0.0 && n.fract() == 0.0 {
        true => Ok(n as usize),
        false => Err(format!("{n} octahedra; give a whole number")),
    }
}
