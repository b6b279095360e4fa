"""The database as SQLAlchemy tables: ``schema.building``, ``schema.grid_version``, ...

- Primary keys are bigint identities; what people and other systems see are texts and UUIDs.
- ``geom`` is in the territory's metre CRS (``territory.crs``); served layers carry ``geom_3857`` with a GiST index.
- Days are half-open ``[valid_from, valid_to)``; NULL ``valid_to`` means "still".
- The version in force on a day is the one ``publication`` row of the territory whose days hold it;
  ``grid_version`` and ``building_grid`` hang on it by ``publication_id``.
"""

from data.postgres.schema.addresses import (
    address,
    address_alias,
    entrance,
    foreign_code,
    plate,
    plate_batch,
    plate_key,
    thoroughfare,
)
from data.postgres.schema.base import metadata
from data.postgres.schema.boards import board_print
from data.postgres.schema.changes import address_change
from data.postgres.schema.ledger import grid_code, site, street_responsibility
from data.postgres.schema.operators import operator_token
from data.postgres.schema.people import assignment, event, person, post, report
from data.postgres.schema.places import (
    barrier,
    building,
    community,
    compound,
    deployment,
    division,
    excluded,
    generation,
    import_run,
    jurisdiction,
    jurisdiction_division,
    street,
    territory,
    tile_version,
    villager_group,
)
from data.postgres.schema.plans import (
    atom,
    atom_building,
    atom_set,
    building_grid,
    edge,
    grid,
    grid_version,
    micro_grid,
    plan,
    plan_version,
    publication,
    slice_,
    split,
    version_grid,
)
from data.postgres.schema.plates import (
    address_succession,
    list_key,
    plate_check,
    throttle_count,
    throttle_salt,
)

__all__ = [
    "address",
    "address_alias",
    "address_change",
    "address_succession",
    "assignment",
    "atom",
    "atom_building",
    "atom_set",
    "barrier",
    "board_print",
    "building",
    "building_grid",
    "community",
    "compound",
    "deployment",
    "division",
    "edge",
    "entrance",
    "event",
    "excluded",
    "foreign_code",
    "generation",
    "grid",
    "grid_code",
    "grid_version",
    "import_run",
    "jurisdiction",
    "jurisdiction_division",
    "list_key",
    "metadata",
    "micro_grid",
    "operator_token",
    "person",
    "plan",
    "plan_version",
    "plate",
    "plate_batch",
    "plate_check",
    "plate_key",
    "post",
    "publication",
    "report",
    "site",
    "slice_",
    "split",
    "street",
    "street_responsibility",
    "territory",
    "thoroughfare",
    "throttle_count",
    "throttle_salt",
    "tile_version",
    "version_grid",
    "villager_group",
]
