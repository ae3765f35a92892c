//! An energy model as a process: energies, energies with forces and stress, and steps of relaxations, of the crystals of a file.

use std::{ops::ControlFlow, path::Path, time::Instant};

use hollandite::{
    adsorption::{self, RelaxOptions, Round, band, relax},
    crystal::Structure,
    models::{
        Model, ModelPotential,
        potential::Potential,
        weights::{Claims, import},
    },
};
use serde_json::{Value, json};

use crate::{Fault, structure};

/// The weights and what they are asked about.
pub struct Energies {
    model: ModelPotential,
    crystals: Vec<Structure>,
}

impl Energies {
    /// Weights as `models add` reads them, crystals one a line.
    pub fn load(weights: &Path, crystals: &Path) -> Result<Self, Fault> {
        let imported = import(weights, &Claims::default())?;
        let text = std::fs::read_to_string(crystals)?;
        let crystals = text.lines().map(|line| structure(&serde_json::from_str(line)?));
        Ok(Self {
            model: Model::new(imported.net, imported.card).potential()?,
            crystals: crystals.collect::<Result<_, Fault>>()?,
        })
    }

    /// `energies`, `forces`, or `relax N`: all crystals, N steps each in the last case. `band FMAX N`: the crystals are the images
    /// of a path.
    pub fn turn(&self, line: &str) -> Result<Value, Fault> {
        let all: Vec<&Structure> = self.crystals.iter().collect();
        let start = Instant::now();
        let (values, steps): (Vec<f64>, usize) = match line.split(' ').collect::<Vec<_>>()[..] {
            ["energies"] => (self.model.energies(&all).into_iter().collect::<Result<_, _>>()?, 0),
            ["forces"] => {
                let answers = self.model.single_points(&all).into_iter().collect::<Result<Vec<_>, _>>()?;
                (answers.iter().map(|answer| answer.energy).collect(), 0)
            }
            ["relax", steps] => {
                let options = RelaxOptions { fmax: 1e-9, steps: steps.parse()?, ..RelaxOptions::default() };
                let ControlFlow::Continue(ends) =
                    relax(&self.model, &all, &options, |_: Round| ControlFlow::Continue(()))
                else {
                    unreachable!("nothing breaks off")
                };
                let ends = ends.into_iter().collect::<Result<Vec<_>, _>>()?;
                let steps = ends.iter().map(|end| end.steps).sum();
                (ends.iter().map(|end| end.energy).collect(), steps)
            }
            ["band", fmax, steps] => self.band(fmax.parse()?, steps.parse()?)?,
            _ => return Err(format!("energies, forces, relax N or band FMAX N, not {line}").into()),
        };
        Ok(json!({ "seconds": start.elapsed().as_secs_f64(), "values": values, "steps": steps }))
    }

    /// Energies of the images of the band, and its steps.
    fn band(&self, fmax: f64, steps: usize) -> Result<(Vec<f64>, usize), Fault> {
        let [first, .., last] = &self.crystals[..] else { return Err("a path has two ends".into()) };
        let ends = self.model.energies(&[first, last]).into_iter().collect::<Result<Vec<_>, _>>()?;
        let path = adsorption::Path { images: self.crystals.clone(), ends: [ends[0], ends[1]] };
        let mut watch = |_: Round| ControlFlow::Continue(());
        let ControlFlow::Continue(bands) = band(&self.model, vec![path], (fmax, steps), &mut watch) else {
            unreachable!("nothing breaks off")
        };
        let moved = bands.into_iter().next().ok_or("no band")??;
        if moved.converged {
            Ok((moved.energies, moved.steps))
        } else {
            Err(format!("no band in {steps} steps").into())
        }
    }
}
