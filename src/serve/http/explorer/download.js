// Files: the rows of a result in a format, at the snapshot that is shown; and crystals.
import { at, make, say, told } from "./dom.js";
import { ask, place } from "./server.js";

const ENDINGS = { csv: "csv", json: "json", parquet: "parquet", arrow: "arrows" };

export function downloads(result) {
  at("downloads").addEventListener("click", event => {
    const format = event.target.dataset.format;
    if (format) told(() => rows(result.asked, format));
  });
}

async function rows({ query, snapshot }, format) {
  say(`writing ${format} …`);
  const reply = await ask("v1/sql", { json: { query, format, snapshot } });
  save(await reply.blob(), `hollandite-${snapshot}.${ENDINGS[format]}`);
  say(`written as ${format}, at snapshot ${snapshot}`);
}

/** A crystal as a file. */
export async function crystal(of, format) {
  const reply = await ask(place(of, format));
  save(await reply.blob(), `${of.id.replace(/[^\w.-]+/g, "_")}.${format === "poscar" ? "vasp" : format}`);
}

function save(blob, name) {
  const link = make("a", undefined, document.body);
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
