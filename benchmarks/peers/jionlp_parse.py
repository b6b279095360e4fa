"""JioNLP on texts: province to community of each, and texts a second. Run in an environment of its own.

Usage: jionlp_parse.py TEXTS.json -> prints {"version", "per_second", "found": [[province, city, county, ...]]}
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    """Parse every text of the file."""
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with contextlib.redirect_stdout(io.StringIO()):
        import jionlp

        jionlp.parse_location("湖南省长沙市岳麓区", town_village=True)
        found, began = [], time.process_time()
        for text in texts:
            try:
                got = jionlp.parse_location(text, town_village=True)
            except (KeyError, ValueError, TypeError, IndexError):
                got = {}
            found.append([got.get(k) or "" for k in ("province", "city", "county", "town", "village")])
        seconds = time.process_time() - began
    print(json.dumps({"version": version("jionlp"), "per_second": len(texts) / seconds, "found": found}))


if __name__ == "__main__":
    main()
