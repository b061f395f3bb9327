"""Write Accord's version into its bill of materials: it is not in pyproject.toml, where the bill's tool looks for it.

python versioned.py < bill.json > sbom.cdx.json, by the Python that Accord is installed for.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version


def main() -> None:
    """Read a bill from standard input, and write it."""
    bill = json.load(sys.stdin)
    made = bill["metadata"]["component"]
    made["version"] = version(made["name"])
    json.dump(bill, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
