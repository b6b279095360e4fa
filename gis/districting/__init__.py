"""Atoms to plan: rules, search, proofs, measures, codes."""


def warm() -> None:
    """Compile every inner loop into numba's cache."""
    from gis.districting.warming import warm as now

    now()
