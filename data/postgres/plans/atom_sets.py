"""Atom sets: written once, never changed, read back as the engine's arrays."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, insert, select, text

from data.postgres import schema
from data.postgres.bulk import copy_rows, geometry_columns
from data.postgres.imported.territories import Territory
from gis.blocks.model import AtomSet, Graph, Segments
from gis.errors import NotFoundError
from gis.territory.classes import BORDER_CLASSES
from gis.territory.model import Floats, Ints


@dataclass(frozen=True)
class Loads:
    """What atoms (or buildings) weigh: all households, those the rules count, weighted work."""

    households: Ints
    counted: Ints
    work: Floats


@dataclass(frozen=True)
class StoredAtoms:
    """An atom set of the database. ``buildings`` are row ids; ``atoms.building_atom`` is in their order.

    ``communities`` are the row ids that ``atoms.community`` counts, in order; empty where none were given.
    """

    id: int
    atoms: AtomSet
    loads: Loads
    buildings: Ints
    building_loads: Loads
    communities: Ints


def digest_of(source_digest: str, parameters: Mapping[str, Any], atoms: AtomSet, loads: Loads) -> str:
    """SHA-256 of what makes an atom set: sources, parameters, shapes and households."""
    said = hashlib.sha256()
    said.update(json.dumps([source_digest, parameters, atoms.crs], sort_keys=True).encode())
    for shape in shapely.to_wkb(atoms.geometry):
        said.update(shape)
    for array in (atoms.block, atoms.community, loads.households, loads.counted, loads.work):
        said.update(np.ascontiguousarray(array).tobytes())
    return said.hexdigest()


def save(
    connection: Connection,
    territory: Territory,
    stored: StoredAtoms,
    graph: Graph,
    *,
    source_digest: str,
    parameters: Mapping[str, Any],
) -> int:
    """Write an atom set (``stored.id`` is ignored) and return its id; an equal one is found, not written twice."""
    atoms, loads = stored.atoms, stored.loads
    digest = digest_of(source_digest, parameters, atoms, loads)
    table = schema.atom_set
    known: int | None = connection.execute(
        select(table.c.id).where(table.c.territory_id == territory.id, table.c.digest == digest)
    ).scalar_one_or_none()
    if known is not None:
        return known
    number: int = connection.execute(
        insert(table)
        .values(
            territory_id=territory.id,
            digest=digest,
            source_digest=source_digest,
            parameters=dict(parameters),
            crs=atoms.crs,
            atoms=len(atoms.geometry),
            segments=pack(atoms.segments, atoms.line_ids),
        )
        .returning(table.c.id)
    ).scalar_one()
    _save_rows(connection, territory, number, stored, graph)
    return number


def _save_rows(connection: Connection, territory: Territory, number: int, stored: StoredAtoms, graph: Graph) -> None:
    atoms, loads = stored.atoms, stored.loads
    n = len(atoms.geometry)
    community: list[int | None] = [None] * n
    if len(stored.communities):
        community = list(stored.communities[atoms.community].tolist())
    copy_rows(
        connection,
        schema.atom,
        {
            "atom_set_id": [number] * n,
            "position": np.arange(n),
            "block": atoms.block,
            "community_id": community,
            "households": loads.households,
            "counted": loads.counted,
            "work": loads.work,
            "outer_metres": atoms.outer,
            **geometry_columns(atoms.geometry, territory.crs, territory.srid),
        },
    )
    present = [np.flatnonzero(row > 0) for row in graph.metres]
    names = np.array(BORDER_CLASSES, dtype=object)
    copy_rows(
        connection,
        schema.edge,
        {
            "atom_set_id": [number] * len(graph.heads),
            "head": graph.heads,
            "tail": graph.tails,
            "kinds": [names[k].tolist() for k in present],
            "metres": [row[k].tolist() for row, k in zip(graph.metres, present, strict=True)],
        },
    )
    inside = atoms.building_atom >= 0
    copy_rows(
        connection,
        schema.atom_building,
        {
            "atom_set_id": [number] * int(inside.sum()),
            "building_id": stored.buildings[inside],
            "position": atoms.building_atom[inside],
            "households": stored.building_loads.households[inside],
            "counted": stored.building_loads.counted[inside],
        },
    )


def newest(connection: Connection, territory_id: int) -> int | None:
    """The newest atom set of a territory, None where it has none."""
    table = schema.atom_set
    number: int | None = connection.execute(
        select(table.c.id).where(table.c.territory_id == territory_id).order_by(table.c.id.desc()).limit(1)
    ).scalar_one_or_none()
    return number


def latest(connection: Connection, territory_id: int) -> int:
    """The newest atom set of a territory; raises NotFoundError ``store.no_atoms`` where there is none."""
    number = newest(connection, territory_id)
    if number is None:
        raise NotFoundError("store.no_atoms")
    return number


def parameters(connection: Connection, number: int) -> dict[str, Any]:
    """What an atom set was cut with."""
    table = schema.atom_set
    found: dict[str, Any] = connection.execute(select(table.c.parameters).where(table.c.id == number)).scalar_one()
    return found


def load(connection: Connection, number: int) -> StoredAtoms:
    """Read an atom set back, exactly as it was written."""
    table = schema.atom_set
    crs, packed = connection.execute(select(table.c.crs, table.c.segments).where(table.c.id == number)).one()
    segments, line_ids = unpack(packed)
    rows = connection.execute(
        text(
            "SELECT ST_AsBinary(geom), block, coalesce(community_id, -1), households, counted, work, outer_metres"
            " FROM atom WHERE atom_set_id = :id ORDER BY position"
        ),
        {"id": number},
    ).all()
    geometry, block, community, households, counted, work, outer = zip(*rows, strict=True)
    communities, position = np.unique(np.array(community, dtype=np.int64), return_inverse=True)
    buildings, in_atom, building_loads = _load_buildings(connection, number)
    atoms = AtomSet(
        crs=crs,
        geometry=np.asarray(shapely.from_wkb(np.array([bytes(g) for g in geometry], dtype=object))),
        block=np.array(block, dtype=np.int32),
        community=position.astype(np.int32),
        building_atom=in_atom,
        segments=segments,
        outer=np.array(outer),
        line_ids=line_ids,
    )
    loads = Loads(np.array(households, dtype=np.int64), np.array(counted, dtype=np.int64), np.array(work))
    given = communities if communities[0] >= 0 else communities[:0]
    return StoredAtoms(number, atoms, loads, buildings, building_loads, given)


def _load_buildings(connection: Connection, number: int) -> tuple[Ints, Any, Loads]:
    rows = connection.execute(
        text(
            "SELECT a.building_id, a.position, a.households, a.counted, b.work"
            " FROM atom_building a JOIN building b ON b.id = a.building_id"
            " WHERE a.atom_set_id = :id ORDER BY b.position, b.id"
        ),
        {"id": number},
    ).all()
    ids, position, households, counted, work = zip(*rows, strict=True) if rows else ((),) * 5
    loads = Loads(np.array(households, np.int64), np.array(counted, np.int64), np.array(work, np.float64))
    return np.array(ids, dtype=np.int64), np.array(position, dtype=np.int32), loads


def pack(segments: Segments, line_ids: Any) -> bytes:
    """Border segments and line ids as a compressed NumPy archive; the same bytes for the same arrays."""
    out = io.BytesIO()
    arrays: dict[str, Any] = {f.name: getattr(segments, f.name) for f in fields(Segments)}
    np.savez(out, line_ids=np.array(line_ids, dtype=np.str_), **arrays)
    return zlib.compress(out.getvalue(), level=1)


def unpack(packed: bytes) -> tuple[Segments, Any]:
    """Inverse of :func:`pack`."""
    with np.load(io.BytesIO(zlib.decompress(packed)), allow_pickle=False) as archive:
        arrays = {f.name: archive[f.name] for f in fields(Segments)}
        return Segments(**arrays), archive["line_ids"].astype(object)
