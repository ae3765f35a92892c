// Requests to the server that the page came from, with the token where there is one.
import { at } from "./dom.js";

let token = sessionStorage.getItem("token") ?? "";

export function enter(given) {
  token = given;
  sessionStorage.setItem("token", token);
}

/** The reply, or the reason of a refusal as an error. What is to be posted is given as `json`. */
export async function ask(path, { json, signal } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const options = { headers, signal };
  if (json !== undefined) {
    headers["Content-Type"] = "application/json";
    Object.assign(options, { method: "POST", body: JSON.stringify(json) });
  }
  const reply = await fetch(path, options);
  at("token").hidden = reply.status !== 401;
  if (reply.ok) return reply;
  const said = await reply.json().catch(() => null);
  const error = new Error(said?.error?.message ?? `${reply.status} ${reply.statusText}`);
  throw Object.assign(error, { status: reply.status });
}

/** The page of a crystal in a format, at a snapshot. */
export function place(crystal, format) {
  const at = crystal.snapshot === undefined ? "" : `&snapshot=${crystal.snapshot}`;
  return `v1/structures/${encodeURIComponent(crystal.id)}.${format}?table=${encodeURIComponent(crystal.table)}${at}`;
}
