//! Part of a job: the options of a shard, and what Slurm says in their place.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::CliError;
use crate::store::Shard;

/// Which shard of which run.
#[derive(Debug, Clone, ClapArgs)]
pub struct Sharded {
    /// Compute shard I of N, as in 3/16, from 1: the rows whose content hash is in this part of all. `auto` takes I and N from the array
    /// of Slurm that the process is a task of, as does --run alone
    #[arg(long, value_name = "I/N|auto", requires = "run")]
    pub shard: Option<Asked>,
    /// Name of the run that the shards belong to: a shard works in a branch of the store, and `hollandite merge NAME` adds all of them
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
}

/// A shard that was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// By its number.
    Given(Shard),
    /// As the environment says.
    Auto,
}

impl std::str::FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            text => text.parse().map(Self::Given),
        }
    }
}

impl Sharded {
    /// The run and the shard; `None` where the whole is asked for. `variable`: what the environment says.
    ///
    /// # Errors
    /// A run without a shard, outside of an array of Slurm or in one whose tasks are not numbered without gaps.
    pub(crate) fn part(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Option<(String, Shard)>, CliError> {
        let Some(run) = &self.run else { return Ok(None) };
        let shard = match self.shard {
            Some(Asked::Given(shard)) => shard,
            Some(Asked::Auto) | None => task(variable).map_err(|why| {
                CliError::Usage(format!("run {run}: {why}; say which shard it is, as in --shard 3/16"))
            })?,
        };
        Ok(Some((run.clone(), shard)))
    }
}

/// The shard of a task of a Slurm array: the first task is shard 1, with any number.
fn task(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str| variable(&format!("SLURM_ARRAY_TASK_{name}"))?.trim().parse::<u32>().ok();
    let (Some(id), Some(count)) = (number("ID"), number("COUNT")) else {
        return Err("this is not a task of a Slurm array (SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT)".into());
    };
    let (first, last) = (number("MIN").unwrap_or(1), number("MAX"));
    // Some tasks of an array that are run again are no array of shards.
    if last.is_some_and(|last| last.checked_sub(first).and_then(|n| n.checked_add(1)) != Some(count)) {
        return Err(format!("the {count} tasks of the Slurm array are not numbered without gaps"));
    }
    let shard = id.checked_sub(first).and_then(|n| Shard::new(n.checked_add(1)?, count));
    shard.ok_or_else(|| format!("task {id} of the Slurm array is none of {count}"))
}

/// `hollandite compute`
#[derive(Debug, ClapArgs)]
pub struct Compute {
    /// Columns to compute, as SQL has them and with their names: "adsorption_potential(structure, 'Ca') AS v_ca"
    #[arg(required = true, value_name = "EXPRESSION AS NAME")]
    pub columns: Vec<String>,
    /// Table with the rows
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// SQL condition on the rows to use, for instance "natoms <= 60"
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Table for the values, with the columns id and structure_hash in front; rows that it has are not computed again
    #[arg(long, value_name = "NAME")]
    pub into: String,
    /// Commit after this many rows, and at least every minute
    #[arg(long, alias = "lot", value_name = "ROWS", default_value_t = 8192)]
    pub commit_every: usize,
    /// Which part of the rows
    #[command(flatten)]
    pub sharded: Sharded,
}

/// `hollandite merge`
#[derive(Debug, ClapArgs)]
pub struct Merge {
    /// Name of the run
    pub run: String,
    /// Delete the branches of the shards when all is in the store
    #[arg(long)]
    pub remove: bool,
}

/// The file that a shard writes in place of the one that was named: `oxides-003-of-016.parquet`.
pub(crate) fn part_file(file: &std::path::Path, shard: Shard) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let packed = [".gz", ".zst"].into_iter().find(|end| name.ends_with(end)).unwrap_or_default();
    let plain = &name[..name.len() - packed.len()];
    let (stem, end) = plain.rfind('.').filter(|&at| at > 0).map_or((plain, ""), |at| plain.split_at(at));
    file.with_file_name(format!("{stem}-{}{end}{packed}", shard.label()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(shard: Option<&str>, array: &[(&str, &str)]) -> Result<Option<(String, Shard)>, CliError> {
        let shard = shard.map(|text| text.parse().unwrap());
        let variable = |name: &str| {
            let name = name.strip_prefix("SLURM_ARRAY_TASK_").unwrap();
            array.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Sharded { shard, run: Some("r".into()) }.part(variable)
    }

    #[test]
    fn a_task_of_an_array_is_a_shard() {
        let from_0 = [("ID", "0"), ("COUNT", "4"), ("MIN", "0"), ("MAX", "3")];
        let from_1 = [("ID", "4"), ("COUNT", "4"), ("MIN", "1"), ("MAX", "4")];
        for (shard, array, number) in [
            (None, &from_0[..], 1),
            (Some("auto"), &from_1[..], 4),
            (None, &from_1[..2], 4),
            (Some("2/4"), &from_1[..], 2),
        ] {
            let (run, found) = asked(shard, array).unwrap().unwrap();
            assert_eq!((run.as_str(), found), ("r", Shard::new(number, 4).unwrap()));
        }
        let again = [("ID", "7"), ("COUNT", "2"), ("MIN", "3"), ("MAX", "7")];
        for (array, words) in [(&again[..], "without gaps"), (&[][..], "not a task"), (&from_0[..2], "none of 4")] {
            let error = asked(None, array).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("--shard 3/16"), "{error}");
        }
        // Without a run the environment says nothing.
        let whole = Sharded { shard: None, run: None };
        assert!(whole.part(|_| Some("1".into())).unwrap().is_none());
    }

    #[test]
    fn the_file_of_a_shard_says_which_it_is() {
        let part = |file: &str| part_file(file.as_ref(), Shard::new(3, 16).unwrap()).display().to_string();
        assert_eq!(part("a/oxides.parquet"), "a/oxides-003-of-016.parquet");
        assert_eq!(part("v1.2.jsonl.gz"), "v1.2-003-of-016.jsonl.gz");
        assert_eq!(part("cifs/"), "cifs-003-of-016");
        assert_eq!(part(".hidden"), ".hidden-003-of-016");
    }
}
