"""A release: the workflow is one that GitHub reads, and packs what `cargo binstall` and pip look for."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
WORKFLOW = ROOT / ".github/workflows/release.yml"


def test_the_workflow_is_valid():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_programs_are_packed_under_the_names_that_binstall_looks_for():
    manifest = (ROOT / "Cargo.toml").read_text()
    template = re.search(r'^pkg-url = "\{ repo \}/releases/download/v\{ version \}/(.*)"$', manifest, re.M)[1]
    workflow = WORKFLOW.read_text()
    packed = template.replace("{ name }", "hollandite").replace("{ target }", "${{ matrix.target }}")
    assert f"path: {packed}" in workflow and f"tar -czf {packed} " in workflow
    assert 'bin-dir = "{ bin }{ binary-ext }"' in manifest and "/dist/hollandite" in workflow


def test_every_platform_has_a_wheel_and_a_program():
    wheels, programs = WORKFLOW.read_text().split("  programs:\n")
    for target in [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ]:
        assert f"target: {target}" in wheels and f"target: {target}" in programs
    assert "sha256sum * > SHA256SUMS" in programs


def test_versions_agree():
    import hollandite

    assert f'\nversion = "{hollandite.__version__}"' in (ROOT / "Cargo.toml").read_text()
