"""How far a query or command is: a bar of a notebook, or a line of a terminal."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import Any

from ._warnings import warn

#: Seconds after which something is worth a bar: most end sooner.
PATIENCE = 0.7


def in_notebook() -> bool:
    """Whether this runs in a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and shell.__class__.__name__ == "ZMQInteractiveShell"


class Listener:
    """Gets the progress of running work, from the thread that waits for it."""

    def __init__(self) -> None:
        #: By the name of what is under way, which stays while its words may change.
        self._since: dict[str, float] = {}
        self._bars: dict[str, _NotebookBar | _TerminalBar] = {}
        self._epoch: _NotebookBar | None = None

    def note(self, line: str) -> None:
        """A remark of a command."""
        if line.startswith("warning: "):
            warn(line.removeprefix("warning: "))
        elif in_notebook() and line.lstrip().startswith("epoch"):
            # Epochs follow each other in one place.
            self._epoch = self._epoch or _NotebookBar()
            self._epoch.say(line)
        else:
            self._clear()
            print(line, file=sys.stderr, flush=True)

    def ended(self, name: str) -> None:
        """That something is done."""
        self._since.pop(name, None)
        # What it said last stays.
        self._epoch = None
        bar = self._bars.pop(name, None)
        if bar is not None:
            bar.close()

    def __call__(self, name: str, what: str, done: int, of: int | None) -> None:
        since = self._since.setdefault(name, time.monotonic())
        seconds = time.monotonic() - since
        if seconds < PATIENCE:
            return
        if name not in self._bars:
            if in_notebook():
                self._bars[name] = _NotebookBar()
            elif sys.stderr.isatty():
                self._bars[name] = _TerminalBar()
            else:
                return
        self._bars[name].show(what, done, of, seconds)

    def _clear(self) -> None:
        for bar in self._bars.values():
            if isinstance(bar, _TerminalBar):
                bar.close()


class _NotebookBar:
    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._html = HTML
        self._handle: Any = display(HTML(""), display_id=True)

    def show(self, what: str, done: int, of: int | None, seconds: float) -> None:
        of_all = f" of {of:,}" if of else ""
        bar = f"<progress value='{done}' max='{of}' style='width:16em'></progress> " if of else ""
        self._handle.update(self._html(f"{bar}<small>{done:,}{of_all} · {escape(what)} · {seconds:.0f} s</small>"))

    def say(self, line: str) -> None:
        """A line of text in place of what was there."""
        self._handle.update(self._html(f"<pre>{escape(line)}</pre>"))

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
