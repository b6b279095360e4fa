"""What is given out as features: each collection's rows, columns and geometry, said once for the service and exports.

Every query of a collection is about one *scope*: a territory with the publication in force and the days asked about.
Expressions here are constants; whatever a caller says reaches the database as a bound value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "integer", "number", "boolean", "date"]


@dataclass(frozen=True)
class Field:
    """A column: its name, kind, and the expression that gives it. ``plain``: the stored column, for comparing."""

    name: str
    kind: Kind
    sql: str
    plain: str = ""

    @property
    def compared(self) -> str:
        """What a filter compares."""
        return self.plain or self.sql


@dataclass(frozen=True)
class Collection:
    """A kind of feature. ``key`` orders the rows of a scope and is unique there; ``id`` is unique everywhere.

    ``core`` is the table and its alias, ``joins`` what its columns come from besides, one row at most for each row of
    it; ``where`` says which rows, of ``core`` alone where the collection has an owner.
    ``geom`` is in the territory's metre CRS, ``mercator`` in EPSG:3857. ``key_kind`` and ``id_kind`` are types of
    the database. ``owner`` finds the territory of an id; without one the collection has a single scope for all of
    its rows. ``layers`` are those of ``tile_version`` that change with anything the features show.
    """

    name: str
    core: str
    joins: str
    where: str
    key: str
    key_kind: str
    id: str
    id_kind: str
    fields: tuple[Field, ...]
    geom: str
    mercator: str
    shape: str
    owner: str = ""
    dated: bool = True
    layers: tuple[str, ...] = ()

    @property
    def alias(self) -> str:
        """Short name of the table."""
        return self.core.rpartition(" ")[2]

    def field(self, name: str) -> Field | None:
        """The column of a name."""
        return next((f for f in self.fields if f.name == name), None)


_PUBLICATION: Final = "JOIN publication p ON p.id = %(publication)s"
#: Layers of every collection: which publication is in force, and what features show beside tiles (migration 0014).
_ALWAYS: Final = ("publication", "feature", "grid")
_TERRITORY: Final = Field("territory", "text", "t.name")

GRIDS: Final = Collection(
    "grids",
    core="grid_version g",
    joins=f"""{_PUBLICATION} JOIN territory t ON t.id = p.territory_id
LEFT JOIN community c ON c.id = g.community_id""",
    where="g.publication_id = %(publication)s",
    key="g.grid_id",
    key_kind="uuid",
    id="g.grid_id",
    id_kind="uuid",
    fields=(
        Field("grid_id", "text", "g.grid_id::text"),
        Field("code", "text", "g.code"),
        Field("name", "text", "g.name"),
        Field("kind", "text", "g.kind"),
        Field("community", "text", "coalesce(nullif(c.name, ''), g.community)"),
        Field("community_code", "text", "coalesce(c.code, '')"),
        Field("households", "integer", "g.households"),
        Field("counted", "integer", "g.counted"),
        Field("buildings", "integer", "g.buildings"),
        Field("on_street_share", "number", "g.on_street_share"),
        Field("compactness", "number", "g.compactness"),
        Field("note", "text", "g.note"),
        _TERRITORY,
        Field("valid_from", "date", "p.valid_from"),
        Field("valid_to", "date", "p.valid_to"),
    ),
    geom="g.geom",
    mercator="g.geom_3857",
    owner="SELECT territory_id FROM grid WHERE grid_id = CAST(%(feature)s AS uuid)",
    shape="MultiPolygon",
    layers=_ALWAYS,
)

COMMUNITIES: Final = Collection(
    "communities",
    core="community c",
    joins="""JOIN territory t ON t.id = c.territory_id LEFT JOIN (
  SELECT community_id, count(*)::int AS grids, sum(households)::int AS households, sum(buildings)::int AS buildings
  FROM grid_version WHERE publication_id = %(publication)s GROUP BY community_id) n ON n.community_id = c.id""",
    where="c.territory_id = %(territory)s AND c.present",
    key="c.id",
    key_kind="bigint",
    id="c.id",
    id_kind="bigint",
    fields=(
        Field("code", "text", "c.code"),
        Field("name", "text", "c.name"),
        Field("grids", "integer", "coalesce(n.grids, 0)"),
        Field("households", "integer", "coalesce(n.households, 0)"),
        Field("buildings", "integer", "coalesce(n.buildings, 0)"),
        _TERRITORY,
    ),
    geom="c.geom",
    mercator="c.geom_3857",
    owner="SELECT territory_id FROM community WHERE id = CAST(%(feature)s AS bigint)",
    shape="MultiPolygon",
    dated=False,
    layers=_ALWAYS,
)

BUILDINGS: Final = Collection(
    "buildings",
    core="building b",
    joins="""JOIN territory t ON t.id = b.territory_id
LEFT JOIN building_grid bg ON bg.publication_id = %(publication)s AND bg.building_id = b.id
LEFT JOIN grid_version g ON g.publication_id = %(publication)s AND g.grid_id = bg.grid_id
LEFT JOIN community c ON c.id = b.community_id""",
    where="b.territory_id = %(territory)s AND b.present",
    key="b.id",
    key_kind="bigint",
    id="b.id",
    id_kind="bigint",
    fields=(
        Field("source_id", "text", "b.source_id"),
        Field("name", "text", "b.name"),
        Field("use", "text", "b.use"),
        Field("street", "text", "b.street"),
        Field("housenumber", "text", "b.housenumber"),
        Field("levels", "number", "b.levels"),
        Field("height", "number", "b.height"),
        Field("households", "integer", "b.households"),
        Field("households_source", "text", "b.households_source"),
        Field("grid_id", "text", "bg.grid_id::text"),
        Field("grid", "text", "g.code"),
        Field("community", "text", "c.name"),
        _TERRITORY,
    ),
    geom="b.geom",
    mercator="b.geom_3857",
    owner="SELECT territory_id FROM building WHERE id = CAST(%(feature)s AS bigint)",
    shape="MultiPolygon",
    dated=False,
    layers=(*_ALWAYS, "building"),
)

ADDRESSES: Final = Collection(
    "addresses",
    core="address a",
    joins="""JOIN territory t ON t.id = a.territory_id
LEFT JOIN thoroughfare s ON s.id = a.thoroughfare_id LEFT JOIN compound m ON m.id = a.compound_id
LEFT JOIN community c ON c.id = a.community_id
LEFT JOIN building_grid bg ON bg.publication_id = %(publication)s AND bg.building_id = a.building_id
LEFT JOIN grid_version g ON g.publication_id = %(publication)s AND g.grid_id = bg.grid_id""",
    # what ended since is shown for the days it was in force; what was revoked without an end never is
    where="""a.territory_id = %(territory)s AND a.valid_from <= %(until)s
AND (a.valid_to > %(since)s OR a.valid_to IS NULL AND a.status = 'issued')""",
    key="a.id",
    key_kind="bigint",
    id="a.code",
    id_kind="text",
    fields=(
        Field("code", "text", "a.code"),
        Field("text", "text", "a.text"),
        Field("level", "text", "a.level"),
        Field("street", "text", "s.name"),
        Field("number", "text", "a.number_text"),
        Field("compound", "text", "m.name"),
        Field("building_no", "text", "a.building_no"),
        Field("unit", "text", "a.unit"),
        Field("floor", "text", "a.floor"),
        Field("room", "text", "a.room"),
        Field("origin", "text", "a.origin"),
        Field("grid_id", "text", "bg.grid_id::text"),
        Field("grid", "text", "g.code"),
        Field("community", "text", "c.name"),
        _TERRITORY,
        Field("valid_from", "date", "a.valid_from"),
        Field("valid_to", "date", "a.valid_to"),
    ),
    geom="a.geom",
    mercator="a.geom_3857",
    owner="SELECT territory_id FROM address WHERE code = %(feature)s",
    shape="Point",
    layers=(*_ALWAYS, "building", "address"),
)

PLANS: Final = Collection(
    "plans",
    core="plan_version v",
    joins="""JOIN plan n ON n.id = v.plan_id JOIN territory t ON t.id = n.territory_id
CROSS JOIN LATERAL (SELECT coalesce(CAST(%(since)s AS date), (now() AT TIME ZONE t.time_zone)::date) AS since,
  coalesce(CAST(%(until)s AS date), (now() AT TIME ZONE t.time_zone)::date) AS until) d
LEFT JOIN LATERAL (SELECT * FROM publication o WHERE o.plan_version_id = v.id AND o.valid_from <= d.until
  AND (o.valid_to IS NULL OR o.valid_to > d.since) ORDER BY o.valid_from DESC LIMIT 1) p ON true""",
    where="(p.id IS NOT NULL OR (%(drafts)s AND v.status = 'draft'))",
    key="v.id",
    key_kind="bigint",
    id="v.id",
    id_kind="bigint",
    fields=(
        Field("plan", "text", "n.name"),
        Field("number", "integer", "v.number"),
        Field("status", "text", "v.status"),
        Field("ruleset", "text", "v.ruleset"),
        Field("grids", "integer", "(v.report ->> 'grids')::float8::int"),
        Field("households", "integer", "(v.report ->> 'households')::float8::int"),
        Field("in_range_share", "number", "(v.report ->> 'in_range_share')::float8"),
        Field("on_street_share", "number", "(v.report ->> 'on_street_share')::float8"),
        Field("compactness_mean", "number", "(v.report ->> 'compactness_mean')::float8"),
        Field("certificate", "text", "v.certificate ->> 'status'"),
        _TERRITORY,
        Field("valid_from", "date", "p.valid_from"),
        Field("valid_to", "date", "p.valid_to"),
    ),
    geom="t.geom",
    mercator="t.geom_3857",
    shape="MultiPolygon",
)

COLLECTIONS: Final[Mapping[str, Collection]] = {c.name: c for c in (GRIDS, COMMUNITIES, BUILDINGS, ADDRESSES, PLANS)}
