"""The commands of the command line on a store that is open: made from what the program says of its own arguments."""

from __future__ import annotations

import inspect
import json
import os
import re
import tempfile
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterable

from . import _lib
from ._result import Result
from ._structures import column, kind

if TYPE_CHECKING:
    from ._connection import Connection

#: Commands that are methods of a connection, and whether they may write to the store.
COMMANDS = {
    "charges": True,
    "compute": True,
    "enumerate": True,
    "evaluate": True,
    "export": False,
    "featurize": True,
    "generate": True,
    "import-dft": True,
    "info": False,
    "merge": True,
    "models": False,
    "plot": False,
    "report": False,
    "restore": True,
    "train": True,
    "tune": True,
    "verify": False,
}
#: Of the commands within `models` those that write.
MODELS_WRITE = {"add", "remove", "ensemble"}


class Said(str):
    """What a command printed: shown as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _ipython_display_(self) -> None:
        # Nothing said is no empty box below the cell.
        if self:
            from html import escape

            from IPython.display import display

            display({"text/plain": str(self), "text/html": f"<pre>{escape(self)}</pre>"}, raw=True)


class Picture:
    """A picture that a command drew: a notebook shows it."""

    def __init__(self, path: Path, said: str, kept: bool) -> None:
        self.data = path.read_bytes()
        # Without a file that is kept there is no place to name.
        self.said = Said(said.rstrip("\n") if kept else "")
        #: The file; None where none was asked for.
        self.path = path if kept else None
        self._svg = path.suffix == ".svg"

    def save(self, path: str | Path) -> None:
        """Writes the picture to a file, of the format that it has."""
        Path(path).write_bytes(self.data)

    def _repr_svg_(self) -> str | None:
        return self.data.decode() if self._svg else None

    def _repr_png_(self) -> bytes | None:
        return None if self._svg else self.data

    def __repr__(self) -> str:
        return f"<{'SVG' if self._svg else 'PNG'} of {len(self.data) // 1024} KiB: save(path) keeps it, a notebook shows it>"


def _default(argument: dict[str, Any]) -> Any:
    if not argument["value"]:
        return False
    text = argument["default"]
    for number in (int, float):
        try:
            return number(text)
        except (TypeError, ValueError):
            continue
    return text


def signature(command: dict[str, Any]) -> inspect.Signature:
    """What a command takes: the words that stand by themselves first, then options by name."""
    alone, options = [], []
    for argument in command["arguments"]:
        name = argument["name"]
        if argument["long"] is None:
            default = inspect.Parameter.empty if argument["required"] else None
            alone.append(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default))
        else:
            default = inspect.Parameter.empty if argument["required"] else _default(argument)
            options.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
    alone.sort(key=lambda one: one.default is not inspect.Parameter.empty)
    return inspect.Signature(alone + options)


def docstring(command: dict[str, Any]) -> str:
    """What a command does, and each of its arguments."""
    lines = [command["about"] or "", "", "Arguments:"]
    lines += [f"    {argument['name']}: {argument['help']}" for argument in command["arguments"]]
    return "\n".join(lines)


def words(command: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """The words of a command line."""
    options, alone = [], []
    for argument in command["arguments"]:
        value = given.get(argument["name"])
        if value is None or value is False:
            continue
        if isinstance(value, Result) or hasattr(value, "columns") or kind(value) not in (None, "text"):
            raise _lib.UsageError(
                f"{argument['name']}: expected the name of a table, the text of a query or the id of a crystal, and this is a "
                f"{type(value).__name__}: db.register('mine', ..) makes rows a table of that name"
            )
        long = argument["long"]
        if long is None:
            alone += [_text(one) for one in _listed(value)]
        elif value is True:
            options.append(f"--{long}")
        elif argument["separator"]:
            options.append(f"--{long}={argument['separator'].join(_text(one) for one in _listed(value))}")
        elif argument["many"]:
            options += [f"--{long}={_text(one)}" for one in _listed(value)]
        else:
            options.append(f"--{long}={_text(value)}")
    # Behind `--` nothing is an option, whatever it begins with.
    return options + (["--", *alone] if alone else [])


def _listed(value: Any) -> Iterable[Any]:
    if getattr(value, "ndim", 0) > 0:
        # An array, or a column of pandas.
        return list(value)
    if isinstance(value, dict):
        return [f"{key}={_text(one)}" for key, one in value.items()]
    return value if isinstance(value, (list, tuple, set)) else [value]


def _files(value: str | os.PathLike[str]) -> list[str]:
    """What a shell makes of a path before a program sees it: `~` is the home, and a pattern its files, where there are some."""
    path = os.path.expanduser(os.fspath(value))
    return [path] if os.path.exists(path) else sorted(glob(path)) or [path]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(_listed(value))
    if isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0:
        return ",".join(map(_text, value))
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def _as_file(crystal: Any, folder: str) -> Path:
    """A crystal of Python as the file that a command takes."""
    file = Path(folder) / "structure.cif"
    made = column([crystal]).to_list()[0]
    file.write_text(made.to_cif(made.formula), encoding="utf-8")
    return file


def method(command: dict[str, Any], path: tuple[str, ...], writes: bool) -> Callable[..., Any]:
    """The method that runs a command."""
    takes = signature(command)
    draws = path[0] == "plot"
    pages = path[0] == "report"

    def run(connection: Connection, *args: Any, **kwargs: Any) -> Any:
        try:
            given = dict(takes.bind(*args, **kwargs).arguments)
        except TypeError as error:
            alone = [name for name, one in takes.parameters.items() if one.kind is not inspect.Parameter.KEYWORD_ONLY]
            by_name = f" by name, all but {' and '.join(alone)}" if alone else ", all by name"
            raise TypeError(f"{run.__name__}: {error}: its arguments are{by_name}: {', '.join(takes.parameters)}") from None
        with tempfile.TemporaryDirectory(prefix="hollandite-") as folder:
            for argument in command["arguments"]:
                name = argument["name"]
                if draws and name == "id" and kind(given.get(name)) not in (None, "text"):
                    given[name] = _as_file(given[name], folder)
                if argument["file"] and given.get(name) is not None:
                    files = [one for value in _listed(given[name]) for one in _files(value)]
                    given[name] = files if argument["many"] else files[0]
            if connection.snapshot is not None and "snapshot" in takes.parameters:
                given.setdefault("snapshot", connection.snapshot)
            changes = writes and not given.get("dry_run") and not (path[0] == "featurize" and given.get("list"))
            if path[0] == "charges":
                changes = given.get("keep") is not None
            if path[0] == "verify":
                changes = bool(given.get("remove_leftovers"))
            file = "out" if draws else "to" if pages else None
            kept = file is None or given.get(file) is not None
            if file is not None and not kept:
                given[file] = Path(folder) / ("page.html" if pages else "picture.svg")
            try:
                said = connection._command([*path, *words(command, given)], changes)
            except _lib.UsageError as error:
                raise _lib.UsageError(_in_python(run.__qualname__, str(error))) from None
            return _shown(draws, pages, given[file], said, kept) if file else Said(said.rstrip("\n"))

    if pages or draws:
        parameters = [
            one.replace(default=None) if one.name in ("to", "out") else one for one in takes.parameters.values()
        ]
        takes = inspect.Signature(parameters)
    run.__name__ = path[-1].replace("-", "_")
    run.__qualname__ = f"Connection.{'.'.join(path).replace('-', '_')}"
    run.__doc__ = docstring(command)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    setattr(run, "__signature__", inspect.Signature([this, *takes.parameters.values()]))
    return run


def _in_python(name: str, said: str) -> str:
    """What the command line says of its arguments, without what only helps there."""
    said = re.split(r"\n\n(?:For more information|Usage:)", said)[0].strip()
    missing = re.fullmatch(r"the following required arguments were not provided:\s+<?(\w+)[^>]*>?", said)
    return f"give {missing[1].lower()}; help({name}) lists the arguments" if missing else said


def _shown(draws: bool, pages: bool, path: Any, said: str, kept: bool) -> Any:
    from ._view import Page

    path = Path(path)
    if draws and path.is_file():
        return Picture(path, said, kept)
    if pages:
        return Page(path.read_text(encoding="utf-8"), 640, path if kept else None)
    return Said(said.rstrip("\n"))


class Group:
    """Commands within a command: `db.plot.structure(...)`, `db.models.add(...)`."""

    def __init__(self, command: dict[str, Any], path: tuple[str, ...]) -> None:
        self._command, self._path = command, path
        self.__doc__ = command["about"]

    def __get__(self, connection: Connection | None, owner: type | None = None) -> Any:
        if connection is None:
            return self
        return _Bound(self._command, self._path, connection)


class _Bound:
    def __init__(self, command: dict[str, Any], path: tuple[str, ...], connection: Connection) -> None:
        self.__doc__ = command["about"]
        self._connection = connection
        self._itself = method(command, path, False) if path[0] == "models" else None
        for inner in command["commands"]:
            if inner["name"] == "help":
                continue
            run = method(inner, (*path, inner["name"]), inner["name"] in MODELS_WRITE)
            setattr(self, run.__name__, run.__get__(connection))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._itself is None:
            raise TypeError(f"say what to draw: {', '.join(name for name in vars(self) if not name.startswith('_'))}")
        return self._itself(self._connection, *args, **kwargs)

    def __repr__(self) -> str:
        return f"{self.__doc__}: {', '.join(name for name in vars(self) if not name.startswith('_'))}"


class Commands:
    """The commands of the command line as methods."""


for _command in json.loads(_lib.commands()):
    if _command["name"] not in COMMANDS:
        continue
    _path = (_command["name"],)
    _inner = [one for one in _command["commands"] if one["name"] != "help"]
    _made = Group(_command, _path) if _inner else method(_command, _path, COMMANDS[_command["name"]])
    setattr(Commands, _command["name"].replace("-", "_"), _made)
