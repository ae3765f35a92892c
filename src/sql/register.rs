//! The one list of SQL functions. The session registers it; `\df`, `hollandite functions`, the README's reference and
//! the documentation test read it.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::environment::Environment;
use super::functions::{self, CrystalFunction, CrystalUdf};
use super::table_functions::{self, TableFunction};

/// All functions, alphabetically, sharing `environment`.
pub(super) fn udfs(environment: &Environment) -> Vec<ScalarUDF> {
    let list: Vec<Arc<dyn CrystalFunction>> = vec![
        Arc::new(functions::AdsorptionOf),
        Arc::new(functions::Channels),
        Arc::new(functions::CoordinationOf),
        Arc::new(functions::CoulombEigenvalues),
        Arc::new(functions::CoulombMatrix),
        Arc::new(functions::Density),
        Arc::new(functions::DistanceMin),
        Arc::new(functions::EwaldSumEigenvalues),
        Arc::new(functions::EwaldSumMatrix),
        Arc::new(functions::Fingerprint),
        Arc::new(functions::Formula),
        Arc::new(functions::HasElement),
        Arc::new(functions::Insert),
        Arc::new(functions::InsertionSites),
        Arc::new(functions::IonPasses),
        Arc::new(functions::LargestFreeSphere),
        Arc::new(functions::LargestIncludedSphere),
        Arc::new(functions::LargestSphereAlongPath),
        Arc::new(functions::Magpie),
        Arc::new(functions::MagpieNames),
        Arc::new(functions::Natoms),
        Arc::new(functions::OrbitalFieldMatrixOf),
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
        Arc::new(functions::StructureOf),
        Arc::new(functions::StructureMatch),
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

/// All functions that make a table, alphabetically.
pub(super) fn table_functions() -> Vec<Arc<dyn TableFunction>> {
    vec![Arc::new(table_functions::MostSimilar), Arc::new(table_functions::ReadStructures)]
}
