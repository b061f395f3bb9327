"""The JSON Schemas of both files, made from the models: `python -m gateway.config.schema FOLDER` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from gateway.config.models import GatewayFile, UpstreamFile

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

SCHEMAS: dict[str, type[BaseModel]] = {"gateway.schema.json": GatewayFile, "upstream.schema.json": UpstreamFile}
"""File name to model."""


class _FileSchema(GenerateJsonSchema):
    """Shows defaults as they are written in a file; keys have no titles of their own, for those would repeat them."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave titles to the types that have one."""
        del schema
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of one mapping."""
        found = super().model_schema(schema)
        for name, field in schema["cls"].model_fields.items():
            described = found["properties"][field.alias or name]
            if "default" in described:
                described["default"] = _as_written(field)
        return found

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Return the schema of a mapping of names to values; both keep the titles of their types."""
        found = super().dict_schema(schema)
        parts = {"propertyNames": schema["keys_schema"], "additionalProperties": schema["values_schema"]}
        for keyword, part in parts.items():
            title = self.generate_inner(part).get("title")
            if title is not None:
                found[keyword] = found.get(keyword, {}) | {"title": title}
        return found


def _as_written(field: FieldInfo) -> Any:
    """Return a key's default as it would stand in a file; of a mapping, what it says beyond its own defaults."""
    adapter = TypeAdapter(field.rebuild_annotation())
    return adapter.dump_python(field.default, mode="json", by_alias=True, exclude_defaults=True)


def content(name: str) -> dict[str, Any]:
    """Return a schema as a value; keys are in the order of the models."""
    return described(SCHEMAS[name]) | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of what people write where a model stands, in the words of JSON Schema 2020-12."""
    return model.model_json_schema(by_alias=True, schema_generator=_FileSchema)


def schema(name: str) -> str:
    """Return the text of a schema file."""
    return json.dumps(content(name), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    for file_name in SCHEMAS:
        Path(sys.argv[1], file_name).write_text(schema(file_name), encoding="utf-8")
