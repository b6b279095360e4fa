"""A second look at chains of numbers (7-6-1046) as a whole: how such chains are labelled where the model learnt.

The chain of tags sees one dash at a time and may call two numbers of a chain buildings. Here every sequence of tags
met in training for a chain of that form is held against the best path: its score within the whole text plus a
share of the log of how usual it is, counted and smoothed from the form of the chain down to how its first two
numbers stand to each other (103-104 is a range, 103-4 none), the lengths of its numbers and the part before it.
Source of the smoothing: MacKay, Peto 1995 (hierarchical Dirichlet).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.addressing.parsing.features import compared
from gis.addressing.parsing.labels import TAGS
from gis.addressing.parsing.tokens import DASH, DIGITS, LETTERS
from gis.compiling import njit

#: Longest chain, in tokens, that is looked at again.
LONGEST: Final = 9
#: How much being usual counts beside the score, and how many cases the coarser count stands for. Chosen by folds
#: of the labelled training set, where 2-8 cases and shares of .3-.7 differ by two chains in 602.
_SHARE: Final = np.float64(0.5)
_COARSER: Final = 4.0
#: What the coarsest count gives a sequence that was never met, and all of them together.
_UNMET: Final = 0.5
_ANY: Final = 10.0
#: Two numbers of so many digits or more, the second higher by no more than this, are one part: rooms or doors in a
#: run (807-811). In the labelled training set 19 of 20 such chains are, and those of shorter numbers as often not.
_LONG: Final = 3
_RUN: Final = 12
#: Behind the end of a path.
_NOTHING: Final = 255
#: What may follow a chain and tells what its last number is.
_FOLLOWS: Final = np.array([ord(c) for c in "号室幢栋单弄楼"])


class Habits(NamedTuple):
    """Sequences of tags and how often each was met.

    ``paths`` (m, LONGEST) uint8 tags, 255 behind the end; ``forms`` (m) uint32 sorted: the form of chain each is for;
    ``keys`` (k) uint32 sorted hashes of a context, alone and with a sequence; ``counts`` (k) uint32.
    """

    paths: NDArray[np.uint8]
    forms: NDArray[np.uint32]
    keys: NDArray[np.uint32]
    counts: NDArray[np.uint32]


def count(sentences: Iterable[tuple[Any, Any]]) -> Habits:
    """Habits of labelled texts, given as (tokens, tag of each token); without texts nothing is looked at again."""
    met: Counter[int] = Counter()
    found: set[tuple[int, tuple[int, ...]]] = set()
    for tok, gold in sentences:
        at = 0
        while True:
            i, j = next_chain(tok.kind, at)
            if i < 0:
                break
            at = j
            path = tuple(int(t) for t in gold[i:j])
            whole = np.array([*path, *[_NOTHING] * (LONGEST - len(path))], np.uint8)
            contexts = _contexts(tok.kind, tok.code, tok.value, i, j, int(gold[i - 1]) // 2 if i else TAGS)
            found.add((int(contexts[0]), tuple(whole.tolist())))
            for context in contexts:
                met[int(context)] += 1
                met[int(_with(context, whole))] += 1
    rows = sorted(found)
    keys = sorted(met)
    return Habits(
        np.array([p for _, p in rows], np.uint8).reshape(len(rows), LONGEST),
        np.array([f for f, _ in rows], np.uint32),
        np.array(keys, np.uint32),
        np.array([met[k] for k in keys], np.uint32),
    )


@njit(cache=True)
def next_chain(kind: Any, at: Any) -> Any:  # pragma: no cover - compiled
    """First and behind-last token of the next chain with a dash in it, from ``at`` on; (-1, -1) for none."""
    n = len(kind)
    i = at
    while i < n:
        j, dashes = i, 0
        while j < n and (kind[j] > DIGITS or (j > i and kind[j] == DASH and j + 1 < n and kind[j + 1] > DIGITS)):
            dashes += kind[j] == DASH
            j += 1
        if dashes and j - i <= LONGEST:
            return i, j
        i = max(j, i + 1)
    return -1, -1


@njit("uint64(uint64, int64)", cache=True)
def _more(h: Any, value: Any) -> Any:  # pragma: no cover - compiled
    h = (h ^ (np.uint64(value) + np.uint64(0x632BE59BD9B4E019))) * np.uint64(0xFF51AFD7ED558CCD)
    return h ^ (h >> np.uint64(31))


@njit(cache=True)
def _contexts(kind: Any, code: Any, value: Any, i: Any, j: Any, before: Any) -> Any:  # pragma: no cover - compiled
    """The form of a chain, how its numbers stand, their lengths, the label before it: four hashes below 2**32."""
    follows = 0 if j == len(kind) else 1
    for k in range(len(_FOLLOWS)):
        if j < len(kind) and code[j] == _FOLLOWS[k]:
            follows = k + 2
    form, sized = np.uint64(1), np.uint64(2)
    for t in range(i, j):
        form = _more(form, 0 if kind[t] == DASH else (1 if kind[t] < LETTERS else 2))
        sized = _more(sized, kind[t])
    near = _near(kind, value, i, j)
    found = np.empty(4, np.uint64)
    found[0] = _more(form, follows)
    found[1] = _more(found[0], near)
    found[2] = _more(_more(sized, near), follows)
    found[3] = _more(found[2], before)
    return found >> np.uint64(32)


@njit(cache=True)
def _near(kind: Any, value: Any, i: Any, j: Any) -> Any:  # pragma: no cover - compiled
    """How the second number of a chain stands to the first; as one that is not higher where there is none."""
    first = -1
    for t in range(i, j):
        if DIGITS < kind[t] < LETTERS:
            if first >= 0:
                return compared(value[first], value[t])
            first = t
    return 1


@njit(cache=True)
def _is_run(kind: Any, value: Any, i: Any, j: Any) -> Any:  # pragma: no cover - compiled
    """Whether a chain is two long numbers that a run of rooms or doors begins and ends with."""
    a, b = j - 3, j - 1
    if a < i or (i < a and kind[i] < LETTERS) or not DIGITS + _LONG <= kind[a] == kind[b] < LETTERS:
        return False
    return 0 < value[b] - value[a] <= _RUN


@njit(cache=True)
def _with(context: Any, path: Any) -> Any:  # pragma: no cover - compiled
    h = _more(context, 1000)
    for tag in path:
        h = _more(h, tag)
    return h >> np.uint64(32)


@njit(cache=True)
def _met(habits: Any, key: Any) -> Any:  # pragma: no cover - compiled
    at = np.searchsorted(habits.keys, np.uint32(key))
    return np.float64(habits.counts[at]) if at < len(habits.keys) and habits.keys[at] == key else 0.0


@njit(cache=True)
def _usual(habits: Any, contexts: Any, path: Any) -> Any:  # pragma: no cover - compiled
    """Log of how usual a sequence is."""
    p = (_met(habits, _with(contexts[0], path)) + _UNMET) / (_met(habits, contexts[0]) + _ANY)
    for k in range(1, len(contexts)):
        hits, all_ = _met(habits, _with(contexts[k], path)), _met(habits, contexts[k])
        p = (hits + _COARSER * p) / (all_ + _COARSER)
    return np.log(p)


@njit(cache=True)
def look_again(
    kind: Any, code: Any, value: Any, scores: Any, moves: Any, start: Any, path: Any, habits: Any
) -> Any:  # pragma: no cover - compiled
    """Hold the chains of a text to their best sequences: ``scores`` of other tags sink. Says whether any changed."""
    changed = False
    i, j = next_chain(kind, 0)
    while i >= 0 and len(habits.forms):
        best = _best(kind, code, value, scores, moves, start, path, habits, i, j)
        for t in range(i, j):
            if best[t - i] != path[t]:
                changed = True
        for t in range(i, j):
            kept = scores[t, best[t - i]]
            scores[t] = np.float32(-1e5)
            scores[t, best[t - i]] = kept
        i, j = next_chain(kind, j)
    return changed


@njit(cache=True)
def _best(
    kind: Any, code: Any, value: Any, scores: Any, moves: Any, start: Any, path: Any, habits: Any, i: Any, j: Any
) -> Any:  # pragma: no cover - compiled
    """The best sequence of a chain among those met for its form and that of the best path."""
    tags = len(start)
    reach, onward = _reach(scores, moves, start, i), _onward(scores, moves, j)
    form = np.uint32(_contexts(kind, code, value, i, j, 0)[0])
    first = np.searchsorted(habits.forms, form)
    last = np.searchsorted(habits.forms, form, side="right")
    best = np.full(LONGEST, _NOTHING, np.uint8)
    best[: j - i] = path[i:j]
    asked = best.copy()
    top = -1e30
    run = _is_run(kind, value, i, j)
    for row in range(first - 1, last):
        if row >= first:
            asked = habits.paths[row]
        if run and asked[0] // 2 != asked[j - i - 1] // 2:
            continue
        inner = np.float64(scores[i, asked[0]] + onward[asked[j - i - 1]])
        for t in range(i + 1, j):
            inner += moves[asked[t - i - 1], asked[t - i]] + scores[t, asked[t - i]]
        if i == 0:
            v = inner + start[asked[0]] + _SHARE * _usual(habits, _contexts(kind, code, value, i, j, TAGS), asked)
            if v > top:
                top, best = v, asked.copy()
            continue
        for label in range(tags // 2):
            came = max(
                reach[2 * label] + moves[2 * label, asked[0]], reach[2 * label + 1] + moves[2 * label + 1, asked[0]]
            )
            # the log of how usual it is never adds
            if inner + came > top:
                v = inner + came + _SHARE * _usual(habits, _contexts(kind, code, value, i, j, label), asked)
                if v > top:
                    top, best = v, asked.copy()
    return best


@njit(cache=True)
def _reach(scores: Any, moves: Any, start: Any, i: Any) -> Any:  # pragma: no cover - compiled
    """Score of the best path to each tag of the token before ``i``."""
    tags = len(start)
    now, new = start + scores[0], np.empty(tags, np.float32)
    for t in range(1, i):
        new[:] = np.float32(-1e30)
        for a in range(tags):
            for b in range(tags):
                new[b] = max(new[b], now[a] + moves[a, b])
        for b in range(tags):
            now[b] = new[b] + scores[t, b]
    return now


@njit(cache=True)
def _onward(scores: Any, moves: Any, j: Any) -> Any:  # pragma: no cover - compiled
    """Score of the best path onward from each tag of the token ``j - 1``, that one's own left out."""
    n, tags = scores.shape
    now, new = np.zeros(tags, np.float32), np.empty(tags, np.float32)
    for t in range(n - 1, j - 1, -1):
        new[:] = np.float32(-1e30)
        for b in range(tags):
            for a in range(tags):
                new[a] = max(new[a], moves[a, b] + scores[t, b] + now[b])
        now[:] = new
    return now
