//! The README and the guides of queries/ are run: each `$ command` of a ```console block is executed in a shell, and what it
//! prints must be what stands under it. The guides go on where the README ends. There a line `...` stands for any number of lines,
//! and `...` inside a line for any text. How wide a column is does not matter: runs of spaces and of `─` count as one. What other
//! programs do with our files, in ```python and ```sql blocks, is run after the commands of its document.

use assert_cmd::Command;

use crate::common::program::isolated;

/// A command with the lines that it should print.
#[derive(Debug, PartialEq)]
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

/// The console blocks of a Markdown text.
fn steps(markdown: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (number, line) in markdown.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: number + 1, command: command.to_string(), expected: Vec::new() });
        } else if inside && let Some(step) = steps.last_mut() {
            match line.strip_prefix("> ") {
                Some(more) if step.expected.is_empty() => step.command += &format!("\n{more}"),
                _ => step.expected.push(line.to_string()),
            }
        }
    }
    steps
}

/// Blocks that other tests run, by document and language.
const RUN_ELSEWHERE: [(&str, &str); 5] = [
    // With the Python package: src/python/tests.
    ("README.md", "python"),
    ("queries/python.md", "python"),
    ("queries/serve.md", "python"),
    // It asks for published weights: tests/parity/models.rs.
    ("queries/models.md", "python"),
    // The examples of the functions, each run by a test of its own.
    ("queries/FUNCTIONS.md", "sql"),
];

/// The blocks of other programs that are run here, with their lines: Python's, and DuckDB's SQL.
fn blocks<'a>(name: &str, markdown: &'a str) -> Vec<(usize, &'static str, &'a str)> {
    let mut blocks = Vec::new();
    for language in ["python", "sql"].into_iter().filter(|language| !RUN_ELSEWHERE.contains(&(name, language))) {
        let fence = format!("```{language}\n");
        for (at, _) in markdown.match_indices(&fence) {
            let text = markdown[at + fence.len()..].split("```").next().unwrap();
            blocks.push((markdown[..at].lines().count() + 1, language, text));
        }
    }
    blocks
}

/// Whether `printed` is what `expected` says.
fn agrees(expected: &[String], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.trim() == "..." => (0..=printed.len()).any(|n| agrees(rest, &printed[n..])),
        Some((first, rest)) => {
            printed.split_first().is_some_and(|(line, others)| line_agrees(first, line) && agrees(rest, others))
        }
    }
}

fn squeeze(line: &str) -> String {
    let mut out = String::new();
    for c in line.trim_end().chars() {
        if !(matches!(c, ' ' | '─') && out.ends_with(c)) {
            out.push(c);
        }
    }
    out
}

fn line_agrees(expected: &str, line: &str) -> bool {
    let (expected, line) = (squeeze(expected), squeeze(line));
    let (expected, line) = (expected.as_str(), line.as_str());
    let parts: Vec<&str> = expected.split("...").collect();
    let [first, middle @ .., last] = parts.as_slice() else { return expected == line };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The README and then every guide: path below the root, text.
fn documents() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = std::fs::read_dir(root.join("queries")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = guides.map(|name| format!("queries/{}", name.to_str().unwrap())).collect();
    names.retain(|name| name.ends_with(".md"));
    names.sort();
    names.insert(0, "README.md".into());
    names.into_iter().map(|name| (name.clone(), std::fs::read_to_string(root.join(name)).unwrap())).collect()
}

#[test]
fn every_command_prints_what_the_documents_show() {
    let root = env!("CARGO_MANIFEST_DIR");
    let work = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(format!("{root}/fixtures"), work.path().join("fixtures")).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_hollandite"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let (mut ran, mut others) = (0, 0);
    for (name, markdown) in documents() {
        for step in steps(&markdown) {
            if step.command.starts_with("cargo test") {
                continue; // That is this very run.
            }
            let script = step.command.replace("cargo run -- ", "hollandite ");
            let mut shell = Command::new("sh");
            isolated(&mut shell, work.path());
            shell.args(["-c", &format!("{script}\n")]).env("PATH", &path).current_dir(work.path());
            let output = shell.output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            let printed: Vec<&str> = printed.lines().collect();
            assert!(
                agrees(&step.expected, &printed),
                "{name}:{}: $ {}\nshould print\n{}\nand prints\n{}",
                step.line,
                step.command,
                step.expected.join("\n"),
                printed.join("\n")
            );
            ran += 1;
        }
        for (line, language, text) in blocks(&name, &markdown) {
            let Some(python) = std::env::var_os("HOLLANDITE_PYTHON") else {
                crate::common::skip("HOLLANDITE_PYTHON names no Python with tests/interop/requirements.txt");
                continue;
            };
            let mut python = Command::new(python);
            isolated(&mut python, work.path());
            match language {
                "sql" => python.arg(format!("{root}/tests/interop/lake.py")).write_stdin(text),
                _ => python.args(["-c", text]),
            };
            let output = python.current_dir(work.path()).output().unwrap();
            assert!(output.status.success(), "{name}:{line}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(language != "sql" || !output.stdout.is_empty(), "{name}:{line}: it finds nothing");
            others += 1;
        }
    }
    assert!(others >= 2 || std::env::var_os("HOLLANDITE_PYTHON").is_none(), "other programs read our files: {others}");
    assert!(ran >= 30, "the documents have transcripts: {ran}");
}

#[test]
fn links_lead_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, markdown) in documents() {
        let folder = root.join(&name).parent().unwrap().to_path_buf();
        for link in markdown.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let path = link.split('#').next().unwrap();
            assert!(link.contains("://") || folder.join(path).exists(), "{name} links to {link}");
        }
    }
}

#[test]
fn the_readme_is_read_in_one_sitting() {
    let lines = include_str!("../../README.md").lines().count();
    assert!(lines <= 300, "README.md has {lines} lines: what explains one subject belongs into a guide of queries/");
}

#[test]
fn the_two_commands_stand_in_the_readme() {
    let markdown = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let commands: Vec<String> = steps(&markdown).into_iter().map(|s| s.command).collect();
    assert!(
        commands[0].starts_with(
            "cargo run -- sql \"SELECT id, formula, predict_ef(structure) AS ef FROM tmo WHERE void > 0.5"
        )
    );
    assert!(commands.iter().any(|c| c == "cargo test"));
    let ci = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/run")).unwrap();
    assert!(ci.lines().any(|l| l.starts_with("cargo test ")), "CI runs the README's test command");
}

#[test]
fn a_wrong_transcript_would_be_caught() {
    let expected = |text: &str| text.lines().map(str::to_string).collect::<Vec<_>>();
    assert!(agrees(&expected("a\n...\nz ... 1"), &["a", "b", "c", "z and 1"]));
    assert!(agrees(&expected("...\nz"), &["z"]));
    assert!(agrees(&expected("id   n\n──  ─"), &["id  n", "─────  ─"]));
    assert!(!agrees(&expected("a"), &["a", "b"]));
    assert!(!agrees(&expected("a ... c"), &["a b"]));
    assert!(!agrees(&expected("x"), &["X"]));
    let parsed = steps("```console\n$ one\n> two\nout\n```\n```sh\n$ not run\n```\n");
    assert_eq!(parsed, [Step { line: 2, command: "one\ntwo".into(), expected: vec!["out".into()] }]);
}
