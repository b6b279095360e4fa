"""A trained parser: from text to labelled parts with a probability.

The model is arrays only (``Model``), small enough to ship: feature hashes, and for each the tags it speaks for with
eight-bit weights. ``Parser`` joins it to the names of a deployment. Source of the method: ``chain``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.addressing.parsing import chain, tokens
from gis.addressing.parsing.features import features
from gis.addressing.parsing.habits import Habits, look_again
from gis.addressing.parsing.labels import LABELS, PART, TAGS
from gis.addressing.parsing.lexicon import build, entries
from gis.addressing.parsing.normalise import LONGEST, normalise
from gis.compiling import njit

#: Rewritten when features or labels change, so that an older model file is refused and not misread.
VERSION: Final = 3
_NAMED: Final = tuple(PART[name] for name in LABELS)


@dataclass(frozen=True)
class Model:
    """Weights as they are stored.

    ``keys`` (n) sorted uint32 feature hashes; ``first`` (n + 1) where the tags of each begin; ``tag`` and ``weight``
    (m) uint8 and int8 in steps of ``step``; ``moves`` (tags, tags) float32 from-to; ``start`` (tags);
    ``names`` and ``kinds`` are the hashes and kinds of the names it was trained with, without gaps. ``habit_paths``,
    ``habit_forms``, ``habit_keys`` and ``habit_counts`` are the arrays of :class:`habits.Habits`.
    """

    keys: NDArray[np.uint32]
    first: NDArray[np.uint32]
    tag: NDArray[np.uint8]
    weight: NDArray[np.int8]
    step: float
    moves: NDArray[np.float32]
    start: NDArray[np.float32]
    names: NDArray[np.uint64]
    kinds: NDArray[np.uint32]
    habit_paths: NDArray[np.uint8]
    habit_forms: NDArray[np.uint32]
    habit_keys: NDArray[np.uint32]
    habit_counts: NDArray[np.uint32]
    trained_on: str


class Part(NamedTuple):
    """One labelled piece: ``kind`` as in ``labels.PART``, ``text`` in one way of writing, its place as typed."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Parsed:
    """The parts of a text in its order and the probability that all of them are right, by the model's own lights."""

    text: str
    parts: tuple[Part, ...]
    probability: float

    def get(self, kind: str) -> str:
        """The first part of a kind, "" where there is none."""
        return next((p.text for p in self.parts if p.kind == kind), "")


class Parser:
    """Parses texts with one model and the names of a deployment, if given: (name, kind), kinds of ``lexicon``."""

    def __init__(self, model: Model, names: list[tuple[str, str]] | None = None) -> None:
        known = dict(zip(model.names.tolist(), model.kinds.tolist(), strict=True))
        for key, kinds in entries(names or []).items():
            known[key] = known.get(key, 0) | kinds
        lexicon = build(known)
        self._names, self._kinds = lexicon.keys, lexicon.masks
        self._slots = _table(model.keys, model.first)
        # tag and weight of a feature side by side: one look into memory, not two
        self._said = model.tag.astype(np.int16) << np.int16(8) | model.weight.view(np.uint8)
        self._step = np.float32(model.step)
        self._moves = np.ascontiguousarray(model.moves + chain.allowed(TAGS))
        self._grown = np.exp(self._moves)
        # copies: arrays from a file are read-only, another type to a compiled loop
        self._habits = Habits(
            model.habit_paths.copy(), model.habit_forms.copy(), model.habit_keys.copy(), model.habit_counts.copy()
        )
        # a text begins with the beginning of a part
        self._start = np.where(np.arange(TAGS) % 2 == 1, np.float32(-1e4), model.start).astype(np.float32)

    def parse(self, text: str) -> Parsed:
        """The parts of one text; none for a text without letters or longer than any address."""
        written = normalise(text)
        if not written.text or len(text) > LONGEST:
            return Parsed(written.text, (), 0.0)
        begin, end, path, log = self._run(tokens.points(written.text))
        origin = written.origin
        parts = []
        for b, e, tag in zip(begin.tolist(), end.tolist(), path.tolist(), strict=True):
            parts.append(Part(_NAMED[tag], written.text[b:e], origin[b], origin[e - 1] + 1))
        return Parsed(written.text, tuple(parts), exp(min(log, 0.0)))

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """(begin, end, label) of a text that is taken as it is, for judging."""
        begin, end, path, _ = self._run(tokens.points(text))
        return [(int(b), int(e), LABELS[int(t)]) for b, e, t in zip(begin, end, path, strict=True)]

    def _run(self, points: NDArray[np.uint32]) -> Any:
        return _parse(
            points, tokens.CLASS, tokens.SIGN, self._names, self._kinds, self._slots, self._said, self._step,
             self._moves, self._grown, self._start, self._habits,
        )  # fmt: skip


def _table(keys: NDArray[np.uint32], first: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Open addressing over feature hashes: hash, where its tags begin, how many they are, in one number; 0 empty."""
    slots = np.zeros(1 << max(4, (len(keys) * 2).bit_length()), dtype=np.uint64)
    _fill(keys, first, slots)
    return slots


@njit(cache=True)
def _fill(keys: Any, first: Any, slots: Any) -> None:  # pragma: no cover - compiled
    last = len(slots) - 1
    for k in range(len(keys)):
        at = np.int64(keys[k]) & last
        while slots[at] != 0:
            at = (at + 1) & last
        place = np.uint64(first[k]) << np.uint64(6) | np.uint64(first[k + 1] - first[k])
        slots[at] = np.uint64(keys[k]) << np.uint64(32) | place


@njit(cache=True, fastmath=True)
def _parse(
    points: Any, classes: Any, sign: Any, names: Any, kinds: Any, slots: Any, said: Any,
    size: Any, moves: Any, grown: Any, start: Any, habits: Any,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """Parts of a text as (begin, end, label) columns, and the log of the probability of the whole."""
    tok = tokens.tokenise(points, classes)
    n = len(tok.code)
    hashes = features(tok.kind, tok.code, tok.exact, tok.value, sign, names, kinds)
    scores = np.zeros((n, len(start)), np.float32)
    width = hashes.shape[1]
    last = np.uint64(len(slots) - 1)
    met = np.empty(width, np.uint64)
    for t in range(n):
        # all the first looks before any is judged: memory answers them together
        for k in range(width):
            met[k] = slots[hashes[t, k] & last]
        for k in range(width):
            h, slot, at = hashes[t, k], met[k], hashes[t, k] & last
            if h == 0:
                continue
            while slot != 0 and slot >> np.uint64(32) != h:
                at = (at + np.uint64(1)) & last
                slot = slots[at]
            low = np.int64(slot & np.uint64(0xFFFFFFFF)) >> 6
            for m in range(low, low + np.int64(slot & np.uint64(63))):
                scores[t, said[m] >> 8] += np.float32(np.int8(said[m] & 255))
    scores *= size
    path, top = chain.best(scores, moves, start)
    whole = chain.total(scores, grown, start)
    if look_again(tok.kind, tok.code, tok.value, scores, moves, start, path, habits):
        path, top = chain.best(scores, moves, start)
    log = top - whole
    begin, end = np.empty(n, np.int32), np.empty(n, np.int32)
    label = np.empty(n, np.int32)
    count = 0
    for t in range(n):
        if path[t] % 2 == 0 or count == 0:
            begin[count], label[count] = tok.start[t], path[t] // 2
            count += 1
        end[count - 1] = tok.end[t]
    return begin[:count], end[:count], label[:count], log
