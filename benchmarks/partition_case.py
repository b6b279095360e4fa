"""What is known of one city of the partition benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Case:
    """One city: our figures, the peers', and what we reached after few iterations."""

    size: str
    seed: int
    file: Path
    ours: dict[str, Any] = field(default_factory=dict)
    peers: dict[str, dict[str, Any]] = field(default_factory=dict)
    curve: dict[int, dict[str, Any]] = field(default_factory=dict)
    part: Path | None = None
