// Values as a person reads them.

const whole = new Intl.NumberFormat("en-US");

/** 1 603 */
export const count = n => whole.format(n).replaceAll(",", "\u202f");

export const rows = n => `${count(n)} row${n === 1 ? "" : "s"}`;

/** A value of a cell as text. */
export function shown(value) {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  if (typeof value === "object") return value.atoms ? `crystal of ${value.atoms} atoms` : JSON.stringify(value);
  return String(value);
}
