// What the page uses of CodeMirror; `make` bundles it into codemirror.js.
export { EditorView, drawSelection, keymap } from "@codemirror/view";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { HighlightStyle, bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
export { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
export { PostgreSQL, SQLDialect, keywordCompletionSource, schemaCompletionSource, sql } from "@codemirror/lang-sql";
export { tags } from "@lezer/highlight";
