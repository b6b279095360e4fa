"""Takes the words of a ruleset file one by one, so that what remains is unknown; every fault names its field."""

from __future__ import annotations

import math
from typing import Any, Final

from gis.errors import InputError

_MISSING: Final[Any] = object()
Row = dict[str, Any]


class Reader:
    """The tables of a ruleset file. Every method takes one word; :meth:`refuse_the_rest` ends the reading."""

    def __init__(self, tables: dict[str, Any], rows: tuple[str, ...] = ()) -> None:
        self._tables: dict[str, dict[str, Any]] = {}
        self._rows: dict[str, list[Row]] = {}
        self._known: set[tuple[str, str]] = set()
        self._free: set[str] = set()
        for table, content in tables.items():
            if table in rows and isinstance(content, list) and all(isinstance(r, dict) for r in content):
                self._rows[table] = content
            elif isinstance(content, dict) and table not in rows:
                self._tables[table] = content
            else:
                raise InputError("ruleset_unknown_word", field=table)

    @property
    def known(self) -> tuple[str, ...]:
        """Every word asked for so far as ``table.word``, sorted: what a file may hold."""
        return tuple(sorted(f"{table}.{word}" for table, word in self._known))

    def has(self, table: str) -> bool:
        """Whether the file has the table."""
        return table in self._tables

    def _value(self, table: str, word: str, default: Any) -> Any:
        self._known.add((table, word))
        value = self._tables.get(table, {}).get(word, default)
        if value is _MISSING:
            raise InputError("ruleset_missing", field=f"{table}.{word}")
        return value

    def _typed(self, table: str, word: str, kinds: tuple[type, ...], default: Any) -> Any:
        return typed(self._value(table, word, default), f"{table}.{word}", kinds)

    def text(self, table: str, word: str, default: Any = _MISSING) -> str:
        """A text."""
        return str(self._typed(table, word, (str,), default))

    def flag(self, table: str, word: str, default: Any = _MISSING) -> bool:
        """``true`` or ``false``."""
        return bool(self._typed(table, word, (bool,), default))

    def texts(self, table: str, word: str, allowed: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts, each one of ``allowed`` where that is given."""
        values = self._typed(table, word, (list,), [])
        if not all(isinstance(v, str) for v in values):
            raise InputError("ruleset_type", field=f"{table}.{word}", value=values, expected="list of str")
        for value in values:
            if allowed is not None and value not in allowed:
                raise InputError("ruleset_choice", field=f"{table}.{word}", value=value, allowed=" | ".join(allowed))
        return tuple(values)

    def word(self, table: str, word: str, allowed: tuple[str, ...], default: Any = _MISSING) -> Any:
        """One of a few words."""
        value = self.text(table, word, default)
        if value not in allowed:
            raise InputError("ruleset_choice", field=f"{table}.{word}", value=value, allowed=" | ".join(allowed))
        return value

    def number(self, table: str, word: str, default: Any = _MISSING) -> float:
        """A finite number, 0 or more."""
        return amount(self._value(table, word, default), f"{table}.{word}")

    def whole(self, table: str, word: str, default: Any = _MISSING) -> int:
        """A whole number, 0 or more."""
        value = self._typed(table, word, (int,), default)
        if value < 0:
            raise InputError("ruleset_negative", field=f"{table}.{word}", value=value)
        return int(value)

    def bounds(self, table: str) -> tuple[int, int, int] | None:
        """Minimum, target (the middle where it is left out) and maximum; None where the table has none of them."""
        words = ("minimum", "target", "maximum")
        self._known.update((table, w) for w in words)
        if not any(w in self._tables.get(table, {}) for w in words):
            return None
        low, high = self.whole(table, "minimum"), self.whole(table, "maximum")
        return checked_bounds(table, low, self.whole(table, "target", (low + high) // 2), high)

    def free_numbers(self, table: str) -> dict[str, float]:
        """The words of a table that no other method took, each a number: names are the file's own."""
        self._free.add(table)
        taken = {word for t, word in self._known if t == table}
        found = self._tables.get(table, {})
        return {word: amount(value, f"{table}.{word}") for word, value in found.items() if word not in taken}

    def rows(self, table: str) -> list[Row]:
        """The rows of an array of tables, ``[[table]]``."""
        return self._rows.get(table, [])

    def know(self, *words: str) -> None:
        """Words of rows, which are checked where they are used."""
        self._known.update((t, w) for t, w in (word.split(".") for word in words))

    def refuse_the_rest(self) -> None:
        """Raise at the first word nobody asked for."""
        tables = {table for table, _ in self._known}
        for table, content in self._tables.items():
            if table not in tables:
                raise InputError("ruleset_unknown_word", field=table)
            for word in content:
                if table not in self._free and (table, word) not in self._known:
                    raise InputError("ruleset_unknown_word", field=f"{table}.{word}")


def typed(value: Any, field: str, kinds: tuple[type, ...]) -> Any:
    """The value where it is of one of the kinds (a truth value is no number)."""
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise InputError("ruleset_type", field=field, value=value, expected=kinds[0].__name__)
    return value


def amount(value: Any, field: str) -> float:
    """A finite number, 0 or more."""
    found = float(typed(value, field, (int, float)))
    if not math.isfinite(found):
        raise InputError("ruleset_type", field=field, value=found, expected="finite number")
    if found < 0:
        raise InputError("ruleset_negative", field=field, value=found)
    return found


def checked_bounds(table: str, minimum: int, target: int, maximum: int) -> tuple[int, int, int]:
    """The three numbers where they do not exclude each other; raises ``InputError`` naming the field."""
    if minimum < 0:
        raise InputError("ruleset_negative", field=f"{table}.minimum", value=minimum)
    if maximum < 1 or minimum > maximum:
        raise InputError("ruleset_bounds", field=f"{table}.minimum", minimum=minimum, maximum=maximum)
    if not minimum <= target <= maximum:
        raise InputError("ruleset_target", field=f"{table}.target", target=target, minimum=minimum, maximum=maximum)
    return minimum, target, maximum
