// The periodic table: elements that a crystal must contain, and those that it must not.
import { at, button } from "./dom.js";

/** The elements where they stand: group 3 is Sc, Y, Lu and Lr; the lanthanides and actinides are below. */
export const TABLE = [
  "H . . . . . . . . . . . . . . . . He",
  "Li Be . . . . . . . . . . B C N O F Ne",
  "Na Mg . . . . . . . . . . Al Si P S Cl Ar",
  "K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr",
  "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe",
  "Cs Ba Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn",
  "Fr Ra Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og",
  ". . La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb . .",
  ". . Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No . .",
].map(row => row.split(" "));

/** Columns of an answer, where the table has them. */
const SHOWN = ["id", "formula", "spacegroup", "natoms", "void", "density", "formation_energy_per_atom", "e_above_hull", "band_gap"];
const MEANS = { "": "not chosen", with: "must be there", without: "must not be there" };
const NEXT = { "": "with", with: "without", without: "" };

/** `run` is given the query. */
export function elements(lists, run) {
  const place = at("elements");
  const buttons = new Map();
  TABLE.forEach((row, i) => row.forEach((symbol, j) => {
    if (symbol === ".") return;
    const made = button(symbol, place, () => set(symbol, NEXT[made.className]));
    made.style.gridArea = `${i + 1} / ${j + 1}`;
    made.place = [i, j];
    made.tabIndex = symbol === "H" ? 0 : -1;
    buttons.set(symbol, made);
    label(made, symbol);
  }));
  const chosen = state => [...buttons].filter(([, made]) => made.className === state).map(([symbol]) => symbol);

  function set(symbol, state) {
    const made = buttons.get(symbol);
    made.className = state;
    label(made, symbol);
    const [yes, no] = [chosen("with"), chosen("without")];
    at("chosen").textContent = [yes.length && `with ${yes.join(", ")}`, no.length && `without ${no.join(", ")}`].filter(Boolean).join("; ");
  }

  // One element is a stop of Tab; arrow keys go from it to the next that there is.
  place.addEventListener("keydown", event => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const from = event.target.place;
    if (!step || !from) return;
    event.preventDefault();
    let [i, j] = from;
    do [i, j] = [i + step[0], j + step[1]]; while (TABLE[i]?.[j] === ".");
    const next = buttons.get(TABLE[i]?.[j]);
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  const table = () => lists.tables.find(table => table.name === at("crystals").value);
  at("crystals").addEventListener("change", () => { at("alone").hidden = !has(table(), "nelements"); });
  at("forget").addEventListener("click", () => { for (const symbol of buttons.keys()) set(symbol, ""); });
  at("find").addEventListener("click", () => {
    const alone = !at("alone").hidden && at("alone").firstElementChild.checked;
    run(query(table(), chosen("with"), chosen("without"), alone));
  });
}

/** Lists the tables of crystals; the first time `tmo` is chosen. */
export function list(lists) {
  const select = at("crystals");
  const before = select.value || "tmo";
  const tables = lists.tables.filter(table => has(table, "id") && has(table, "structure"));
  select.replaceChildren(...tables.map(({ name }) => new Option(name, name)));
  if (tables.some(table => table.name === before)) select.value = before;
  select.dispatchEvent(new Event("change"));
}

function label(made, symbol) {
  made.ariaLabel = `${symbol}, ${MEANS[made.className]}`;
  made.ariaPressed = String(made.className !== "");
}

const has = (table, name) => table?.columns.some(column => column.name === name) ?? false;

export function query(table, yes, no, alone) {
  const of = has(table, "formula") ? "formula" : "structure";
  const call = symbol => `has_element(${of}, '${symbol}')`;
  const wanted = [...yes.map(call), ...no.map(symbol => `NOT ${call(symbol)}`)];
  if (alone && yes.length) wanted.push(`nelements = ${yes.length}`);
  const columns = SHOWN.filter(name => has(table, name));
  const where = wanted.length ? `\nWHERE ${wanted.join("\n  AND ")}` : "";
  return `SELECT ${columns.join(", ")}\nFROM ${name(table.name)}${where}\nORDER BY id\nLIMIT 1000`;
}

/** A name as SQL takes it. */
const name = text => (/^[a-z_][a-z0-9_]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`);
