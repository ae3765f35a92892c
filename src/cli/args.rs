//! The command line: every command, and the options of each; those of pictures, of models and of reports have files of their own.

#[cfg(feature = "cluster")]
mod cluster;
mod models;
mod plot;
mod report;
mod restore;
#[cfg(feature = "serve")]
mod serve;
mod shards;
mod values;

#[cfg(feature = "cluster")]
pub use cluster::{Cluster, Role};
pub use models::*;
pub use plot::*;
pub use report::Report;
pub use restore::Restore;
#[cfg(feature = "serve")]
pub use serve::{Allow, Bounds, Mcp, Serve};
pub(crate) use shards::part_file;
pub use shards::{Compute, Merge, Sharded};

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::adsorption::charge::{DEFAULT_REACH, DEFAULT_VACUUM};
use crate::crystal::Element;
use crate::formats::{Frames, Mapping};
use crate::generation::{Condition, Conditions, Request, SamplerKind};
use crate::store::Column;
use values::{element, occupancy, request, share, tolerance, valence, value_of, vector};

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
    /// Import crystals: CIF, POSCAR, XDATCAR, folders of VASP calculations, extended XYZ, XSF, JSON and JSONL of pymatgen, the
    /// Materials Project and OPTIMADE, CSV (each plain, .gz or .zst); databases and trajectories of ASE (.db, .json, .traj), Parquet
    Import(Import),
    /// Import calculations of VASP (vasprun.xml, OUTCAR, CONTCAR), and the adsorption potentials that follow from them
    ImportDft(ImportDft),
    /// Run SQL and print what it returns
    Sql(Sql),
    /// Type SQL, with history and completion
    Shell(Shell),
    /// Write a table or a query's result to a file, or its crystals to a folder of CIFs or POSCARs
    Export(Export),
    /// Draw a crystal, its diffraction pattern, its electron density, what a table holds or a search for settings, as SVG or
    /// PNG
    Plot(Plot),
    /// Write a screening as one page of HTML: its query, how many rows each step leaves, the ranked table, and
    /// interactive 3D views of the best crystals, with their channels
    Report(Report),
    /// Net atomic charges of a calculated density (CHGCAR), by Bader's partition
    Charges(Charges),
    /// Compute functions of the crystals of a table once and store the values
    Featurize(Featurize),
    /// Compute columns of SQL for the rows of a table once and store the values, such as relaxations and adsorption potentials
    Compute(Compute),
    /// Generate candidates: substitute elements in known crystals, keep what is charge-neutral and new
    Enumerate(Box<Enumerate>),
    /// Draw hypothetical crystals, count what passes each step, and relax the best
    Generate(Generate),
    /// Train a model on the labels of a table
    Train(Box<Train>),
    /// Tune the hyperparameters of a model; the same command resumes a search
    Tune(Box<Tune>),
    /// Predict the rows of a table, keep the predictions in `predictions`, and report errors on the labels
    Evaluate(Evaluate),
    /// Merge the shards of a run into the store
    Merge(Merge),
    /// List the models that `predict_ef` can ask, or print the card of one
    Models(Models),
    /// List the SQL functions, or explain one
    Functions(Functions),
    /// What the store holds: tables, snapshots, imports, models, rows in quarantine
    Info(Info),
    /// Restore a table, or all of them, to a snapshot
    Restore(Restore),
    /// Check every file's checksum and row count against the catalog, and the catalog itself
    Verify(Verify),
    /// Serve the store to others, who read it by SQL: Flight SQL for ADBC and JDBC, and HTTP; queries cannot write, nor read files
    /// of this machine
    #[cfg(feature = "serve")]
    Serve(Serve),
    /// Answer an assistant on standard input and output: the Model Context Protocol, with tools that read the store
    #[cfg(feature = "serve")]
    Mcp(Mcp),
    /// Run the queries of others, on several machines that share the folder of the store
    #[cfg(feature = "cluster")]
    Cluster(Cluster),
    /// Print what a shell needs to complete commands and options: `hollandite completions bash > FILE`
    Completions(Completions),
    /// Print the manual page, or write a page for each command into a folder
    Man(Man),
}

/// `hollandite completions`
#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// The shell that completes
    pub shell: clap_complete::Shell,
}

/// `hollandite man`
#[derive(Debug, ClapArgs)]
pub struct Man {
    /// Folder for the pages, hollandite.1 and one for each command; otherwise the main page is printed
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// `hollandite verify`
#[derive(Debug, ClapArgs)]
pub struct Verify {
    /// Recompute the columns of every crystal and compare them; takes about as long as an import
    #[arg(long)]
    pub deep: bool,
    /// Delete files that no snapshot names, left by killed writers; no other DuckLake client may be writing meanwhile
    #[arg(long)]
    pub remove_leftovers: bool,
}

/// `hollandite init`
#[derive(Debug, ClapArgs)]
pub struct Init {
    /// Folder of the new store, or of a DuckLake (catalog.sqlite, data/) of which to make one; without it, the folder that --store
    /// names
    pub dir: Option<PathBuf>,
}

/// `hollandite import`
#[derive(Debug, ClapArgs)]
pub struct Import {
    /// Files, folders (searched for known extensions) or glob patterns in quotes
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Table to import into; `tmo` takes only transition-metal oxides, `electrodes` lists of insertion electrodes with their
    /// voltages, any other name takes every crystal
    #[arg(long, value_name = "NAME", default_value = "tmo")]
    pub into: String,
    /// Where the crystals come from, written to the column `source`; without it, what the file says or its name
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Leave out crystals that are the same structure as a row of the table, whatever their id and cell
    #[arg(long)]
    pub dedupe: bool,
    /// Order crystals with partial occupancies instead of refusing them: the ordering of lowest electrostatic energy in the
    /// smallest supercell (up to 12 primitive cells, 256 sites) that holds the occupancies, none changed by more than this
    #[arg(long, value_name = "CHANGE", num_args = 0..=1, require_equals = true, default_missing_value = "0.02", value_parser = occupancy)]
    pub order: Option<f64>,
    /// Columns and properties that are not known by name: WHAT=COLUMN pairs, where WHAT is id or a property such as
    /// formation_energy_per_atom; of Parquet, CSV and JSON also structure, cif, poscar, lattice, species, numbers, sites,
    /// positions (Å) or frac_coords
    #[arg(long, value_name = "WHAT=COLUMN,..")]
    pub map: Option<Mapping>,
    /// What names the rows: a column or property of the records, or `path`, the path of their file; without it, the record's own
    /// id or the name of its file
    #[arg(long, value_name = "COLUMN|path")]
    pub id: Option<String>,
    /// Frames of a trajectory (XDATCAR, .traj, .xsf) that are imported: `last`, `all`, or a number from 1; negative
    /// numbers count from the end
    #[arg(long, value_name = "FRAMES", default_value = "last", allow_hyphen_values = true)]
    pub frames: Frames,
    /// Properties that become columns of their own, such as my_energy:double; types are double, integer, text and boolean
    #[arg(long, value_name = "NAME:TYPE,..", value_delimiter = ',')]
    pub promote: Vec<Column>,
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
    /// Take elemental reference energies from the rows of `reference_energies` whose source contains this, not from a calculation of
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
    /// Do not ask before statements that change a whole table (DELETE and UPDATE without WHERE, DROP TABLE)
    #[arg(long)]
    pub yes: bool,
    /// Have queries run by the cluster of this scheduler, as in df://localhost:50050; the store lies in a folder that all its
    /// machines share
    #[cfg(feature = "cluster")]
    #[arg(long, value_name = "ADDRESS")]
    pub cluster: Option<String>,
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
    /// Do not ask before statements that change a whole table (DELETE and UPDATE without WHERE, DROP TABLE)
    #[arg(long)]
    pub yes: bool,
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
    /// File to write (.parquet, .csv, .json, .jsonl, .arrow, .xyz, .db of ASE; texts also .gz), or a folder, which receives one CIF
    /// or POSCAR per row named after column `id`
    #[arg(long, value_name = "FILE|DIR")]
    pub to: PathBuf,
    /// Format to write, where the name of the file does not tell
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,
    /// Write symmetrised CIFs: the asymmetric unit and the space group found with this tolerance, Å, as in 0.1;
    /// without it every atom is listed. Entries of OPTIMADE state that space group
    #[arg(long, value_name = "Å", value_parser = tolerance)]
    pub symprec: Option<f64>,
    /// Which part of the rows
    #[command(flatten)]
    pub sharded: Sharded,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
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
    /// POTCAR or OUTCAR with the valence electrons [default: the one beside the CHGCAR]
    #[arg(long, value_name = "FILE")]
    pub potcar: Option<PathBuf>,
    /// Points of a lower reference density belong to no atom, e/Å³
    #[arg(long, value_name = "e/Å³", default_value_t = DEFAULT_VACUUM)]
    pub vacuum: f64,
    /// A maximum further than this from every atom belongs to none, Å
    #[arg(long, value_name = "Å", default_value_t = DEFAULT_REACH)]
    pub reach: f64,
    /// CHGCAR of the empty host, or its folder: prints the charge that each site transferred on insertion
    #[arg(long, value_name = "FILE")]
    pub host: Option<PathBuf>,
    /// Element of the inserted ions, where no host is given
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

/// `hollandite featurize`
#[derive(Debug, ClapArgs)]
pub struct Featurize {
    /// Functions to compute, with their arguments after the crystal: magpie,xrd,"void(ionic,0.76)"
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
    /// Discard all values and recompute them; without it only rows without a value are computed
    #[arg(long, conflicts_with = "run")]
    pub force: bool,
    /// Commit after this many rows, and at least every minute
    #[arg(long, alias = "lot", value_name = "ROWS", default_value_t = 8192)]
    pub commit_every: usize,
    /// Which part of the rows
    #[command(flatten)]
    pub sharded: Sharded,
}

/// `hollandite enumerate`
#[derive(Debug, ClapArgs)]
pub struct Enumerate {
    /// Query with the columns id and structure, or the name of a stored one: the crystals that candidates are made from. Of those of one
    /// structure type the first is used
    #[arg(long, value_name = "QUERY|NAME")]
    pub prototypes: String,
    /// Elements to substitute for cations, as in Li,Ca,V,Mo
    #[arg(long, required = true, value_name = "LIST", value_delimiter = ',', value_parser = element)]
    pub elements: Vec<Element>,
    /// Table for the candidates, with the columns of tmo and parent, substitution, prototype and radius_change
    #[arg(long, value_name = "NAME", default_value = "candidates")]
    pub into: String,
    /// Further tables whose crystals count as known
    #[arg(long, value_name = "TABLE", default_value = "tmo")]
    pub against: Vec<String>,
    /// Split the sites of one element between two, in at most this many symmetry-distinct orderings per ratio
    #[arg(long, value_name = "ORDERINGS", default_value_t = 0)]
    pub split: usize,
    /// Split sites in supercells too, of up to this many primitive cells
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8), requires = "split")]
    pub cells: u8,
    /// Substitute at most this many elements of a prototype at once [default: all of its cations]
    #[arg(long, value_name = "N")]
    pub replaced: Option<usize>,
    /// Largest relative change of ionic radius (Shannon), as in 0.2 [default: any]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub radius_change: Option<f64>,
    /// Stop after this many candidates, those of earlier runs in the table included
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Count what passes each step, and write nothing
    #[arg(long, conflicts_with = "run")]
    pub dry_run: bool,
    /// Which part of the candidates
    #[command(flatten)]
    pub sharded: Sharded,
}

/// `hollandite generate`
#[derive(Debug, ClapArgs)]
pub struct Generate {
    /// Elements of the crystals, all of them or some, as in Mo,V,O; or the formula of all of them, as in Nb2O5
    #[arg(value_name = "ELEMENTS|FORMULA", value_parser = request)]
    pub request: Request,
    /// Number of draws
    #[arg(long = "n", value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub draws: u64,
    /// Seed: the same one makes the same crystals
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..1 << 53))]
    pub seed: u64,
    /// Most atoms in the conventional cell
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub sites: usize,
    /// What draws: templates, patterns of orbits of known crystals with other elements on them; wyckoff, a network that has learned from
    /// oxides; or a network that `train --model wyckoff` has trained, by its name or path
    #[arg(long, value_name = "NAME", default_value = SamplerKind::TEMPLATES)]
    pub sampler: SamplerKind,
    /// Properties that crystals are wanted to have
    #[command(flatten)]
    pub wanted: Wanted,
    /// Table of known crystals: no crystal of it is new, and templates are taken from it
    #[arg(long, value_name = "TABLE", default_value = "tmo")]
    pub from: String,
    /// Further tables whose crystals count as known
    #[arg(long, value_name = "TABLE")]
    pub against: Vec<String>,
    /// Relax so many of the new crystals by the energy model, those first that `predict_ef` finds nearest to the hull of known and
    /// new ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub relax: usize,
    /// Table for the crystals, with the columns of tmo and their lineage; NAME_draws has the counts, NAME_relaxed what was relaxed
    #[arg(long, value_name = "NAME", default_value = "generated")]
    pub into: String,
}

/// Properties that generated crystals are wanted to have, of which sampler wyckoff has learned. What comes of them is measured afterwards.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct Wanted {
    #[allow(missing_docs)]
    #[arg(long, value_name = "Å", help = help(Condition::FREE_SPHERE), value_parser = value_of(Condition::FREE_SPHERE))]
    pub largest_free_sphere: Option<f64>,
    #[allow(missing_docs)]
    #[arg(long, value_name = "N", help = help(Condition::DIMENSIONS), value_parser = value_of(Condition::DIMENSIONS))]
    pub dimensions: Option<f64>,
    #[allow(missing_docs)]
    #[arg(long, value_name = "SHARE", help = help(Condition::VOID), value_parser = value_of(Condition::VOID))]
    pub void: Option<f64>,
    #[allow(missing_docs)]
    #[arg(long, value_name = "Å³", help = help(Condition::VOLUME), value_parser = value_of(Condition::VOLUME))]
    pub volume_per_atom: Option<f64>,
    #[allow(missing_docs)]
    #[arg(long, value_name = "eV/atom", help = help(Condition::HULL), value_parser = value_of(Condition::HULL))]
    pub e_above_hull: Option<f64>,
}

impl Wanted {
    /// The same as conditions of a request.
    pub(crate) fn conditions(&self) -> Conditions {
        let Self { largest_free_sphere, dimensions, void, volume_per_atom, e_above_hull } = *self;
        Conditions::of_values([largest_free_sphere, dimensions, void, volume_per_atom, e_above_hull])
    }
}

/// What a condition means, as the help of an option.
fn help(condition: Condition) -> String {
    format!("{} (sampler {})", condition.text.trim_end_matches('.'), SamplerKind::WYCKOFF)
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
    /// Snapshot to describe
    #[command(flatten)]
    pub at: At,
}

/// Where and how a result is printed.
#[derive(Debug, Clone, ClapArgs)]
pub struct Output {
    /// How to print results; `table` rounds numbers to the precision that their unit warrants and
    /// abbreviates lists, structs, JSON and crystals; the others lose nothing
    /// [default: table, or what the extension of --output says]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Write to this file instead of standard output
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
    /// One JSON array of objects, on one line: the results of several statements are JSON lines
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
    /// Extended XYZ, a frame a row
    Extxyz,
    /// Database of ASE (SQLite)
    AseDb,
    /// One JSON array of pymatgen's structures
    Pymatgen,
    /// JSON lines of an OPTIMADE archive, an entry a row
    Optimade,
    /// A folder with one CIF per row
    Cif,
    /// A folder with one POSCAR per row
    Poscar,
}

/// How `functions` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people: aligned columns
    Table,
    /// The reference of queries/FUNCTIONS.md
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
    fn conditions_go_by_their_names() {
        let given = |line: &[&str]| {
            let line = [&["hollandite", "generate", "Mn,O"][..], line].concat();
            match Args::try_parse_from(line).map_err(|error| error.to_string())?.command {
                Command::Generate(generate) => Ok(generate.wanted.conditions()),
                other => Err(format!("{other:?}")),
            }
        };
        for condition in Condition::ALL {
            let option = format!("--{}", condition.name.replace('_', "-"));
            let asked: Vec<_> = given(&[option.as_str(), "1"]).unwrap().asked().collect();
            assert_eq!(asked, [(condition, 1.0)]);
            let error = given(&[option.as_str(), "1e9"]).unwrap_err();
            assert!(error.contains(&format!("{} = 1000000000; it must be", condition.name)), "{error}");
        }
        assert_eq!(given(&[]), Ok(Conditions::default()));
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
