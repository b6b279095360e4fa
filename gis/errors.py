"""Every error that a person may be shown.

The engine and the data layer raise these with a ``code`` and values; the words belong to the message
catalogues in ``api/messages`` (zh-CN first, en second), so that one fault reads the same everywhere.
"""

from __future__ import annotations


class WanggeError(Exception):
    """A fault that is told to a person in one line, with what to do.

    ``code`` names an entry of the message catalogues; ``values`` fill its placeholders.
    """

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(f"{code} {values}" if values else code)


class InputError(WanggeError, ValueError):
    """The whole input cannot be used: exit status 2, nothing written.

    Usual values: ``layer``, ``row`` (feature id or row number as the person sees it), ``file``.
    """


class SetupError(WanggeError, RuntimeError):
    """The machine lacks something; the message says in one line what to do instead."""


class NotFoundError(WanggeError, LookupError):
    """The thing asked for does not exist (404 over HTTP)."""


class ConflictError(WanggeError, RuntimeError):
    """The request contradicts what is stored (409 over HTTP)."""


class UnauthorizedError(WanggeError, PermissionError):
    """The caller may not see or do this without saying who they are (401 over HTTP)."""


class ThrottledError(WanggeError, RuntimeError):
    """The caller asked too often (429 over HTTP)."""


class BusyError(WanggeError, RuntimeError):
    """Something is being made that the answer needs: ask again after ``seconds`` (503 over HTTP)."""

    def __init__(self, code: str, seconds: int, **values: object) -> None:
        super().__init__(code, seconds=seconds, **values)
        self.seconds = seconds
