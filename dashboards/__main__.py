"""`python -m dashboards FOLDER`: write all dashboards, the same bytes each time."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import errors, limits, overview, runtime, upstream

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard

MODULES = (overview, upstream, errors, limits, runtime)


def texts() -> dict[str, str]:
    """Return the content of each file by its name."""
    return {f"{module.__name__.rpartition('.')[2]}.json": _text(module.dashboard()) for module in MODULES}


def _text(dashboard: Dashboard) -> str:
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in texts().items():
        (Path(sys.argv[1]) / name).write_text(text)
