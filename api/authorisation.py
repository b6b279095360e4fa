"""Who asks, and what they may: the one place where routes and the layer in front of Flask find out.

Until accounts come there are two callers: the public, which sees what is published, and the operator, who holds the
token. Accounts and roles will be further callers: the questions take the territory they are asked for, so that a
person of one town can be told from one of another, and ``scope`` keeps their cached answers apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Engine

from api.services.operating import operator
from gis.errors import UnauthorizedError

#: What a route asks of its caller: nothing, to see drafts, or to write.
Access = Literal["public", "drafts", "write"]


@dataclass(frozen=True)
class Caller:
    """Who asks. Equal callers see the same."""

    role: Literal["public", "operator"] = "public"

    def may_see_drafts(self, territory: int | None = None) -> bool:
        """Plans that are not published, those of a territory or (None) of any."""
        return self.role == "operator"

    def may_write(self, territory: int | None = None) -> bool:
        """Change what a territory (None: the deployment) holds."""
        return self.role == "operator"

    @property
    def scope(self) -> str:
        """Part of the key of every cached answer, and of every ETag, that depends on who asks."""
        return self.role


PUBLIC: Final = Caller()
OPERATOR: Final = Caller("operator")


def caller_of(engine: Engine, authorization: str | None) -> Caller:
    """The caller of a request by its ``Authorization`` header (WSGI: ``HTTP_AUTHORIZATION``).

    No database is asked where there is no bearer token. Other schemes are a proxy's own and mean the public here.
    Raises UnauthorizedError (401) for a token that is not, or no longer, good: its holder had better know.
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        return PUBLIC
    if not operator.is_good(engine, token.strip()):
        raise UnauthorizedError("http.token_wrong")
    return OPERATOR


def require_drafts(caller: Caller, territory: int | None = None) -> None:
    """Raise UnauthorizedError unless the caller may see drafts. Ask before looking whether the draft exists."""
    if not caller.may_see_drafts(territory):
        raise UnauthorizedError("http.token_missing")


def require_write(caller: Caller, territory: int | None = None) -> None:
    """Raise UnauthorizedError unless the caller may write."""
    if not caller.may_write(territory):
        raise UnauthorizedError("http.token_missing")


def require(caller: Caller, access: Access) -> None:
    """Raise UnauthorizedError unless the caller has an access."""
    if access == "drafts":
        require_drafts(caller)
    elif access == "write":
        require_write(caller)
