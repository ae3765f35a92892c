// A query on its way: its rows are shown as they arrive.
import { at, say } from "./dom.js";
import { ask } from "./server.js";
import { count, rows as counted } from "./words.js";

/** Most rows that the page holds; a download has all of them. */
const MOST = 100_000;

let running = null;

export const stop = () => running?.abort();

/** Runs a query into a result; gives the snapshot that it was answered at, or nothing where it failed. */
export async function run(query, snapshot, result) {
  running?.abort();
  const own = running = new AbortController();
  result.begin({ query, snapshot });
  say("running …");
  at("stop").hidden = false;
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(2);
  try {
    const reply = await ask("v1/sql", { json: { query, format: "jsonl", snapshot }, signal: own.signal });
    const json = name => JSON.parse(reply.headers.get(name) ?? "null");
    const answered = json("X-Snapshot");
    result.units = json("X-Units") ?? {};
    result.asked = { query, snapshot: answered };
    const more = await take(reply.body.getReader(), result, () => own === running && say(`${counted(result.rows.length)} so far, ${seconds()} s`));
    const all = more ? `the first ${count(result.rows.length)} rows of more` : counted(result.rows.length);
    result.end();
    say([`${all} in ${seconds()} s, at snapshot ${answered}`, ...(json("X-Warnings") ?? [])].join("\n"));
    return answered;
  } catch (error) {
    const stopped = error.name === "AbortError";
    if (own !== running) return;
    result.end();
    // A body that breaks off has no reason of its own.
    const broke = error instanceof TypeError && result.rows.length > 0;
    say(stopped ? `stopped after ${counted(result.rows.length)}` : broke ? `the answer broke off after ${counted(result.rows.length)}: it took too long, has too many rows, or one of them failed` : error.message, !stopped);
  } finally {
    if (own === running) at("stop").hidden = true;
  }
}

/** Adds rows from a stream of lines; whether there were more than the page holds. */
async function take(reader, result, tell) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    const room = MOST - result.rows.length;
    const rows = lines.filter(line => line !== "");
    result.add(rows.slice(0, room).map(line => JSON.parse(line)));
    if (rows.length > room) {
      reader.cancel();
      return true;
    }
    if (done) return false;
    tell();
  }
}
