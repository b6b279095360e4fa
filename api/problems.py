"""Errors as ``application/problem+json`` (RFC 9457): one table from exception to status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec
import psycopg
from flask import Flask, Response, request
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from api import messages
from api.answers import Problem
from api.context import language, say
from gis.errors import (
    BusyError,
    ConflictError,
    InputError,
    NotFoundError,
    SetupError,
    ThrottledError,
    UnauthorizedError,
    WanggeError,
)

MIME: Final = "application/problem+json"

#: The first class that fits decides.
STATUS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (UnauthorizedError, 401),
    (ThrottledError, 429),
    (NotFoundError, 404),
    (ConflictError, 409),
    (InputError, 400),
    (SetupError, 503),
    (BusyError, 503),
    (WanggeError, 500),
    (OperationalError, 503),
    (psycopg.OperationalError, 503),
    (psycopg.InterfaceError, 503),
    (InterfaceError, 503),
)


def problem(status: int, code: str, detail: str) -> Response:
    """A problem document."""
    body = Problem(f"urn:wangge:problem:{code}", HTTPStatus(status).phrase, status, detail, code)
    return Response(msgspec.json.encode(body), status, mimetype=MIME)


def register(app: Flask) -> None:
    """Answer every fault by the table; anything unforeseen is logged and told as 500 without details."""

    def known(error: Exception) -> Response:
        status = next(s for kind, s in STATUS if isinstance(error, kind))
        if isinstance(error, WanggeError):
            answer = problem(status, error.code, messages.of_error(error, language()))
            if status == HTTPStatus.UNAUTHORIZED:
                answer.headers["WWW-Authenticate"] = 'Bearer realm="wangge"'
            if isinstance(error, BusyError):
                answer.headers["Retry-After"] = str(error.seconds)
            return answer
        # what the driver said; the statement and its values would fill the log while the database is away
        app.logger.warning("database: %s", getattr(error, "orig", None) or error)
        answer = problem(status, "http.database", say("http.database"))
        answer.headers["Retry-After"] = "1"
        return answer

    for kind, _ in STATUS:
        app.register_error_handler(kind, known)

    @app.errorhandler(msgspec.DecodeError)  # a body that is no JSON, or not of the shape
    def invalid(error: msgspec.DecodeError) -> Response:
        return problem(400, "http.invalid", say("http.invalid", reason=str(error)))

    @app.errorhandler(UnicodeDecodeError)
    def garbled(error: UnicodeDecodeError) -> Response:
        if not error.object or error.object not in request.get_data():
            return unforeseen(error)
        return problem(400, "http.invalid", say("http.invalid", reason="not UTF-8"))  # a text of the body

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        status = error.code or 500
        answer = problem(status, f"http.{status}", say("http.refused", status=status, reason=error.name))
        if error.response is not None:
            return answer
        for name, value in error.get_headers():
            if name.lower() not in ("content-type", "content-length"):
                answer.headers[name] = value
        return answer

    @app.errorhandler(RecursionError)
    def deep(error: RecursionError) -> Response:
        if "deserializing" not in str(error):
            return unforeseen(error)
        return problem(400, "http.invalid", say("http.invalid", reason="nested too deeply"))  # a body, then

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        app.logger.error("unforeseen fault", exc_info=error)
        return problem(500, "http.unforeseen", say("http.unforeseen"))
