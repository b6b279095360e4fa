"""Where a checkout keeps its local state, and whether that place can be written."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

#: Top of the checkout, or of site-packages when wangge is installed as a wheel.
ROOT = Path(__file__).resolve().parents[2]


def is_checkout() -> bool:
    """Whether this is a working tree (launcher and sources side by side), not an installed wheel."""
    return (ROOT / "setup.cfg").is_file() and (ROOT / "requirements").is_dir()


def home() -> Path:
    """Local state: ``WANGGE_HOME``, else ``.wangge`` in the checkout, else the user's data folder."""
    given = os.environ.get("WANGGE_HOME")
    if given:
        return Path(given).expanduser().resolve()
    if is_checkout():
        return ROOT / ".wangge"
    import platformdirs

    return platformdirs.user_data_path("wangge")


def home_key() -> str:
    """Twelve hex digits that tell one checkout's state from another's outside the checkout."""
    return hashlib.sha256(os.fsencode(home())).hexdigest()[:12]


def is_root() -> bool:
    """Whether this process runs as root."""
    return os.geteuid() == 0


def state() -> Path:
    """A folder this user can write: the home, or the user's state folder when the checkout is read-only."""
    place = home()
    if writable(place):
        return place
    import platformdirs

    return platformdirs.user_state_path("wangge") / home_key()


def writable(place: Path) -> bool:
    """Whether this user can write a folder, or make it where it is not there yet."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return os.access(place, os.W_OK | os.X_OK)
