"""The functions of SQL as a featurizer of scikit-learn, and of frames with structures as matminer has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Sequence

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from . import _lib
from . import functions as _functions
from ._structures import column, crystals_of

if TYPE_CHECKING:
    import pandas

    from ._connection import Connection


class Featurizer(TransformerMixin, BaseEstimator):
    """Numbers that describe crystals, one row each.

        >>> Featurizer(["magpie", "void(ionic)", "density"]).fit_transform(structures)

    Arguments:
        features: Functions of SQL over a crystal, with the arguments after it in parentheses: names of `hollandite.functions`. One that
            answers a number is a column, one that answers a list or a struct a column for each item.
        db: A connection, for the models of its store.

    A value that is not defined for a crystal is NaN, with a warning that says why.
    """

    feature_names_: list[str]

    def __init__(self, features: Sequence[str] = ("magpie",), db: Connection | None = None) -> None:
        self.features = features
        self.db = db

    def fit(self, X: Any, y: Any = None) -> Featurizer:
        """Learns the names of the columns from the structures; nothing else is fitted."""
        self._compute(X)
        return self

    def fit_transform(self, X: Any, y: Any = None, **_: Any) -> np.ndarray:
        """The features of the structures, computed once."""
        return self._compute(X)

    def transform(self, X: Any) -> np.ndarray:
        """The features of the structures: a row each, columns as at `fit`."""
        check_is_fitted(self, "feature_names_")
        known = self.feature_names_
        values = self._compute(X)
        found, self.feature_names_ = dict(zip(self.feature_names_, values.T)), known
        more = [name for name, one in found.items() if name not in known and not np.isnan(one).all()]
        if more:
            raise _lib.FeatureError(f"these structures have a value {more[0]}, which none of fit had: fit on the largest too")
        # Of a shorter list, or of no answer, nothing is known.
        return np.column_stack([found.get(name, np.full(len(values), np.nan)) for name in known])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the columns."""
        check_is_fitted(self, "feature_names_")
        return np.asarray(self.feature_names_, dtype=object)

    def feature_labels(self) -> list[str]:
        """The names of the columns, as matminer calls them."""
        return list(self.get_feature_names_out())

    def featurize(self, structure: Any) -> list[float]:
        """The features of one structure, as matminer's featurizers compute them."""
        return self._compute([structure]).tolist()[0]

    def featurize_many(
        self, entries: Any, ignore_errors: bool = False, return_errors: bool = False, pbar: bool = True
    ) -> list[list[float]]:
        """The features of each of many structures. Arguments: those of `featurize_dataframe`."""
        _no_errors(return_errors)
        return self._compute(entries).tolist()

    def featurize_dataframe(
        self,
        df: pandas.DataFrame,
        col_id: str | Sequence[str] = "structure",
        ignore_errors: bool = False,
        return_errors: bool = False,
        inplace: bool = False,
        multiindex: bool = False,
        pbar: bool = True,
    ) -> pandas.DataFrame:
        """A frame of pandas with the features beside its columns, as matminer's featurizers make it.

        Arguments:
            df: The frame.
            col_id: Its column of structures.
            ignore_errors: As matminer's; here a value that is not defined is NaN either way, and a warning says why.
            return_errors: Not known here: the warnings have the reasons.
            inplace: Add the columns to this very frame.
            multiindex: Not known here.
            pbar: As matminer's; progress is shown where it takes long.
        """
        _no_errors(return_errors)
        if multiindex:
            raise _lib.UsageError("multiindex=True is not known here: pandas.concat({'Featurizer': ..}, axis=1) makes such columns")
        name = col_id if isinstance(col_id, str) else col_id[0] if len(col_id) == 1 else None
        if name is None:
            raise _lib.UsageError(f"col_id={col_id!r}: expected the name of the one column that holds structures")
        values = self._compute(list(df[name]))
        clash = [name for name in self.feature_names_ if name in df.columns]
        if clash:
            raise _lib.UsageError(f"the frame has a column {clash[0]} already: rename it")
        if inplace:
            df[self.feature_names_] = values
            return df
        import pandas

        return pandas.concat([df, pandas.DataFrame(values, columns=self.feature_names_, index=df.index)], axis=1)

    def _compute(self, structures: Any) -> np.ndarray:
        structures = crystals_of(structures)
        items = column(structures)
        connection = self.db if self.db is not None else _functions._shared()
        names: list[str] = []
        columns: list[np.ndarray] = []
        for feature in [self.features] if isinstance(self.features, str) else self.features:
            name, arguments = parsed(feature)
            answer = connection._call(name, items, arguments).to_list()
            for suffix, one in spread(answer):
                names.append(f"{feature}{suffix}")
                columns.append(np.array([np.nan if value is None else value for value in one], dtype=float))
        self.feature_names_ = names
        return np.column_stack(columns) if columns else np.empty((len(items), 0))


def _no_errors(return_errors: bool) -> None:
    if return_errors:
        raise _lib.UsageError("return_errors=True is not known here: warnings say how many values are not defined, and why")


def parsed(feature: str) -> tuple[str, dict[str, Any]]:
    """`void(ionic, 0.76)` as the name of a function and its arguments by name."""
    match = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", feature, re.DOTALL)
    if match is None or match[1] not in _functions._docs:
        raise _lib.UsageError(f"{feature} is no feature: expected a function of hollandite.functions, as in void(ionic)")
    texts = [text.strip() for text in match[2].split(",")] if match[2] and match[2].strip() else []
    names = [one["name"] for one in _functions._docs[match[1]]["parameters"]][1:]
    if len(texts) > len(names):
        raise _lib.UsageError(f"{feature}: {match[1]} takes {len(names)} arguments after the crystal")
    return match[1], dict(zip(names, map(_value, texts)))


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text.strip("'\"")


def spread(values: list[Any]) -> list[tuple[str, list[Any]]]:
    """The columns of the answers of one function: numbers as they are, lists and structs item by item."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, dict):
        parts = [(f".{key}", [None if v is None else v[key] for v in values]) for key in first]
    elif isinstance(first, list):
        length = max(len(value) for value in values if value is not None)
        parts = [(f".{i}", [None if v is None or i >= len(v) else v[i] for v in values]) for i in range(length)]
    else:
        if isinstance(first, (str, _lib.Crystal)):
            raise _lib.UsageError(f"a feature is a number, and this is {first!r}")
        return [("", values)]
    return [(suffix + deeper, one) for suffix, part in parts for deeper, one in spread(part)]
