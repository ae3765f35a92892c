// A card for a crystal: it turns, with its channels, beside the values of its row; and it is a file to take along.
import { at, button, make, told } from "./dom.js";
import { ask, place } from "./server.js";
import { crystal as save } from "./download.js";
import { shown } from "./words.js";

/** Most cards at a time: a browser has few contexts to draw in. */
const MOST = 6;

export function cards(result, lists) {
  addEventListener("message", grow);
  return row => told(() => open(row, result, lists));
}

async function open(row, result, lists) {
  const before = [...at("cards").children].find(card => card.dataset.id === row.id);
  if (before) return before.scrollIntoView({ block: "nearest" });
  const { crystal, page } = await find(row.id, result.asked, lists);
  const card = document.createElement("article");
  card.className = "card";
  card.dataset.id = row.id;
  card.ariaLabel = row.id;
  const tools = make("div", undefined, card);
  tools.className = "row";
  for (const [format, name] of [["cif", "CIF"], ["poscar", "POSCAR"], ["json", "JSON"]]) button(name, tools, () => told(() => save(crystal, format)));
  button("Close", tools, () => { card.remove(); at("rows").focus({ preventScroll: true }); });
  // The page of the crystal runs apart: it sees neither this one nor the token.
  const frame = document.createElement("iframe");
  frame.title = `The crystal ${row.id}`;
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = page;
  card.append(frame, values(row, result));
  at("cards").prepend(card);
  while (at("cards").children.length > MOST) at("cards").lastElementChild.remove();
  card.scrollIntoView({ block: "nearest" });
}

/** The crystal with this id, in the first of the tables that has it: those that the query names, then the others. */
async function find(id, { query, snapshot }, lists) {
  const said = new Set(query.toLowerCase().match(/[a-z_][a-z0-9_]*/g));
  const has = (table, name) => table.columns.some(column => column.name === name);
  const tables = lists.tables.filter(table => has(table, "id") && has(table, "structure"));
  const named = table => said.has(table.name.toLowerCase());
  let missing = new Error("no table has crystals with an id");
  for (const table of [...tables.filter(named), ...tables.filter(table => !named(table))]) {
    const crystal = { id, table: table.name, snapshot };
    try {
      return { crystal, page: await (await ask(place(crystal, "html"))).text() };
    } catch (error) {
      if (error.status !== 404) throw error;
      missing = error;
    }
  }
  throw missing;
}

function values(row, result) {
  const list = document.createElement("dl");
  for (const name of result.columns.filter(name => name !== "id" && !row[name]?.atoms)) {
    const pair = make("div", undefined, list);
    make("dt", name, pair);
    const unit = row[name] !== null && typeof result.units[name] === "string" ? ` ${result.units[name]}` : "";
    make("dd", shown(row[name]) + unit, pair);
  }
  return list;
}

/** A frame is as high as its page says. */
function grow(event) {
  const frame = [...document.querySelectorAll(".card iframe")].find(frame => frame.contentWindow === event.source);
  const high = event.data?.height;
  if (frame && Number.isFinite(high)) frame.style.height = `${Math.min(Math.max(high, 200), 2000)}px`;
}
