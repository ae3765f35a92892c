use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{fields, list_of, lists};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Element;
use crate::features::{self, Cell};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Voronoi cells of the sites, equal to pymatgen's `VoronoiNN`: a list of STRUCTs with `site` (from 1), `element`, `volume` (Å³; they sum to the volume of the cell), `coordination` (the number of faces), `weighted_coordination` (each face counted as its solid angle over the largest), `max_solid_angle` (sr) and the `faces`, a list of STRUCTs with `neighbor` (its site), `element`, `distance` (Å), `area` (Å²) and `solid_angle`. Spread the lists with `unnest`.",
    syntax_example = "voronoi(structure[, tolerance])",
    sql_example = "SELECT id, s['element'], s['volume'] FROM (SELECT id, unnest(voronoi(structure)) AS s FROM tmo)",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "tolerance",
        description = "Faces of a solid angle up to this part of the site's largest are left out of `coordination`; 0 where left out."
    )
)]
/// `voronoi(structure[, tolerance])`
#[derive(Debug)]
pub struct Voronoi;

fn face_fields() -> Fields {
    fields([
        ("neighbor", DataType::Int32),
        ("element", DataType::Utf8),
        ("distance", DataType::Float64),
        ("area", DataType::Float64),
        ("solid_angle", DataType::Float64),
    ])
}

fn site_fields() -> Fields {
    fields([
        ("site", DataType::Int32),
        ("element", DataType::Utf8),
        ("volume", DataType::Float64),
        ("coordination", DataType::Int32),
        ("weighted_coordination", DataType::Float64),
        ("max_solid_angle", DataType::Float64),
        ("faces", list_of(DataType::Struct(face_fields()))),
    ])
}

impl CrystalFunction for Voronoi {
    fn name(&self) -> &'static str {
        "voronoi"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("tolerance", Kind::Number)] }
    }

    fn returns(&self) -> DataType {
        list_of(DataType::Struct(site_fields()))
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let tolerance = arguments.numbers(1)?;
        let rows = arguments.map(|i, s| {
            let cells = features::voronoi(s).map_err(|e| e.to_string())?.cells;
            Ok((tolerance.as_ref().map_or(0.0, |t| t.value(i)), s.species().to_vec(), cells))
        })?;
        let lengths = rows.iter().map(|r| r.as_ref().map(|r| r.2.len())).collect();
        Ok(Arc::new(lists(lengths, Arc::new(columns(&rows)))))
    }
}

/// Tolerance, elements and cells of a row's crystal.
type Row = Option<(f64, Vec<Element>, Vec<Cell>)>;

fn columns(rows: &[Row]) -> StructArray {
    let cells = || rows.iter().flatten().flat_map(|(t, species, cells)| cells.iter().map(move |c| (*t, species, c)));
    let faces = || cells().flat_map(|(_, species, c)| c.faces.iter().map(move |f| (species[f.neighbor], f)));
    let faces_of_cells: Vec<ArrayRef> = vec![
        Arc::new(faces().map(|(_, f)| f.neighbor as i32 + 1).collect::<Int32Array>()),
        Arc::new(faces().map(|(e, _)| Some(e.symbol())).collect::<StringArray>()),
        Arc::new(faces().map(|(_, f)| f.distance).collect::<Float64Array>()),
        Arc::new(faces().map(|(_, f)| f.area).collect::<Float64Array>()),
        Arc::new(faces().map(|(_, f)| f.solid_angle).collect::<Float64Array>()),
    ];
    let lengths = cells().map(|(_, _, c)| Some(c.faces.len())).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(cells().map(|(_, _, c)| c.center as i32 + 1).collect::<Int32Array>()),
        Arc::new(cells().map(|(_, species, c)| Some(species[c.center].symbol())).collect::<StringArray>()),
        Arc::new(cells().map(|(_, _, c)| c.volume).collect::<Float64Array>()),
        Arc::new(cells().map(|(t, _, c)| c.coordination(t) as i32).collect::<Int32Array>()),
        Arc::new(cells().map(|(_, _, c)| c.weighted_coordination()).collect::<Float64Array>()),
        Arc::new(cells().map(|(_, _, c)| c.max_solid_angle()).collect::<Float64Array>()),
        Arc::new(lists(lengths, Arc::new(StructArray::new(face_fields(), faces_of_cells, None)))),
    ];
    StructArray::new(site_fields(), columns, None)
}
