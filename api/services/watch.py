"""Whether what a worker keeps in memory is still true: it hears of every change before the writer goes on.

Without a running watch (tests, commands) nothing is ever taken as fresh, and the database is asked every time.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

import psycopg

from data.postgres import readers

#: Days begin at full quarters of an hour of UTC, in every time zone: what is in force may change then.
_QUARTER: Final = 900.0
_HEARTBEAT: Final = readers.LEASE / 4
_log = logging.getLogger(__name__)


class Watch:
    """``epoch`` is another number after every change of what is served; see ``fresh``."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.epoch = 0
        self.until = 0.0  # time.monotonic() up to which nothing can have changed unheard
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def fresh(self, epoch: int) -> bool:
        """What was asked of the database after ``epoch`` was read here is still true."""
        return epoch == self.epoch and time.monotonic() < self.until

    def start(self) -> None:
        """Listen from now on."""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; the database is asked every time again."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                listener = readers.Listener(self._url)
                try:
                    self._listen(listener)
                finally:
                    self.until = 0.0
                    self.epoch += 1
                    listener.close()
            except psycopg.Error as error:
                _log.warning("not listening to the database: %s", error)
                self._stop.wait(readers.LEASE / 2)

    def _listen(self, listener: readers.Listener) -> None:
        self.epoch += 1
        boundary = 0.0
        while not self._stop.is_set():
            asked = time.monotonic()
            listener.check()
            now = time.time()
            if now >= boundary:
                self.epoch += 1
                boundary = now - now % _QUARTER + _QUARTER
            self.until = min(asked + readers.LEASE, asked + boundary - now)
            while time.monotonic() < asked + _HEARTBEAT:
                changed, question = listener.wait(_HEARTBEAT)
                if changed:
                    self.epoch += 1
                if question:
                    listener.answer(question)
                if self._stop.is_set():
                    return
