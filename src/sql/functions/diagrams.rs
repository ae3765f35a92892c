//! What the functions of phase diagrams share: diagrams, each read once, and formulas, over a batch of rows.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};

use super::{Arguments, Kind, Parameter};
use crate::crystal::Composition;
use crate::stability::PhaseDiagram;

/// The diagram.
pub(super) const DIAGRAM: Parameter = Parameter::required("diagram", Kind::Text);
/// The formula of a phase.
pub(super) const FORMULA: Parameter = Parameter::required("formula", Kind::Text);
/// Its formation energy.
pub(super) const ENERGY: Parameter = Parameter::required("ef", Kind::Number);

/// The diagrams and formulas of the rows, arguments 0 and 1.
pub(super) struct Diagrams {
    distinct: Vec<PhaseDiagram>,
    /// Which diagram each row names; `None` for NULL.
    of_row: Vec<Option<usize>>,
    formulas: Option<StringArray>,
}

impl Diagrams {
    /// Reads the diagrams of a batch. Mostly it is one for all rows, a text of a megabyte that lies in memory once.
    pub fn of(arguments: &Arguments) -> Result<Self> {
        let texts = cast(&arguments.columns[0], &DataType::Utf8View)?;
        let texts = texts.as_string_view();
        let (mut places, mut contents) = (HashMap::new(), HashMap::<&str, usize>::new());
        let mut distinct = Vec::new();
        let mut of_row = Vec::with_capacity(texts.len());
        for i in 0..texts.len() {
            if texts.is_null(i) || arguments.columns[0].data_type().is_null() {
                of_row.push(None);
                continue;
            }
            let text = texts.value(i);
            let known = places.get(&(text.as_ptr(), text.len())).or_else(|| contents.get(text)).copied();
            let place = match known {
                Some(place) => place,
                None => {
                    let diagram = PhaseDiagram::from_text(text);
                    distinct.push(diagram.map_err(|e| exec_datafusion_err!("{}: {e}", arguments.function))?);
                    contents.insert(text, distinct.len() - 1);
                    distinct.len() - 1
                }
            };
            places.insert((text.as_ptr(), text.len()), place);
            of_row.push(Some(place));
        }
        Ok(Self { distinct, of_row, formulas: arguments.texts(1)? })
    }

    /// The diagram and the composition of row `i`; `None` for NULL.
    pub fn row(&self, i: usize) -> Option<(&PhaseDiagram, Result<Composition, String>)> {
        let diagram = &self.distinct[self.of_row[i]?];
        Some((diagram, Composition::parse(self.formulas.as_ref()?.value(i)).map_err(|e| e.to_string())))
    }

    /// The diagrams.
    pub fn distinct(&self) -> impl Iterator<Item = &PhaseDiagram> {
        self.distinct.iter()
    }
}

impl Arguments<'_> {
    /// `f(diagram, composition, energy)` of every row: arguments 0, 1 and 2.
    pub(super) fn map_phases<T: Send>(
        &self,
        f: impl Fn(usize, &PhaseDiagram, &Composition, f64) -> std::result::Result<T, String> + Sync,
    ) -> Result<Vec<Option<T>>> {
        let diagrams = Diagrams::of(self)?;
        let energies = self.numbers(2)?;
        Ok(self.rows(|i| {
            let (diagram, composition) = diagrams.row(i)?;
            let energy = energies.as_ref().map_or(f64::NAN, |column| column.value(i));
            Some(composition.and_then(|composition| f(i, diagram, &composition, energy)))
        }))
    }
}
