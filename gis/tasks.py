"""Many like tasks: a function over a list, answers as they come, so that any number of processes may do the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

#: Runs one function over tasks, here or elsewhere: (position of the task, its answer), in any order, each once.
#: Function, tasks and answers can be pickled; an answer depends on its task alone.
Runner = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[int, Any]]]


def one_by_one(function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """The runner of a single process: one task after another."""
    for i, task in enumerate(tasks):
        yield i, function(task)
