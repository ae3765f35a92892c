//! What a person types: every command and option, in one place.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::adsorption::charge::{DEFAULT_REACH, DEFAULT_VACUUM};
use crate::columns::Mapping;
use crate::crystal::{Element, Radii};
use crate::models::DEFAULT_MODEL;

/// An embedded datastore of crystals: screen transition-metal oxides for open tunnels by writing SQL.
#[derive(Debug, Parser)]
#[command(name = "hollandite", version, propagate_version = true, disable_help_subcommand = true)]
pub struct Args {
    /// Folder of the store; without it the store in your data folder is opened, and filled with the published host
    /// structures on first use
    #[arg(long, global = true, env = "HOLLANDITE_STORE", value_name = "DIR")]
    pub store: Option<PathBuf>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an empty store
    Init(Init),
    /// Import crystals: CIF, POSCAR, folders of VASP calculations, extended XYZ, JSON and JSONL of pymatgen, the Materials Project and
    /// OPTIMADE, CSV (each plain, .gz or .zst); databases of ASE (.db), Parquet
    Import(Import),
    /// Import calculations of VASP (vasprun.xml, OUTCAR, CONTCAR), and the adsorption potentials that follow from them
    ImportDft(ImportDft),
    /// Run SQL and print what it returns
    Sql(Sql),
    /// Type SQL, with history and completion
    Shell(Shell),
    /// Write a table or a query's result to a file, or to a folder of CIFs
    Export(Export),
    /// Draw a crystal, its diffraction pattern, its electrons, what a table holds or a search for settings, as SVG or PNG
    Plot(Plot),
    /// Net charges of the ions of a calculated density (CHGCAR), by Bader's partition
    Charges(Charges),
    /// Compute functions of the crystals of a table once, and keep their values
    Featurize(Featurize),
    /// Fit a model to the labels of a table
    Train(Box<Train>),
    /// Search for the settings of a model by trial, and go on with a search that was stopped
    Tune(Box<Tune>),
    /// A model's answers for the rows of a table, kept in `predictions`, and its errors on their labels
    Evaluate(Evaluate),
    /// List the models that `predict_ef` can ask, or print the card of one
    Models(Models),
    /// List the SQL functions, or explain one
    Functions(Functions),
    /// What the store holds: tables, snapshots, imports, models, rows in quarantine
    Info(Info),
    /// Check every file's checksum and row count against the catalog
    Verify(Verify),
}

/// `hollandite verify`
#[derive(Debug, ClapArgs)]
pub struct Verify {
    /// Delete files that no snapshot names, left by killed imports; no other DuckLake client may be writing meanwhile
    #[arg(long)]
    pub remove_leftovers: bool,
}

/// `hollandite init`
#[derive(Debug, ClapArgs)]
pub struct Init {
    /// Folder of the new store; without it, the folder that --store names
    pub dir: Option<PathBuf>,
}

/// `hollandite import`
#[derive(Debug, ClapArgs)]
pub struct Import {
    /// Files, folders (searched for known extensions) or glob patterns in quotes
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Table to import into; `tmo` takes only transition-metal oxides, any other name takes every crystal
    #[arg(long, value_name = "NAME", default_value = "tmo")]
    pub into: String,
    /// Where the crystals come from, written to the column `source`; without it, what the file says or its name
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Leave out crystals that are the same structure as a row of the table, whatever their id and cell
    #[arg(long)]
    pub dedupe: bool,
    /// Columns of Parquet files that are not known by name: WHAT=COLUMN pairs, where WHAT is id, structure, cif, poscar,
    /// lattice, species, numbers, sites, positions (Å), frac_coords, or a property such as formation_energy_per_atom
    #[arg(long, value_name = "WHAT=COLUMN,..")]
    pub map: Option<Mapping>,
    /// Read and check everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `hollandite import-dft`
#[derive(Debug, ClapArgs)]
pub struct ImportDft {
    /// Folders that hold folders of calculations, or are one
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// CSV that names which calculations belong together, columns host,inserted,ion,n,channel, in place of finding them
    #[arg(long, value_name = "FILE")]
    pub triples: Option<PathBuf>,
    /// Take reference energies from the rows of `reference_energies` whose source has this in it, and from no calculation of
    /// the metal
    #[arg(long, value_name = "SOURCE")]
    pub reference: Option<String>,
    /// Read and check everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `hollandite sql`
#[derive(Debug, ClapArgs)]
pub struct Sql {
    /// SQL statements separated by `;`, or the name of a stored query (see --list); without it they are read from a pipe
    #[arg(value_name = "QUERY|NAME", conflicts_with_all = ["file", "list"])]
    pub query: Option<String>,
    /// Read the statements from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "list")]
    pub file: Option<PathBuf>,
    /// List the stored queries and what they answer
    #[arg(long)]
    pub list: bool,
    /// Print count, mean, std, min, quartiles and max of each column in place of the rows
    #[arg(long)]
    pub describe: bool,
    /// Where and how to print
    #[command(flatten)]
    pub output: Output,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite shell`
#[derive(Debug, ClapArgs)]
pub struct Shell {
    /// How to print results
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite export`
#[derive(Debug, ClapArgs)]
pub struct Export {
    /// A table's name or a query
    #[arg(value_name = "TABLE|QUERY")]
    pub what: String,
    /// File to write (.parquet, .csv, .json, .jsonl, .arrow), or a folder, which receives one CIF per row named after
    /// column `id`
    #[arg(long, value_name = "FILE|DIR")]
    pub to: PathBuf,
    /// Format to write, where the name of the file does not tell
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

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
    Structure(PlotStructure),
    /// The powder diffraction pattern of a crystal, with the indices of its strongest peaks
    Xrd(PlotXrd),
    /// A density, a potential (CHGCAR, LOCPOT, ...) or a difference of densities: a slice, and the average over planes
    Density(PlotDensity),
    /// What a table holds: classes of composition, formation energies and elements, training and test set apart
    Distribution(PlotDistribution),
    /// Predictions of a model against the labels, after `hollandite evaluate`
    Parity(PlotModel),
    /// How large the errors of a model are, after `hollandite evaluate`
    Errors(PlotModel),
    /// The trials of a search for settings: the validation error of each, and the lowest so far
    Tuning(PlotTuning),
}

/// `hollandite plot parity`, `hollandite plot errors`
#[derive(Debug, ClapArgs)]
pub struct PlotModel {
    /// Name of a model or an ensemble, as in the column `model` of `predictions`
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
    /// File to write, .svg or .png [default: MODEL-parity.svg, MODEL-errors.svg]
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
    /// Direction that points at the eye: a, b, c or u,v,w [default: that of the widest channel; the shortest axis where
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
    /// Lattice vector that the slice does not hold, and along which planes are averaged
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

/// `hollandite charges`
#[derive(Debug, ClapArgs)]
pub struct Charges {
    /// CHGCAR of the calculation (plain, .gz or .zst), or the folder that holds it
    pub file: PathBuf,
    /// Density that decides which atom a point belongs to, several are summed [default: AECCAR0 and AECCAR2 beside the
    /// CHGCAR, where both are; else the CHGCAR itself]
    #[arg(long, value_name = "FILE")]
    pub reference: Vec<PathBuf>,
    /// Valence electrons of an element, the ZVAL of its pseudopotential: Mn=7,O=6
    #[arg(long, value_name = "ELEMENT=N,..", value_delimiter = ',', value_parser = valence)]
    pub valence: Vec<(Element, f64)>,
    /// POTCAR or OUTCAR that tells the valence electrons [default: the one beside the CHGCAR]
    #[arg(long, value_name = "FILE")]
    pub potcar: Option<PathBuf>,
    /// Points of a lower reference density belong to no atom, e/Å³
    #[arg(long, value_name = "e/Å³", default_value_t = DEFAULT_VACUUM)]
    pub vacuum: f64,
    /// A maximum further than this from every atom belongs to none, Å
    #[arg(long, value_name = "Å", default_value_t = DEFAULT_REACH)]
    pub reach: f64,
    /// CHGCAR of the empty host, or its folder: what each site gave when the ions came in
    #[arg(long, value_name = "FILE")]
    pub host: Option<PathBuf>,
    /// Element whose sites are the ions that came in, where no host is given
    #[arg(long, value_name = "ELEMENT", value_parser = element, conflicts_with = "host")]
    pub ion: Option<Element>,
    /// Print the average of the density over the planes along a lattice vector in place of the charges
    #[arg(long, value_name = "a|b|c", value_parser = vector, conflicts_with_all = ["host", "ion", "keep"])]
    pub average: Option<usize>,
    /// Subtract this density first, of the same cell, grid and places: once for the empty host, once for its ions
    #[arg(long, value_name = "FILE", requires = "average")]
    pub minus: Vec<PathBuf>,
    /// Keep the rows in the table `charges`, under this name of the host
    #[arg(long, value_name = "HOST")]
    pub keep: Option<String>,
    /// Tunnel that the ions are in, for --keep
    #[arg(long, value_name = "NAME", requires = "keep")]
    pub channel: Option<String>,
    /// Functional of the calculation, for --keep
    #[arg(long, value_name = "NAME", requires = "keep")]
    pub functional: Option<String>,
    /// Name of the calculation, for --keep [default: that of its folder]
    #[arg(long, value_name = "NAME", requires = "keep")]
    pub run: Option<String>,
    /// Where and how to print
    #[command(flatten)]
    pub output: Output,
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

/// A crystal of a table, or of a file, and where its picture goes.
#[derive(Debug, ClapArgs)]
pub struct OneCrystal {
    /// Id of a crystal of the table, or a file that holds one
    #[arg(value_name = "ID|FILE")]
    pub id: String,
    /// Table to look in
    #[arg(long, value_name = "NAME", default_value = "tmo")]
    pub table: String,
    /// File to write, .svg or .png [default: ID-structure.svg, ID-xrd.svg]
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

fn direction(text: &str) -> Result<[i32; 3], String> {
    match text {
        "a" => return Ok([1, 0, 0]),
        "b" => return Ok([0, 1, 0]),
        "c" => return Ok([0, 0, 1]),
        _ => {}
    }
    let uvw: Option<Vec<i32>> =
        text.split(',').map(|n| n.trim().parse().ok().filter(|n: &i32| n.abs() < 100)).collect();
    match uvw.as_deref() {
        Some(&[u, v, w]) if [u, v, w] != [0; 3] => Ok([u, v, w]),
        _ => Err("expected a, b, c or three whole numbers that are not all 0, as in 1,1,0".into()),
    }
}

fn vector(text: &str) -> Result<usize, String> {
    ["a", "b", "c"].iter().position(|name| *name == text).ok_or_else(|| "expected a, b or c".into())
}

fn element(text: &str) -> Result<Element, String> {
    Element::from_symbol(text).map_err(|e| e.to_string())
}

fn valence(text: &str) -> Result<(Element, f64), String> {
    let (symbol, electrons) = text.split_once('=').ok_or("expected an element and a number, as in Mn=7")?;
    let electrons = electrons.trim().parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
    Ok((element(symbol.trim())?, electrons.ok_or("expected a number of electrons above 0, as in Mn=7")?))
}

fn radii(text: &str) -> Result<Radii, String> {
    Radii::from_name(text).ok_or_else(|| "expected atomic, covalent, ionic or vdw".into())
}

fn radiation(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0);
    crate::features::wavelength(text).or(number).ok_or_else(|| {
        let names: Vec<&str> = crate::features::WAVELENGTHS.iter().map(|&(name, _)| name).collect();
        format!("expected a wavelength in Å or one of {}", names.join(", "))
    })
}

fn angles(text: &str) -> Result<(f64, f64), String> {
    let angle = |n: &str| n.trim().parse().ok().filter(|x: &f64| (0.0..=180.0).contains(x));
    let pair = text.split_once(',').and_then(|(low, high)| Some((angle(low)?, angle(high)?)));
    pair.filter(|(low, high)| low < high).ok_or_else(|| "expected two angles from 0 to 180, as in 5,90".into())
}

fn coverage(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|c: &f64| *c > 0.0 && *c < 1.0);
    share.ok_or_else(|| "expected a number between 0 and 1, as in 0.9".into())
}

fn cells(text: &str) -> Result<[usize; 3], String> {
    let n: Option<Vec<usize>> =
        text.split('x').map(|n| n.trim().parse().ok().filter(|n| (1..=100).contains(n))).collect();
    match n.as_deref() {
        Some(&[a, b, c]) => Ok([a, b, c]),
        _ => Err("expected three whole numbers from 1 to 100, as in 2x2x1".into()),
    }
}

/// `hollandite featurize`
#[derive(Debug, ClapArgs)]
pub struct Featurize {
    /// Functions to compute, with their arguments beside the crystal: magpie,xrd,"void(ionic,0.76)"
    #[arg(long, value_name = "LIST", required_unless_present = "list")]
    pub features: Vec<String>,
    /// List what can be computed, and what has been
    #[arg(long)]
    pub list: bool,
    /// Table with the crystals
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// SQL condition on the rows to use, for instance "natoms <= 60"
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Forget the values of all rows and compute them anew; without it only rows without a value are computed
    #[arg(long)]
    pub force: bool,
    /// Rows after which values are committed; in any case they are after a minute
    #[arg(long, value_name = "ROWS", default_value_t = 8192)]
    pub lot: usize,
}

/// `hollandite train`
#[derive(Debug, Clone, ClapArgs)]
pub struct Train {
    /// Architecture: megnet, alignn, alignn-atomwise, deeper-gatgnn, gatgnn, cgcnn, cnn-magpie or cnn-xrd
    #[arg(long, value_name = "NAME", default_value = "megnet")]
    pub model: String,
    /// Begin with the weights of this model, a name or what `train` wrote, in place of random ones; its architecture counts
    #[arg(long, value_name = "NAME|PATH", conflicts_with_all = ["model", "hidden", "layers", "set"])]
    pub from: Option<String>,
    /// Width of the network's atoms
    #[arg(long, value_name = "N")]
    pub hidden: Option<usize>,
    /// Number of the network's layers
    #[arg(long, value_name = "N")]
    pub layers: Option<usize>,
    /// Another setting of the architecture, for instance edges.nearest.count=16; a wrong one is answered with the list
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Table with structures and labels
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// Column of the label, eV/atom
    #[arg(long, value_name = "COLUMN", default_value = "formation_energy_per_atom")]
    pub target: String,
    /// SQL condition on the rows to use, for instance "natoms <= 60"
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Fit the rows of this table too, as in pretraining; those that are held out, or of a held-out group, are left out
    #[arg(long, value_name = "TABLE")]
    pub also: Option<String>,
    /// Division of the rows: random (as in the paper), formula, prototype or system (none of which then stands on both sides),
    /// column (the table's `split`), kfold:5:0 to kfold:5:4, kfold:5:0:formula
    #[arg(long, value_name = "KIND", default_value = "random")]
    pub split: String,
    /// Share of the rows held out as the test set
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub test: f64,
    /// Share of the remaining rows held out to choose the best epoch
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub validation: f64,
    /// Seed of the division, the first weights, the order and the dropout
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Seed of the division alone: members of an ensemble need the same division and other first weights [default: --seed]
    #[arg(long, value_name = "SEED")]
    pub split_seed: Option<u64>,
    /// Epochs over which the learning rate falls
    #[arg(long, default_value_t = 300)]
    pub epochs: usize,
    /// Crystals in one step of the optimiser
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub batch: usize,
    /// Atoms in one step of the optimiser, in place of a number of crystals
    #[arg(long, value_name = "N", conflicts_with = "batch")]
    pub batch_atoms: Option<usize>,
    /// Highest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 2e-3)]
    pub learning_rate: f64,
    /// Course of the learning rate: one-cycle, one-cycle:WARM_UP_EPOCHS, plateau, plateau:FACTOR:PATIENCE:MINIMUM or constant
    #[arg(long, value_name = "COURSE", default_value = "one-cycle")]
    pub schedule: String,
    /// What is minimised: mse, mae, huber or huber:DELTA, in standard deviations of the label
    #[arg(long, default_value = "huber")]
    pub loss: String,
    /// Decay of the weights (AdamW)
    #[arg(long, value_name = "RATE", default_value_t = 1e-5)]
    pub weight_decay: f64,
    /// Longest gradient, by its norm over all weights; 0 shortens none
    #[arg(long, value_name = "NORM", default_value_t = 3.0)]
    pub clip: f64,
    /// Validate and keep a moving average of the weights with this decay, for instance 0.999
    #[arg(long, value_name = "DECAY")]
    pub ema: Option<f64>,
    /// Validation error that chooses the best epoch: mae or rmse
    #[arg(long, value_name = "ERROR", default_value = "mae")]
    pub best: String,
    /// Stop after this many epochs without a lower validation error
    #[arg(long, value_name = "EPOCHS", default_value_t = 50)]
    pub patience: usize,
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Where to compute: cpu, or cuda in a program that was built with it
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// Folder for checkpoint, weights, card and plots [default: models/NAME in the store]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Name of the trained model [default: the architecture's]
    #[arg(long)]
    pub name: Option<String>,
    /// Take network, settings, data and division from the best trial of this tuning
    #[arg(long, value_name = "NAME", conflicts_with_all = [
        "model", "table", "target", "condition", "split", "test", "validation", "seed", "batch", "batch_atoms", "learning_rate",
        "loss", "from", "also", "hidden", "layers", "set", "snapshot",
    ])]
    pub from_tuning: Option<String>,
    /// Where the labels come from and under which licence, for the model card
    #[arg(long, value_name = "TEXT")]
    pub data: Option<String>,
    /// Quote the test errors of this run of the same network in the card, for instance those of a division by formula
    #[arg(long, value_name = "NAME|PATH")]
    pub quote: Vec<String>,
    /// Go on from the checkpoint in the folder
    #[arg(long)]
    pub resume: bool,
    /// Stop at the end of the epoch in which this many seconds have passed
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<f64>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite tune`
#[derive(Debug, ClapArgs)]
pub struct Tune {
    /// Architecture: megnet, alignn, alignn-atomwise, deeper-gatgnn, cgcnn, cnn-magpie or cnn-xrd
    #[arg(long, value_name = "NAME", default_value = "megnet")]
    pub model: String,
    /// Name of the search; the same command under the same name goes on with it [default: that of the architecture]
    #[arg(long)]
    pub name: Option<String>,
    /// Trials in all, those of earlier runs included; the paper made 75, of 500 epochs each
    #[arg(long, value_name = "N", default_value_t = 75)]
    pub trials: usize,
    /// What may be chosen. Descriptor networks: paper, or wide (dropout from 0; rate, batch and loss free too). Others: usual
    #[arg(long, value_name = "NAME")]
    pub space: Option<String>,
    /// Give a trial up where it is worse than half of the earlier ones at the same epoch (median), or not among the best third at
    /// 1/27, 1/9 or 1/3 of the epochs (halving), or never (none)
    #[arg(long, value_name = "RULE", default_value = "median")]
    pub prune: String,
    /// Table with structures and labels
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// Column of the label, eV/atom
    #[arg(long, value_name = "COLUMN", default_value = "formation_energy_per_atom")]
    pub target: String,
    /// SQL condition on the rows to use, for instance "natoms <= 60"
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Division of the rows, as for `train`; no trial sees the test set
    #[arg(long, value_name = "KIND", default_value = "random")]
    pub split: String,
    /// Share of the rows held out as the test set
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub test: f64,
    /// Share of the remaining rows by which trials are judged
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub validation: f64,
    /// Seed of the proposals, the division, the first weights and the order
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Epochs of a trial that is not given up
    #[arg(long, default_value_t = 100)]
    pub epochs: usize,
    /// Crystals in one step of the optimiser, where the space does not choose it
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub batch: usize,
    /// What is minimised, where the space does not choose it: mse, mae, huber or huber:DELTA
    #[arg(long, default_value = "mse")]
    pub loss: String,
    /// Stop a trial after this many epochs without a lower validation error
    #[arg(long, value_name = "EPOCHS", default_value_t = 50)]
    pub patience: usize,
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Where to compute: cpu, or cuda in a program that was built with it
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// Stop at the end of the epoch in which this many seconds have passed; the same command goes on
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<f64>,
    /// Forget the trials under this name, and begin anew
    #[arg(long)]
    pub restart: bool,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite evaluate`
#[derive(Debug, ClapArgs)]
pub struct Evaluate {
    /// Name of a model or an ensemble, or the folder or file that `train` wrote
    #[arg(long, value_name = "NAME|PATH", default_value = DEFAULT_MODEL)]
    pub model: String,
    /// Table with structures and labels
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// Column of the label, eV/atom
    #[arg(long, value_name = "COLUMN", default_value = "formation_energy_per_atom")]
    pub target: String,
    /// SQL condition on the rows to use
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Rows without a label too
    #[arg(long)]
    pub unlabelled: bool,
    /// Probability with which the interval around a prediction shall hold the label
    #[arg(long, value_name = "SHARE", default_value = "0.9", value_parser = coverage)]
    pub coverage: f64,
    /// Write a parity plot to this file, .svg or .png
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite models`
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Models {
    /// What to do; without it, list
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
    /// Print the card of this model: a name, or the folder or file that `train` wrote
    pub name: Option<String>,
    /// Where and how to print the list
    #[command(flatten)]
    pub output: Output,
}

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Bring in weights that another program trained, or that `train` wrote elsewhere
    Add(Box<ModelsAdd>),
    /// List the models: those that ship with the program, and those of the store
    List(Output),
    /// Print the card of one
    Show {
        /// A name, or the folder or file that `train` wrote
        name: String,
    },
    /// Take a model out of the store, with its folder
    Remove {
        /// Its name
        name: String,
    },
    /// Make several models answer as one: their mean, with an interval that widens where they disagree
    Ensemble(ModelsEnsemble),
}

/// `hollandite models add`
#[derive(Debug, ClapArgs)]
pub struct ModelsAdd {
    /// Weights: *.safetensors.zst of ours; safetensors; a checkpoint of torch (.pt, .pth.tar); .hdf5 of the original MEGNet;
    /// a folder, zip, wheel or source distribution that holds one. Nothing in it is run
    pub file: PathBuf,
    /// Name in queries [default: that of the file]
    #[arg(long)]
    pub name: Option<String>,
    /// What it predicts, where the file does not say: formation_energy_per_atom
    #[arg(long, value_name = "NAME")]
    pub property: Option<String>,
    /// Unit of the prediction, where the file does not say: eV/atom
    #[arg(long, value_name = "UNIT")]
    pub units: Option<String>,
    /// Corrections that the energies carry that it was trained on
    #[arg(long, value_name = "TEXT")]
    pub correction_scheme: Option<String>,
    /// Elements that it was trained on, as in Li,O,Ti, or mp for the 89 of the Materials Project
    #[arg(long, value_name = "LIST")]
    pub elements: Option<String>,
    /// Licence of the weights
    #[arg(long, value_name = "TEXT")]
    pub licence: Option<String>,
    /// Longest bond of the training set, Å, for DeeperGATGNN
    #[arg(long, value_name = "LENGTH")]
    pub longest_bond: Option<f32>,
    /// Which file of a folder or archive that holds several
    #[arg(long, value_name = "FILE")]
    pub member: Option<String>,
}

/// `hollandite models ensemble`
#[derive(Debug, ClapArgs)]
pub struct ModelsEnsemble {
    /// Name of the ensemble in queries
    pub name: String,
    /// Members: names of models, or the folders or files that `train` wrote
    #[arg(required = true, value_name = "MEMBER")]
    pub members: Vec<String>,
    /// How much a member counts: equal, or validation (by the inverse of its mean square error on its validation set)
    #[arg(long, value_name = "HOW", default_value = "equal")]
    pub weights: String,
    /// Table with structures and labels, by which the intervals are calibrated
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// Column of the label, eV/atom
    #[arg(long, value_name = "COLUMN", default_value = "formation_energy_per_atom")]
    pub target: String,
    /// SQL condition on rows that no member was fitted to [default: the crystals that some member was validated with, and
    /// none fitted to]
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Folder of the ensemble [default: models/NAME in the store]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite functions`
#[derive(Debug, ClapArgs)]
pub struct Functions {
    /// Explain this function only
    pub name: Option<String>,
    /// How to print the list
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// `hollandite info`
#[derive(Debug, ClapArgs)]
pub struct Info {
    /// List the rows that imports refused: file, line and reason
    #[arg(long, conflicts_with = "snapshots")]
    pub quarantine: bool,
    /// List the snapshots, oldest first, which --snapshot reads again
    #[arg(long)]
    pub snapshots: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Where and how a result is printed.
#[derive(Debug, Clone, ClapArgs)]
pub struct Output {
    /// How to print results; `table` rounds floats to six decimals and abbreviates crystals, the others lose nothing
    /// [default: table, or what the extension of --output says]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Write to this file in place of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Which state of the store is read.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct At {
    /// Read the store as it was at this snapshot (see `hollandite info`) in place of the newest
    #[arg(long, value_name = "N")]
    pub snapshot: Option<i64>,
}

/// How `sql` and `shell` print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: aligned columns
    Table,
    /// Comma-separated values with a header; NULL is empty, lists and structs are JSON
    Csv,
    /// One JSON array of objects
    Json,
    /// One JSON object per line
    Jsonl,
    /// Parquet, zstd-compressed; needs --output
    Parquet,
}

/// How `export` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Parquet, zstd-compressed
    Parquet,
    /// Comma-separated values with a header
    Csv,
    /// One JSON array of objects
    Json,
    /// One JSON object per line
    Jsonl,
    /// Arrow IPC file (Feather version 2), zstd-compressed
    Arrow,
    /// A folder with one CIF per row
    Cif,
}

/// How `functions` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people: aligned columns
    Table,
    /// The reference of the README
    Markdown,
    /// One JSON array of objects
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_and_option_says_what_it_does() {
        let mut command = Args::command();
        command.clone().debug_assert();
        command.build();
        check(&command);

        fn check(command: &clap::Command) {
            for sub in command.get_subcommands() {
                assert!(sub.get_about().is_some(), "{} has no description", sub.get_name());
                for arg in sub.get_arguments() {
                    assert!(arg.get_help().is_some(), "{} {} has no help", sub.get_name(), arg.get_id());
                }
                check(sub);
            }
        }
    }

    #[test]
    fn directions_and_cells_are_read() {
        assert_eq!([direction("b"), direction("1,-1,0")], [Ok([0, 1, 0]), Ok([1, -1, 0])]);
        for text in ["d", "0,0,0", "1,1", "1,2,x", ""] {
            assert!(direction(text).is_err(), "{text}");
        }
        assert_eq!((radiation("moka"), radiation("1.2")), (Ok(0.71073), Ok(1.2)));
        assert!(radiation("XxKa").unwrap_err().contains("CuKa1") && radiation("-1").is_err());
        assert_eq!(valence("Mn = 7").map(|(e, n)| (e.symbol(), n)), Ok(("Mn", 7.0)));
        assert!(["Mn", "Xx=1", "Mn=0", "Mn=x"].iter().all(|text| valence(text).is_err()));
        assert_eq!((vector("c"), vector("d").is_err()), (Ok(2), true));
        assert_eq!(angles("10, 60"), Ok((10.0, 60.0)));
        assert!(["60,10", "0,200", "5", "a,b"].iter().all(|text| angles(text).is_err()));
        assert_eq!(cells("2x1x3"), Ok([2, 1, 3]));
        for text in ["2", "2x2", "0x1x1", "ax1x1", "1x1x101"] {
            assert!(cells(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_store_may_be_named_before_or_after_the_command() {
        for line in [["hollandite", "--store", "d", "verify"], ["hollandite", "verify", "--store", "d"]] {
            assert_eq!(Args::try_parse_from(line).unwrap().store, Some(PathBuf::from("d")));
        }
    }

    #[test]
    fn a_query_and_a_file_exclude_each_other() {
        assert!(Args::try_parse_from(["hollandite", "sql", "SELECT 1", "-f", "x.sql"]).is_err());
    }
}
