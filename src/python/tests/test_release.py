"""A release: the workflow is one that GitHub reads, and packs what `cargo binstall` and pip look for."""

import os
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


def test_the_address_of_the_programs_is_that_of_the_repository_that_releases_them():
    """No manifest names a repository: the one that makes a release writes its own into the manifest that it releases."""
    manifest = (ROOT / "Cargo.toml").read_text()
    package = manifest.split("[lib]")[0]
    assert "repository" not in package
    workflow = WORKFLOW.read_text()
    write = re.search(r"run: (sed .*) Cargo\.toml > release/Cargo\.toml", workflow)[1]
    released = subprocess.run(
        ["bash", "-c", f"{write} Cargo.toml"], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "GITHUB_SERVER_URL": "https://example.org", "GITHUB_REPOSITORY": "someone/crystals"},
    ).stdout
    repository = re.search(r'^repository = "(.*)"$', released.split("[lib]")[0], re.M)[1]
    assert released.replace(f'repository = "{repository}"\n', "") == manifest
    template = re.search(r'^pkg-url = "(.*)"$', released, re.M)[1]
    version = re.search(r'^version = "(.*)"$', released.split("[workspace.package]")[1], re.M)[1]
    filled = {"repo": repository, "version": version, "name": "hollandite", "target": "x86_64-unknown-linux-gnu"}
    url = re.sub(r"\{ (\w+) \}", lambda match: filled[match[1]], template)
    # `gh release create` puts the files of the tag there.
    assert url == f"https://example.org/someone/crystals/releases/download/v{version}/hollandite-x86_64-unknown-linux-gnu.tar.gz"
    assert 'gh release upload "$GITHUB_REF_NAME" release/*' in workflow and 'tags: ["v*"]' in workflow


def test_every_platform_has_a_wheel_and_a_program():
    jobs, _, _ = WORKFLOW.read_text().partition("  same:\n")
    wheels, programs = jobs.split("  programs:\n")
    for target in [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
    ]:
        assert f"target: {target}" in wheels and f"target: {target}" in programs
    assert "sha256sum * > SHA256SUMS" in WORKFLOW.read_text()


def test_program_and_package_are_built_alike():
    """What the library for Python has of the program the released program has too, in the same profile."""
    package = (ROOT / "src/python/Cargo.toml").read_text()
    features = re.search(r'^hollandite = \{ path = "\.\./\.\.", features = \["(.*)"\] \}$', package, re.M)[1]
    profile = re.search(r'^profile = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.M)[1]
    assert f"cargo build --locked --profile {profile} --features {features} " in WORKFLOW.read_text()


def test_what_is_packed_is_tried_and_checked_before_it_is_published():
    jobs, same, publish = re.split(r"  (?:same|publish):\n", WORKFLOW.read_text())
    wheels, programs = jobs.split("  programs:\n")
    for job in (wheels, programs):
        assert 'sql "$QUERY"' in job and "serve --help" in job
    for version in ("3.10", "3.14"):
        tried = re.search(r"for version in (.*); do\n", wheels)[1].split()
        assert version in tried and f"            {version}\n" in wheels, version
    for checker in ("twine", "check-wheel-contents", "abi3audit"):
        assert f"checkers/bin/{checker} " in wheels
        assert re.search(rf"^{checker}==", (ROOT / "src/python/tests/requirements.txt").read_text(), re.M)
    assert "--help" in same and "needs: [wheels, programs]" in same and "needs: [same]" in publish
    steps = ["the tag names the version", "--draft ", "gh-action-pypi-publish", "skip-existing: true", "--draft=false"]
    assert [publish.index(step) for step in steps] == sorted(publish.index(step) for step in steps)


def test_a_tag_of_another_version_is_refused():
    check = re.search(r"run: (test \"\$GITHUB_REF_NAME\" = .*)$", WORKFLOW.read_text(), re.M)[1]
    import hollandite

    for tag, code in [(f"v{hollandite.__version__}", 0), ("v99.0.0", 1)]:
        run = subprocess.run(["bash", "-c", check], cwd=ROOT, env={"PATH": os.environ["PATH"], "GITHUB_REF_NAME": tag})
        assert run.returncode == code, tag


def test_maturin_is_that_of_the_tests():
    version = re.search(r"^maturin==(.*)$", (ROOT / "src/python/tests/requirements.txt").read_text(), re.M)[1]
    assert f"maturin-version: v{version}\n" in WORKFLOW.read_text()


def test_all_means_every_extra():
    import importlib.metadata

    extras = set(importlib.metadata.metadata("hollandite").get_all("Provides-Extra")) - {"all"}
    named = [one for one in importlib.metadata.requires("hollandite") if one.startswith("hollandite[")]
    assert len(extras) > 5 and set(re.search(r"\[(.*?)\]", named[0])[1].split(",")) == extras


def test_versions_agree():
    import hollandite

    assert f'\nversion = "{hollandite.__version__}"' in (ROOT / "Cargo.toml").read_text()
