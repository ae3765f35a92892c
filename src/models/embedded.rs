//! What ships with the program: weights, and the ensemble of them that is the default model.

/// Name of the default model.
pub const DEFAULT_MODEL: &str = "ensemble";

/// Ensembles that ship with the program, by name: their members are among [`EMBEDDED`].
pub(super) const ENSEMBLES: [(&str, &str); 1] =
    [(DEFAULT_MODEL, include_str!("../../fixtures/models/ensemble.ensemble.json"))];

/// Weights that ship with the program, by name: the members of the default, and the paper's networks, with which its errors are
/// compared.
pub(super) const EMBEDDED: [(&str, &[u8]); 7] = [
    ("cgcnn", include_bytes!("../../fixtures/models/cgcnn.safetensors.zst")),
    ("alignn", include_bytes!("../../fixtures/models/alignn.safetensors.zst")),
    ("deeper-gatgnn", include_bytes!("../../fixtures/models/deeper-gatgnn.safetensors.zst")),
    ("megnet", include_bytes!("../../fixtures/models/megnet.safetensors.zst")),
    ("schnet", include_bytes!("../../fixtures/models/schnet.safetensors.zst")),
    ("schnet-far", include_bytes!("../../fixtures/models/schnet-far.safetensors.zst")),
    ("trees-magpie", include_bytes!("../../fixtures/models/trees-magpie.safetensors.zst")),
];

/// Names of the models and ensembles that ship with the program, the default first.
pub fn embedded() -> impl Iterator<Item = &'static str> {
    ENSEMBLES.iter().map(|(name, _)| *name).chain(EMBEDDED.iter().map(|(name, _)| *name))
}

/// Whether a model of that name ships with the program.
pub fn is_embedded(name: &str) -> bool {
    embedded().any(|known| name.eq_ignore_ascii_case(known))
}
