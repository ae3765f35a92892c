//! `hollandite plot`: one set of options for each picture.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::At;
use super::values::{System, angles, cells, direction, radiation, radii, system, vector};
use crate::crystal::Radii;

/// `hollandite plot`
#[derive(Debug, ClapArgs)]
pub struct Plot {
    /// What to draw
    #[command(subcommand)]
    pub picture: PlotPicture,
}

/// The pictures.
#[derive(Debug, Subcommand)]
pub enum PlotPicture {
    /// A crystal as balls and sticks, seen down an axis
    #[command(mut_arg("out", |out| out.help("File to write, .svg or .png [default: ID-structure.svg]")))]
    Structure(PlotStructure),
    /// The powder diffraction pattern of a crystal, with the indices of its strongest peaks
    #[command(mut_arg("out", |out| out.help("File to write, .svg or .png [default: ID-xrd.svg]")))]
    Xrd(PlotXrd),
    /// A density, a potential (CHGCAR, LOCPOT, ...) or a difference of densities: a slice, and the average over planes
    Density(PlotDensity),
    /// What a table holds: classes of composition, formation energies and elements, training and test set apart
    Distribution(PlotDistribution),
    /// Predictions of a model against the labels, after `hollandite evaluate`; or the columns label and prediction of a query
    #[command(mut_arg("out", |out| out.help("File to write, .svg or .png [default: MODEL-parity.svg]")))]
    Parity(PlotModel),
    /// How large the errors of a model are, after `hollandite evaluate`; or those of a query
    #[command(mut_arg("out", |out| out.help("File to write, .svg or .png [default: MODEL-errors.svg]")))]
    Errors(PlotModel),
    /// The trials of a search for settings: the validation error of each, and the lowest so far
    Tuning(PlotTuning),
    /// The steps of a screening, and how many rows each of them leaves
    Funnel(PlotFunnel),
    /// The energy of an ion along its path from site to site: the columns distance and energy of a query
    Path(PlotPath),
    /// The convex hull of two elements, or of three: formation energies, stable phases and what coexists
    Hull(PlotHull),
}

/// `hollandite plot parity`, `hollandite plot errors`
#[derive(Debug, ClapArgs)]
pub struct PlotModel {
    /// Name of a model or an ensemble, as in the column `model` of `predictions`; or a SELECT with columns label and prediction,
    /// or the name of a stored one such as voltages
    pub model: String,
    /// Table that it was evaluated on
    #[arg(long, value_name = "NAME", default_value = "tmo")]
    pub table: String,
    /// Part of the model's training: train, validation, test, unseen or all
    #[arg(long, value_name = "PART", default_value = "test")]
    pub split: String,
    /// SQL condition on the rows of the table, for instance "class = 'binary'"
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// File to write; each picture says which without it
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite plot structure`
#[derive(Debug, ClapArgs)]
pub struct PlotStructure {
    /// Which crystal
    #[command(flatten)]
    pub crystal: OneCrystal,
    /// Viewing direction: a, b, c or u,v,w [default: that of the widest channel; the shortest axis where
    /// there is none]
    #[arg(long, value_name = "AXIS", value_parser = direction, allow_hyphen_values = true)]
    pub axis: Option<[i32; 3]>,
    /// Cells along a, b and c, as in 2x2x1 [default: as many as make the picture 8 Å wide]
    #[arg(long, value_name = "NxNxN", value_parser = cells)]
    pub cells: Option<[usize; 3]>,
    /// Which cell of the crystal to draw
    #[arg(long, value_enum, default_value_t = Cell::Conventional)]
    pub cell: Cell,
    /// Draw the channels through which a sphere of this radius passes, Å
    #[arg(long, value_name = "Å", default_value_t = 0.5)]
    pub probe: f64,
    /// Radii of the atoms between which it passes: atomic, covalent, ionic or vdw
    #[arg(long, value_name = "SET", default_value = "ionic", value_parser = radii)]
    pub radii: Radii,
    /// Draw the atoms alone
    #[arg(long)]
    pub no_channels: bool,
}

/// `hollandite plot xrd`
#[derive(Debug, ClapArgs)]
pub struct PlotXrd {
    /// Which crystal
    #[command(flatten)]
    pub crystal: OneCrystal,
    /// A line such as CuKa, CuKa1, MoKa or CoKa, or a wavelength in Å
    #[arg(long, value_name = "LINE|Å", default_value = "CuKa", value_parser = radiation)]
    pub wavelength: f64,
    /// First and last angle 2θ in degrees
    #[arg(long, value_name = "LOW,HIGH", default_value = "5,90", value_parser = angles)]
    pub range: (f64, f64),
    /// Full width of the peaks at half their height, degrees
    #[arg(long, value_name = "DEGREES", default_value_t = 0.25)]
    pub fwhm: f64,
}

/// `hollandite plot density`
#[derive(Debug, ClapArgs)]
pub struct PlotDensity {
    /// CHGCAR, CHG, AECCAR0, PARCHG, LOCPOT, ELFCAR or the like (plain, .gz or .zst), or a folder with a CHGCAR
    pub file: PathBuf,
    /// Subtract this density, of the same cell, grid and places: once for the empty host, once for its ions
    #[arg(long, value_name = "FILE")]
    pub minus: Vec<PathBuf>,
    /// Lattice vector not contained in the slice plane; planes are averaged along it
    #[arg(long, value_name = "a|b|c", default_value = "c", value_parser = vector)]
    pub axis: usize,
    /// Where on that vector the slice lies, as a fraction [default: the plane with the highest magnitude]
    #[arg(long, value_name = "FRACTION", allow_negative_numbers = true)]
    pub at: Option<f64>,
    /// Value at the ends of the scale of a difference [default: one that a hundredth of the slice exceeds]
    #[arg(long, value_name = "VALUE", requires = "minus")]
    pub limit: Option<f64>,
    /// File to write, .svg or .png
    #[arg(short, long, value_name = "FILE", default_value = "density.svg")]
    pub out: PathBuf,
}

/// `hollandite plot distribution`
#[derive(Debug, ClapArgs)]
pub struct PlotDistribution {
    /// Table to draw
    #[arg(long, value_name = "NAME", default_value = "tmo")]
    pub table: String,
    /// SQL condition on the rows to count, for instance "void > 0.5"
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// File to write, .svg or .png
    #[arg(short, long, value_name = "FILE", default_value = "distribution.svg")]
    pub out: PathBuf,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite plot tuning`
#[derive(Debug, ClapArgs)]
pub struct PlotTuning {
    /// Name of the tuning
    pub name: String,
    /// File to write, .svg or .png
    #[arg(short, long, value_name = "FILE", default_value = "tuning.svg")]
    pub out: PathBuf,
}

/// `hollandite plot funnel`
#[derive(Debug, ClapArgs)]
pub struct PlotFunnel {
    /// A query whose rows are the steps, with columns what and count, or step, what and count; or the name of a stored one
    #[arg(value_name = "QUERY|NAME", default_value = "funnel")]
    pub query: String,
    /// File to write, .svg or .png
    #[arg(short, long, value_name = "FILE", default_value = "funnel.svg")]
    pub out: PathBuf,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite plot path`
#[derive(Debug, ClapArgs)]
pub struct PlotPath {
    /// A query with columns distance and energy, such as SELECT * FROM migration_paths('ID', 'Li'); with a column structure the way
    /// is drawn in the crystal too
    #[arg(value_name = "QUERY|NAME")]
    pub query: String,
    /// File to write, .svg or .png
    #[arg(short, long, value_name = "FILE", default_value = "path.svg")]
    pub out: PathBuf,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite plot hull`
#[derive(Debug, ClapArgs)]
pub struct PlotHull {
    /// Two elements or three, as in Ti-O or Ca-Mn-O: from left to right, the third at the top
    #[arg(value_name = "SYSTEM", value_parser = system)]
    pub system: System,
    /// Table with the crystals; more may follow, as in --table tmo --table other, for what competes with oxides of tmo is not
    /// always one
    #[arg(long = "table", value_name = "NAME", default_value = "tmo")]
    pub tables: Vec<String>,
    /// SQL expression of the formation energy, eV/atom; rows where it is NULL are left out [default:
    /// formation_energy_per_atom, and predict_ef(structure) where there is none]
    #[arg(long, value_name = "SQL")]
    pub energy: Option<String>,
    /// SQL condition on the rows of the table, for instance "correction_scheme = 'MP2020'"
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// File to write, .svg or .png [default: SYSTEM-hull.svg]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// A crystal of a table, or of a file, and where its picture goes.
#[derive(Debug, ClapArgs)]
pub struct OneCrystal {
    /// Id of a crystal of the table, or a file that holds one
    #[arg(value_name = "ID|FILE")]
    pub id: String,
    /// Table to look in
    #[arg(long, value_name = "NAME", default_value = "tmo")]
    pub table: String,
    /// File to write; each picture says which without it
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// Which cell of a crystal is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cell {
    /// The standardised conventional cell of the space group at 0.1 Å
    Conventional,
    /// The standardised primitive cell
    Primitive,
    /// The cell as it stands in the table or the file
    Given,
}
