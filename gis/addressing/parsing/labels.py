"""What a part of an address may be.

The parser's own labels are those of the field's labelled sets (21, as in NAACL 2019); people and programs read
the names in ``PART``, the words of ``gis.addressing.compose``.
"""

from __future__ import annotations

from typing import Final

#: Labels in a fixed order; a model file depends on it.
LABELS: Final = (
    "country", "prov", "city", "district", "devzone", "town", "community", "road", "roadno", "subroad", "subroadno",
    "poi", "subpoi", "houseno", "cellno", "floorno", "roomno", "assist", "person", "redundant", "otherinfo",
)  # fmt: skip
#: Position of each label.
NUMBER: Final = {name: k for k, name in enumerate(LABELS)}
#: Tags of the chain: ``2 * label`` begins a part, ``2 * label + 1`` goes on with it.
TAGS: Final = 2 * len(LABELS)

#: What a label is called outside: the levels of a standard address.
PART: Final = {
    "country": "country", "prov": "province", "city": "city", "district": "county", "devzone": "zone",
    "town": "town", "community": "community", "road": "road", "roadno": "number", "subroad": "sub_road",
    "subroadno": "sub_number", "poi": "compound", "subpoi": "section", "houseno": "building", "cellno": "unit",
    "floorno": "floor", "roomno": "room", "assist": "relation", "person": "recipient", "redundant": "redundant",
    "otherinfo": "other",
}  # fmt: skip
