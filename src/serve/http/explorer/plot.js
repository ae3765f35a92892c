// Two columns against each other. What is brushed, by dragging or by typing bounds, are the rows that the table shows.
import { at, make, once } from "./dom.js";
import { count } from "./words.js";

/** How near to a point a click must be, pixels. */
const NEAR = 14;
/** Most points that are drawn as discs; more are squares of pixels, which take no longer however many they are. */
const DISCS = 5_000;
const ENDS = ["x0", "x1", "y0", "y1"];

/** `open` is told the row of a point that is clicked. */
export function plot(result, open) {
  const place = at("canvas");
  const [x, y] = [at("plot-x"), at("plot-y")];
  const ends = Object.fromEntries(ENDS.map(end => [end, document.querySelector(`[data-end=${end}]`)]));
  let chart = null, points = [], picks = null;

  function columns() {
    const names = result.numeric();
    at("plot").hidden = names.length < 2;
    for (const [select, usual] of [[x, names[0]], [y, names[1]]]) {
      const before = select.value;
      select.replaceChildren();
      for (const name of names) make("option", name, select).value = name;
      select.value = names.includes(before) ? before : usual ?? "";
    }
    if (x.value === y.value && names.length > 1) y.value = names.find(name => name !== x.value);
    draw();
  }

  function draw() {
    chart?.destroy();
    chart = null;
    if (at("plot").hidden || !at("plot").open) return;
    points = result.rows.filter(row => typeof row[x.value] === "number" && typeof row[y.value] === "number");
    points.sort((a, b) => a[x.value] - b[x.value]);
    const size = { width: place.clientWidth, height: 340 };
    chart = new uPlot({ ...size, ...looks() }, data(), place);
    chart.over.addEventListener("click", click);
    chart.over.addEventListener("dblclick", clear);
  }

  function looks() {
    const ink = resolved("--ink"), rule = resolved("--rule");
    const axis = (name, size) => ({ label: label(name), size, labelSize: 22, stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule }, font: "12px system-ui", labelFont: "13px system-ui" });
    const dots = colour => ({ paths: (u, series, from, to) => marks(u, series, from, to, colour), points: { show: false } });
    return {
      legend: { show: false },
      scales: { x: { time: false, range: roomy }, y: { range: roomy } },
      axes: [axis(x.value, 36), axis(y.value, 76)],
      series: [{}, dots(resolved("--way")), dots(resolved("--pick"))],
      cursor: { points: { show: false }, drag: { x: true, y: true, setScale: false, dist: 4 } },
      hooks: { setSelect: [brushed] },
    };
  }

  /** Draws the points of a series one by one: as a single path a hundred thousand would take minutes. */
  function marks(u, series, from, to, colour) {
    const drawn = points.length > DISCS ? squares(u.bbox, colour) : discs(u.ctx, colour);
    for (let i = from; i <= to; i++) {
      if (u.data[series][i] !== null) drawn.put(u.valToPos(u.data[0][i], "x", true), u.valToPos(u.data[series][i], "y", true));
    }
    drawn.end(u.ctx);
    return null;
  }

  /** A colour of the page as a canvas takes it: `light-dark` is resolved. */
  function resolved(name) {
    place.style.color = `var(${name})`;
    const colour = getComputedStyle(place).color;
    place.style.color = "";
    return colour;
  }

  const label = name => (typeof result.units[name] === "string" ? `${name}, ${result.units[name]}` : name);

  /** A little room around the points. */
  function roomy(_, low, high) {
    if (low === null) return [0, 1];
    const room = (high - low || Math.abs(low) || 1) * 0.04;
    return [low - room, high + room];
  }

  function data() {
    const column = name => points.map(row => row[name]);
    const ys = column(y.value);
    picks = result.picks;
    return [column(x.value), picks ? ys.map((v, i) => (picks(points[i]) ? null : v)) : ys, ys.map((v, i) => (picks?.(points[i]) ? v : null))];
  }

  function brushed(u) {
    const { left, top, width, height } = u.select;
    if (width < 2 && height < 2) return;
    const values = { x0: u.posToVal(left, "x"), x1: u.posToVal(left + width, "x"), y0: u.posToVal(top + height, "y"), y1: u.posToVal(top, "y") };
    for (const end of ENDS) ends[end].value = Number(values[end].toPrecision(5));
    bound();
  }

  /** Picks the rows within the bounds that are typed; an empty one bounds nothing. */
  function bound() {
    const value = end => (ends[end].value.trim() === "" ? null : Number(ends[end].value));
    const [x0, x1, y0, y1] = ENDS.map(value);
    const [a, b] = [x.value, y.value];
    const within = (v, low, high) => typeof v === "number" && !(low !== null && v < low) && !(high !== null && v > high);
    const any = [x0, x1, y0, y1].some(v => v !== null);
    result.pick(any ? row => within(row[a], x0, x1) && within(row[b], y0, y1) : null);
  }

  function clear() {
    for (const end of ENDS) ends[end].value = "";
    result.pick(null);
  }

  function click(event) {
    if (chart.select.width > 2 || chart.select.height > 2) return;
    const far = row => Math.hypot(chart.valToPos(row[x.value], "x") - event.offsetX, chart.valToPos(row[y.value], "y") - event.offsetY);
    let [best, nearest] = [null, NEAR];
    for (const row of points) if (far(row) < nearest) [best, nearest] = [row, far(row)];
    if (best?.id) open(best);
  }

  /** What is picked, in colour and in words. */
  function picked() {
    const [line, text] = [at("picked"), at("picked").firstElementChild];
    line.hidden = !result.picks;
    if (result.picks) text.textContent = `${count(result.view.length)} of ${count(result.rows.length)} rows are within the bounds.`;
    if (!chart || picks === result.picks) return;
    if (!result.picks) chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    chart.setData(data(), false);
    chart.redraw();
  }

  const again = once(draw);
  result.addEventListener("columns", () => {
    for (const end of ENDS) ends[end].value = "";
    columns();
  });
  result.addEventListener("change", once(picked));
  for (const select of [x, y]) select.addEventListener("change", () => { clear(); draw(); });
  for (const end of ENDS) ends[end].addEventListener("input", bound);
  at("plot").addEventListener("toggle", draw);
  at("picked").lastElementChild.addEventListener("click", clear);
  new ResizeObserver(() => chart && chart.width !== place.clientWidth && again()).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}

function discs(ctx, colour) {
  ctx.fillStyle = colour;
  const put = (x, y) => {
    ctx.beginPath();
    ctx.arc(x, y, 3.5 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  };
  return { put, end() {} };
}

function squares({ left, top, width, height }, colour) {
  const layer = new OffscreenCanvas(width, height);
  const context = layer.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const [red, green, blue] = colour.match(/\d+/g).map(Number);
  const value = (255 << 24) | (blue << 16) | (green << 8) | red;
  const put = (x, y) => {
    const [i, j] = [Math.round(x - left), Math.round(y - top)];
    for (let row = Math.max(j - 1, 0); row <= j + 1 && row < height; row++) pixels.fill(value, row * width + Math.max(i - 1, 0), row * width + Math.min(i + 2, width));
  };
  const end = ctx => {
    context.putImageData(image, 0, 0);
    ctx.drawImage(layer, left, top);
  };
  return { put, end };
}
