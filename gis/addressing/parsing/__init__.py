"""Free text of an address to labelled parts: characters, tokens, features, a linear chain, and how it is trained."""


def warm() -> None:
    """Compile every inner loop into numba's cache: a parser trained on two addresses reads a third."""
    from gis.addressing.parsing.warming import warm as now

    now()
