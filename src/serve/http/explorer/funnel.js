// EXPLAIN as a picture: how many rows each step of a query leaves, as bars. Conditions on one table are counted by the server, one
// after the other; of any other query it is the rows that each step of its plan gave while it ran.
import { at, make, say } from "./dom.js";
import { ask } from "./server.js";
import { count } from "./words.js";

/** Where the most rows are this many times the fewest, lengths are logarithms: a bar of a thousandth would not be seen. */
const STEEP = 50;

export async function explain(query, snapshot) {
  say("counting …");
  const began = performance.now();
  const counted = await (await ask("v1/funnel", { json: { query, snapshot } })).json();
  const plan = await planOf(query, counted.snapshot, counted.steps === null);
  const steps = counted.steps ?? operators(plan);
  draw(steps, counted.steps !== null);
  at("plan").textContent = plan;
  at("funnel").hidden = false;
  say(`counted in ${((performance.now() - began) / 1000).toFixed(2)} s, at snapshot ${counted.snapshot}`);
}

async function planOf(query, snapshot, run) {
  const asked = `EXPLAIN ${run ? "ANALYZE " : ""}${query}`;
  const plans = await (await ask("v1/sql", { json: { query: asked, format: "json", snapshot } })).json();
  return plans.map(({ plan_type, plan }) => `${plan_type}\n${plan}`).join("\n");
}

/** Words for the steps of a plan, and where what they are about stands. */
const WORDS = {
  DataSourceExec: ["read", "where", /, predicate=(?!DynamicFilter)(.*?)(?:, (?:pruning_predicate|required_guarantees|dynamic_rg_pruning)=|$)/],
  FilterExec: ["keep", "where", /^: (.*)/],
  AggregateExec: ["group", "by", /gby=\[(.*?)\]/],
  SortExec: ["sort", "by", /expr=\[(.*?)\]/],
  HashJoinExec: ["join", "on", /on=\[(.*?)\](?:,|$)/],
  SortMergeJoinExec: ["join", "on", /on=\[(.*?)\](?:,|$)/],
  NestedLoopJoinExec: ["join", "where", /filter=(.*?)(?:,|$)/],
  CrossJoinExec: ["join", "", /^$/],
  UnionExec: ["put together", "", /^$/],
  PredictExec: ["ask a model", "for", /^: (.*?)(?: as |$)/],
  ComputeExec: ["compute", "", /^: (.*?)(?: as |$)/],
};

/** The steps of a plan that gave rows, inputs before what reads them. */
export function operators(plan) {
  const steps = [];
  for (const line of plan.split("\n")) {
    const [, name, about, rows] = /^\s*(\w+Exec)(.*?), metrics=\[output_rows=([\d.]+ ?[KMB]?)/.exec(line) ?? [];
    // A group is counted first in parts and then as a whole.
    if (!WORDS[name] || about.includes("mode=Partial")) continue;
    const [word, joint, where] = WORDS[name];
    const what = where.exec(about)?.[1]?.replace(/@\d+/g, "");
    const shown = what?.length > 120 ? `${what.slice(0, 118)} …` : what;
    steps.unshift({ what: [word, ...(shown ? [joint, shown] : [])].filter(Boolean).join(" "), rows: amount(rows) });
  }
  return steps;
}

/** 42, 1.60 K: a plan shortens large numbers. */
function amount(text) {
  const [, number, unit] = /([\d.]+) ?([KMB]?)/.exec(text);
  return Math.round(Number(number) * { "": 1, K: 1e3, M: 1e6, B: 1e9 }[unit]);
}

/** Of conditions each has the share that it leaves; the steps of a plan need not follow one another. */
function draw(steps, conditions) {
  const amounts = steps.map(step => step.rows);
  const most = Math.max(0, ...amounts);
  const fewest = Math.min(...amounts.filter(n => n > 0), most || 1);
  const steep = most / fewest > STEEP;
  const length = n => (n === 0 ? 0 : steep ? Math.log(1 + n) / Math.log(1 + most) : n / most);
  at("steps").replaceChildren();
  steps.forEach(({ what, rows }, i) => {
    const line = make("li", undefined, at("steps"));
    make("span", what, line).className = "what";
    const left = make("span", count(rows), line);
    left.className = "left";
    const before = conditions && amounts[i - 1];
    make("small", before ? ` ${Number((100 * rows / before).toPrecision(3))} %` : "", left);
    const bar = make("span", undefined, line);
    bar.className = "bar";
    bar.style.width = `${100 * length(rows)}%`;
  });
  const source = conditions
    ? "Percentages are of the rows before the step. Counted by the conditions of the query, in the order in which they stand."
    : "Rows that each step of the plan gave, what is read first.";
  at("steps-note").textContent = `${steep ? "Lengths are logarithmic. " : ""}${source}`;
}
