//! A cluster of processes: executors are killed in the middle of queries, and the answer is that of one machine. With the feature
//! `cluster`, whose engine is compiled for these tests alone: `.ci/cluster` runs them.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use common::port::port;
use common::program::{Store, hollandite};

/// How often an executor is killed.
const KILLS: u32 = 20;

/// A process that is killed when the test ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a role of `hollandite cluster`, which says where it is.
fn start(store: &Store, args: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hollandite"));
    command.env_remove("HOLLANDITE_STORE").env("HOME", store.beside("home"));
    let mut child = command.arg("cluster").args(args).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().expect("it says where it is").unwrap();
    assert!(first.contains("at "), "{first}");
    // The rest is not read, and the pipe must not fill.
    std::thread::spawn(move || lines.for_each(drop));
    Process(child)
}

/// An executor of one core.
fn executor(store: &Store, scheduler: &str) -> Process {
    let listen = format!("127.0.0.1:{}", port());
    start(store, &["executor", "--scheduler", scheduler, "--listen", &listen, "--cores", "1"])
}

#[test]
fn killed_executors_cost_their_tasks_only() {
    let store = Store::new();
    let out = store.beside("sample.parquet");
    hollandite(&["export", "SELECT id, structure FROM sample", "--to", &out]).assert().success();
    store.run(&["import", &out, "--into", "sample"]).assert().success();
    let query = "SELECT id, predict_ef(structure, 'cgcnn') AS ef, void(structure, 'ionic', 0.76) AS room FROM sample ORDER BY id";
    let want = store.run(&["sql", query, "--format", "csv"]).assert().success().get_output().stdout.clone();
    assert!(want.len() > 1000);

    let scheduler = format!("127.0.0.1:{}", port());
    let _scheduler = start(&store, &["scheduler", "--listen", &scheduler]);
    let mut executors = [executor(&store, &scheduler), executor(&store, &scheduler)];
    let address = format!("df://{scheduler}");
    let path = store.path();
    // Nothing is remembered, so that there is work in every round.
    let text = format!("SET hollandite.cache = false; {query}");
    let ask = || {
        Command::new(env!("CARGO_BIN_EXE_hollandite"))
            .args(["--store", path.to_str().unwrap(), "sql", "--cluster", &address, &text, "--format", "csv"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let check = |asked: Child, round: &str| {
        let answer = asked.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&answer.stderr);
        assert!(answer.status.success(), "{round}: {told}");
        assert_eq!(answer.stdout, want, "{round}: {told}");
    };
    let begun = Instant::now();
    check(ask(), "undisturbed");
    let undisturbed = begun.elapsed();
    let mut struck = 0;
    for round in 0..KILLS {
        let mut asked = ask();
        std::thread::sleep(undisturbed * (round + 1) / (KILLS + 1));
        struck += u32::from(asked.try_wait().unwrap().is_none());
        let victim = (round % 2) as usize;
        executors[victim].0.kill().unwrap();
        executors[victim] = executor(&store, &scheduler);
        check(asked, &format!("round {round}"));
    }
    assert!(struck > KILLS / 2, "{struck} of {KILLS} executors were killed in the middle of a query");
    store.run(&["verify"]).assert().success();
}
