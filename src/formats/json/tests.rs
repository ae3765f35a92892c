use super::*;

const FLAT: &str = r#"{"id":"mp-1","lattice":[[4.594,0,0],[0,4.594,0],[0,0,2.959]],
"species":["Ti","Ti","O","O","O","O"],
"frac_coords":[[0,0,0],[0.5,0.5,0.5],[0.305,0.305,0],[0.695,0.695,0],[0.195,0.805,0.5],[0.805,0.195,0.5]],
"formula":"TiO2","formation_energy_per_atom":-3.3,"e_above_hull":null,"source":"MP","seed_split":"train","e_form_source":"paper","qc_outlier":false,"tags":[1,{"a":2}]}"#;

fn parse(text: &str) -> Result<Structure, FormatError> {
    parse_noted(text).map(|(structure, _)| structure)
}

fn record_of(text: &str) -> Result<Record, (Option<String>, FormatError)> {
    let record = record(text, 1, 1, &Mapping::default(), || "stem".into()).map(Option::unwrap);
    record.map_err(|fault| (fault.id, fault.refused.error))
}

#[test]
fn the_flat_shape_with_its_properties() {
    let record = record_of(FLAT).map_err(|e| e.1).unwrap();
    assert_eq!((record.id.as_str(), record.structure.composition().formula()), ("mp-1", "Ti2O4".into()));
    let p = record.properties;
    assert_eq!((p.formation_energy_per_atom, p.e_above_hull, p.correction_scheme), (Some(-3.3), None, None));
    assert_eq!((p.source.as_deref(), p.split.as_deref()), (Some("MP"), Some("train")));
    assert_eq!(serde_json::Value::from(p.extra), serde_json::json!({"e_form_source": "paper", "qc_outlier": false}));
}

#[test]
fn every_shape_is_the_same_crystal() {
    let flat = parse(FLAT).unwrap();
    let dict = to_json(&flat);
    assert_eq!(parse(&dict.to_string()).unwrap(), flat);
    let document = serde_json::json!({"material_id": "mp-1", "structure": dict, "energy_above_hull": 0.1, "symmetry": {"number": 136}});
    let record = record_of(&document.to_string()).map_err(|e| e.1).unwrap();
    assert_eq!((record.id.as_str(), &record.structure, record.properties.e_above_hull), ("mp-1", &flat, Some(0.1)));
    let rows: Vec<f64> = flat.lattice().rows().concat();
    let numbers: Vec<u8> = flat.species().iter().map(|e| e.z()).collect();
    let columns = serde_json::json!({"lattice": rows, "numbers": numbers, "frac_coords": flat.frac_coords().concat()});
    assert_eq!(parse(&columns.to_string()).unwrap(), flat);
    let xyz = dict_without(&dict, "abc");
    let same = |a: &[f64; 3], b: &[f64; 3]| (0..3).all(|k| (a[k] - b[k]).abs() < 1e-14);
    assert!(parse(&xyz).unwrap().frac_coords().iter().zip(flat.frac_coords()).all(|(a, b)| same(a, b)));
}

fn dict_without(dict: &serde_json::Value, key: &str) -> String {
    let mut dict = dict.clone();
    for site in dict["sites"].as_array_mut().unwrap() {
        site.as_object_mut().unwrap().remove(key);
    }
    dict.to_string()
}

#[test]
fn faults_name_their_place() {
    for (from, to, line, said) in [
        ("[0,0,0],[0.5", "[0,0],[0.5", 3, "a row of three"),
        ("[0,0,0],[0.5", "[0,0,NaN],[0.5", 3, "NaN and Infinity are not JSON"),
        ("\"Ti\",\"Ti\"", "\"Ti\"", 1, "5 species but 18 numbers"),
        ("\"Ti\",\"Ti\"", "\"Ti\",\"Tj\"", 1, "'Tj' is not a chemical element"),
        ("-3.3", "\"low\"", 4, "expected f64"),
        ("\"TiO2\"", "\"Ti2O3\"", 1, "'Ti2O3' but the sites make TiO2"),
        ("[0,0,2.959]]", "[0,0,2.959],1]", 1, "9 numbers, found 10"),
        ("lattice", "lettuce", 1, "no 'lattice'"),
        ("frac_coords", "coords", 1, "no 'frac_coords'"),
        ("species", "atoms", 1, "no 'species'"),
        ("}]}", "", 4, "cut short"),
        ("[0,0,0],[0.5", "[0.5,0.5,0.49],[0.5", 1, "apart"),
    ] {
        assert!(FLAT.contains(from), "{from}");
        let error = parse(&FLAT.replacen(from, to, 1)).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(said), "{from} -> {to}: {message}");
        assert_eq!(error.position().map(|p| p.line), Some(line), "{from} -> {to}: {message}");
    }
    assert!(parse(&format!("{{\"a\":{}1", "[".repeat(100_000))).unwrap_err().to_string().contains("cut short"));
    let deep = "{\"structure\":".repeat(100_000);
    assert!(parse(&deep).unwrap_err().to_string().contains("nesting"));
}

#[test]
fn disorder_is_refused_with_its_site() {
    let dict = to_json(&parse(FLAT).unwrap()).to_string();
    let error = parse(&dict.replacen("\"occu\":1", "\"occu\":0.5", 1)).unwrap_err().to_string();
    assert!(error.contains("site 1 (Ti) has occupancy 0.5"), "{error}");
}

#[test]
fn files_of_one_document_many_or_an_array() {
    let dir = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str| -> Vec<String> {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        crate::read_file(&path)
            .map(|r| match r {
                Ok(r) => format!("{}:{}", r.line, r.id),
                Err(r) => format!("{}:{}", r.line, r.reason.split([';', ':']).next().unwrap_or("")),
            })
            .collect()
    };
    let line = FLAT.replace('\n', "");
    let anonymous = line.replacen("\"id\":\"mp-1\",", "", 1);
    assert_eq!(read("a.json", FLAT), ["1:mp-1"]);
    assert_eq!(read("b.json", &anonymous), ["1:b"]);
    assert_eq!(read("c.json", &format!("[{line},\n{anonymous}]")), ["1:mp-1", "2:c#2"]);
    assert_eq!(
        read("d.json", &format!("[\n{line},\n{{}},\n{anonymous}")),
        ["2:mp-1", "3:no 'lattice' and no 'structure'", "4:d#3", "4:column 361"]
    );
    assert_eq!(read("e.json", "[]"), ["1:the array is empty"]);
    assert_eq!(read("f.jsonl", &format!("{line}\n\n{{\"id\": \n{anonymous}\r\n")), ["1:mp-1", "3:column 6", "4:f#4"]);
}

#[test]
fn deuterium_is_hydrogen_with_a_note_in_every_shape() {
    use crate::Note;
    let flat = FLAT.replace("\"Ti\"", "\"D\"").replace("TiO2", "D2 O4");
    let (structure, notes) = parse_noted(&flat).unwrap();
    assert_eq!((structure.composition().formula().as_str(), &notes), ("H2O4", &Notes::from([Note::Isotopes])));
    let dict = to_json(&structure).to_string();
    assert!(parse_noted(&dict).unwrap().1.is_empty());
    let heavy = parse_noted(&dict.replace("\"H\"", "\"T\"")).unwrap();
    assert_eq!((&heavy.0, &heavy.1), (&structure, &notes));
    assert_eq!(record_of(&flat).unwrap_or_else(|e| panic!("{}", e.1)).properties.notes, notes);
}

#[test]
fn an_entry_of_pymatgen_is_named_by_itself() {
    let structure = to_json(&parse(FLAT).unwrap());
    let entry = serde_json::json!({"@module": "pymatgen.entries.computed_entries", "@class": "ComputedStructureEntry",
        "energy": -53.2, "composition": {"Ti": 2.0, "O": 4.0}, "entry_id": "mp-2657", "correction": -1.4, "energy_adjustments": [],
        "parameters": {"run_type": "GGA"}, "data": {"oxide_type": "oxide"}, "structure": structure});
    let record = record_of(&entry.to_string()).unwrap_or_else(|e| panic!("{}", e.1));
    assert_eq!((record.id.as_str(), &record.properties.extra["energy"]), ("mp-2657", &serde_json::json!(-53.2)));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entries.json");
    std::fs::write(&path, serde_json::json!([entry, entry]).to_string()).unwrap();
    let ids: Vec<String> = crate::read_file(&path).map(|r| r.unwrap().id).collect();
    assert_eq!(ids, ["mp-2657", "mp-2657"]);
}
