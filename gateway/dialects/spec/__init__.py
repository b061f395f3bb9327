"""The dialect language: what a preset, or the `dialect:` of an upstream file, may say.

Invariants: a value of these models is complete and checked (paths compile, patterns compile, codes exist); nothing
here reads a reply. Every key has a docstring, from which the reference and the JSON Schema are made.
"""

from gateway.dialects.spec.budgets import BudgetPath, BudgetSpec, PauseSpec
from gateway.dialects.spec.condition import BodyKind, BodyTest, Condition, HeaderTest, TypeName
from gateway.dialects.spec.dialect import Detection, DialectSpec, Example, ExampleReply
from gateway.dialects.spec.reading import (
    Classification,
    Each,
    FieldsSpec,
    Pick,
    Reading,
    Refill,
    Rule,
    Shape,
    StatusPick,
    TimePick,
)
from gateway.dialects.spec.success import PaginationSpec, RateWindow, SuccessSpec, TimeHeader, WarningsSpec
from gateway.dialects.spec.values import OneOrList, Strict, Texts
from gateway.dialects.spec.writing import WriteSpec

__all__ = [
    "BodyKind",
    "BodyTest",
    "BudgetPath",
    "BudgetSpec",
    "Classification",
    "Condition",
    "Detection",
    "DialectSpec",
    "Each",
    "Example",
    "ExampleReply",
    "FieldsSpec",
    "HeaderTest",
    "OneOrList",
    "PaginationSpec",
    "PauseSpec",
    "Pick",
    "RateWindow",
    "Reading",
    "Refill",
    "Rule",
    "Shape",
    "StatusPick",
    "Strict",
    "SuccessSpec",
    "Texts",
    "TimeHeader",
    "TimePick",
    "TypeName",
    "WarningsSpec",
    "WriteSpec",
]
