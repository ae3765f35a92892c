//! Every network has its line in the list of architectures: a folder without one compiles and is never asked.

use std::path::Path;

#[test]
fn every_network_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/models");
    let list = std::fs::read_to_string(folder.join("network.rs")).unwrap();
    let (mut networks, mut missing) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path().join("mod.rs");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for config in text.lines().filter_map(|line| line.strip_prefix("impl Architecture for ")) {
            networks += 1;
            let config = config.trim_end_matches(" {");
            if !list.contains(&format!("::{config},")) {
                missing.push(format!("{config} of {}", file.display()));
            }
        }
    }
    assert!(networks >= 10, "{networks} networks were found");
    assert!(missing.is_empty(), "not in the list of src/models/network.rs: {}", missing.join(", "));
}
