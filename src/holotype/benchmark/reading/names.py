"""Which class a cell of a file means: its name, or its number in some order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from holotype.benchmark.orders import ORDERS, detect_order, order
from holotype.benchmark.reading.faults import Faults, said, some
from holotype.benchmark.reading.numbers import whole
from holotype.benchmark.reading.tables import Batch, cells_of, indices_of
from holotype.benchmark.values import MISSING, Bools, Ints
from holotype.errors import PredictionError

NUMBERED: Final = 1 << 60
"""What is added to the number of a class that is not known yet, for want of an order."""
PLACES_BY_NAME: Final = "class numbers were taken for places among the classes sorted by name, from 0"
_FURTHEST: Final = 1 << 50
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_WNID: Final = re.compile(r"n\d{8}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """The classes of a truth by their names; `numbers` are those by which its own file calls them, if by any."""

    names: Sequence[str]
    numbers: Sequence[int]
    _by_name: Mapping[str, int]

    @classmethod
    def of(cls, names: Sequence[str], numbers: Sequence[int] = ()) -> Classes:
        """Those of a truth."""
        return cls(names, numbers, {name: number for number, name in enumerate(names)})

    @property
    def are_ilsvrc2012s(self) -> bool:
        """Whether all are classes of ILSVRC2012, which have several orders."""
        return bool(self.names) and set(order("sorted").wnids).issuperset(self.names)

    def code(self, text: str) -> int:
        """The class that a cell means, or `NUMBERED` and the number that it says. Raises ValueError."""
        given = text.strip()
        if given in self._by_name:
            return self._by_name[given]
        try:
            number = whole(given)
        except ValueError:
            raise ValueError(self.unknown(given) if given else "no class") from None
        return NUMBERED + max(-_FURTHEST, min(number, _FURTHEST)) if number != MISSING else MISSING

    def unknown(self, text: str) -> str:
        """That there is no class of this name; and what classes are called, where that is often got wrong."""
        first = next(iter(self.names), "")
        if first.isdecimal() and not text.isdecimal():
            why = " (the truth's classes are numbers: a devkit's get wnids from the meta file beside it)"
        elif first != text and _WNID.fullmatch(first) and not _WNID.fullmatch(text):
            why = f" (the truth's classes are wnids, as {said(first)})"
        else:
            why = ""
        return f"unknown class {said(text)}{why}"

    def known(self, text: str) -> int | None:
        """The class of this name or, where there are such, of this number; None where there is none."""
        if text in self._by_name:
            return self._by_name[text]
        number = int(text) if _DIGITS.fullmatch(text) else MISSING
        return self.numbers.index(number) if number in self.numbers else None

    def codes(self, batch: Batch, name: str, faults: Faults, optional: bool = False) -> tuple[Ints, Bools]:
        """The code of the class in each row, and which rows have none that is one, which are `faults`.

        With `optional`, cells may be empty, or -1 where they are numbers: `MISSING`.
        """
        column = cells_of(batch, name, faults)
        told = column if not isinstance(column, np.ndarray) else pa.array(column)
        encoded = told if pa.types.is_dictionary(told.type) else told.dictionary_encode()
        wrong: dict[int, str] = {}
        codes = []
        for at, value in enumerate(encoded.dictionary.to_pylist()):
            text = str(value)
            try:
                codes.append(self.code(text) if text.strip() or not optional else MISSING)
            except ValueError as error:
                wrong[at] = str(error)
                codes.append(MISSING)
        places = indices_of(encoded)
        found = np.array([*codes, MISSING], np.int64)[places]
        bad = np.isin(places, list(wrong)) if wrong else np.zeros(len(found), np.bool_)
        if not optional:
            bad = bad | (found == MISSING)
        faults.mark(batch.rows, bad, lambda at: wrong.get(int(places[at]), "no class"))
        return found, bad

    def settle(self, codes: Ints, table: Ints) -> tuple[Ints, Bools]:
        """The classes of `codes`, where numbers are by `table` (`MISSING` where it has none), and which are none."""
        numbered = codes >= NUMBERED - _FURTHEST
        numbers = np.where(numbered, codes - NUMBERED, -1)
        within = (numbers >= 0) & (numbers < len(table))
        found = np.where(numbered, MISSING, codes)
        found[within] = table[numbers[within]]
        return found, numbered & (found == MISSING)

    def table(self, name: str) -> Ints:
        """The class of each number in an order, `MISSING` where it has none; by their own `numbers` for "".

        Raises `PredictionError` for an order that they have not.
        """
        if not name:
            table = np.full(max(self.numbers, default=-1) + 1, MISSING)
            table[list(self.numbers)] = np.arange(len(self.numbers))
            return table
        if self.are_ilsvrc2012s:
            wnids = order(name).wnids
        elif name == "sorted":
            wnids = tuple(self.names)
        else:
            raise PredictionError(f"these classes are not those of ILSVRC2012, and have no order {said(name)}")
        return np.array([self._by_name.get(wnid, MISSING) for wnid in wnids], np.int64)


def numbered(numbers: Ints) -> Ints:
    """The codes of numbers whose classes are not known yet; `MISSING` stays."""
    return np.where(numbers == MISSING, MISSING, numbers + NUMBERED)


def number_in(code: int) -> int:
    """The number that is in a code."""
    return code - NUMBERED


def has_numbers(codes: Ints) -> bool:
    """Whether any code is a number whose class is not known yet."""
    return bool((codes >= NUMBERED - _FURTHEST).any())


def told_order(codes: Ints, classes: Classes, truth: Ints, declared: str, otherwise: str = "") -> tuple[str, str]:
    """The order in which the numbers in `codes` ``(items, guesses)`` are, and a remark on it, or "".

    It is the one `declared`; else that of the truth's own numbers (""); else the one that is detected against `truth`,
    the class of each item, `MISSING` where it has none or several; else `otherwise`. Raises `PredictionError` where it
    cannot be told, and for one that there is not.
    """
    if declared:
        if declared not in ORDERS:
            raise PredictionError(f"there is no class order {said(declared)}, but {', '.join(ORDERS)}")
        found = detected(codes, classes, truth, declared)
        wrong = found not in ("", declared)
        return declared, f"these class numbers look as if they were in {found} order, not {declared}" if wrong else ""
    if classes.numbers:
        return "", ""
    if not classes.are_ilsvrc2012s:
        return "sorted", PLACES_BY_NAME
    found = detected(codes, classes, truth, otherwise or "sorted")
    if otherwise and found in ("", otherwise):
        return otherwise, ""
    if otherwise:
        return otherwise, f"these class numbers look as if they were in {found} order, not {otherwise}"
    if found in ORDERS:
        return found, f"class numbers were taken to be in {found} order, which the predictions show"
    hint = f": they look as if they were {found}" if found else ""
    say = f"say which order ({some(ORDERS)}), or name classes by their wnids"
    raise PredictionError(f"the order of the class numbers cannot be told{hint}; {say}")


def detected(codes: Ints, classes: Classes, truth: Ints, declared: str) -> str:
    """The order in which numbers look as if they were, "" where that cannot be told."""
    first = codes[:, 0]
    usable = (truth != MISSING) & (first >= NUMBERED)
    if not classes.are_ilsvrc2012s or not usable.any():
        return ""
    names = [classes.names[label] for label in truth[usable].tolist()]
    verdict = detect_order((first[usable] - NUMBERED)[:, None], names, declared)
    return verdict.found or verdict.shifted
