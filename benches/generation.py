"""How good the generator is at tunnels that nobody has made: the protocol, fixed before its first run, step by step.

    python3 benches/generation.py all --hollandite target/release/hollandite --data FOLDER --work FOLDER

Every step goes on where it stood, and is skipped once it is done; `all` runs them in order, a single one is asked for by its name.

hide        imports the oxides (tmo.jsonl.gz and tmo_unlabelled.jsonl.gz of FOLDER) and hides 150 tunnel types with every crystal of them.
            A type is a label of `prototype`; a tunnel type one whose crystals have a largest free sphere (Shannon radii) of more than 1 Å
            in the median, and at least one charge-neutral crystal of up to 60 atoms in a space group other than P1 that has. Which are
            hidden is drawn with seed 0 from their labels in order.
train       trains the network on what is left.
prepare     puts the network and an energy model into the store, and all known crystals (other.jsonl.gz too) into one table.
            TensorNet of MatPES-PBE: a step of CHGNet takes several times as long.
sample      1 000 draws, with no condition, of all elements that the network has words for, and what passes each step: by the network, by
            templates (the histogram of the same crystals, no network), and by substitution (`enumerate`, from 100 of the same crystals).
stable      the first novel crystals of each, relaxed, on the hull of the same model's energies of the known phases.
rediscover  each hidden type given its composition alone: is it in the first 1, 10, 100 of 1 000 draws?
lift        what share of the crystals asked for in a bin of a condition is in it, against those that nobody asked for.
families    hollandite, romanechite and todorokite among the draws of MnO2.
tunnels     new tunnels for Ca, Mg and Al, as a page of HTML.
report      all of it as Markdown and JSON.
"""

import argparse
import json
import math
import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

TYPES, HIDING_SEED = 150, 0
SAMPLE_SEED, REDISCOVERY_SEED, LIFT_SEED, FAMILY_SEED, TUNNEL_SEED = 1, 2, 3, 4, 5
# Conventional cells of hidden types may be larger than those of usual samples.
SITES = 150
ABOVE = [0.08, 0.05, 0.0]
# Known phases this near to the hull of energies at their own geometry are relaxed too, eV/atom, up to so many atoms.
NEAR, LARGE = 0.03, 80
TRAINING = (
    "--table oxides --validation 0.05 --epochs 60 --batch 128 --learning-rate 0.003 --weight-decay 0.01 --clip 1 --seed 1 --name hidden"
).split()
SAMPLERS = {"network": "hidden", "templates": "templates"}
NAMES = {"network": "network", "templates": "templates, no network", "substitution": "substitution (enumerate)"}
CATIONS = (
    "Li,Na,K,Rb,Cs,Be,Mg,Ca,Sr,Ba,Sc,Y,La,Ce,Pr,Nd,Sm,Eu,Gd,Tb,Dy,Ho,Er,Tm,Yb,Lu,Ti,Zr,Hf,V,Nb,Ta,Cr,Mo,W,Mn,Fe,Ru,Co,Rh,Ir,Ni,Pd,Pt,"
    "Cu,Ag,Zn,Cd,Hg,B,Al,Ga,In,Tl,Si,Ge,Sn,Pb,P,As,Sb,Bi,S,Se,Te"
)
TUNNEL_METALS = ["Ti,V,Mn,O", "Nb,Mo,W,O", "V,Mo,O", "Ti,Nb,O", "Cr,Mn,Fe,O"]
IONS = ["Ca", "Mg", "Al"]
# No template of these proportions, or no word for an element.
CANNOT = ["has a template for", "has learned from no crystal with"]
SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd "
    "In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu"
).split()
# Ends of the bins of networks whose card does not say them.
FIRST_BINS = [[0.6, 1.0, 1.4], [0.5, 1.5, 2.5], [0.3, 0.4, 0.47, 0.53, 0.6], [10.2, 11.5, 12.6, 14.0, 16.0], [0.001, 0.03, 0.08, 0.2]]
DIMENSIONS = " + ".join(f"CAST(largest_free_sphere(structure, 'ionic', {n}, 'zeo') >= 1.0 AS INT)" for n in (1, 2, 3))
# Option, how it is measured of a column `structure`, and where it stands among the bins of a card.
CONDITIONS = [
    ("largest-free-sphere", "largest_free_sphere(structure, 'ionic', 1, 'zeo')", 0),
    ("dimensions", DIMENSIONS, 1),
    ("void", "void(structure)", 2),
    ("volume-per-atom", "volume(structure) / natoms(structure)", 3),
]
PUBLISHED = [
    "Ours are judged by the energy model named above, those below by CHGNet",
    "WyFormer, MP-20, 1 000 samples, relaxed and judged by CHGNet: S.U.N. 39.8 %, novel 91 %, unique 99.9 % (Kazeev et al., arXiv:2503.02407)",
    "DiffCSP++ 42.3 %, CrystalFormer 36.2 %, DiffCSP 58.7 %, FlowMM 51.2 %, MatterGen 55.4 % by the same authors' evaluation",
    "They learned from MP-20 (27 000 crystals of all kinds, up to 20 atoms) and hid nothing; ours from oxides without 150 types, up to 32 orbits: "
    "the rates stand beside one another, and are not of one experiment",
]


class Study:
    def __init__(self, args):
        self.args, self.work = args, args.work
        self.work.mkdir(parents=True, exist_ok=True)
        self.store = self.work / "store"

    def run(self, *command, step=None):
        """Runs a command over the store; what it takes is noted with its step. Nothing where a sampler cannot draw what is asked for."""
        begun, before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([self.args.hollandite, "--store", str(self.store), *command], capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        cannot = any(words in done.stderr for words in CANNOT)
        if done.returncode and not cannot:
            sys.exit(f"hollandite {command[0]} ended with {done.returncode}: {done.stderr}")
        if step:
            with (self.work / "times.jsonl").open("a") as times:
                times.write(json.dumps({"step": step, "cpu": cpu, "wall": time.time() - begun}) + "\n")
        return done.stdout

    def rows(self, query, step=None):
        return [json.loads(line) for line in self.run("sql", query, "--format", "jsonl", step=step).splitlines()]

    def value(self, query):
        return next(iter(self.rows(query)[0].values()))

    def has(self, table):
        return self.value(f"SELECT count(*) AS n FROM information_schema.tables WHERE table_name = '{table}'") > 0

    def make(self, table, query):
        if not self.has(table):
            self.run("sql", f"CREATE TABLE {table} AS {query}")

    def cpu(self, step):
        path = self.work / "times.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return sum(line["cpu"] for line in lines if line["step"] == step)

    def kept(self, name):
        path = self.work / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def keep(self, name, value):
        unfinished = self.work / f"{name}.unfinished"
        unfinished.write_text(json.dumps(value, indent=1))
        unfinished.replace(self.work / f"{name}.json")
        print(f"{name}: done", flush=True)
        return value

    def card(self):
        weights = (self.store / "models/hidden/hidden.safetensors").read_bytes()
        header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])
        return json.loads(header["__metadata__"]["hollandite_generator"])

    def elements(self):
        return ",".join(sorted({SYMBOLS[z - 1] for z, _, _ in self.card()["species"]}))

    # ---- steps

    def hide(self):
        if not self.store.exists():
            self.run("init")
        if not self.has("everything") or self.value("SELECT count(*) AS n FROM everything") < self.args.crystals:
            files = [str(self.args.data / name) for name in ("tmo.jsonl.gz", "tmo_unlabelled.jsonl.gz")]
            self.run("import", *files, "--into", "everything", step="import")
        columns = ["prototype(structure) AS prototype", "largest_free_sphere(structure, 'ionic') AS df"]
        self.run("compute", "--table", "everything", "--into", "types", *columns, step="types")
        of = "everything e JOIN types t ON t.id = e.id AND t.structure_hash = e.structure_hash"
        if not self.has("hidden"):
            types = self.rows(
                "SELECT t.prototype, count(*) FILTER (WHERE t.df > 1.0 AND e.spacegroup > 1 AND e.natoms <= 60 "
                f"AND is_charge_neutral(e.formula)) AS fine FROM {of} "
                "WHERE t.prototype IS NOT NULL GROUP BY t.prototype HAVING median(t.df) > 1.0 ORDER BY t.prototype"
            )
            labels = [row["prototype"] for row in types if row["fine"]]
            chosen = sorted(random.Random(HIDING_SEED).sample(labels, self.args.types))
            (self.work / "hidden_types.txt").write_text("\n".join(chosen) + "\n")
            listed = ", ".join(f"'{label}'" for label in chosen)
            self.run("sql", f"CREATE TABLE hidden AS SELECT e.*, t.prototype, t.df FROM {of} WHERE t.prototype IN ({listed})")
            self.keep("hidden", {"tunnel_types": len(labels), "types": len(chosen), "seed": HIDING_SEED})
        self.make(
            "oxides",
            "SELECT * EXCEPT (e_above_hull), coalesce(e_above_hull, CAST(extra->>'e_above_hull_derived' AS DOUBLE)) AS e_above_hull "
            "FROM everything WHERE id NOT IN (SELECT id FROM hidden)",
        )

    def train(self):
        if (self.work / "network/hidden.safetensors").exists() or (self.store / "models/hidden/hidden.safetensors").exists():
            return
        data = "Materials Project, CC-BY-4.0, without 150 tunnel types"
        self.run("train", "--model", "wyckoff", *TRAINING, "--resume", "--data", data, step="train")

    def prepare(self):
        home, trained = self.store / "models/hidden", self.work / "network/hidden.safetensors"
        if trained.exists() and not (home / "hidden.safetensors").exists():
            home.mkdir(parents=True, exist_ok=True)
            shutil.copy(trained, home / "hidden.safetensors")
        if not self.value(f"SELECT count(*) AS n FROM models WHERE name = '{self.args.model}' AND forces"):
            self.run("models", "add", str(self.args.weights), "--name", self.args.model)
        if not self.has("other"):
            self.run("import", str(self.args.data / "other.jsonl.gz"), "--into", "other", step="import")
        columns = "id, structure_hash, formula, elements, natoms, structure"
        self.make("known", " UNION ALL ".join(f"SELECT {columns} FROM {table}" for table in ("oxides", "hidden", "other")))

    def sample(self):
        for name, sampler in SAMPLERS.items():
            if self.kept(f"sample_{name}"):
                continue
            text = self.generate(self.elements(), sampler, self.args.draws, SAMPLE_SEED, f"made_{name}", f"sample_{name}")
            keys = ["drawn", "neutral", "roomy", "crystals", "unique", "novel"]
            self.keep(f"sample_{name}", dict(zip(keys, leading_numbers(text))))
        if not self.kept("sample_substitution"):
            prototypes = "SELECT id, structure FROM oxides WHERE nelements <= 3 AND natoms <= 40 ORDER BY structure_hash LIMIT 100"
            text = self.run(
                *("enumerate", "--prototypes", prototypes, "--elements", CATIONS, "--radius-change", "0.4", "--against", "known"),
                *("--into", "candidates"),
                step="sample_substitution",
            )
            keys = ["drawn", "neutral", "sizes", "novel", "unique"]
            counts = leading_numbers("\n".join(text.splitlines()[1:]))
            self.make("made_substitution", f"SELECT * FROM candidates ORDER BY structure_hash LIMIT {self.args.draws}")
            self.keep("sample_substitution", dict(zip(keys, counts)))

    def generate(self, what, sampler, draws, seed, into, step, *more):
        known = ["--from", "oxides", "--against", "known"]
        return self.run(
            *("generate", what, "--n", str(draws), "--seed", str(seed), "--sampler", sampler, "--into", into, *known, *more), step=step
        )

    def nearest(self, table, metals):
        """The crystals of some elements that the quick model finds nearest to the hull of the known phases."""
        system = f"array_has_all(make_array({listed(metals.split(','))}), elements)"
        return [
            row["id"]
            for row in self.rows(
                f"WITH hull AS (SELECT phase_diagram(formula, predict_ef(structure)) AS hull FROM known WHERE {system}), "
                f"made AS (SELECT id, formula, min(predict_ef(structure)) AS ef FROM {table} WHERE {system} GROUP BY id, formula) "
                f"SELECT id FROM made CROSS JOIN hull ORDER BY e_above_hull(hull, formula, ef) NULLS LAST, id LIMIT {self.args.tunnels}"
            )
        ]

    def novel(self, table, most):
        """The first novel crystals of a table, each once."""
        if not self.has(table):
            return []
        if table == "made_substitution":
            return [row["id"] for row in self.rows(f"SELECT id FROM {table} ORDER BY structure_hash LIMIT {most}")]
        same = "a.formula = b.formula AND same_structure(a.structure, b.structure)"
        return [
            row["id"]
            for row in self.rows(
                f"WITH once AS (SELECT a.* FROM {table} a LEFT ANTI JOIN {table} b ON {same} AND b.draw < a.draw), "
                f"novel AS (SELECT a.* FROM once a LEFT ANTI JOIN known b ON {same}) SELECT id FROM novel ORDER BY draw LIMIT {most}"
            )
        ]

    def relax(self, table, ids, into, step):
        """Relaxes rows of a table, a few at a time, so that little is lost to an end."""
        relax = f"relax(primitive(structure, 0.01), 0.05, 300, true, 'bfgs', '{self.args.model}')"
        columns = [f"{relax}['{field}'] AS {field}" for field in ("structure", "converged", "steps", "volume_change")]
        columns.append(f"predict_ef({relax}['structure'], '{self.args.model}') AS ef")
        for at in range(0, len(ids), 8):
            condition = f"id IN ({listed(ids[at : at + 8])})"
            self.run("compute", "--table", table, "--where", condition, "--into", into, *columns, step=step)

    def stable(self):
        for name in NAMES:
            if self.kept(f"stable_{name}"):
                continue
            table, relaxed, step = f"made_{name}", f"relaxed_{name}", f"stable_{name}"
            ids = self.kept(f"novel_{name}") or self.keep(f"novel_{name}", self.novel(table, self.args.stable))
            if not ids:
                self.keep(f"stable_{name}", {"asked": 0})
                continue
            self.relax(table, ids, relaxed, step)
            ended = self.rows(
                f"SELECT r.id, g.formula, g.elements, r.converged, r.ef, distance_min(r.structure) > 0.5 AS apart, "
                f"spacegroup(r.structure) AS spacegroup, g.spacegroup AS drawn, largest_free_sphere(r.structure, 'ionic') AS df, "
                f"is_charge_neutral(g.formula) AS neutral FROM {relaxed} r JOIN {table} g ON g.id = r.id AND g.structure_hash = r.structure_hash "
                f"WHERE r.id IN ({listed(ids)}) ORDER BY r.id"
            )
            same = "a.formula = b.formula AND same_structure(a.structure, b.structure)"
            made = f"SELECT r.id, g.formula, r.structure FROM {relaxed} r JOIN {table} g ON g.id = r.id AND g.structure_hash = r.structure_hash"
            again = {
                row["id"]
                for row in self.rows(
                    f"WITH made AS ({made}), once AS (SELECT a.* FROM made a LEFT ANTI JOIN made b ON {same} AND b.id < a.id) "
                    f"SELECT id FROM once a LEFT ANTI JOIN known b ON {same}"
                )
            }
            valid = [row for row in ended if row["converged"] and row["apart"] and row["neutral"] and row["ef"] is not None]
            new = [row for row in valid if row["id"] in again]
            for row in new:
                row["above"] = self.above(row, step)
            new = [row for row in new if row["above"] is not None]
            self.keep(
                f"stable_{name}",
                {
                    "asked": len(ids),
                    "valid": len(valid),
                    "symmetry_kept": sum(row["spacegroup"] == row["drawn"] for row in valid),
                    "novel": len(new),
                    "stable": {str(above): sum(row["above"] <= above for row in new) for above in ABOVE},
                    "symmetric": {str(above): sum(row["above"] <= above and row["spacegroup"] > 1 for row in new) for above in ABOVE},
                    "tunnels": {str(above): sum(row["above"] <= above and (row["df"] or 0) > 1.0 for row in new) for above in ABOVE},
                    "cpu": self.cpu(step),
                    "crystals": new,
                },
            )

    def above(self, row, step):
        """Distance to the hull of the known phases of its system, by the energy model: those near the hull are relaxed."""
        system = f"array_has_all(make_array({listed(row['elements'])}), elements)"
        of = f"SELECT id, structure_hash, natoms, formula, predict_ef(structure, '{self.args.model}') AS ef FROM known WHERE {system}"
        near = self.rows(
            f"WITH phases AS ({of}), hull AS (SELECT phase_diagram(formula, ef) AS hull FROM phases WHERE ef IS NOT NULL) "
            f"SELECT id FROM phases CROSS JOIN hull WHERE natoms <= {LARGE} AND e_above_hull(hull, formula, ef) <= {NEAR}",
            step=step,
        )
        self.relax("known", [phase["id"] for phase in near], "phases", step)
        relaxed = self.has("phases")
        join = "LEFT JOIN phases r ON r.id = p.id AND r.structure_hash = p.structure_hash" if relaxed else ""
        ef = "least(p.ef, r.ef)" if relaxed else "p.ef"
        return self.rows(
            f"WITH known_phases AS ({of}), phases_of AS (SELECT p.formula, {ef} AS ef FROM known_phases p {join}), "
            "hull AS (SELECT phase_diagram(formula, ef) AS hull FROM phases_of WHERE ef IS NOT NULL) "
            f"SELECT e_above_hull(hull, '{row['formula']}', {row['ef']}) AS above FROM hull",
            step=step,
        )[0]["above"]

    def asked(self):
        """Of each hidden type the crystal that is asked for: the one nearest to the hull."""
        return self.rows(
            "SELECT id, formula, prototype, df FROM (SELECT *, row_number() OVER (PARTITION BY prototype ORDER BY e_above_hull NULLS LAST, id) AS n "
            "FROM hidden WHERE df > 1.0 AND spacegroup > 1 AND natoms <= 60 AND is_charge_neutral(formula)) WHERE n = 1 ORDER BY prototype"
        )

    def rediscover(self):
        asked = self.kept("asked") or self.keep("asked", self.asked())
        for target in asked:
            for name in NAMES:
                key = f"again/{target['id']}_{name}"
                (self.work / "again").mkdir(exist_ok=True)
                if self.kept(key) is None:
                    found = self.substituted(target) if name == "substitution" else self.drawn(target, name)
                    self.keep(key, found)

    def drawn(self, target, name):
        table, relaxed, step = f"again_{name}", f"again_{name}_relaxed", f"rediscover_{name}"
        self.generate(target["formula"], SAMPLERS[name], self.args.draws, REDISCOVERY_SEED, table, step, "--sites", str(SITES))
        if not self.has(table):
            return []
        ranked = self.rows(
            f"SELECT g.id, min(g.draw) AS draw, bool_or(prototype(g.structure) = h.prototype) AS type, "
            f"bool_or(same_structure(g.structure, h.structure)) AS same, min(predict_ef(g.structure)) AS ef "
            f"FROM {table} g JOIN hidden h ON h.id = '{target['id']}' "
            f"WHERE g.formula = h.formula AND g.seed = {REDISCOVERY_SEED} GROUP BY g.id ORDER BY ef NULLS LAST, draw",
            step=step,
        )
        # The first by the quick model, and the first of the type that is looked for, to see whether its coordinates are found.
        first = [row["id"] for row in ranked[: self.args.relaxed]]
        of_type = [row["id"] for row in ranked if row["type"]][:3]
        ids = list(dict.fromkeys(first + of_type))
        if ids:
            self.relax(table, ids, relaxed, step)
            ends = self.rows(
                f"SELECT r.id, r.ef AS relaxed_ef, r.converged, same_structure(r.structure, h.structure) AS relaxed_same, "
                f"structure_match(r.structure, h.structure)['rms'] AS rms "
                f"FROM {relaxed} r JOIN hidden h ON h.id = '{target['id']}' WHERE r.id IN ({listed(ids)})",
                step=step,
            )
            ends = {end["id"]: end for end in ends}
            for row in ranked:
                row.update(ends.get(row["id"], {}))
                row["first"] = row["id"] in first
        return ranked

    def substituted(self, target):
        label, step = target["prototype"].split("_")[0], "rediscover_substitution"
        cations = self.value(f"SELECT array_to_string(elements, ',') AS e FROM hidden WHERE id = '{target['id']}'").split(",")
        prototypes = (
            "SELECT o.id, o.structure FROM oxides o JOIN types t ON t.id = o.id AND t.structure_hash = o.structure_hash "
            f"WHERE starts_with(t.prototype, '{label}_') ORDER BY o.id"
        )
        count = self.value(f"SELECT count(*) AS n FROM ({prototypes})")
        if not count:
            return []
        cations = ",".join(element for element in cations if element != "O") or "Mn"
        self.run("enumerate", "--prototypes", prototypes, "--elements", cations, "--into", "again_substitution", step=step)
        if not self.has("again_substitution"):
            return []
        return self.rows(
            "SELECT c.id, c.prototype = h.prototype AS type, same_structure(c.structure, h.structure) AS same, predict_ef(c.structure) AS ef "
            f"FROM again_substitution c JOIN hidden h ON h.id = '{target['id']}' WHERE c.formula = h.formula ORDER BY ef NULLS LAST, c.id",
            step=step,
        )

    def lift(self):
        bins = self.card().get("bins", FIRST_BINS)
        asked = [(None, None, None)] + [
            (option, n, value) for option, _, at in CONDITIONS for n, value in enumerate(middles(bins[at], option == "dimensions"))
        ]
        for option, n, value in asked:
            key = "lift_open" if option is None else f"lift_{option}_{n}"
            if self.kept(key):
                continue
            table, step = key.replace("-", "_"), "lift"
            more = [] if option is None else [f"--{option}", str(value)]
            self.generate(self.elements(), "hidden", self.args.lift, LIFT_SEED, table, step, *more)
            columns = ", ".join(f"{measure} AS c{k}" for k, (_, measure, _) in enumerate(CONDITIONS))
            made = self.rows(f"SELECT id, {columns} FROM {table} ORDER BY draw", step=step) if self.has(table) else []
            ids = list(dict.fromkeys(row["id"] for row in made))[: self.args.lift_relaxed]
            self.relax(table, ids, f"{table}_relaxed", step)
            ended = self.rows(f"SELECT {columns} FROM {table}_relaxed WHERE converged", step=step) if ids else []
            self.keep(key, {"value": value, "made": made, "relaxed": ended})

    def families(self):
        if self.kept("families"):
            return
        step, found = "families", []
        self.generate("MnO2", "hidden", self.args.draws, FAMILY_SEED, "made_families", step, "--sites", str(SITES))
        for name, m, n in [("hollandite", 2, 2), ("romanechite", 2, 3), ("todorokite", 3, 3)]:
            host = f"tunnels('Mn', {m}, {n})"
            best = self.rows(
                f"SELECT count(*) FILTER (WHERE prototype(structure) = prototype({host})) AS type, "
                f"min(structure_match(structure, {host})['rms']) AS rms, count(*) AS crystals FROM made_families"
            )[0]
            there = self.value(f"SELECT count(*) AS n FROM oxides WHERE formula = 'MnO2' AND same_structure(structure, {host})")
            found.append({"name": name, "learned_from": there, **best})
        self.keep("families", found)

    def tunnels(self):
        step, table = "tunnels", "made_tunnels"
        for metals in TUNNEL_METALS:
            self.generate(metals, "hidden", self.args.draws, TUNNEL_SEED, table, step, "--largest-free-sphere", "1.8")
            self.relax(table, self.nearest(table, metals), f"{table}_relaxed", step)
        judged = self.kept("tunnels_judged") or {}
        rows = self.rows(
            f"SELECT r.id, g.formula, g.elements, r.ef FROM {table}_relaxed r "
            f"JOIN {table} g ON g.id = r.id AND g.structure_hash = r.structure_hash WHERE r.converged ORDER BY r.id"
        )
        for row in rows:
            if row["id"] not in judged and row["ef"] is not None:
                judged[row["id"]] = self.above(row, step)
                self.keep("tunnels_judged", judged)
        values = ", ".join(f"('{name}', CAST({above} AS DOUBLE))" for name, above in judged.items() if above is not None)
        self.run("sql", "DROP TABLE IF EXISTS tunnels_above", "--yes")
        self.run("sql", f"CREATE TABLE tunnels_above AS SELECT * FROM (VALUES {values}) AS t (id, above)")
        pages = []
        for ion in IONS:
            passing = f"above <= 0.1 AND ion_passes(r.structure, '{ion}')"
            ids = self.rows(
                f"SELECT r.id FROM {table}_relaxed r JOIN tunnels_above a ON a.id = r.id WHERE r.converged AND {passing} "
                f"AND NOT EXISTS (SELECT 1 FROM known k WHERE k.formula = reduced_formula(r.structure) AND same_structure(k.structure, r.structure)) "
                "ORDER BY above, r.id LIMIT 30"
            )
            ids = [row["id"] for row in ids]
            if not ids:
                continue
            for at in range(0, len(ids), 2):
                condition = f"id IN ({listed(ids[at : at + 2])})"
                column = f"adsorption(structure, '{ion}', 1, '{self.args.model}')[1]['adsorption_potential'] AS potential"
                self.run("compute", "--table", f"{table}_relaxed", "--where", condition, "--into", f"tunnels_{ion.lower()}", column, step=step)
            pages.append(
                f"(SELECT '{ion}' AS ion, r.id AS id, reduced_formula(r.structure) AS formula, p.potential AS potential, a.above AS above_hull, "
                f"largest_free_sphere(r.structure, 'ionic') AS sphere, spacegroup(r.structure) AS spacegroup, spacegroup(r.structure) = g.spacegroup AS symmetry_kept, "
                f"global_instability_index(r.structure) AS instability, CASE WHEN a.above <= 0 THEN 'on the hull of one model' "
                f"WHEN a.above <= 0.05 THEN 'within the error of the model of its hull' ELSE 'above its hull' END "
                f"|| '; no calculation by DFT, no phonons, no synthesis; potential of one dilute ion' AS carries, r.structure AS structure "
                f"FROM {table}_relaxed r JOIN tunnels_{ion.lower()} p ON p.id = r.id AND p.structure_hash = r.structure_hash "
                f"JOIN {table} g ON g.id = r.id AND g.structure_hash = r.structure_hash JOIN tunnels_above a ON a.id = r.id "
                f"WHERE p.potential IS NOT NULL ORDER BY potential DESC, r.id LIMIT 10)"
            )
        if not pages:
            self.keep("tunnels", [])
            return
        query = f"SELECT * FROM ({' UNION ALL '.join(pages)}) ORDER BY ion, potential DESC"
        title = "Tunnels that nobody has made, for Ca, Mg and Al: hypothetical, by one energy model"
        self.run("report", query, "--to", str(self.work / "tunnels.html"), "--cards", str(10 * len(IONS)), "--title", title)
        self.keep("tunnels", self.rows(f"SELECT * EXCEPT (structure) FROM ({query})"))

    # ---- what came of it

    def report(self):
        card = self.card()
        lines = ["# Tunnels that nobody has made: the generator by its protocol", ""]
        hidden = self.kept("hidden") or {"types": len((self.work / "hidden_types.txt").read_text().split()), "seed": HIDING_SEED}
        counts = self.rows("SELECT (SELECT count(*) FROM oxides) AS oxides, (SELECT count(*) FROM hidden) AS hidden, (SELECT count(*) FROM known) AS known")[0]
        lines += [
            f"{hidden['types']} tunnel types hidden with their {counts['hidden']} crystals (seed {hidden['seed']}); {counts['oxides']} oxides left, "
            f"{counts['known']} known crystals. Energies by {self.args.model}. The network: {card['parameters']} parameters, {card['crystals']} crystals, {card['epochs']} epochs in "
            f"{card['seconds'] / 3600:.1f} h, {card['held_out_loss']:.2f} nats per crystal of the {card['held_out']} held out. Seeds: samples "
            f"{SAMPLE_SEED}, rediscovery {REDISCOVERY_SEED}, conditions {LIFT_SEED}, families {FAMILY_SEED}, tunnels {TUNNEL_SEED}.",
            "",
        ]
        result = {"hidden": hidden, "counts": counts, "card": {k: v for k, v in card.items() if k != "species"}}
        result["funnel"] = self.funnel(lines)
        result["rediscovery"] = self.rediscovery(lines)
        result["lift"] = self.lifts(lines)
        families = self.kept("families")
        if families:
            lines += ["## Families among the draws of MnO2", "", "| family | of it learned from | draws of its type | smallest RMS |", "|---|---|---|---|"]
            lines += [f"| {f['name']} | {f['learned_from']} | {f['type']} of {f['crystals']} | {number(f['rms'])} |" for f in families] + [""]
            result["families"] = families
        result["tunnels"] = self.kept("tunnels")
        lines += ["## Published rates", ""] + [f"- {line}" for line in PUBLISHED]
        (self.work / "generation.md").write_text("\n".join(lines) + "\n")
        (self.work / "generation.json").write_text(json.dumps(result, indent=1))
        print("\n".join(lines))

    def funnel(self, lines):
        all_of = {name: (self.kept(f"sample_{name}"), self.kept(f"stable_{name}")) for name in NAMES}
        lines += ["## From tokens to stable crystals, per 1 000 draws", ""]
        lines += ["| step | " + " | ".join(NAMES[n] for n in NAMES) + " |", "|---|" + "---|" * len(NAMES)]

        def row(what, of):
            cells = []
            for sample, stable in all_of.values():
                try:
                    cells.append(of(sample, stable))
                except (KeyError, TypeError, ZeroDivisionError):
                    cells.append("-")
            lines.append(f"| {what} | " + " | ".join(cells) + " |")

        row("draws (n)", lambda s, _: str(s["drawn"]))
        for key, what in [
            ("neutral", "charge-neutral"),
            ("roomy", "no overlap"),
            ("sizes", "radii fit"),
            ("crystals", "crystals of the symmetry drawn"),
            ("unique", "unique"),
            ("novel", "novel"),
        ]:
            row(what, lambda s, _, key=key: f"{1000 * s[key] / s['drawn']:.0f}")
        row("relaxed (n)", lambda _, r: str(r["asked"]))
        share = lambda s, r, k: min(s["novel"], s["unique"]) / s["drawn"] * k / r["asked"]
        row("converged, ions apart", lambda s, r: f"{1000 * share(s, r, r['valid']):.0f}")
        row("still novel and unique", lambda s, r: f"{1000 * share(s, r, r['novel']):.0f}")
        for above in map(str, ABOVE):
            what = f"at most {above} eV/atom above the model's hull"
            row(what, lambda s, r, a=above: interval(r["stable"][a], r["asked"], 1000 * min(s["novel"], s["unique"]) / s["drawn"]))
            row("of these other than P1", lambda s, r, a=above: f"{1000 * share(s, r, r['symmetric'][a]):.0f}")
            row("of these with a free sphere above 1 Å", lambda s, r, a=above: f"{1000 * share(s, r, r['tunnels'][a]):.0f}")
        row("symmetry kept by the relaxation", lambda _, r: f"{100 * r['symmetry_kept'] / r['valid']:.0f} %")
        seconds = {name: self.cpu(f"sample_{name}") for name in NAMES}

        def per_hour(name):
            sample, stable = all_of[name]
            # What the draws took, and what relaxing the share of them that is novel would take.
            novel = min(sample["novel"], sample["unique"])
            hours = (seconds[name] + stable["cpu"] * novel / stable["asked"]) / 3600
            return f"{stable['stable']['0.08'] / stable['asked'] * novel / hours:.1f}"

        cells = []
        for name in NAMES:
            try:
                cells.append(per_hour(name))
            except (KeyError, TypeError, ZeroDivisionError):
                cells.append("-")
        lines.append("| S.U.N. (0.08 eV/atom) per CPU-hour, relaxations of the known phases included | " + " | ".join(cells) + " |")
        lines += [
            "",
            "Of substitution the novel are counted before the unique; the rates are per 1 000 combinations. In brackets: 95 % by Wilson. "
            "Stable by one energy model, on the hull of its own energies, is a candidate for a calculation.",
            "",
        ]
        return {name: {"sample": sample, "stable": stable, "cpu": seconds[name]} for name, (sample, stable) in all_of.items()}

    def rediscovery(self, lines):
        asked, result = self.kept("asked") or [], {}
        lines += [f"## Hidden types given their composition alone (n = {len(asked)}, {self.args.draws} draws each)", ""]
        head = "| | asked | type drawn | in the first 1 | 10 | 100 | same structure, unrelaxed | first 1 after relaxing | any relaxed |"
        lines += [head, "|---|---|---|---|---|---|---|---|---|"]
        for name in NAMES:
            answers = [a for a in (self.kept(f"again/{target['id']}_{name}") for target in asked) if a is not None]
            place = lambda rows, key: next((n + 1 for n, row in enumerate(rows) if row.get(key)), math.inf)
            types = [place(rows, "type") for rows in answers]
            relaxed = [sorted((r for r in rows if r.get("first") and r.get("relaxed_ef") is not None), key=lambda r: r["relaxed_ef"]) for rows in answers]
            counts = {
                "asked": len(answers),
                "drawn": sum(p < math.inf for p in types),
                **{str(n): sum(p <= n for p in types) for n in (1, 10, 100)},
                "same": sum(any(row["same"] for row in rows) for rows in answers),
                "relaxed_first": sum(bool(rows and rows[0].get("relaxed_same")) for rows in relaxed),
                "relaxed_any": sum(any(row.get("relaxed_same") for row in rows) for rows in answers),
            }
            result[name] = {**counts, "cpu": self.cpu(f"rediscover_{name}")}
            lines.append(f"| {NAMES[name]} | " + " | ".join(str(n) for n in counts.values()) + " |")
        lines += [
            "",
            "A type is drawn where `prototype` of a draw is that of the hidden crystal; places by `predict_ef` of what was drawn, each crystal once. "
            f"Relaxed are the first {self.args.relaxed} and up to 3 of the type.",
            "",
        ]
        return result

    def lifts(self, lines):
        free, result = self.kept("lift_open"), []
        if not free:
            return result
        bins = self.card().get("bins", FIRST_BINS)
        lines += ["## What asking changes", "", "| condition | bin | as drawn: asked | open | lift | relaxed: asked | open | lift |", "|---|---|---|---|---|---|---|---|"]
        for k, (option, _, at) in enumerate(CONDITIONS):
            ends = [-math.inf, *bins[at], math.inf]
            for n, (low, high) in enumerate(zip(ends, ends[1:])):
                of = self.kept(f"lift_{option}_{n}")
                if not of:
                    continue
                inside = lambda rows: [low <= row[f"c{k}"] < high for row in rows if row[f"c{k}"] is not None]
                cells, record = [], {"condition": option, "bin": [low, high]}
                for stage in ("made", "relaxed"):
                    got, base = inside(of[stage]), inside(free[stage])
                    shares = [sum(all_) / len(all_) if all_ else math.nan for all_ in (got, base)]
                    lift = shares[0] / shares[1] if shares[1] else math.nan
                    cells += [f"{sum(got)} of {len(got)}", f"{sum(base)} of {len(base)}", "-" if math.isnan(lift) else f"{lift:.1f}"]
                    record[stage] = {"asked": [sum(got), len(got)], "open": [sum(base), len(base)], "lift": None if math.isnan(lift) else lift}
                record["bin"] = [None if math.isinf(x) else x for x in record["bin"]]
                lines.append(f"| {option} | {low:g} to {high:g} | " + " | ".join(cells) + " |")
                result.append(record)
        lines += ["", "Cells are drawn of the volume that is asked for: of volume-per-atom only what is left of it after a relaxation says anything.", ""]
        return result


def listed(texts):
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)


def leading_numbers(text):
    numbers = []
    for line in text.splitlines():
        first = line.split()[:1]
        if first and first[0].isdigit():
            numbers.append(int(first[0]))
    return numbers


def middles(ends, whole):
    """A value of each bin."""
    if whole:
        return list(range(len(ends) + 1))
    between = [round((a + b) / 2, 4) for a, b in zip(ends, ends[1:])]
    return [round(0.8 * ends[0], 4), *between, round(1.15 * ends[-1], 4)]


def interval(k, n, scale):
    """A share of n, times scale, with the interval of Wilson that holds it in 95 of 100 cases."""
    z, p = 1.96, k / n
    centre, half = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((centre + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return f"{scale * p:.0f} ({scale * low:.0f} to {scale * high:.0f})"


def number(x):
    return "-" if x is None else f"{x:.3f}"


STEPS = ["hide", "train", "prepare", "sample", "stable", "rediscover", "lift", "families", "tunnels", "report"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=[*STEPS, "all"])
    parser.add_argument("--hollandite", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--model", default="tensornet", help="name of the energy model in the store; a folder of work has one")
    parser.add_argument("--weights", type=Path, help="its weights, as `hollandite models add` takes them: TensorNet-MatPES-PBE")
    parser.add_argument("--crystals", type=int, default=60_000, help="rows without which an import is not complete")
    parser.add_argument("--types", type=int, default=TYPES)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--stable", type=int, default=100, help="novel crystals of each sampler that are relaxed")
    parser.add_argument("--relaxed", type=int, default=5, help="crystals of each hidden composition that are relaxed")
    parser.add_argument("--lift", type=int, default=200, help="draws of each bin of a condition")
    parser.add_argument("--lift-relaxed", type=int, default=25)
    parser.add_argument("--tunnels", type=int, default=40, help="crystals of each system that are relaxed for the page of tunnels")
    args = parser.parse_args()
    study = Study(args)
    for step in STEPS if args.step == "all" else [args.step]:
        getattr(study, step)()


if __name__ == "__main__":
    main()
