"""Atom sets, plans as vectors over them, and the grids published from plans."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
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

KINDS = "kind IN ('residential','dedicated','rural')"

#: An immutable exact coverage of a territory (see ``gis.blocks.model.AtomSet``). ``digest`` is the SHA-256 over
#: sources, households and parameters: the same input gives the same atom set. ``segments`` is a compressed NumPy
#: archive of its border segments and line ids. A trigger refuses UPDATE of the set, its atoms and its edges.
atom_set = Table(
    "atom_set",
    metadata,
    identity(),
    of_territory(),
    Column("digest", Text, nullable=False),
    Column("source_digest", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("crs", Text, nullable=False),
    Column("atoms", Integer, nullable=False),
    Column("segments", LargeBinary, nullable=False),
    created(),
    CheckConstraint("atoms > 0", name="atoms"),
    UniqueConstraint("territory_id", "digest"),
)

#: ``position`` is the atom's place in every plan's vector. ``block`` numbers first-level blocks; ``outer_metres``
#: is the border shared with the outside of the territory.
atom = Table(
    "atom",
    metadata,
    Column("atom_set_id", BigInteger, ForeignKey("atom_set.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("block", Integer, nullable=False),
    refers("community_id", "community.id", nullable=True),
    Column("households", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("work", Float, nullable=False),
    Column("outer_metres", Float, nullable=False),
    geometry(kind="POLYGON"),
    served("POLYGON"),
    CheckConstraint("position >= 0 AND households >= 0 AND counted >= 0", name="counts"),
    near("atom"),
)

#: Rook contiguity with the metres shared by border class (``kinds[i]`` names the class of ``metres[i]``).
edge = Table(
    "edge",
    metadata,
    Column("atom_set_id", BigInteger, primary_key=True),
    Column("head", Integer, primary_key=True, autoincrement=False),
    Column("tail", Integer, primary_key=True, autoincrement=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("metres", ARRAY(Float), nullable=False),
    ForeignKeyConstraint(
        ["atom_set_id", "head"], ["atom.atom_set_id", "atom.position"], name="fk_edge_head", ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["atom_set_id", "tail"], ["atom.atom_set_id", "atom.position"], name="fk_edge_tail", ondelete="CASCADE"
    ),
    CheckConstraint("head < tail", name="once"),
    CheckConstraint("cardinality(kinds) = cardinality(metres)", name="pairs"),
)

#: Which atom each building of the atom set lies in, with its households when the set was made.
atom_building = Table(
    "atom_building",
    metadata,
    Column("atom_set_id", BigInteger, primary_key=True),
    Column("building_id", BigInteger, ForeignKey("building.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("households", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    ForeignKeyConstraint(
        ["atom_set_id", "position"],
        ["atom.atom_set_id", "atom.position"],
        name="fk_atom_building_atom",
        ondelete="CASCADE",
    ),
    Index("ix_atom_building_building_id", "building_id"),
)

plan = Table(
    "plan",
    metadata,
    identity(),
    of_territory(),
    Column("name", Text, nullable=False),
    created(),
    Column("created_by", Text, nullable=False, server_default=""),
    UniqueConstraint("territory_id", "name"),
)

#: A plan is one vector: ``grid_of_atom[i]`` (0-based; SQL subscripts count from 1) is the grid number of atom i,
#: a ``version_grid.number``. Published versions never change. ``report`` is the JSON report of the contract.
plan_version = Table(
    "plan_version",
    metadata,
    identity(),
    refers("plan_id", "plan.id"),
    Column("number", Integer, nullable=False),
    refers("atom_set_id", "atom_set.id"),
    refers("parent_id", "plan_version.id", nullable=True),
    Column("status", Text, nullable=False, server_default="draft"),
    Column("ruleset", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("iterations", BigInteger),
    Column("grid_of_atom", ARRAY(Integer), nullable=False),
    Column("report", JSONB, nullable=False),
    Column("certificate", JSONB, nullable=False),
    created(),
    Column("created_by", Text, nullable=False, server_default=""),
    CheckConstraint("status IN ('draft','published','withdrawn')", name="status"),
    CheckConstraint("cardinality(grid_of_atom) > 0 AND array_position(grid_of_atom, NULL) IS NULL", name="vector"),
    UniqueConstraint("plan_id", "number"),
)

#: The ordered cuts of atoms that a plan version names. Households follow their buildings.
split = Table(
    "split",
    metadata,
    Column("plan_version_id", BigInteger, ForeignKey("plan_version.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    geometry(kind="LINESTRING"),
    CheckConstraint("number >= 0 AND position >= 0", name="positions"),
)

#: A permanent grid. Code, name and shape are kept by version; people, addresses and reports refer to ``grid_id``.
grid = Table(
    "grid",
    metadata,
    Column("grid_id", Uuid, primary_key=True),
    of_territory(),
    created(),
    Index("ix_grid_territory_id", "territory_id"),
)

#: The grids of a plan version, draft or published. ``grid_id`` is NULL until the grid is published or carried over.
version_grid = Table(
    "version_grid",
    metadata,
    Column("plan_version_id", BigInteger, ForeignKey("plan_version.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("grid_id", Uuid, ForeignKey("grid.grid_id")),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    refers("community_id", "community.id", nullable=True),
    Column("community", Text, nullable=False, server_default=""),
    Column("community_code", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("code_form", Text, nullable=False, server_default=""),  # the code with its running number left open
    Column("name_form", Text, nullable=False, server_default=""),
    CheckConstraint(KINDS, name="kind"),
    CheckConstraint("number >= 0", name="number"),
    UniqueConstraint("plan_version_id", "code"),
    UniqueConstraint("plan_version_id", "grid_id"),
)

#: When a plan version is in force: half-open days; one at a time in a territory (so the active version on a day is
#: a query, and one published for a future day becomes active by itself). Cache keys and index names hold ``id``.
publication = Table(
    "publication",
    metadata,
    identity(),
    of_territory(),
    refers("plan_version_id", "plan_version.id"),
    *validity(),
    created("published_at"),
    Column("published_by", Text, nullable=False, server_default=""),
    once_at_a_time("publication", "territory_id"),
    Index("ix_publication_territory_id_valid_from", "territory_id", "valid_from"),
)

#: Published grids: the shape, code and name of a permanent grid in one publication. It is valid exactly as long as
#: its publication: join ``publication`` for dates. ``geom`` is the coverage union of the grid's atoms.
grid_version = Table(
    "grid_version",
    metadata,
    identity(),
    Column("publication_id", BigInteger, ForeignKey("publication.id", ondelete="CASCADE"), nullable=False),
    Column("grid_id", Uuid, ForeignKey("grid.grid_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    refers("community_id", "community.id", nullable=True),
    Column("community", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("households", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("work", Float, nullable=False),
    Column("buildings", Integer, nullable=False),
    Column("on_street_share", Float),
    Column("compactness", Float, nullable=False),
    # the four bounds 四至: side -> [[kind, name], ...] as of gis.districting.sides
    Column("bounds", JSONB, nullable=False, server_default=text("'{}'")),
    # 0-5, not the neighbours' and kept from one publication to the next; NULL: published before there were any
    Column("tone", SmallInteger),
    geometry(),
    served(),
    geometry("label_3857", "POINT", srid=3857),
    CheckConstraint(KINDS, name="kind"),
    UniqueConstraint("publication_id", "grid_id"),
    UniqueConstraint("publication_id", "code"),
    UniqueConstraint("publication_id", "number"),
    Index("ix_grid_version_grid_id", "grid_id"),
    near("grid_version"),
    near("grid_version", "geom"),
)

#: The exact answer of a plate: the grid of every building in every publication. One row a building and publication,
#: and publications do not overlap: a building has exactly one grid on a day.
building_grid = Table(
    "building_grid",
    metadata,
    Column("publication_id", BigInteger, primary_key=True),
    Column("building_id", BigInteger, ForeignKey("building.id"), primary_key=True),
    Column("grid_id", Uuid, nullable=False),
    ForeignKeyConstraint(
        ["publication_id", "grid_id"],
        ["grid_version.publication_id", "grid_version.grid_id"],
        name="fk_building_grid_grid_version",
        ondelete="CASCADE",
    ),
    Index("ix_building_grid_building_id", "building_id"),
    Index("ix_building_grid_publication_id_grid_id", "publication_id", "grid_id"),
)

#: Second level: micro-grids 微网格 inside one grid, made of slices. Like ``grid_version`` they are valid as long as
#: their publication; their polygons are for showing. ``steward_id`` is the steward's place, empty until someone fills
#: it; it goes on to the micro-grid of the next publication that holds most of the same households. ``note`` is a
#: reason code.
micro_grid = Table(
    "micro_grid",
    metadata,
    identity(),
    refers("publication_id", "publication.id", ondelete="CASCADE"),
    Column("grid_id", Uuid, ForeignKey("grid.grid_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("households", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("buildings", Integer, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    refers("steward_id", "person.id", nullable=True),
    geometry(),
    served(),
    UniqueConstraint("publication_id", "code"),
    UniqueConstraint("publication_id", "number"),
    Index("ix_micro_grid_grid_id", "grid_id"),
    near("micro_grid"),
)

#: A slice: consecutive floors behind one entrance (单元, counted from 1) of a building, all in one micro-grid.
slice_ = Table(
    "slice",
    metadata,
    identity(),
    refers("building_id", "building.id"),
    Column("entrance", Text),
    Column("floor_from", SmallInteger),
    Column("floor_to", SmallInteger),
    Column("households", Integer, nullable=False, server_default=text("0")),
    Column("counted", Integer, nullable=False, server_default=text("0")),
    refers("micro_grid_id", "micro_grid.id", ondelete="CASCADE"),
    CheckConstraint("(floor_from IS NULL) = (floor_to IS NULL) AND floor_from <= floor_to", name="floors"),
    Index("ix_slice_building_id", "building_id"),
    Index("ix_slice_micro_grid_id", "micro_grid_id"),
)
