//! Phase diagrams as a process: chemical systems of a file, each with its phases and which of them are asked about.

use std::{path::Path, time::Instant};

use hollandite::{crystal::Composition, stability::PhaseDiagram};
use serde_json::{Value, json};

use crate::Fault;

/// A phase: composition and formation energy, eV/atom.
type Phase = (Composition, f64);

/// The systems, and their diagrams once they are built.
pub struct Hulls {
    systems: Vec<(Vec<Phase>, Vec<usize>)>,
    diagrams: Vec<PhaseDiagram>,
}

impl Hulls {
    /// A system a line: `phases`, pairs of a formula and an energy, and `asked`, places among them.
    pub fn load(systems: &Path) -> Result<Self, Fault> {
        let system = |line: &str| -> Result<_, Fault> {
            let row: Value = serde_json::from_str(line)?;
            let phases: Vec<(String, f64)> = serde_json::from_value(row["phases"].clone())?;
            let phases = phases.into_iter().map(|(formula, energy)| Ok((Composition::parse(&formula)?, energy)));
            Ok((phases.collect::<Result<_, Fault>>()?, serde_json::from_value(row["asked"].clone())?))
        };
        let systems = std::fs::read_to_string(systems)?.lines().map(system).collect::<Result<_, _>>()?;
        Ok(Self { systems, diagrams: Vec::new() })
    }

    /// `build`: a diagram for each system. `ask`: energy above the hull and decomposition of each phase that is asked about,
    /// in the diagram of its system.
    pub fn turn(&mut self, line: &str) -> Result<Value, Fault> {
        let start = Instant::now();
        let mut answers: Vec<(f64, Vec<(String, f64)>)> = Vec::new();
        match line {
            "build" => {
                let build = |phases: &Vec<Phase>| {
                    let mut diagram = PhaseDiagram::new(None);
                    phases.iter().try_for_each(|(composition, energy)| diagram.add(composition, *energy))?;
                    Ok::<_, Fault>(diagram)
                };
                self.diagrams = self.systems.iter().map(|(phases, _)| build(phases)).collect::<Result<_, _>>()?;
            }
            "ask" => {
                for (diagram, (phases, asked)) in self.diagrams.iter().zip(&self.systems) {
                    for (composition, energy) in asked.iter().map(|&k| &phases[k]) {
                        let above = diagram.e_above_hull(composition, *energy)?;
                        let parts = diagram.decomposition(composition)?;
                        answers.push((above, parts.into_iter().map(|part| (part.formula, part.fraction)).collect()));
                    }
                }
            }
            _ => return Err(format!("build or ask, not {line}").into()),
        }
        Ok(json!({ "seconds": start.elapsed().as_secs_f64(), "answers": answers }))
    }
}
