"""What cutting a territory depends on besides its input."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameters:
    """Metres and counts. Equal parameters and sources give equal atoms, byte for byte.

    ``thin``: enclosures narrower than this that hold no building are absorbed; ``thin_pair``: the same for
    enclosures between carriageways of one main street or slip roads; ``thin_lane``: the same inside a block;
    ``round_about``: islands of roundabouts up to this many square metres are absorbed; ``inset`` and ``step``:
    how footprints are sampled; ``maximum``: a block with more households is divided by its lanes, walls and
    compounds; ``join``: loose ends of streets this near to each other are joined (seams of tiles);
    ``reach``: loose ends this near to the territory's edge are led on to it; ``lead``: inside a block that is
    divided, dead ends this near to another line or the block's edge are led on to it; ``water``: smallest water area
    in square metres whose edge is a border; ``minor``: largest footprint in square metres of a shed.
    """

    thin: float = 12.0
    thin_pair: float = 24.0
    thin_lane: float = 6.0
    round_about: float = 5000.0
    inset: float = 0.4
    step: float = 3.0
    maximum: int = 600
    join: float = 2.0
    reach: float = 15.0
    lead: float = 40.0
    water: float = 2000.0
    minor: float = 30.0


DEFAULT = Parameters()
