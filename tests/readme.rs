//! The README is run: each `$ command` of a ```console block is executed in a shell, and what it prints must be what stands
//! under it. In the README a line `...` stands for any number of lines, and `...` inside a line for any text. How wide a
//! column is does not matter: runs of spaces and of `─` count as one.

mod common;

use assert_cmd::Command;

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

#[test]
fn every_command_prints_what_the_readme_shows() {
    let root = env!("CARGO_MANIFEST_DIR");
    let markdown = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let steps = steps(&markdown);
    assert!(steps.len() >= 5, "the README has a transcript");
    let work = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(format!("{root}/fixtures"), work.path().join("fixtures")).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_hollandite"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    for step in steps {
        if step.command.starts_with("cargo test") {
            continue; // That is this very run.
        }
        let script = step.command.replace("cargo run -- ", "hollandite ");
        let mut shell = Command::new("sh");
        common::isolated(&mut shell, work.path());
        let output =
            shell.args(["-c", &format!("{script}\n")]).env("PATH", &path).current_dir(work.path()).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let printed: Vec<&str> = printed.lines().collect();
        assert!(
            agrees(&step.expected, &printed),
            "README.md:{}: $ {}\nshould print\n{}\nand prints\n{}",
            step.line,
            step.command,
            step.expected.join("\n"),
            printed.join("\n")
        );
    }
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
