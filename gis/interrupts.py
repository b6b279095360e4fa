"""Ctrl-C where compiled code of others calls Python: it must not pass through that code.

Python raises ``KeyboardInterrupt`` before any line. Where a compiled library called that line, the exception would
have to cross the library, which drops it, fails in another way or crashes: numba, making Python objects of what a
long loop returned, ends the process by a segmentation fault.

Both change nothing in threads beside the main one (Python raises Ctrl-C only there), nor where it is ignored.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

#: Libraries whose compiled code calls Python, and cannot bear an exception there.
TENDER: Final = frozenset({"numba", "llvmlite", "highspy"})

#: Seconds until Ctrl-C is tried again where it came at a bad moment.
AGAIN: Final = 0.01


@contextmanager
def held() -> Iterator[Callable[[], bool]]:
    """Keep Ctrl-C until the end of the block, where it is raised; the callable says whether it was pressed."""
    before = signal.getsignal(signal.SIGINT)
    if not _in_main_thread() or not callable(before):
        yield lambda: False
        return
    presses: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: presses.append(number))
    try:
        yield lambda: bool(presses)
    finally:
        signal.signal(signal.SIGINT, before)
        if presses:
            before(presses[0], sys._getframe())


@contextmanager
def gentle() -> Iterator[None]:
    """Ctrl-C inside waits until none of the tender libraries is at work. What else answers it goes on doing so."""
    if not _in_main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _pressed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _pressed(_number: int, frame: FrameType | None) -> None:
    if not _at_work(frame):
        raise KeyboardInterrupt
    # not a Timer: the press may have come while ``threading`` held its own lock
    _thread.start_new_thread(_press_again, (_thread.get_ident(),))


def _at_work(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in TENDER:
            return True
        frame = frame.f_back
    return False


def _press_again(main: int) -> None:
    """A signal, not only a note to Python: it also ends a wait for the system."""
    time.sleep(AGAIN)
    signal.pthread_kill(main, signal.SIGINT)
