// The page: what belongs to what.
import { at, say, told } from "./dom.js";
import { ask, enter } from "./server.js";
import { Result } from "./result.js";
import { cards } from "./cards.js";
import { downloads } from "./download.js";
import { editor as editorOver } from "./editor.js";
import { elements, list } from "./elements.js";
import { examples } from "./examples.js";
import { explain } from "./funnel.js";
import { plot } from "./plot.js";
import { reference } from "./reference.js";
import { run, stop } from "./run.js";
import { table } from "./table.js";
import * as link from "./link.js";

const FIRST = `SELECT id, formula, void, density, predict_ef(structure) AS ef
FROM tmo
WHERE void > 0.3 AND has_element(formula, 'O')
ORDER BY void DESC
LIMIT 200`;

const lists = { tables: [], functions: [] };
const result = new Result();
const open = cards(result, lists);
const editor = editorOver(lists, go);
table(result, open);
plot(result, open);
downloads(result);
elements(lists, query => { editor.replace(query); go(); });

async function go() {
  at("funnel").hidden = true;
  const query = editor.text();
  const snapshot = await run(query, link.snapshot(), result);
  if (snapshot !== undefined) link.write(query, snapshot);
}

/** Reads what there is to ask: at the beginning, and when a token was entered. */
async function start() {
  const [tables, { functions }] = await Promise.all(["v1/tables", "v1/functions"].map(async path => (await ask(path)).json()));
  Object.assign(lists, { tables: tables.tables, functions });
  at("store").textContent = `snapshot ${tables.snapshot}, ${tables.tables.length} tables`;
  list(lists);
  reference(lists, editor);
  await examples(editor);
}

/** A link fills the page and runs nothing: a page elsewhere may have sent the reader here. */
function follow() {
  const held = link.read();
  editor.replace(held?.query ?? FIRST);
  at("snapshot").value = held?.snapshot ?? "";
  if (!held) return;
  say("This query came with the link: run it to see its rows.");
  at("run").focus();
}

at("ask").addEventListener("submit", event => { event.preventDefault(); go(); });
at("stop").addEventListener("click", stop);
at("explain").addEventListener("click", () => told(() => explain(editor.text(), link.snapshot())));
at("copy").addEventListener("click", () => told(async () => {
  const snapshot = result.asked.query === editor.text() ? result.asked.snapshot : link.snapshot();
  link.write(editor.text(), snapshot ?? "");
  await navigator.clipboard.writeText(location.href);
  say("The link is copied: it holds the query and the snapshot.");
}));
at("token").addEventListener("submit", event => {
  event.preventDefault();
  enter(event.target.querySelector("input").value.trim());
  say("");
  told(start);
});
addEventListener("hashchange", follow);
follow();
told(start);
