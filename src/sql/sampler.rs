//! What draws crystals, and what it reads before it draws.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{Result, exec_datafusion_err};
use datafusion::execution::SendableRecordBatchStream;
use generation::{GenerationError, Request, Sampler, WyckoffModel, WyckoffSampler};

use super::templates::{read_templates, templates_query};

/// A sampler of a request.
#[derive(Clone)]
pub enum ChosenSampler {
    /// It draws templates of the crystals of a table, which are still to be read.
    Templates {
        /// What crystals are wanted.
        request: Request,
        /// The table.
        table: String,
    },
    /// It is there.
    Made {
        /// What draws.
        sampler: Arc<dyn Sampler>,
        /// Which weights it has.
        weights: String,
    },
}

impl ChosenSampler {
    /// The sampler of a network, or, without one, of the templates of the crystals of `table`.
    ///
    /// # Errors
    /// A condition or an element of which the network knows nothing.
    pub fn new(network: Option<Arc<WyckoffModel>>, request: &Request, table: &str) -> Result<Self, GenerationError> {
        Ok(match network {
            None => Self::Templates { request: request.clone(), table: table.to_owned() },
            Some(network) => {
                let sampler = WyckoffSampler::of(network, request)?;
                let card = sampler.model().card();
                // Weights differ in their loss.
                let weights =
                    format!("network {} of {} crystals, {:.4} nats", card.name, card.crystals, card.held_out_loss);
                Self::Made { sampler: Arc::new(sampler), weights }
            }
        })
    }

    /// The query for the rows that it reads first.
    pub fn query(&self) -> Option<String> {
        match self {
            Self::Templates { table, .. } => Some(templates_query(table)),
            Self::Made { .. } => None,
        }
    }

    /// What draws, and what its draws depend on beside the request: other templates or weights make others. `rows` are those of
    /// [`ChosenSampler::query`].
    ///
    /// # Errors
    /// Rows that cannot be read or are no crystals, none at all, or none whose template fits the request.
    pub async fn ready(self, rows: Option<SendableRecordBatchStream>) -> Result<(Arc<dyn Sampler>, String)> {
        match self {
            Self::Templates { request, table } => {
                let rows = rows.ok_or_else(|| exec_datafusion_err!("no crystals of {table} to take templates from"))?;
                let sampler = read_templates(rows, request, &table).await?;
                let templates = format!("{} templates of {table}", sampler.fitting());
                Ok((Arc::new(sampler), templates))
            }
            Self::Made { sampler, weights } => Ok((sampler, weights)),
        }
    }
}

impl fmt::Display for ChosenSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Templates { table, .. } => write!(f, "templates of {table}"),
            Self::Made { weights, .. } => f.write_str(weights),
        }
    }
}
