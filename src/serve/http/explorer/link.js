// The address of the page: it holds the query and the snapshot, so that whoever opens it reads the same rows.
import { at } from "./dom.js";

/** Query and snapshot of the address; nothing where it has none. */
export function read() {
  const held = new URLSearchParams(location.hash.slice(1));
  const query = held.get("q");
  return query ? { query, snapshot: number(held.get("snapshot")) } : null;
}

export function write(query, snapshot) {
  const held = new URLSearchParams({ q: query, snapshot });
  history.replaceState(null, "", `#${held}`);
}

/** The snapshot that is typed; nothing for the newest. */
export const snapshot = () => number(at("snapshot").value.trim());

/** What is no number is sent as it is, for the server to refuse. */
function number(text) {
  if (text === null || text === "") return undefined;
  return /^\d+$/.test(text) ? Number(text) : text;
}
