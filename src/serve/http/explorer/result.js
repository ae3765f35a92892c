// The rows of an answer: as they came, in the order that a column gives them, and those that a brush has picked.

const words = new Intl.Collator(undefined, { numeric: true });

/** What is compared of a value; NULL is `null`. */
const key = value => (value !== null && typeof value === "object" ? JSON.stringify(value) : value);

/** Of a crystal only its size is kept: a card asks for the rest. */
const light = value => (value !== null && typeof value === "object" && "frac_coords" in value ? { atoms: value.numbers.length } : value);

/** Tells with `change` that other rows are shown, and with `columns` that there are others altogether. */
export class Result extends EventTarget {
  constructor() {
    super();
    this.begin({});
  }

  begin(asked) {
    Object.assign(this, { asked, columns: [], units: {}, rows: [], order: null, picks: null, done: false });
    this.arrange();
    this.tell("columns");
  }

  add(rows) {
    for (const row of rows) for (const name in row) row[name] = light(row[name]);
    const first = this.rows.length === 0 && rows.length > 0;
    for (const row of rows) this.rows.push(row);
    if (first) this.columns = Object.keys(rows[0]);
    this.arrange();
    if (first) this.tell("columns");
  }

  /** The last row is there. */
  end() {
    this.done = true;
    this.arrange();
    this.tell("columns");
  }

  /** By a column, and the other way round when it is asked for again. */
  sort(name) {
    this.order = { name, down: this.order?.name === name && !this.order.down };
    this.arrange();
  }

  /** Only the rows for which `picks` is true; all where it is null. */
  pick(picks) {
    this.picks = picks;
    this.arrange();
  }

  /** The columns that hold numbers. */
  numeric() {
    const number = name => this.rows.some(row => typeof row[name] === "number");
    return this.columns.filter(name => number(name) && this.rows.every(row => row[name] === null || typeof row[name] === "number"));
  }

  arrange() {
    this.arranged = null;
    this.tell("change");
  }

  /** The rows that are shown, in their order. They are put in order when they are looked at: rows may arrive faster than that. */
  get view() {
    return (this.arranged ??= this.sorted(this.picks ? this.rows.filter(this.picks) : [...this.rows]));
  }

  sorted(rows) {
    if (!this.order) return rows;
    const { name, down } = this.order;
    return rows.sort((x, y) => {
      const [a, b] = [key(x[name]), key(y[name])];
      if (a === null || b === null) return (a === null) - (b === null);
      const less = typeof a === "number" ? a - b : words.compare(a, b);
      return down ? -less : less;
    });
  }

  tell(what) {
    this.dispatchEvent(new Event(what));
  }
}
