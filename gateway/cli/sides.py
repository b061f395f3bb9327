"""What `accord diff` compares: a configuration, one upstream's file, a dialect's file, or a preset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway.cli.replies import known
from gateway.config import presets
from gateway.config.load import kind_of, load, load_dialect, load_upstream
from gateway.dialects.reader import Dialect
from gateway.pipeline.compare import Case
from gateway.pipeline.examples import plan_for, plan_for_upstream, reply_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.config.load import Upstream
    from gateway.config.models import GatewayFile, UpstreamFile
    from gateway.dialects.spec import DialectSpec, Example
    from gateway.pipeline.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two. `plans` are by upstream; where there is but one thing to compare, its name is `alone`."""

    what: str
    alone: str | None
    plans: dict[str, Plan]
    cases: list[Case]
    upstreams: dict[str, UpstreamFile]
    gateway: GatewayFile | None = None

    def called(self, name: str) -> Side:
        """Return the same, of which there is but one thing, under another name."""
        [plan] = self.plans.values()
        return replace(
            self,
            plans={name: msgspec.structs.replace(plan, upstream=name)},
            cases=[msgspec.structs.replace(case, upstream=name) for case in self.cases],
            upstreams=dict.fromkeys([name], *self.upstreams.values()) if self.upstreams else {},
        )


def side(text: str) -> Side:
    """Return what a file's name or a preset's name means. Raises ConfigError, UsageError."""
    path = Path(text)
    if not path.is_file() and path.suffix not in {".yaml", ".yml"}:
        return _preset(known(text))
    return _KINDS[kind_of(path)](path)


def _gateway(path: Path) -> Side:
    configuration = load(path)
    upstreams = configuration.upstreams
    return Side(
        what="a configuration",
        alone=None,
        plans={upstream.settings.name: plan_for_upstream(upstream) for upstream in upstreams},
        cases=[case for upstream in upstreams for case in _cases_of(upstream)],
        gateway=configuration.gateway,
        upstreams={upstream.settings.name: upstream.settings for upstream in upstreams},
    )


def _upstream(path: Path) -> Side:
    upstream = load_upstream(path)
    name = upstream.settings.name
    return Side(
        what="an upstream",
        alone=name,
        plans={name: plan_for_upstream(upstream)},
        cases=list(_cases_of(upstream)),
        upstreams={name: upstream.settings},
    )


def _dialect(path: Path) -> Side:
    spec = load_dialect(path)
    name = spec.name or "dialect"
    return _alone(name, Dialect(presets.chain(spec.model_copy(update={"name": name}))))


def _preset(name: str) -> Side:
    return _alone(name, presets.preset(name))


def _alone(name: str, dialect: Dialect) -> Side:
    chain = dialect.chain or presets.specs().values()  # `auto` may read what any preset does
    return Side(
        what="a dialect",
        alone=name,
        plans={name: plan_for(dialect, name)},
        cases=list(_cases(name, (), chain)),
        upstreams={},
    )


def _cases_of(upstream: Upstream) -> Iterator[Case]:
    return _cases(upstream.settings.name, upstream.settings.examples, upstream.dialect.chain)


def _cases(upstream: str, examples: Iterable[Example], chain: Iterable[DialectSpec]) -> Iterator[Case]:
    """Give the examples of an upstream, and those of its dialect and of all that it extends."""
    for example in examples:
        yield Case(upstream=upstream, name=f'"{example.name}"', reply=reply_of(example.reply))
    for spec in chain:
        for example in spec.examples:
            yield Case(upstream=upstream, name=f'{spec.name} "{example.name}"', reply=reply_of(example.reply))


_KINDS: dict[str, Callable[[Path], Side]] = {"gateway": _gateway, "upstream": _upstream, "dialect": _dialect}
