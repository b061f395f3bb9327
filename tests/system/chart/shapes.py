"""The shapes of objects that Kubernetes itself does not know: what their operators demand of them, and no more."""

from __future__ import annotations

from typing import Any, Final

_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 253}
_METADATA: Final = {
    "type": "object",
    "required": ["name", "namespace", "labels"],
    "properties": {"labels": {"additionalProperties": {"type": "string"}}},
}
_LABELS: Final = {"type": "object", "additionalProperties": {"type": "string"}}


def _of(version: str, spec: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"const": version},
            "kind": {"type": "string"},
            "metadata": _METADATA,
            "spec": {"type": "object", "required": required, "additionalProperties": False, "properties": spec},
        },
    }


SHAPES: Final = {
    "ServiceMonitor": _of(
        "monitoring.coreos.com/v1",
        {
            "jobLabel": _NAME,
            "selector": {"type": "object", "properties": {"matchLabels": _LABELS}},
            "namespaceSelector": {"type": "object", "properties": {"matchNames": {"type": "array", "items": _NAME}}},
            "endpoints": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["port"],
                    "additionalProperties": False,
                    "properties": {
                        "port": _NAME,
                        "path": {"type": "string", "pattern": "^/"},
                        "interval": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$"},
                        "scrapeTimeout": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$"},
                        "metricRelabelings": {"type": "array", "items": {"type": "object"}},
                    },
                },
            },
        },
        ["selector", "endpoints"],
    ),
    "PrometheusRule": _of(
        "monitoring.coreos.com/v1",
        {
            "groups": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name", "rules"],
                    "properties": {
                        "rules": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["expr"],
                                "oneOf": [{"required": ["record"]}, {"required": ["alert"]}],
                                "additionalProperties": False,
                                "properties": {
                                    "expr": {"type": "string"},
                                    "record": {"type": "string"},
                                    "alert": {"type": "string"},
                                    "for": {"type": "string"},
                                    "keep_firing_for": {"type": "string"},
                                    "labels": _LABELS,
                                    "annotations": _LABELS,
                                },
                            },
                        }
                    },
                },
            }
        },
        ["groups"],
    ),
    "HTTPRoute": _of(
        "gateway.networking.k8s.io/v1",
        {
            "parentRefs": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["name"]}},
            "hostnames": {"type": "array", "items": {"type": "string"}},
            "rules": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "matches": {"type": "array", "items": {"type": "object"}},
                        "filters": {"type": "array", "items": {"type": "object"}},
                        "timeouts": _LABELS,
                        "backendRefs": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["name", "port"],
                                "properties": {"name": _NAME, "port": {"type": "integer"}},
                            },
                        },
                    },
                },
            },
        },
        ["parentRefs", "rules"],
    ),
}
"""By kind."""
