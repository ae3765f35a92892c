//! The tables of the lake as `schema/lake.sql` has them, and the rows that an import puts into the wide one.

mod values;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, ColumnOption, CreateTable, DataType as SqlType, Statement};
use datafusion::sql::sqlparser::{dialect::DuckDbDialect, parser::Parser};
use serde_json::Value;

use crystal::{ContentHash, DEFAULT_SYMPREC, Radii, Structure, Symmetry};
use formats::{Properties, Record};

pub(super) use values::DERIVED;

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

/// A property that becomes a column: `my_energy:double`.
impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, of)) = text.split_once(':') else {
            return Err(format!(
                "'{text}' is not a property with its type; expected NAME:TYPE, such as my_energy:double"
            ));
        };
        let name = name.trim().to_ascii_lowercase();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(format!("'{name}' cannot be the name of a column; expected letters, digits and _"));
        }
        let (sql_type, data_type) = match of.trim().to_ascii_lowercase().as_str() {
            "double" | "float" | "real" => ("DOUBLE", DataType::Float64),
            "integer" | "int" | "bigint" => ("BIGINT", DataType::Int64),
            "text" | "varchar" | "string" => ("VARCHAR", DataType::Utf8),
            "boolean" | "bool" => ("BOOLEAN", DataType::Boolean),
            other => {
                return Err(format!("'{other}' is not a type for {name}; expected double, integer, text or boolean"));
            }
        };
        if columns().iter().any(|column| column.name == name) {
            return Err(format!("{name} is a column of every table of crystals; --map {name}=PROPERTY fills it"));
        }
        Ok(Self { comment: promoted_comment(&name), name, sql_type: sql_type.into(), data_type })
    }
}

/// What a column says that a property of the records fills.
fn promoted_comment(name: &str) -> String {
    format!("property {name} of the records")
}

/// The comment on a column of an imported table: that of the dictionary, or of a promoted property.
pub(super) fn comment_on_imported(name: &str) -> String {
    let known =
        columns().iter().chain(lineage_columns()).chain(generation_columns()).find(|column| column.name == name);
    known.map_or_else(|| promoted_comment(name), |column| column.comment.clone())
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

/// What the columns of a table mean, by their names: of a table of the dictionary, or of one that imports fill.
pub fn meanings(table: &str, schema: &Schema) -> HashMap<&'static str, &'static str> {
    // Whatever imports fill has the columns of tmo; a column of that name elsewhere may mean something else.
    let imported =
        schema.column_with_name("structure_hash").is_some() && schema.column_with_name("structure").is_some();
    let none: &'static [Column] = &[];
    let all = match (dictionary(table), imported) {
        (Some(columns), _) => [columns, none, none],
        (None, true) => [columns(), lineage_columns(), generation_columns()],
        (None, false) => [none; 3],
    };
    all.into_iter().flatten().map(|c| (c.name.as_str(), c.comment.as_str())).collect()
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

/// The columns that follow those of the wide table where crystals were generated.
fn generation_columns() -> &'static [Column] {
    &TABLES[3].columns
}

/// Arrow schema of the wide table.
pub fn schema() -> SchemaRef {
    TABLES[0].schema.clone()
}

/// How the dictionary says that a column came after the wide table was first made, with all behind it.
const LATER: &str = "tables of earlier releases lack it";

/// The columns that every table of crystals begins with.
pub(super) fn base() -> &'static [Column] {
    let first = columns().iter().take_while(|column| !column.comment.ends_with(LATER));
    &columns()[..first.count()]
}

/// The shape of a table of crystals: the columns that each has, and those behind them, which are filled from the property of the
/// same name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    further: Vec<Column>,
}

impl Shape {
    /// The columns of the wide table, and those of `promoted` properties.
    pub(super) fn wide(promoted: &[Column]) -> Self {
        let added = &columns()[base().len()..];
        Self { further: [added, promoted].concat() }
    }

    /// The columns of a table whose crystals were made from others: their lineage.
    pub(super) fn made() -> Self {
        Self { further: lineage_columns().to_vec() }
    }

    /// The columns of a table whose crystals were generated: their lineage.
    pub(super) fn generated() -> Self {
        Self { further: generation_columns().to_vec() }
    }

    /// Whether its further columns are those of a lineage, which every table of such crystals has.
    pub(super) fn is_lineage(&self) -> bool {
        [Self::made(), Self::generated()].contains(self)
    }

    /// The shape of a table of crystals that exists. Behind its first columns it may have any.
    ///
    /// # Errors
    /// A table of another shape: the first difference, in words.
    pub(super) fn of(found: &Schema) -> Result<Self, String> {
        let n = base().len();
        let first = found.fields().iter().take(n).cloned().collect::<Fields>();
        let field = |c: &Column| Field::new(&c.name, c.data_type.clone(), true);
        same_shape(&Schema::new(first), &Schema::new(base().iter().map(field).collect::<Fields>()))?;
        let column = |f: &Arc<Field>| {
            let data_type = if f.data_type().is_string() { DataType::Utf8 } else { f.data_type().clone() };
            Column { name: f.name().clone(), sql_type: String::new(), comment: String::new(), data_type }
        };
        Ok(Self { further: found.fields().iter().skip(n).map(column).collect() })
    }

    /// Its columns, in order.
    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        base().iter().chain(&self.further)
    }

    /// Its Arrow schema.
    pub(super) fn schema(&self) -> SchemaRef {
        let field = |c: &Column| Field::new(&c.name, c.data_type.clone(), true);
        Arc::new(Schema::new(self.columns().map(field).collect::<Fields>()))
    }

    /// The columns that are filled from a row's properties.
    fn properties(&self) -> impl Iterator<Item = &Column> {
        self.further.iter().filter(|c| values::value(&c.name).is_none())
    }

    /// Makes sure that it has the columns of promoted properties.
    ///
    /// # Errors
    /// The first that it lacks, or has as another type, and the remedy.
    pub(super) fn holds(&self, promoted: &[Column], table: &str) -> Result<(), String> {
        for Column { name, sql_type, data_type, .. } in promoted {
            match self.columns().find(|c| c.name == *name) {
                Some(has) if has.data_type == *data_type => {}
                Some(has) => {
                    return Err(format!("its column {name} is {}, expected {sql_type}", has.data_type));
                }
                None => {
                    return Err(format!(
                        "it has no column {name}; add it first: ALTER TABLE {table} ADD COLUMN {name} {sql_type}"
                    ));
                }
            }
        }
        Ok(())
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
        ["tmo", "features_name", "lineage", "lineage_of_generated", ..] => Ok(tables),
        found => Err(format!("expected tmo, features_name, lineage and lineage_of_generated first, found {found:?}")),
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
        SqlType::BigInt(None) => DataType::Int64,
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
    path: Option<String>,
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

/// What is known of a crystal already, of that which takes long to compute.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub void: Option<f64>,
    pub spacegroup: Option<u16>,
}

impl Row {
    /// Computes every column of a record; `source` is used where the record names none. What is not defined for the
    /// crystal (an element without a radius, no consistent symmetry) is NULL.
    pub(super) fn new(record: Record, hash: ContentHash, source: &str) -> Self {
        Self::knowing(record, hash, source, Known::default())
    }

    /// As [`Row::new`], without computing what is known.
    pub(super) fn knowing(record: Record, hash: ContentHash, source: &str, known: Known) -> Self {
        let Record { id, structure, mut properties, .. } = record;
        let composition = structure.composition();
        let mut elements: Vec<_> = composition.iter().map(|(e, _)| e.symbol()).collect();
        elements.sort_unstable();
        properties.settle_notes();
        let source_id = match properties.extra.remove("source_id") {
            Some(serde_json::Value::String(text)) => Some(text),
            _ => None,
        };
        Self {
            source: properties.source.take().unwrap_or_else(|| source.to_owned()),
            source_id,
            path: properties.path.take(),
            hash,
            formula: composition.reduced_formula(),
            elements,
            chemsys: composition.chemsys(),
            density: features::density(&structure),
            packing_fraction: features::packing_fraction(&structure, Radii::Atomic).ok(),
            void: known.void.or_else(|| features::default_void(&structure).ok()),
            spacegroup: known.spacegroup.or_else(|| Symmetry::of(&structure, DEFAULT_SYMPREC).ok().map(|s| s.number)),
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

/// The batch of `rows` for a table of that shape. What no column of its own is for stays in `extra`.
pub(super) fn batch(rows: &mut [Row], shape: &Shape) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut properties: HashMap<&str, ArrayRef> =
        shape.properties().map(|column| (column.name.as_str(), property(rows, column))).collect();
    let arrays = shape.columns().map(|c| {
        values::column(&c.name, rows).or_else(|| properties.remove(c.name.as_str())).ok_or_else(|| {
            arrow::error::ArrowError::SchemaError(format!("values.rs has no column {} of lake.sql", c.name))
        })
    });
    RecordBatch::try_new(shape.schema(), arrays.collect::<Result<_, _>>()?)
}

/// How many of the rows have a property of a column's name that is not of its type, by column; it stays in `extra`.
pub(super) fn unfit<'a>(rows: &[Row], shape: &'a Shape) -> Vec<(&'a str, u64)> {
    let unfit = |column: &Column| {
        let of = |row: &&Row| {
            let value = key_of(row, column).map(|key| &row.properties.extra[&key]);
            value.is_some_and(|value| !value.is_null() && !fits(value, &column.data_type))
        };
        rows.iter().filter(of).count() as u64
    };
    shape.properties().map(|column| (column.name.as_str(), unfit(column))).filter(|(_, n)| *n > 0).collect()
}

/// The name under which a row has the property of a column; names of columns are in lower case.
fn key_of(row: &Row, column: &Column) -> Option<String> {
    let extra = &row.properties.extra;
    if extra.contains_key(&column.name) {
        return Some(column.name.clone());
    }
    extra.keys().find(|key| key.eq_ignore_ascii_case(&column.name)).cloned()
}

/// Whether a property can stand in a column of a type.
fn fits(value: &Value, data_type: &DataType) -> bool {
    match data_type {
        DataType::Float64 => value.is_number(),
        DataType::Int32 => whole(value).is_some_and(|n| i32::try_from(n).is_ok()),
        DataType::Int64 => whole(value).is_some(),
        DataType::Boolean => value.is_boolean(),
        DataType::Utf8 => !(value.is_array() || value.is_object()),
        _ => false,
    }
}

fn whole(value: &Value) -> Option<i64> {
    let of_float = |x: f64| (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64);
    value.as_i64().or_else(|| of_float(value.as_f64()?))
}

/// A column behind those of every crystal, taken out of the other properties of the rows where they fit it.
fn property(rows: &mut [Row], column: &Column) -> ArrayRef {
    let n = rows.len();
    let values = rows.iter_mut().map(|row| {
        let key = key_of(row, column)?;
        let fit = fits(&row.properties.extra[&key], &column.data_type);
        if fit { row.properties.extra.remove(&key) } else { None }
    });
    match column.data_type {
        DataType::Float64 => Arc::new(values.map(|value| value?.as_f64()).collect::<Float64Array>()),
        DataType::Int32 => Arc::new(values.map(|value| i32::try_from(whole(&value?)?).ok()).collect::<Int32Array>()),
        DataType::Int64 => Arc::new(values.map(|value| whole(&value?)).collect::<Int64Array>()),
        DataType::Boolean => Arc::new(values.map(|value| value?.as_bool()).collect::<BooleanArray>()),
        DataType::Utf8 => Arc::new(values.map(|value| as_text(value?)).collect::<StringArray>()),
        ref other => new_null_array(other, n),
    }
}

/// A scalar as text, without quotes; none for null.
fn as_text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
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

pub(super) fn same_type(a: &DataType, b: &DataType) -> bool {
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
    use columns::structure_type;
    use crystal::{content_hash, testing};

    fn rutile() -> Record {
        Record { id: "mp-2657".into(), structure: testing::rutile(), line: 1, properties: Properties::default() }
    }

    #[test]
    fn the_dictionary_agrees_with_the_rows_we_build() {
        let record = rutile();
        let hash = content_hash(&record.structure);
        let batch = batch(&mut [Row::new(record, hash, "test")], &Shape::wide(&[])).unwrap();
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
        // Rutile, Slater's radii.
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
        let made = batch(&mut [Row::new(record.clone(), ContentHash(1), "test")], &Shape::made()).unwrap();
        let text = |name: &str| made.column_by_name(name).unwrap().as_string::<i32>().clone();
        assert_eq!((text("parent").value(0), text("extra").value(0)), ("mp-1", "{\"note\":\"kept\"}"));
        assert!(text("substitution").is_null(0));
        let change = made.column_by_name("radius_change").unwrap().as_primitive::<arrow::datatypes::Float64Type>();
        assert_eq!(change.value(0), 0.25);
        assert_eq!(Shape::of(&made.schema()).unwrap().schema(), made.schema());
        record.properties.path = Some("runs/a.cif".to_owned());
        let wide = batch(&mut [Row::new(record, ContentHash(1), "test")], &Shape::wide(&[])).unwrap();
        assert_eq!(Shape::of(&wide.schema()).unwrap().schema(), wide.schema());
        assert_eq!(wide.column_by_name("path").unwrap().as_string::<i32>().value(0), "runs/a.cif");
        assert!(wide.column_by_name("extra").unwrap().as_string::<i32>().value(0).contains("parent"));
    }

    #[test]
    fn further_columns_are_filled_from_properties_of_their_type() {
        let column = |name: &str, data_type| Column {
            name: name.into(),
            sql_type: String::new(),
            comment: String::new(),
            data_type,
        };
        let mut record = rutile();
        for (name, value) in [
            ("My_Energy", serde_json::json!(-1.5)),
            ("steps", 7.0.into()),
            ("label", 5.into()),
            ("relaxed", true.into()),
            ("wrong", "text".into()),
            ("left", 1.into()),
        ] {
            record.properties.extra.insert(name.into(), value);
        }
        let shape = Shape::wide(&[
            column("my_energy", DataType::Float64),
            column("steps", DataType::Int64),
            column("label", DataType::Utf8),
            column("relaxed", DataType::Boolean),
            column("wrong", DataType::Float64),
            column("absent", DataType::Int32),
        ]);
        let mut rows = [Row::new(record, ContentHash(1), "test")];
        assert_eq!(unfit(&rows, &shape), [("wrong", 1)]);
        let batch = batch(&mut rows, &shape).unwrap();
        assert_eq!(Shape::of(&batch.schema()).unwrap().schema(), shape.schema());
        let of =
            |name: &str| arrow::util::display::array_value_to_string(batch.column_by_name(name).unwrap(), 0).unwrap();
        assert_eq!(
            ["my_energy", "steps", "label", "relaxed", "wrong", "absent"].map(of),
            ["-1.5", "7", "5", "true", "", ""]
        );
        assert_eq!(of("extra"), r#"{"left":1,"wrong":"text"}"#);
        assert_eq!(shape.holds(&["my_energy:double".parse().unwrap()], "t"), Ok(()));
        assert!(shape.holds(&["steps:double".parse().unwrap()], "t").unwrap_err().contains("expected DOUBLE"));
        assert!(shape.holds(&["gap:double".parse().unwrap()], "t").unwrap_err().contains("ADD COLUMN gap DOUBLE"));
        for (text, said) in [
            ("gap", "expected NAME:TYPE"),
            ("band_gap:double", "--map band_gap=PROPERTY"),
            ("gap:list", "expected double, integer"),
            ("a b:double", "cannot be the name"),
        ] {
            assert!(text.parse::<Column>().unwrap_err().contains(said), "{text}");
        }
        // A table of an earlier release has no path.
        let old =
            Schema::new(base().iter().map(|c| Field::new(&c.name, c.data_type.clone(), true)).collect::<Fields>());
        assert_eq!(Shape::of(&old).unwrap().schema().as_ref(), &old);
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
