"""What comes in: the deployment, divisions, territories and the layers of their latest sources."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from data.postgres.schema.base import (
    created,
    geometry,
    identity,
    metadata,
    near,
    of_territory,
    once_at_a_time,
    refers,
    served,
    validity,
)

#: One row. ``host`` is what plate URLs name; ``settings`` holds what an administrator may set.
deployment = Table(
    "deployment",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("host", Text, nullable=False, server_default="localhost"),
    Column("time_zone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    CheckConstraint("id = 1", name="one_row"),
)

#: Administrative divisions 行政区划 with their official codes, as of a date.
division = Table(
    "division",
    metadata,
    identity(),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False),
    refers("parent_id", "division.id", nullable=True),
    Column("aliases", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    *validity(),
    CheckConstraint("level IN ('province','city','county','town','community','group')", name="level"),
    CheckConstraint("code ~ '^[0-9]{2,15}$'", name="code"),
    once_at_a_time("division", "code"),
)

#: A jurisdiction 辖区 is a set of divisions with dates, not a code prefix (a new area may span counties).
jurisdiction = Table(
    "jurisdiction",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
)

jurisdiction_division = Table(
    "jurisdiction_division",
    metadata,
    identity(),
    refers("jurisdiction_id", "jurisdiction.id"),
    refers("division_id", "division.id"),
    *validity(),
    once_at_a_time("jurisdiction_division", "jurisdiction_id", "division_id"),
)

#: One area that is planned and served. ``crs`` names its metre CRS; ``srid`` is its EPSG number, 0 where it has none.
territory = Table(
    "territory",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False, server_default=""),
    refers("jurisdiction_id", "jurisdiction.id", nullable=True),
    Column("crs", Text, nullable=False),
    Column("srid", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("attribution", Text, nullable=False, server_default=""),
    Column("time_zone", Text, nullable=False, server_default="Asia/Shanghai"),
    geometry(),
    served(),
    created(),
    Column("fictitious", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("name <> '' AND name !~ '[/[:cntrl:]]'", name="name"),
    CheckConstraint("srid >= 0 AND srid <> 3857 AND srid <> 4326", name="metre_crs"),
)

#: Every reading of sources into a territory, in order. ``source`` is what a person called it (file name or place).
import_run = Table(
    "import_run",
    metadata,
    identity(),
    of_territory(),
    Column("source", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("summary", JSONB, nullable=False, server_default=text("'{}'")),
    created(),
    Index("ix_import_run_territory_id", "territory_id"),
)

#: Communities 社区/村. ``made`` is true where the engine cut them because the sources had none.
community = Table(
    "community",
    metadata,
    identity(),
    of_territory(),
    Column("source_id", Text, nullable=False),
    Column("code", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    refers("division_id", "division.id", nullable=True),
    Column("made", Boolean, nullable=False, server_default=text("false")),
    Column("present", Boolean, nullable=False, server_default=text("true")),
    geometry(),
    served(),
    UniqueConstraint("territory_id", "source_id"),
    near("community"),
)

#: Compounds 小区: one branch of addresses hangs on them, so a row stays when the sources drop it (``present`` false).
compound = Table(
    "compound",
    metadata,
    identity(),
    of_territory(),
    Column("source_id", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("aliases", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("present", Boolean, nullable=False, server_default=text("true")),
    geometry(),
    served(),
    UniqueConstraint("territory_id", "source_id"),
    near("compound"),
)

#: Villager groups 村民小组, replaced at every import.
villager_group = Table(
    "villager_group",
    metadata,
    identity(),
    of_territory(),
    Column("source_id", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    geometry(),
    served(),
    UniqueConstraint("territory_id", "source_id"),
    near("villager_group"),
)

#: Street centrelines, replaced at every import. ``position`` keeps the order of the sources.
street = Table(
    "street",
    metadata,
    identity(),
    of_territory(),
    Column("position", Integer, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("highway", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("bridge", Boolean, nullable=False, server_default=text("false")),
    Column("tunnel", Boolean, nullable=False, server_default=text("false")),
    Column("oneway", Boolean, nullable=False, server_default=text("false")),
    Column("layer", SmallInteger, nullable=False, server_default=text("0")),
    Column("junction", Text, nullable=False, server_default=""),
    Column("service", Text, nullable=False, server_default=""),
    geometry(kind="LINESTRING"),
    served("LINESTRING"),
    UniqueConstraint("territory_id", "position"),
    Index("ix_street_territory_id_name", "territory_id", "name"),
    near("street"),
    near("street", "geom"),
)

#: Water, railways and walls, replaced at every import.
barrier = Table(
    "barrier",
    metadata,
    identity(),
    of_territory(),
    Column("position", Integer, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("tunnel", Boolean, nullable=False, server_default=text("false")),
    geometry(),
    served(),
    CheckConstraint("kind IN ('water','rail','wall')", name="kind"),
    UniqueConstraint("territory_id", "position"),
    near("barrier"),
)

#: Buildings. A row is permanent: addresses, plates and people hang on it; ``present`` is false when the latest
#: sources no longer hold it. ``households`` and ``counted`` are what plans use; ``table_*`` is what a table
#: (XLSX/CSV) said and wins over the sources; columns named as in the input hold what the sources gave.
building = Table(
    "building",
    metadata,
    identity(),
    of_territory(),
    Column("source_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("use", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("housenumber", Text, nullable=False, server_default=""),
    Column("street", Text, nullable=False, server_default=""),
    Column("given_households", Float),
    Column("occupied_households", Float),
    Column("dwellings", Float),
    Column("levels", Float),
    Column("height", Float),
    Column("units", Float),
    Column("floors", Float),
    Column("weights", JSONB, nullable=False, server_default=text("'{}'")),
    Column("table_households", Integer),
    Column("table_occupied", Integer),
    Column("households", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("work", Float, nullable=False),
    Column("households_source", Text, nullable=False),
    refers("community_id", "community.id", nullable=True),
    refers("compound_id", "compound.id", nullable=True),
    Column("present", Boolean, nullable=False, server_default=text("true")),
    geometry(),
    served(),
    CheckConstraint("households >= 0 AND counted >= 0", name="counts"),
    CheckConstraint("households_source IN ('given','dwellings','levels','height','area','none')", name="source"),
    UniqueConstraint("territory_id", "source_id"),
    Index("ix_building_community_id", "community_id"),
    Index("ix_building_compound_id", "compound_id"),
    near("building"),
    near("building", "geom"),
)

#: Features of the latest sources that were left out, each with its reason.
excluded = Table(
    "excluded",
    metadata,
    identity(),
    of_territory(),
    Column("layer", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("households", Integer, nullable=False, server_default=text("0")),
    Index("ix_excluded_territory_id", "territory_id"),
)

#: Counts up inside the transaction of every change to a served layer. Cache keys and ETags hold it; a change
#: is also announced by ``NOTIFY generation``. ``layer`` is a served layer's name.
generation = Table(
    "generation",
    metadata,
    Column("territory_id", BigInteger, ForeignKey("territory.id"), primary_key=True),
    Column("layer", Text, primary_key=True),
    Column("number", BigInteger, nullable=False, server_default=text("1")),
    created("changed_at"),
)

#: Versions of tiles: a random number for every tile that a change of a served row touched, given by triggers in the
#: transaction of the change (migration 0010). ``layer`` is the table of the rows (``grid`` for all that hangs on a
#: publication). Tiles deeper than zoom 16 have their ancestor's. ``publication`` 0/0/0 is the list of publications,
#: ``feature`` 0/0/0 what features show of the rows beside tiles (migration 0014).
tile_version = Table(
    "tile_version",
    metadata,
    Column("territory_id", BigInteger, ForeignKey("territory.id", ondelete="CASCADE"), primary_key=True),
    Column("layer", Text, primary_key=True),
    Column("z", SmallInteger, primary_key=True, autoincrement=False),
    Column("x", Integer, primary_key=True, autoincrement=False),
    Column("y", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
