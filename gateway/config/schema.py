"""The JSON Schemas of both files, made from the models: `python -m gateway.config.schema FOLDER` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.config.models import GatewayFile, UpstreamFile

if TYPE_CHECKING:
    from pydantic import BaseModel

SCHEMAS: dict[str, type[BaseModel]] = {"gateway.schema.json": GatewayFile, "upstream.schema.json": UpstreamFile}
"""File name to model."""


def schema(name: str) -> str:
    """Return the text of a schema file."""
    content: dict[str, Any] = SCHEMAS[name].model_json_schema(by_alias=True)
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    for file_name in SCHEMAS:
        Path(sys.argv[1], file_name).write_text(schema(file_name), encoding="utf-8")
