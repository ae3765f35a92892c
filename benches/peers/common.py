"""What every comparison shares: where things are, how time is taken, how the table is printed.

Machines are noisy, so nothing is compared across runs: in each round ours and the peers' turns follow one another, and the
table prints medians over the rounds. Wall time is what a person waits for; CPU time (all threads and children) moves
less when the machine is busy.
"""

import argparse
import contextlib
import gzip
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("HOLLANDITE_SHARED", REPOSITORY.parent / "shared"))
CACHE = Path(os.environ.get("HOLLANDITE_PEERS", Path.home() / ".cache" / "hollandite-peers"))
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))


def arguments(description):
    """A parser with the options that every comparison has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side")
    parser.add_argument("--profile", default="release", help="cargo profile of our side (release, dev, ...)")
    return parser


def need(path):
    """`path`, or the end of the program with a line that says what is missing."""
    if not Path(path).exists():
        sys.exit(f"skipped: {path} is not here")
    return Path(path)


def crystals(name):
    """The rows of a file of real crystals."""
    with gzip.open(need(SHARED / "data" / name), "rt") as lines:
        yield from map(json.loads, lines)


def _build(arguments, profile):
    """The executable that `cargo ARGUMENTS` builds."""
    command = ["cargo", *arguments, "--quiet", "--profile", profile, "--message-format=json"]
    built = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    paths = [json.loads(line).get("executable") for line in built.stdout.splitlines()]
    return next(path for path in reversed(paths) if path)


def program(profile):
    """Our command line; HOLLANDITE names a binary that is used as it is."""
    return os.environ.get("HOLLANDITE") or _build(["build", "--bin", "hollandite"], profile)


def worker(profile):
    """benches/peers/main.rs, our side of what is measured inside a process."""
    return os.environ.get("HOLLANDITE_WORKER") or _build(["bench", "--no-run", "--bench", "peers"], profile)


def fresh(folder):
    """An empty folder of that name in the cache."""
    path = CACHE / folder
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def run(command, **options):
    """Runs a command to its end; (wall, CPU) seconds and its standard output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    wall = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), done.stdout


def timed(work):
    """Calls `work`; (wall, CPU) seconds and what it returned."""
    start, cpu = time.perf_counter(), time.process_time()
    value = work()
    return (time.perf_counter() - start, time.process_time() - cpu), value


class Lines:
    """A process that answers lines with lines, and the CPU time it has used."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            [str(c) for c in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def cpu(self):
        """User and system seconds so far, all threads: clock_getcpuclockid(3), which Python does not name."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def ask(self, text, answers=1):
        """Sends `text`; (wall, CPU) seconds until `answers` lines are back, and the lines."""
        start, cpu = time.perf_counter(), self.cpu()
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        lines = [self.process.stdout.readline() for _ in range(answers)]
        wall = time.perf_counter() - start
        if not lines[-1]:
            sys.exit(f"the process ended while asked: {text}")
        return (wall, self.cpu() - cpu), lines

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


class Table:
    """Times by task and side; the side first named in a task is the one the others are divided by."""

    def __init__(self, unit, scale):
        self.unit, self.scale, self.times, self.counts = unit, scale, {}, {}

    def add(self, task, side, seconds, n=1):
        """One turn: (wall, CPU) seconds for n things; CPU may be None."""
        self.times.setdefault(task, {}).setdefault(side, []).append(seconds)
        self.counts[task, side] = n

    def print(self):
        """Medians, the range of the rounds, and how many times ours the peer's is."""
        rows = [("task", "side", f"wall {self.unit}", "range", f"cpu {self.unit}", "wall ratio", "cpu ratio")]
        for task, sides in self.times.items():
            ours = None
            for side, turns in sides.items():
                scale = self.scale / self.counts[task, side]
                wall, cpu = ([t * scale for t in times if t is not None] for times in zip(*turns))
                medians = [statistics.median(times) if times else None for times in (wall, cpu)]
                ours = ours or medians
                ratios = (f"{x / y:.2f}" if x and y else "-" for x, y in zip(medians, ours))
                shown = (f"{x:.4g}" if x is not None else "-" for x in medians)
                rows.append((task, side, next(shown), f"{min(wall):.4g}..{max(wall):.4g}", next(shown), *ratios))
        widths = [max(map(len, column)) for column in zip(*rows)]
        for row in rows:
            names = [row[k].ljust(widths[k]) for k in (0, 1)]
            print("  ".join(names + [cell.rjust(width) for cell, width in zip(row[2:], widths[2:])]))


def machine():
    """One line on the machine and how busy it is."""
    print(f"{os.cpu_count()} cores, load {' '.join(f'{x:.1f}' for x in os.getloadavg())}, {time.strftime('%F %T')}")
