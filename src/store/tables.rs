//! The tables of the lake as `schema/lake.sql` has them, and the rows that an import puts into the wide one.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayBuilder, ArrayRef, Float64Array, Float64Builder, Int32Builder, ListBuilder, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, ColumnOption, CreateTable, DataType as SqlType, Statement};
use datafusion::sql::sqlparser::{dialect::DuckDbDialect, parser::Parser};

use crate::columns::StructureBuilder;
use crate::crystal::{ContentHash, DEFAULT_SYMPREC, Radii, Structure, Symmetry};
use crate::features;
use crate::formats::{Properties, Record};

/// The dictionary as it is written.
const LAKE_SQL: &str = include_str!("../../schema/lake.sql");

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// SQL type as the dictionary has it.
    pub sql_type: String,
    /// What it holds, with its unit.
    pub comment: String,
    pub(super) data_type: DataType,
}

/// A table as the dictionary has it.
#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<Column>,
    schema: SchemaRef,
}

static TABLES: LazyLock<Vec<Table>> =
    LazyLock::new(|| parse(LAKE_SQL).expect("schema/lake.sql is part of the program and tested"));

/// The columns of `table` in order, of those that every store has and of `features_name`: what `\d` prints.
pub fn dictionary(table: &str) -> Option<&'static [Column]> {
    TABLES.iter().find(|t| t.name == table).map(|t| t.columns.as_slice())
}

/// The columns of the wide table in order: the dictionary that `\d tmo` prints.
pub fn columns() -> &'static [Column] {
    &TABLES[0].columns
}

/// The columns of a feature's table that stand before its values.
pub(super) fn feature_columns() -> &'static [Column] {
    &TABLES[1].columns
}

/// The columns that follow those of the wide table where crystals were made from others.
pub fn lineage_columns() -> &'static [Column] {
    &TABLES[2].columns
}

/// Arrow schema of the wide table.
pub fn schema() -> SchemaRef {
    TABLES[0].schema.clone()
}

/// The shape of a table of crystals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The columns of the wide table.
    Wide,
    /// These, and the crystal's lineage.
    Made,
}

impl Shape {
    /// Its columns, in order.
    pub(super) fn columns(self) -> impl Iterator<Item = &'static Column> {
        let lineage = match self {
            Self::Wide => &[],
            Self::Made => lineage_columns(),
        };
        columns().iter().chain(lineage)
    }

    /// Its Arrow schema.
    pub(super) fn schema(self) -> SchemaRef {
        let field = |c: &Column| Field::new(&c.name, c.data_type.clone(), true);
        Arc::new(Schema::new(self.columns().map(field).collect::<Fields>()))
    }

    /// The shape of a table of crystals that exists.
    ///
    /// # Errors
    /// A table of another shape: the first difference, in words.
    pub(super) fn of(found: &Schema) -> Result<Self, String> {
        match same_shape(found, &Self::Made.schema()) {
            Ok(()) => Ok(Self::Made),
            Err(_) => same_shape(found, &Self::Wide.schema()).map(|()| Self::Wide),
        }
    }
}

/// Arrow schema of `table`, one of the dictionary's.
pub(super) fn schema_of(table: &str) -> Option<SchemaRef> {
    TABLES.iter().find(|t| t.name == table).map(|t| t.schema.clone())
}

fn parse(sql: &str) -> Result<Vec<Table>, String> {
    let statements = Parser::parse_sql(&DuckDbDialect {}, sql).map_err(|e| e.to_string())?;
    let tables = statements.iter().map(|statement| match statement {
        Statement::CreateTable(table) => table_of(table),
        other => Err(format!("expected CREATE TABLE, found {other}")),
    });
    let tables = tables.collect::<Result<Vec<_>, _>>()?;
    match tables.iter().map(|t| t.name.as_str()).collect::<Vec<_>>().as_slice() {
        ["tmo", "features_name", "lineage", ..] => Ok(tables),
        found => Err(format!("expected tmo, features_name and lineage first, found {found:?}")),
    }
}

fn table_of(table: &CreateTable) -> Result<Table, String> {
    let column = |definition: &datafusion::sql::sqlparser::ast::ColumnDef| {
        let name = definition.name.value.clone();
        let comment = definition.options.iter().find_map(|option| match &option.option {
            ColumnOption::Comment(comment) => Some(comment.clone()),
            _ => None,
        });
        Ok(Column {
            sql_type: definition.data_type.to_string(),
            data_type: arrow_type(&definition.data_type)?,
            comment: comment.ok_or_else(|| format!("{name} has no COMMENT"))?,
            name,
        })
    };
    let columns = table.columns.iter().map(column).collect::<Result<Vec<_>, String>>()?;
    let field = |c: &Column| Field::new(&c.name, c.data_type.clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Fields>()));
    Ok(Table { name: table.name.to_string(), columns, schema })
}

fn arrow_type(sql: &SqlType) -> Result<DataType, String> {
    Ok(match sql {
        SqlType::Varchar(None) => DataType::Utf8,
        SqlType::Integer(None) => DataType::Int32,
        SqlType::Double(_) => DataType::Float64,
        SqlType::Boolean => DataType::Boolean,
        SqlType::Array(ArrayElemTypeDef::SquareBracket(item, None)) => {
            DataType::List(Arc::new(Field::new_list_field(arrow_type(item)?, true)))
        }
        SqlType::Struct(fields, _) => {
            let field = |f: &datafusion::sql::sqlparser::ast::StructField| {
                let name = f.field_name.as_ref().ok_or("a field without a name")?;
                Ok(Field::new(&name.value, arrow_type(&f.field_type)?, true))
            };
            DataType::Struct(fields.iter().map(field).collect::<Result<Fields, String>>()?)
        }
        other => return Err(format!("type {other} is not used in the lake")),
    })
}

/// One row of the wide table.
#[derive(Debug)]
pub(super) struct Row {
    id: String,
    source: String,
    source_id: Option<String>,
    hash: ContentHash,
    structure: Structure,
    formula: String,
    elements: Vec<&'static str>,
    chemsys: String,
    density: f64,
    packing_fraction: Option<f64>,
    void: Option<f64>,
    spacegroup: Option<u16>,
    properties: Properties,
}

impl Row {
    /// Computes every column of a record; `source` is used where the record names none. What is not defined for the
    /// crystal (an element without a radius, no consistent symmetry) is NULL.
    pub(super) fn new(record: Record, hash: ContentHash, source: &str) -> Self {
        let Record { id, structure, mut properties, .. } = record;
        let composition = structure.composition();
        let mut elements: Vec<_> = composition.iter().map(|(e, _)| e.symbol()).collect();
        elements.sort_unstable();
        let source_id = match properties.extra.remove("source_id") {
            Some(serde_json::Value::String(text)) => Some(text),
            _ => None,
        };
        Self {
            source: properties.source.take().unwrap_or_else(|| source.to_owned()),
            source_id,
            hash,
            formula: composition.reduced_formula(),
            elements,
            chemsys: composition.chemsys(),
            density: features::density(&structure),
            packing_fraction: features::packing_fraction(&structure, Radii::Atomic).ok(),
            void: features::default_void(&structure).ok(),
            spacegroup: Symmetry::of(&structure, DEFAULT_SYMPREC).ok().map(|s| s.number),
            id,
            structure,
            properties,
        }
    }
}

impl Row {
    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its crystal.
    pub(super) fn structure(&self) -> &Structure {
        &self.structure
    }

    /// What crystals of one structure share: reduced formula and space group.
    pub(super) fn block(&self) -> (String, Option<i32>) {
        (self.formula.clone(), self.spacegroup.map(i32::from))
    }
}

/// Collects rows into one batch of [`schema`].
#[derive(Debug, Default)]
struct Wide {
    id: StringBuilder,
    source: StringBuilder,
    source_id: StringBuilder,
    structure_hash: StringBuilder,
    formula: StringBuilder,
    elements: ListBuilder<StringBuilder>,
    nelements: Int32Builder,
    class: StringBuilder,
    chemsys: StringBuilder,
    natoms: Int32Builder,
    volume: Float64Builder,
    density: Float64Builder,
    packing_fraction: Float64Builder,
    void: Float64Builder,
    spacegroup: Int32Builder,
    formation_energy_per_atom: Float64Builder,
    e_above_hull: Float64Builder,
    band_gap: Float64Builder,
    correction_scheme: StringBuilder,
    split: StringBuilder,
    extra: StringBuilder,
}

impl Wide {
    fn append(&mut self, row: &Row) {
        let p = &row.properties;
        self.id.append_value(&row.id);
        self.source.append_value(&row.source);
        self.source_id.append_option(row.source_id.as_ref());
        self.structure_hash.append_value(row.hash.to_string());
        self.formula.append_value(&row.formula);
        self.elements.append_value(row.elements.iter().map(Some));
        self.nelements.append_value(row.elements.len() as i32);
        self.class.append_value(features::class_name(row.elements.len()));
        self.chemsys.append_value(&row.chemsys);
        self.natoms.append_value(row.structure.len() as i32);
        self.volume.append_value(row.structure.volume());
        self.density.append_value(row.density);
        self.packing_fraction.append_option(row.packing_fraction);
        self.void.append_option(row.void);
        self.spacegroup.append_option(row.spacegroup.map(i32::from));
        self.formation_energy_per_atom.append_option(p.formation_energy_per_atom);
        self.e_above_hull.append_option(p.e_above_hull);
        self.band_gap.append_option(p.band_gap);
        self.correction_scheme.append_option(p.correction_scheme.as_ref());
        self.split.append_option(p.split.as_ref());
        let extra = (!p.extra.is_empty()).then(|| serde_json::to_string(&p.extra).ok()).flatten();
        self.extra.append_option(extra);
    }
}

/// The batch of `rows` for a table of that shape, columns in the order of the dictionary. What the lineage of a crystal is, its record
/// has among its other properties.
pub(super) fn batch(rows: &mut [Row], shape: Shape) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut wide = Wide::default();
    let mut structures = StructureBuilder::new(rows.len());
    let lineage: Vec<ArrayRef> = shape.columns().skip(columns().len()).map(|column| lineage(rows, column)).collect();
    for row in rows {
        wide.append(row);
        structures.append(&row.structure);
    }
    let structures: ArrayRef = Arc::new(structures.finish());
    let mut column = |name: &str| -> Option<ArrayRef> {
        let builder: &mut dyn ArrayBuilder = match name {
            "id" => &mut wide.id,
            "source" => &mut wide.source,
            "source_id" => &mut wide.source_id,
            "structure_hash" => &mut wide.structure_hash,
            "formula" => &mut wide.formula,
            "elements" => &mut wide.elements,
            "nelements" => &mut wide.nelements,
            "class" => &mut wide.class,
            "chemsys" => &mut wide.chemsys,
            "structure" => return Some(structures.clone()),
            "natoms" => &mut wide.natoms,
            "volume" => &mut wide.volume,
            "density" => &mut wide.density,
            "packing_fraction" => &mut wide.packing_fraction,
            "void" => &mut wide.void,
            "spacegroup" => &mut wide.spacegroup,
            "formation_energy_per_atom" => &mut wide.formation_energy_per_atom,
            "e_above_hull" => &mut wide.e_above_hull,
            "band_gap" => &mut wide.band_gap,
            "correction_scheme" => &mut wide.correction_scheme,
            "split" => &mut wide.split,
            "extra" => &mut wide.extra,
            _ => return None,
        };
        Some(builder.finish())
    };
    let arrays = columns()
        .iter()
        .map(|c| {
            column(&c.name).ok_or_else(|| {
                arrow::error::ArrowError::SchemaError(format!("no builder for column {} of lake.sql", c.name))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(shape.schema(), [arrays, lineage].concat())
}

/// A column of lineage, taken out of the other properties of the rows: a text, or a number.
fn lineage(rows: &mut [Row], column: &Column) -> ArrayRef {
    let values = rows.iter_mut().map(|row| row.properties.extra.remove(&column.name));
    match column.data_type {
        DataType::Float64 => Arc::new(values.map(|value| value?.as_f64()).collect::<Float64Array>()),
        _ => Arc::new(values.map(|value| value?.as_str().map(str::to_owned)).collect::<StringArray>()),
    }
}

/// Whether a table of `found` columns takes rows of `expected`, or will once it has grown by some of the last `added`, which came
/// after the table was first made. The first difference, in words.
pub(super) fn grows_to(found: &Schema, expected: &Schema, added: usize) -> Result<(), String> {
    let least = expected.fields().len().saturating_sub(added);
    let first = expected.fields().iter().take(found.fields().len().max(least)).cloned().collect::<Fields>();
    same_shape(found, &Schema::new(first))
}

/// Whether a table of `found` columns takes rows of `expected`: the same names and types in the same order, strings of
/// any layout. The first difference, in words.
pub(super) fn same_shape(found: &Schema, expected: &Schema) -> Result<(), String> {
    for (i, want) in expected.fields().iter().enumerate() {
        match found.fields().get(i) {
            Some(have) if have.name() != want.name() => {
                return Err(format!("its column {} is {}, expected {}", i + 1, have.name(), want.name()));
            }
            Some(have) if !same_type(have.data_type(), want.data_type()) => {
                return Err(format!("column {} is {}, expected {}", want.name(), have.data_type(), want.data_type()));
            }
            Some(_) => {}
            None => return Err(format!("it has no column {}", want.name())),
        }
    }
    match found.fields().get(expected.fields().len()) {
        Some(field) => Err(format!("its column {} is not one of ours", field.name())),
        None => Ok(()),
    }
}

fn same_type(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8, DataType::Utf8) => true,
        (DataType::List(a), DataType::List(b)) => same_type(a.data_type(), b.data_type()),
        (DataType::Struct(a), DataType::Struct(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.name() == b.name() && same_type(a.data_type(), b.data_type()))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;
    use crate::columns::structure_type;
    use crate::crystal::{Element, Lattice, content_hash};

    fn rutile() -> Record {
        let lattice = Lattice::from_parameters(4.594, 4.594, 2.959, 90.0, 90.0, 90.0).unwrap();
        let (ti, o) = (Element::from_symbol("Ti").unwrap(), Element::O);
        let x = 0.305;
        let coords =
            vec![[0.0; 3], [0.5; 3], [x, x, 0.0], [-x, -x, 0.0], [0.5 - x, 0.5 + x, 0.5], [0.5 + x, 0.5 - x, 0.5]];
        let structure = Structure::new(lattice, vec![ti, ti, o, o, o, o], coords).unwrap();
        Record { id: "mp-2657".into(), structure, line: 1, properties: Properties::default() }
    }

    #[test]
    fn the_dictionary_agrees_with_the_rows_we_build() {
        let record = rutile();
        let hash = content_hash(&record.structure);
        let batch = batch(&mut [Row::new(record, hash, "test")], Shape::Wide).unwrap();
        assert_eq!(batch.schema(), schema());
        assert_eq!(batch.num_columns(), columns().len());
        assert_eq!(schema().field_with_name("structure").unwrap().data_type(), &structure_type());
        assert!(columns().iter().all(|c| !c.comment.is_empty()));
    }

    #[test]
    fn a_row_of_rutile() {
        let record = rutile();
        let row = Row::new(record, ContentHash(7), "test");
        assert_eq!((row.formula.as_str(), row.chemsys.as_str()), ("TiO2", "O-Ti"));
        assert_eq!(row.elements, ["O", "Ti"]);
        assert_eq!(row.spacegroup, Some(136));
        // Densities of definitions.md, section 3.
        assert!((row.density - 4.247301).abs() < 1e-5, "{}", row.density);
        assert!((row.packing_fraction.unwrap() - 0.426061).abs() < 1e-5);
    }

    #[test]
    fn lineage_stands_behind_the_columns_of_every_crystal() {
        let mut record = rutile();
        let extra = &mut record.properties.extra;
        extra.insert("parent".into(), "mp-1".into());
        extra.insert("radius_change".into(), 0.25.into());
        extra.insert("note".into(), "kept".into());
        let made = batch(&mut [Row::new(record.clone(), ContentHash(1), "test")], Shape::Made).unwrap();
        let text = |name: &str| made.column_by_name(name).unwrap().as_string::<i32>().clone();
        assert_eq!((text("parent").value(0), text("extra").value(0)), ("mp-1", "{\"note\":\"kept\"}"));
        assert!(text("substitution").is_null(0));
        let change = made.column_by_name("radius_change").unwrap().as_primitive::<arrow::datatypes::Float64Type>();
        assert_eq!(change.value(0), 0.25);
        assert_eq!(Shape::of(&made.schema()), Ok(Shape::Made));
        let wide = batch(&mut [Row::new(record, ContentHash(1), "test")], Shape::Wide).unwrap();
        assert_eq!(Shape::of(&wide.schema()), Ok(Shape::Wide));
        assert!(wide.column_by_name("extra").unwrap().as_string::<i32>().value(0).contains("parent"));
    }

    #[test]
    fn another_shape_is_described() {
        assert_eq!(same_shape(&schema(), &schema()), Ok(()));
        let mut fields: Vec<_> = schema().fields().iter().cloned().collect();
        fields.swap(0, 1);
        assert!(same_shape(&Schema::new(fields), &schema()).unwrap_err().contains("column 1 is source"));
        let short: Vec<_> = schema().fields().iter().take(3).cloned().collect();
        assert!(same_shape(&Schema::new(short.clone()), &schema()).unwrap_err().contains("structure_hash"));
        let (short, missing) = (Schema::new(short), schema().fields().len() - 3);
        assert_eq!(grows_to(&short, &schema(), missing), Ok(()));
        assert!(grows_to(&short, &schema(), missing - 1).unwrap_err().contains("no column structure_hash"));
        let mut longer: Vec<_> = schema().fields().iter().cloned().collect();
        longer.push(longer[0].clone());
        assert!(grows_to(&Schema::new(longer), &schema(), 1).unwrap_err().contains("not one of ours"));
    }
}
