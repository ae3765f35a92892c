// Elements of the page: finding them, making them, and telling the reader something.

export const at = id => document.getElementById(id);

/** A new element with a text, at the end of another. */
export function make(tag, text, parent) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

/** A button that does something when it is pressed. */
export function button(text, parent, act, kind = "") {
  const made = make("button", text, parent);
  made.type = "button";
  made.className = kind;
  made.addEventListener("click", act);
  return made;
}

export function say(text, wrong = false) {
  at("said").textContent = text;
  at("said").className = wrong ? "wrong" : "";
}

/** Runs work whose failure the reader is told. */
export async function told(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message, true);
  }
}

/** At most one call for each frame that is drawn. */
export function once(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  };
}
