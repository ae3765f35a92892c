// The table of a result. Of many rows only those in sight are drawn, so that a hundred thousand scroll as ten do.
import { at, button, make, once } from "./dom.js";
import { shown } from "./words.js";

/** Height of a row, as page.css has it. */
const HIGH = 30;
/** Rows that are drawn beyond those in sight, each way. */
const BEYOND = 20;

/** `open` is told the row whose crystal is asked for. */
export function table(result, open) {
  const place = at("rows");
  let body, wide;

  function head() {
    place.replaceChildren();
    place.scrollTop = 0;
    at("result").hidden = result.columns.length === 0;
    if (result.columns.length === 0) return (body = null);
    const drawn = make("table", undefined, place);
    const line = make("tr", undefined, make("thead", undefined, drawn));
    const numeric = new Set(result.numeric());
    for (const name of result.columns) {
      const th = make("th", undefined, line);
      th.scope = "col";
      if (numeric.has(name)) th.className = "n";
      const sort = button(name, th, () => result.sort(name));
      if (typeof result.units[name] === "string") make("small", ` ${result.units[name]}`, sort);
    }
    body = make("tbody", undefined, drawn);
    wide = result.columns.map(() => 0);
    rows();
  }

  function rows() {
    if (!body) return;
    const all = result.view.length;
    const from = Math.max(0, Math.min(Math.floor(place.scrollTop / HIGH), all) - BEYOND);
    const to = Math.min(all, from + Math.ceil(place.clientHeight / HIGH) + 2 * BEYOND);
    const focused = body.contains(document.activeElement) ? document.activeElement.closest("tr")?.ariaRowIndex : null;
    body.replaceChildren();
    gap(from);
    for (let i = from; i < to; i++) draw(result.view[i], i);
    gap(all - to);
    body.parentElement.ariaRowCount = String(all + 1);
    [...heads()].forEach((th, i) => {
      const order = result.order?.name === result.columns[i] ? (result.order.down ? "descending" : "ascending") : "none";
      th.setAttribute("aria-sort", order);
      // A column keeps the width that it has had: what scrolls by does not shift it.
      wide[i] = Math.max(wide[i], th.offsetWidth);
      th.style.minWidth = `${wide[i]}px`;
    });
    if (focused) body.querySelector(`tr[aria-rowindex="${focused}"] button`)?.focus({ preventScroll: true });
  }

  const heads = () => body.parentElement.tHead.rows[0].cells;

  function gap(count) {
    if (count === 0) return;
    const cell = make("td", undefined, make("tr", undefined, body));
    cell.parentElement.className = "gap";
    cell.parentElement.ariaHidden = "true";
    cell.colSpan = result.columns.length;
    cell.style.height = `${count * HIGH}px`;
  }

  function draw(row, i) {
    const tr = make("tr", undefined, body);
    tr.ariaRowIndex = String(i + 2);
    for (const name of result.columns) {
      const value = row[name];
      const td = make("td", undefined, tr);
      if (name === "id" && typeof value === "string") button(value, td, () => open(row), "link").title = "Show the crystal";
      else td.textContent = td.title = shown(value);
      if (value === null) td.className = "quiet";
      if (typeof value === "number") td.className = "n";
    }
  }

  const drawn = once(rows);
  // On a narrower screen columns are as wide as they must be, and no wider.
  new ResizeObserver(() => {
    if (!body) return;
    wide.fill(0);
    for (const th of heads()) th.style.minWidth = "";
    drawn();
  }).observe(place);
  result.addEventListener("columns", head);
  result.addEventListener("change", drawn);
  place.addEventListener("scroll", drawn, { passive: true });
}
