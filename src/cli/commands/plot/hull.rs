//! `hollandite plot hull SYSTEM`: the crystals of some tables that are made of these elements alone.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use crate::cli::CliError;
use crate::cli::args::PlotHull;
use crate::cli::commands::sql;
use crate::cli::console::note;
use crate::crystal::{Composition, Element};
use crate::report::plots::hull::{Entry, hull};
use crate::report::plots::labels;
use crate::sql::{Session, quoted_name};
use crate::stability::{PhaseDiagram, Surface, one_scheme};

pub(crate) async fn run(store: Option<&Path>, args: &PlotHull) -> Result<(), CliError> {
    let (_, session) = super::super::session(store, args.at).await?;
    let elements = &args.system.0;
    let name = joined(elements, "-");
    let tables = args.tables.join(" and ");
    let (crystals, predicted) = read(&session, args, elements).await?;
    sql::warn(&session);
    if crystals.is_empty() {
        return Err(CliError::Failed(format!(
            "no row of {tables} is made of {name} alone and has an energy: --table names another table, --energy another \
             expression, and `hollandite sql \"SELECT chemsys, count(*) FROM {} GROUP BY chemsys\"` tells what there is",
            args.tables[0]
        )));
    }
    let missing = missing(elements, &crystals);
    if let ([table], false) = (args.tables.as_slice(), missing.is_empty()) {
        note(&format!(
            "warning: {table} has no phase of {}; where there are some, the hull without them is too high: --table adds \
             another table",
            missing.join(", ")
        ));
    }
    let mut diagram = PhaseDiagram::new(None);
    for (composition, energy) in &crystals {
        diagram.add(composition, *energy).map_err(CliError::Failed)?;
    }
    let surface = Surface::new(&diagram, elements).map_err(CliError::Failed)?;
    let mut entries = Vec::new();
    for (composition, energy) in crystals {
        let above = diagram.e_above_hull(&composition, energy).map_err(CliError::Failed)?;
        entries.push(Entry { composition, energy, above });
    }
    let compounds = diagram.phases().filter(|(formula, _)| Element::from_symbol(formula).is_err()).count();
    let stable = surface.corners.len() - elements.len();
    let many = |n: usize, what: &str| format!("{} {what}{}", labels::count(n as u64), if n == 1 { "" } else { "s" });
    let mut subtitle = format!(
        "{} of {tables}, {}, {stable} of them on the hull",
        many(entries.len(), "crystal"),
        many(compounds, "compound"),
    );
    if !missing.is_empty() {
        subtitle += &format!("; no phase of {}", missing.join(", ").replace('-', "–"));
    }
    let note = match &args.energy {
        Some(expression) => format!("; energy: {expression}"),
        None if predicted > 0 => format!("; energies of {} predicted", labels::count(predicted as u64)),
        None => String::new(),
    };
    let title = format!("{}: formation energies and their convex hull", name.replace('-', "–"));
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}-hull.svg")));
    super::save(&hull(&title, &subtitle, &note, &surface, &entries), &out)
}

/// `Ca-Mn-O`.
fn joined(elements: &[Element], with: &str) -> String {
    elements.iter().map(|element| element.symbol()).collect::<Vec<_>>().join(with)
}

/// Sides of the triangle on which there is no phase.
fn missing(elements: &[Element], crystals: &[(Composition, f64)]) -> Vec<String> {
    let pairs = (0..elements.len()).flat_map(|i| (0..i).map(move |j| [elements[j], elements[i]]));
    let of = |pair: &[Element; 2]| {
        crystals.iter().any(|(c, _)| c.nelements() == 2 && pair.iter().all(|element| c.amount(*element) > 0.0))
    };
    pairs.filter(|pair| !of(pair)).map(|pair| joined(&pair, "-")).collect()
}

/// Compositions with their energies, and how many of these are predictions where nothing else was requested.
async fn read(
    session: &Session,
    args: &PlotHull,
    elements: &[Element],
) -> Result<(Vec<(Composition, f64)>, usize), CliError> {
    let (energy, unlabelled) = match &args.energy {
        Some(expression) => (expression.as_str(), "false"),
        None => ("coalesce(formation_energy_per_atom, predict_ef(structure))", "formation_energy_per_atom IS NULL"),
    };
    // Each set of some of the elements, as the column chemsys writes it.
    let systems = (1_u32..1 << elements.len()).map(|set| {
        let some = elements.iter().enumerate().filter(|(i, _)| set & (1 << i) != 0);
        format!("'{}'", some.map(|(_, element)| (*element, 1.0)).collect::<Composition>().chemsys())
    });
    let systems = systems.collect::<Vec<_>>().join(", ");
    let mut batches = Vec::new();
    for table in &args.tables {
        let table = quoted_name(table);
        let columns = session.sql(&format!("SELECT * FROM {table} LIMIT 0")).await?;
        let scheme = match columns.schema().has_column_with_unqualified_name("correction_scheme") {
            true => "correction_scheme",
            false => "NULL",
        };
        let query = format!(
            "SELECT formula, ef, scheme, unlabelled FROM (SELECT arrow_cast(formula, 'Utf8') AS formula, \
             CAST(({energy}) AS DOUBLE) AS ef, arrow_cast({scheme}, 'Utf8') AS scheme, {unlabelled} AS unlabelled \
             FROM {table} WHERE chemsys IN ({systems}) AND ({})) WHERE ef IS NOT NULL",
            args.condition.as_deref().unwrap_or("true"),
        );
        batches.extend(session.sql(&query).await?.collect().await?);
    }
    let schemes = batches.iter().flat_map(|batch| batch.column(2).as_string::<i32>().iter().flatten());
    one_scheme(schemes)
        .map_err(|reason| CliError::Failed(format!("{reason}; here with --where \"correction_scheme = '...'\"")))?;
    let (mut crystals, mut predicted) = (Vec::new(), 0);
    for batch in &batches {
        predicted += batch.column(3).as_boolean().true_count();
        let (formulas, energies) = (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Float64Type>());
        for i in (0..batch.num_rows()).filter(|&i| formulas.is_valid(i)) {
            if !energies.value(i).is_finite() {
                note(&format!("warning: left out {}, whose energy is {}", formulas.value(i), energies.value(i)));
                continue;
            }
            let composition = Composition::parse(formulas.value(i)).map_err(|e| CliError::Below(e.into()))?;
            crystals.push((composition, energies.value(i)));
        }
    }
    Ok((crystals, predicted))
}
