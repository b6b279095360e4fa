"""What every table shares: names of constraints, geometry columns, half-open validity."""

from __future__ import annotations

from typing import Any, Final

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

#: Constraint names are fixed by rule, so that migrations can name what they change.
NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMES)


def identity() -> Column[int]:
    """The ``id`` of a row: bigint, given by the database, never part of anything printed."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def refers(name: str, to: str, *, nullable: bool = False, **options: Any) -> Column[int]:
    """A bigint reference ``name`` to ``to`` (``table.column``), without deletion by cascade unless asked."""
    return Column(name, BigInteger, ForeignKey(to, **options), nullable=nullable)


def of_territory() -> Column[int]:
    """The territory a row belongs to."""
    return refers("territory_id", "territory.id")


def geometry(name: str = "geom", kind: str = "GEOMETRY", *, nullable: bool = False, srid: int = -1) -> Column[Any]:
    """A geometry column in the territory's own metre CRS (no fixed SRID: territories differ)."""
    return Column(name, Geometry(kind, srid=srid, spatial_index=False), nullable=nullable)


def served(kind: str = "GEOMETRY", *, nullable: bool = False) -> Column[Any]:
    """The same geometry in EPSG:3857, written beside ``geom`` so that tiles never transform."""
    return geometry("geom_3857", kind, nullable=nullable, srid=3857)


def near(table: str, column: str = "geom_3857") -> Index:
    """The GiST index of a geometry column."""
    return Index(f"ix_{table}_{column}", column, postgresql_using="gist")


def created(name: str = "created_at") -> Column[Any]:
    """The moment a row was written."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def validity() -> tuple[Column[Any], Column[Any], CheckConstraint]:
    """Half-open days ``[valid_from, valid_to)`` in the deployment's time zone; NULL ``valid_to``: still valid."""
    return (
        Column("valid_from", Date, nullable=False),
        Column("valid_to", Date),
        CheckConstraint("valid_to > valid_from", name="half_open"),
    )


def once_at_a_time(table: str, *columns: str, where: str | None = None, name: str = "overlap") -> ExcludeConstraint:
    """No two rows with equal ``columns`` may be valid on the same day."""
    days = (text("daterange(valid_from, valid_to, '[)')"), "&&")
    return ExcludeConstraint(
        *[(Column(c), "=") for c in columns], days, using="gist", where=where, name=f"ex_{table}_{name}"
    )
