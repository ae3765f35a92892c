// What the editor offers: functions with what they do, and the columns of the tables that the query names.

/** Offers for a text: all functions, and the columns of each table in it; of all tables where it names none. */
export function offers(text, tables, functions) {
  const said = new Set(text.toLowerCase().match(/[a-z_][a-z0-9_]*/g));
  const named = tables.filter(table => said.has(table.name.toLowerCase()));
  const columns = new Map();
  for (const table of named.length ? named : tables) {
    for (const column of table.columns) if (!columns.has(column.name)) columns.set(column.name, offer(column, table));
  }
  return [...columns.values(), ...functions.map(call)];
}

function offer({ name, type, unit, meaning }, table) {
  const kind = type.startsWith("STRUCT(lattice") ? "STRUCTURE" : type;
  return { label: name, type: "property", detail: `${kind}${unit ? `, ${unit}` : ""}`, info: [meaning, `Of ${table.name}.`].filter(Boolean).join(". ").replace("..", "."), boost: 2 };
}

function call({ name, signature, description, unit }) {
  return { label: name, type: "function", detail: signature.slice(name.length), info: `${description}${unit ? ` In ${unit}.` : ""}`, apply: `${name}(`, boost: 1 };
}

/** A source of completions over what there is in the store. */
export function source(lists) {
  return context => {
    const word = context.matchBefore(/[a-zA-Z_][a-zA-Z0-9_]*/);
    if (!word && !context.explicit) return null;
    const from = word?.from ?? context.pos;
    // After a full stop it is a column of the table before it, which the language knows.
    if (context.state.sliceDoc(from - 1, from) === ".") return null;
    return { from, options: offers(context.state.doc.toString(), lists.tables, lists.functions), validFor: /^\w*$/ };
  };
}
