"""What changed in addresses, statement by statement: who keeps a copy of them reads only what is new in it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, text
from sqlalchemy.dialects.postgresql import ARRAY

from data.postgres.schema.addresses import address
from data.postgres.schema.base import identity, metadata

#: One row for each statement and territory, written by triggers (migration 0016): ``addresses`` whose rows, names or
#: other texts it changed, none where only other names or streets did; ``streets``: lines changed too. The oldest go
#: when there are more than a hundred thousand. ``transaction`` is the number of the writer's.
address_change = Table(
    "address_change",
    metadata,
    identity(),
    Column("territory_id", BigInteger, nullable=False),
    Column("transaction", BigInteger, nullable=False),
    Column("addresses", ARRAY(BigInteger), nullable=False),
    Column("streets", Boolean, nullable=False, server_default=text("false")),
    Index("ix_address_change_transaction", "transaction"),
)

#: Units and rooms by their building: what changes there changes them.
Index("ix_address_parent_id", address.c.parent_id)
