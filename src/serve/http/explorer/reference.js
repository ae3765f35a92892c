// Tables with their columns, and functions: to read, to find, and to put into the query.
import { at, button, make } from "./dom.js";

export function reference(lists, editor) {
  at("tables").replaceChildren();
  for (const { name, columns } of lists.tables) {
    const details = entry(name, columns.map(column => column.name).join(" "), at("tables"));
    const list = make("ul", undefined, details);
    for (const { name, type, unit, meaning } of columns) {
      const line = make("li", undefined, list);
      button(name, line, () => editor.insert(name), "link");
      make("span", ` ${type}${unit ? `, ${unit}` : ""}${meaning ? `: ${meaning}` : ""}`, line).className = "quiet";
    }
  }
  at("functions").replaceChildren();
  for (const { name, signature, description, unit } of lists.functions) {
    const details = entry(name, description, at("functions"));
    button(signature, details, () => editor.insert(signature), "link");
    make("p", `${description}${unit ? ` In ${unit}.` : ""}`, details).className = "quiet";
  }
  find();
}

function entry(name, words, place) {
  const details = make("details", undefined, place);
  make("summary", name, details);
  details.dataset.words = `${name} ${words}`.toLowerCase();
  return details;
}

/** Leaves those entries that have every word that is looked for. */
function find() {
  const wanted = at("wanted").value.toLowerCase().split(/\s+/);
  for (const entry of document.querySelectorAll("aside details details")) {
    entry.hidden = !wanted.every(word => entry.dataset.words.includes(word));
  }
}

// On a phone the lists are below the work, and closed until something is looked for.
const folds = document.querySelectorAll("aside > details");
if (matchMedia("(max-width: 60rem)").matches) for (const details of folds) details.open = false;
at("wanted").addEventListener("input", () => {
  for (const details of folds) details.open = true;
  find();
});
