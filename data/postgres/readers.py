"""Readers that keep answers in memory: how they hear of a change before its writer goes on.

A reader listens and names the newest change it has heard of in its ``application_name``. Whoever committed a change
that is served waits until every reader has named it: from then on no reader answers with what was before. A reader
that does not hear for ``LEASE`` seconds must not answer from memory, and nobody waits for it longer.
"""

from __future__ import annotations

import time
from typing import Final

import psycopg
from sqlalchemy import Connection, text

from data.postgres.server.cluster import sqlalchemy_url

#: Triggers announce here that something served has changed (migration 0010).
CHANNEL: Final = "served"
#: Writers ask here whether readers have heard.
QUESTION: Final = "served_heard"
NAME: Final = "wangge reader"
#: Seconds for which a reader may trust that it has heard of everything.
LEASE: Final = 1.0
_PAUSE: Final = 0.001


class Listener:
    """One reader's own connection; for one thread."""

    def __init__(self, url: str) -> None:
        plain = sqlalchemy_url(url).replace("postgresql+psycopg://", "postgresql://")
        self._connection = psycopg.connect(plain, autocommit=True, application_name=f"{NAME} 0")
        try:
            for channel in (CHANNEL, QUESTION):
                self._connection.execute(f"LISTEN {channel}")
        except psycopg.Error:
            self._connection.close()
            raise

    def wait(self, seconds: float) -> tuple[bool, int]:
        """Whether something changed, and the newest question (0: none); returns at once when there is news."""
        changed, question = False, 0
        for notice in self._connection.notifies(timeout=seconds, stop_after=1):
            changed |= notice.channel == CHANNEL
            question = max(question, int(notice.payload or 0) if notice.channel == QUESTION else 0)
        return changed, question

    def answer(self, question: int) -> None:
        """Say that everything up to a question was heard."""
        self._connection.execute(f"SET application_name = '{NAME} {question:d}'")

    def check(self) -> None:
        """The server is there, and what it had to say has been said."""
        self._connection.execute("SELECT 1")

    def close(self) -> None:
        """Stop listening."""
        self._connection.close()


def changed(connection: Connection) -> bool:
    """Whether the open transaction changed something served; ask before its commit."""
    return bool(connection.execute(text("SELECT nullif(current_setting('wangge.served', true), '')")).scalar())


def wait_until_heard(connection: Connection, patience: float = 1.25 * LEASE) -> bool:
    """After the commit of a change: wait until every reader has heard of it; False for one that did not in time.

    Questions are numbered by transaction, so who answers a later one has heard of the earlier ones too.
    """
    if not _behind(connection, None):
        return True
    asked: int = connection.execute(
        text(f"SELECT pg_notify('{QUESTION}', pg_current_xact_id()::text), pg_current_xact_id()::text::bigint")
    ).one()[1]
    connection.commit()
    end = time.monotonic() + patience
    while _behind(connection, asked):
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True


def _behind(connection: Connection, question: int | None) -> int:
    """Readers that have not answered a question (None: all)."""
    try:
        found: int = connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name ~ :reader"
                " AND (CAST(:question AS bigint) IS NULL OR split_part(application_name, ' ', 3)::bigint < :question)"
            ),
            {"question": question, "reader": f"^{NAME} [0-9]+$"},
        ).scalar_one()
        return found
    finally:
        connection.rollback()  # the list of sessions is read once in a transaction
