"""Print a package as `uv.lock` pins it, with its hashes, for pip: what installs uv before there is uv.

python3 pinned.py uv < uv.lock > requirements.txt
"""

from __future__ import annotations

import sys
import tomllib


def main(name: str) -> None:
    """Read a lock from standard input and print one requirement."""
    packages = tomllib.load(sys.stdin.buffer)["package"]
    (package,) = (one for one in packages if one["name"] == name)
    files = [*package["wheels"], *([package["sdist"]] if "sdist" in package else [])]
    hashes = " ".join(f"--hash={file['hash']}" for file in files)
    sys.stdout.write(f"{name}=={package['version']} {hashes}\n")


if __name__ == "__main__":
    main(sys.argv[1])
