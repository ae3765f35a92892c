use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::energy_model;
use super::insertion_sites::check_ion;
use super::lists::{self, fields, list_of};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption::RelaxOptions;
use crate::columns::{structure_type, structures};
use crate::features::{Ion, ring_name};
use crate::sql::adsorption::{Kept, Place, Places, Question, answers};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::sql::options::HollanditeOptions;

#[user_doc(
    doc_section(label = "Energy Functions"),
    description = "How strongly an ion is held in each channel of a host, by an energy model: a list of structs, one a channel, widest first; one for the cavities where there is no channel. The host is relaxed with its cell (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), n ions are put where `insert` puts them in the relaxed host, and the cell with them is relaxed in turn. channel, channel_name: number and name of the channel in the relaxed host. sites: fractional coordinates where the ions were put. e_host, e_inserted: eV; e_ion: the ion's element by itself, eV/atom, all by the same model. adsorption_potential: -(e_inserted - e_host - n e_ion) / n, eV per ion, positive = favourable. voltage: that over the ion's charge, V. volume_change: of the relaxed cell on insertion. structure: the relaxed cell, ions last. reason: why there is no number. Seconds to minutes a crystal: filter first. Remembered in the store, each crystal as it is done, and its relaxed host for other ions.",
    syntax_example = "adsorption(structure, ion[, n[, model]])",
    sql_example = "SELECT id, unnest(adsorption(structure, 'Ca')) FROM tmo WHERE id = 'Nb12WO33'",
    argument(name = "structure", description = "The empty host: a structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "ion",
        description = "An ion such as 'Li', 'Ca' or 'Al3+'; without a charge the element's commonest."
    ),
    argument(name = "n", description = "Ions in the cell, 1 where left out."),
    argument(
        name = "model",
        description = "Name of an energy model, or the path of one, as a constant; the option `hollandite.energy_model`, 'chgnet', where left out or empty."
    )
)]
/// `adsorption(structure, ion[, n[, model]])`
#[derive(Debug)]
pub struct AdsorptionOf;

impl CrystalFunction for AdsorptionOf {
    fn name(&self) -> &'static str {
        "adsorption"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::required("ion", Kind::Text),
                Parameter::optional("n", Kind::Number),
                Parameter::optional("model", Kind::Text),
            ]
        }
    }

    fn returns(&self) -> DataType {
        list_of(DataType::Struct(columns()))
    }

    fn cost(&self) -> Cost {
        Cost::Surface
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], environment: &Environment) -> Result<()> {
        check_ion(self.name(), constants.get(1).copied().flatten())?;
        energy_model::check(self.name(), constants.get(3), environment)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let found = places(arguments, None, Some(3))?;
        let rows = arguments.rows(|i| found[i].clone());
        let lengths = rows.iter().map(|row| row.as_ref().map(Vec::len)).collect();
        let ions = arguments.texts(1)?;
        let charge = |i: usize| ions.as_ref().and_then(|ions| Ion::parse(ions.value(i)).ok()).map(|ion| ion.charge);
        let all: Vec<(Option<i8>, Kept)> = rows
            .into_iter()
            .enumerate()
            .flat_map(|(i, row)| row.unwrap_or_default().into_iter().map(move |kept| (i, kept)))
            .map(|(i, kept)| (charge(i), kept))
            .collect();
        Ok(Arc::new(lists::lists(lengths, Arc::new(structs(&all)))))
    }
}

/// What became of the crystals of a call, `None` for those that are NULL. `channel`: the argument that says where, by place;
/// `None` asks for each channel. `model`: the argument that names the energy model; `None`: the session does.
pub(super) fn places(
    arguments: &Arguments,
    channel: Option<usize>,
    model: Option<usize>,
) -> Result<Vec<Option<Places>>> {
    let model = energy_model::of(arguments, model)?;
    let (ions, counts) = (arguments.texts(1)?, arguments.numbers(2)?);
    let channels = channel.map(|i| arguments.texts(i)).transpose()?.flatten();
    let questions = arguments.map(|i, s| {
        let ion = Ion::parse(ions.as_ref().map_or("", |ions| ions.value(i))).map_err(|e| e.to_string())?;
        let n = counts.as_ref().map_or(1.0, |counts| counts.value(i));
        if !(n >= 1.0 && n.fract() == 0.0 && n <= 64.0) {
            return Err(format!("n = {n} is no number of ions in a cell; give 1 to 64"));
        }
        let named = channels.as_ref().map_or("everywhere", |channels| channels.value(i));
        let channel = channel.map(|_| named.to_owned());
        Ok(Question { host: s.clone(), ion, n: n as usize, channel })
    })?;
    let options = HollanditeOptions::of(arguments.config);
    let relaxation = RelaxOptions { fmax: options.relax_fmax, steps: options.relax_steps, ..RelaxOptions::default() };
    answers(arguments.environment, &model, &questions, &relaxation, options.cache)
}

fn columns() -> Fields {
    fields([
        ("channel", DataType::Int32),
        ("channel_name", DataType::Utf8),
        ("n", DataType::Int32),
        ("sites", list_of(list_of(DataType::Float64))),
        ("e_host", DataType::Float64),
        ("e_inserted", DataType::Float64),
        ("e_ion", DataType::Float64),
        ("adsorption_potential", DataType::Float64),
        ("voltage", DataType::Float64),
        ("volume_change", DataType::Float64),
        ("converged", DataType::Boolean),
        ("steps", DataType::Int32),
        ("structure", structure_type()),
        ("reason", DataType::Utf8),
    ])
}

fn structs(all: &[(Option<i8>, Kept)]) -> StructArray {
    let done = |kept: &(Option<i8>, Kept)| match &kept.1 {
        Kept::Done(place) => Some(place.as_ref().clone()),
        Kept::Failed(_) => None,
    };
    let places: Vec<Option<Place>> = all.iter().map(done).collect();
    let numbers = |of: &dyn Fn(&Place) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter(places.iter().map(|place| place.as_ref().map(of))))
    };
    let counts = |of: &dyn Fn(&Place) -> Option<usize>| -> ArrayRef {
        let count = |place: &Option<Place>| place.as_ref().and_then(of).map(|n| n as i32);
        Arc::new(Int32Array::from_iter(places.iter().map(count)))
    };
    let name = |place: &Option<Place>| place.as_ref().and_then(|place| place.ring).map(ring_name);
    let triples = lists::lists(
        places.iter().flatten().flat_map(|place| place.sites.iter().map(|_| Some(3))).collect(),
        Arc::new(Float64Array::from_iter_values(
            places.iter().flatten().flat_map(|place| place.sites.as_flattened().iter().copied()),
        )),
    );
    let sites = places.iter().map(|place| place.as_ref().map(|place| place.sites.len())).collect();
    let voltages = all.iter().zip(&places).map(|((charge, _), place)| {
        let charge = charge.filter(|&charge| charge != 0)?;
        place.as_ref().map(|place| place.potential / f64::from(charge))
    });
    let reason = |(_, kept): &(Option<i8>, Kept)| match kept {
        Kept::Done(_) => None,
        Kept::Failed(reason) => Some(reason.clone()),
    };
    let converged = places.iter().map(|place| place.as_ref().map(|place| place.converged));
    let arrays: Vec<ArrayRef> = vec![
        counts(&|place| place.channel.map(|c| c + 1)),
        Arc::new(StringArray::from_iter(places.iter().map(name))),
        counts(&|place| Some(place.n)),
        Arc::new(lists::lists(sites, Arc::new(triples))),
        numbers(&|place| place.e_host),
        numbers(&|place| place.e_inserted),
        numbers(&|place| place.e_ion),
        numbers(&|place| place.potential),
        Arc::new(Float64Array::from_iter(voltages)),
        numbers(&|place| place.volume_change),
        Arc::new(BooleanArray::from_iter(converged)),
        counts(&|place| Some(place.steps)),
        Arc::new(structures(places.iter().map(|place| place.as_ref().and_then(Place::structure)))),
        Arc::new(StringArray::from_iter(all.iter().map(reason))),
    ];
    StructArray::new(columns(), arrays, None)
}
