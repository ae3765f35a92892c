// The stored queries, to begin with.
import { at, make } from "./dom.js";
import { ask } from "./server.js";

export async function examples(editor) {
  const select = at("examples");
  const { queries } = await (await ask("v1/queries")).json();
  select.replaceChildren(select.firstElementChild);
  for (const { name, answers } of queries) {
    const option = make("option", `${name}: ${answers.length > 90 ? `${answers.slice(0, 88)} …` : answers}`, select);
    option.value = name;
  }
  select.onchange = () => {
    const chosen = queries.find(query => query.name === select.value);
    at("answers").hidden = !chosen;
    if (!chosen) return;
    at("answers").textContent = chosen.answers;
    editor.replace(chosen.sql.trim());
  };
}
