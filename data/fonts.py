"""The font plates are printed with: Noto Sans SC from the wheel justmytype-intl-cjk (SIL Open Font License)."""

from __future__ import annotations

from importlib.resources import files

from gis.errors import SetupError


def plate_font() -> bytes:
    """The variable TrueType file, all weights, 17 MB."""
    try:
        font = files("justmytype_intl_cjk") / "fonts" / "ofl" / "notosanssc" / "NotoSansSC[wght].ttf"
        return font.read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise SetupError("plates.no_font", package="justmytype-intl-cjk") from error
