"""How far a query or command is: a bar of a notebook, or a line of a terminal."""

from __future__ import annotations

import sys
import time
from html import escape

from ._warnings import warn

#: Seconds after which something is worth a bar: most end sooner.
PATIENCE = 0.7


def in_notebook() -> bool:
    """Whether this runs in a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and shell.__class__.__name__ == "ZMQInteractiveShell"


class Listener:
    """Hears of what is under way, from the thread that waits for it."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._bars: dict[str, _NotebookBar | _TerminalBar] = {}

    def note(self, line: str) -> None:
        """A remark of a command."""
        if line.startswith("warning: "):
            warn(line.removeprefix("warning: "))
        else:
            self._clear()
            print(line, file=sys.stderr, flush=True)

    def __call__(self, what: str, done: int, of: int | None, ended: bool) -> None:
        if ended:
            self._since.pop(what, None)
            bar = self._bars.pop(what, None)
            if bar is not None:
                bar.close()
            return
        since = self._since.setdefault(what, time.monotonic())
        seconds = time.monotonic() - since
        if seconds < PATIENCE:
            return
        if what not in self._bars:
            if in_notebook():
                self._bars[what] = _NotebookBar()
            elif sys.stderr.isatty():
                self._bars[what] = _TerminalBar()
            else:
                return
        self._bars[what].show(what, done, of, seconds)

    def _clear(self) -> None:
        for bar in self._bars.values():
            if isinstance(bar, _TerminalBar):
                bar.close()


class _NotebookBar:
    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._html = HTML
        self._handle = display(HTML(""), display_id=True)

    def show(self, what: str, done: int, of: int | None, seconds: float) -> None:
        of_all = f" of {of:,}" if of else ""
        bar = f"<progress value='{done}' max='{of}' style='width:16em'></progress> " if of else ""
        self._handle.update(self._html(f"{bar}<small>{done:,}{of_all} · {escape(what)} · {seconds:.0f} s</small>"))

    def close(self) -> None:
        self._handle.update(self._html(""))


class _TerminalBar:
    def show(self, what: str, done: int, of: int | None, seconds: float) -> None:
        of_all = f"/{of}" if of else ""
        sys.stderr.write(f"\r\x1b[K{done}{of_all}  {what}  {seconds:.0f} s")
        sys.stderr.flush()

    def close(self) -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
