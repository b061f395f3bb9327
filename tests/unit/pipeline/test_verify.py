"""What only the whole configuration shows: overlaps, rules never reached, failing examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.config.load import Configuration, load
from gateway.pipeline.examples import plan_for_upstream
from gateway.pipeline.verify import ambiguities, count_examples, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Loaded = Callable[..., Configuration]

FACTS = "version: 1\nname: {name}\nbase_url: https://{name}.example\nmatch: {{prefix: {prefix}}}\n"


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Load a configuration of upstream files, each given as its prefix and what else it says."""

    def run(*upstreams: tuple[str, str]) -> Configuration:
        (tmp_path / "upstreams").mkdir()
        (tmp_path / "gateway.yaml").write_text("version: 1\n", encoding="utf-8")
        for name, (prefix, more) in zip("abcdef", upstreams, strict=False):
            text = FACTS.format(name=name, prefix=prefix) + more
            (tmp_path / "upstreams" / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load(tmp_path / "gateway.yaml")

    return run


def _told(configuration: Configuration) -> list[str]:
    return [str(fault).partition("/upstreams/")[2] for fault in verify(configuration)]


GOOD = """\
dialect:
  errors:
    - {when: {body: {has: a}}}
    - {when: {status: 2xx}}
    - {}
  examples:
    - {name: one, reply: {status: 404}, expect: {status: 404}}
examples:
  - {name: two, reply: {status: 404}, expect: {code: not_found}}
"""


def test_a_configuration_that_does_what_it_says(loaded: Loaded) -> None:
    """There is nothing to tell; examples of the file and of its own dialect count."""
    configuration = loaded(("/a", GOOD), ("/b", "dialect: salla\n"))
    assert _told(configuration) == []
    assert count_examples(configuration) == 2


def test_failing_examples(loaded: Loaded) -> None:
    """Each difference is told at the expectation that is not met."""
    bad = GOOD.replace("expect: {status: 404}", "expect: {status: 400, code: gone}").replace("not_found", "gone")
    assert _told(loaded(("/a", bad))) == [
        'a.yaml:13:39 examples[0].expect: example "two": code: is "not_found", but "gone" was expected',
        'a.yaml:11:41 dialect.examples[0].expect: example "one": status: is 404, but 400 was expected',
        'a.yaml:11:41 dialect.examples[0].expect: example "one": code: is "not_found", but "gone" was expected',
    ]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("[{}, {}]", ["2"]),
        ("[{}, {when: {body: {has: a}}}]", ["2"]),
        ("[{when: {body: {has: a}}}, {when: {body: {has: a}}}]", ["2"]),
        ("[{when: {status: 4xx}}, {when: {status: 404}}, {when: {status: 5xx}}]", ["2"]),
        ("[{}, {}, {}]", ["2", "3"]),
        ("[{when: {status: 404}}, {when: {status: 4xx}}]", []),
        ("[{when: {body: {has: a}}}, {when: {body: {has: b}}}, {}]", []),
        ("[{when: {body: {has: a}}}, {when: {body: {has: [a, b]}}}]", []),
    ],
)
def test_rules_that_are_never_reached(loaded: Loaded, rules: str, told: list[str]) -> None:
    """A rule behind one that takes every reply it is for says nothing."""
    faults = _told(loaded(("/a", f"dialect: {{errors: {rules}}}\n")))
    assert len(faults) == len(told)
    for fault, number in zip(faults, told, strict=True):
        assert f"dialect.errors[{int(number) - 1}]" in fault
        assert fault.endswith("this rule is never reached: rule 1 takes every reply that it is for")


def test_overlaps_are_told_at_their_place(loaded: Loaded) -> None:
    """Upstreams at their prefix, routes at themselves."""
    routes = "routes:\n  - {match: {path: /x}}\n  - {match: {path: /x}}\n"
    configuration = loaded(("/a", routes), ("/a", ""))
    places = [str(fault).partition("/upstreams/")[2].partition(": ")[0] for fault in ambiguities(configuration)]
    assert places == ["a.yaml:7:5 routes[1]", "b.yaml:4:9 match.prefix"]
    assert len(_told(configuration)) == 2


def test_examples_run_as_the_upstream_would_answer(loaded: Loaded) -> None:
    """With a credential of ours, and with the upstream's words kept back, if its file says so."""
    more = "expose_upstream: false\ncredentials: {inject: [{query: key, value_env: KEY}]}\n"
    [upstream] = loaded(("/a", more)).upstreams
    plan = plan_for_upstream(upstream)
    assert (plan.upstream, plan.owns_credential, plan.expose_upstream) == ("a", True, False)
