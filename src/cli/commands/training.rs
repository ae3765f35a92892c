//! What the arguments of `hollandite train` and of `hollandite tune` say alike.

use crate::cli::CliError;
use crate::cli::args::Training;
use crate::error::ModelError;
use crate::models::train::TrainOptions;

impl Training {
    /// The `usual` options with what was asked for; the model, the rows and the time are the caller's.
    pub(crate) fn options(&self, usual: TrainOptions) -> Result<TrainOptions, CliError> {
        Ok(TrainOptions {
            split: self.split.parse().map_err(usage)?,
            test_fraction: share("test", self.test)?,
            validation_fraction: share("validation", self.validation)?,
            seed: self.seed,
            batch: self.batch,
            patience: self.patience,
            device: device(&self.device)?,
            threads: self.threads.unwrap_or(usual.threads).max(1),
            target: self.target.clone(),
            ..usual
        })
    }
}

/// A fault of what was typed.
pub(crate) fn usage(e: ModelError) -> CliError {
    CliError::Usage(e.to_string().trim_start_matches("training: ").to_owned())
}

/// A share of the whole, below 1.
pub(crate) fn share(name: &str, value: f64) -> Result<f64, CliError> {
    let fits = (0.0..1.0).contains(&value);
    if fits { Ok(value) } else { Err(CliError::Usage(format!("--{name} {value}: expected a share from 0 to 1"))) }
}

pub(crate) fn device(name: &str) -> Result<burn::prelude::Device, CliError> {
    match name {
        "cpu" => Ok(burn::prelude::Device::flex()),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(burn::prelude::Device::cuda(0)),
        #[cfg(not(feature = "cuda"))]
        "cuda" => Err(CliError::Usage(
            "--device cuda: this program was built for processors only; build it with `cargo install --features cuda`"
                .into(),
        )),
        _ => Err(CliError::Usage(format!("--device {name}: expected cpu or cuda"))),
    }
}
