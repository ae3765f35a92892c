// The editor of the query: CodeMirror with its SQL, and what this store has to offer.
import * as cm from "./codemirror.js";
import { at } from "./dom.js";
import { dialect } from "./dialect.js";
import { source } from "./completion.js";

const looks = cm.EditorView.theme({
  "&": { fontSize: "13.5px", backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--mono)", minHeight: "8.5rem", caretColor: "var(--ink)", padding: ".5rem 0" },
  ".cm-scroller": { maxHeight: "24rem", overflow: "auto" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "color-mix(in srgb, var(--way) 30%, transparent)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--way) 25%, transparent)" },
  ".cm-tooltip": { background: "var(--paper)", color: "var(--ink)", border: "1px solid var(--rule)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--way)", color: "var(--paper)" },
  ".cm-tooltip .cm-completionInfo": { maxWidth: "26rem", font: "13px/1.45 system-ui, sans-serif" },
  ".cm-completionDetail": { color: "inherit", opacity: 0.7, fontStyle: "normal" },
});

const { tags } = cm;
const colours = cm.HighlightStyle.define([
  { tag: tags.keyword, color: "var(--word)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
]);

/** An editor over `lists` of tables and functions, which may be filled later. `run` is told of Ctrl+Enter. */
export function editor(lists, run) {
  const language = cm.sql({ dialect });
  const schema = context => cm.schemaCompletionSource({ dialect, schema: schemaOf(lists.tables) })(context);
  const completion = cm.autocompletion({
    override: [source(lists), schema, cm.keywordCompletionSource(dialect, true)],
    maxRenderedOptions: 60,
  });
  const keys = [{ key: "Mod-Enter", run: () => (run(), true) }, ...cm.closeBracketsKeymap, ...cm.completionKeymap, ...cm.defaultKeymap, ...cm.historyKeymap];
  const view = new cm.EditorView({
    parent: at("editor"),
    extensions: [
      cm.keymap.of(keys),
      cm.history(),
      cm.drawSelection(),
      cm.indentOnInput(),
      cm.bracketMatching(),
      cm.closeBrackets(),
      completion,
      language,
      cm.syntaxHighlighting(colours),
      cm.EditorView.lineWrapping,
      cm.EditorView.contentAttributes.of({ "aria-label": "SQL", spellcheck: "false", autocapitalize: "off" }),
      looks,
    ],
  });
  return {
    view,
    text: () => view.state.doc.toString(),
    /** Another query; undo gives the one before. */
    replace: text => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 } }),
    insert(text) {
      view.dispatch(view.state.replaceSelection(text));
      view.focus();
    },
  };
}

function schemaOf(tables) {
  return Object.fromEntries(tables.map(table => [table.name, table.columns.map(column => ({ label: column.name, type: "property", detail: column.type }))]));
}
