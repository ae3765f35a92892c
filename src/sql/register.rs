//! The one list of SQL functions. The session registers it; `\df`, `hollandite functions`, the reference in
//! queries/FUNCTIONS.md and the documentation test read it.

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::aggregates::{self, CrystalAggregate, CrystalUdaf};
use super::environment::Environment;
use super::functions::{self, CrystalFunction, CrystalUdf};
use super::table_functions::{self, TableFunction};

/// All functions, alphabetically, sharing `environment`.
pub(super) fn udfs(environment: &Environment) -> Vec<ScalarUDF> {
    let list: Vec<Arc<dyn CrystalFunction>> = vec![
        Arc::new(functions::AdsorptionOf),
        Arc::new(functions::AdsorptionPotential),
        Arc::new(functions::BondValenceSums),
        Arc::new(functions::CapacityOf),
        Arc::new(functions::Channels),
        Arc::new(functions::CoordinationOf),
        Arc::new(functions::CoulombEigenvalues),
        Arc::new(functions::CoulombMatrix),
        Arc::new(functions::Decomposition),
        Arc::new(functions::Density),
        Arc::new(functions::DistanceMin),
        Arc::new(functions::EAboveHull),
        Arc::new(functions::ElectronegativityBalanced),
        Arc::new(functions::ElectrostaticValence),
        Arc::new(functions::EnergyCorrection),
        Arc::new(functions::EwaldSumEigenvalues),
        Arc::new(functions::EwaldSumMatrix),
        Arc::new(functions::ExtractionVoltage),
        Arc::new(functions::Fingerprint),
        Arc::new(functions::FormationEnergy),
        Arc::new(functions::Formula),
        Arc::new(functions::Gibbs),
        Arc::new(functions::GlobalInstabilityIndex),
        Arc::new(functions::HasElement),
        Arc::new(functions::Insert),
        Arc::new(functions::InsertionSites),
        Arc::new(functions::InsertionVoltage),
        Arc::new(functions::IonPasses),
        Arc::new(functions::IonicRadius),
        Arc::new(functions::IsChargeNeutral),
        Arc::new(functions::IsStable),
        Arc::new(functions::JsonAsText),
        Arc::new(functions::JsonContains),
        Arc::new(functions::JsonGet),
        Arc::new(functions::JsonGetBool),
        Arc::new(functions::JsonGetFloat),
        Arc::new(functions::JsonGetInt),
        Arc::new(functions::JsonGetStr),
        Arc::new(functions::JsonObjectKeys),
        Arc::new(functions::LargestFreeSphere),
        Arc::new(functions::LargestIncludedSphere),
        Arc::new(functions::LargestSphereAlongPath),
        Arc::new(functions::Magpie),
        Arc::new(functions::MagpieNames),
        Arc::new(functions::Natoms),
        Arc::new(functions::OrbitalFieldMatrixOf),
        Arc::new(functions::OxidationStates),
        Arc::new(functions::PackingFraction),
        Arc::new(functions::Predict),
        Arc::new(functions::PredictEf),
        Arc::new(functions::PredictEnergy),
        Arc::new(functions::PredictForces),
        Arc::new(functions::PredictMagmoms),
        Arc::new(functions::PredictStress),
        Arc::new(functions::Prototype),
        Arc::new(functions::ReducedFormula),
        Arc::new(functions::RelaxOf),
        Arc::new(functions::ReferenceEnergyOf),
        Arc::new(functions::Remove),
        Arc::new(functions::SamePrototype),
        Arc::new(functions::SameStructure),
        Arc::new(functions::Similarity),
        Arc::new(functions::SineCoulombEigenvalues),
        Arc::new(functions::SineCoulombMatrix),
        Arc::new(functions::SiteOrbitalFieldMatrices),
        Arc::new(functions::SoapOf),
        Arc::new(functions::SoapAverage),
        Arc::new(functions::Spacegroup),
        Arc::new(functions::SpacegroupSymbol),
        Arc::new(functions::StabilityMargin),
        Arc::new(functions::StructureOf),
        Arc::new(functions::StructureMatch),
        Arc::new(functions::Substitute),
        Arc::new(functions::SymmetryFunctionsOf),
        Arc::new(functions::ToCif),
        Arc::new(functions::ToPoscar),
        Arc::new(functions::Void),
        Arc::new(functions::Volume),
        Arc::new(functions::Voronoi),
        Arc::new(functions::Xrd),
        Arc::new(functions::XrdPattern),
        Arc::new(functions::XrdPeaks),
    ];
    list.into_iter().map(|function| ScalarUDF::new_from_impl(CrystalUdf::new(function, environment.clone()))).collect()
}

/// All functions of a group of rows, alphabetically, sharing `environment`.
pub(super) fn aggregates(environment: &Environment) -> Vec<AggregateUDF> {
    let list: Vec<Arc<dyn CrystalAggregate>> =
        vec![Arc::new(aggregates::PhaseDiagramOf), Arc::new(aggregates::VoltageProfile)];
    let udaf = |aggregate| AggregateUDF::new_from_impl(CrystalUdaf::new(aggregate, environment.clone()));
    list.into_iter().map(udaf).collect()
}

/// All functions that make a table, alphabetically.
pub(super) fn table_functions() -> Vec<Arc<dyn TableFunction>> {
    vec![
        Arc::new(table_functions::MostSimilar),
        Arc::new(table_functions::ReadCsv),
        Arc::new(table_functions::ReadJson),
        Arc::new(table_functions::ReadParquet),
        Arc::new(table_functions::ReadStructures),
    ]
}
