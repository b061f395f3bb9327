"""Files to configuration: all or nothing, with every fault at once."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.config import presets, views
from gateway.config.clashes import double_fields, no_way, one_address, taken_names
from gateway.config.document import Document
from gateway.config.environment import EnvironmentReference, references
from gateway.config.faults import fault_at, validate
from gateway.config.granted import budget_faults, unknown_clients
from gateway.config.models import GatewayFile, UpstreamFile
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import DialectSpec
from gateway.errors import ConfigError, Fault
from gateway.headers import has_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.config.limits import PolicyConfig
    from gateway.dialects.spec import WriteSpec

RESERVED_PREFIX = "/-"
_DIGEST_BYTES = 8
_NO_PRESET = "there is no such preset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """An upstream's file with its dialect compiled; the document tells the places of what is found wrong later."""

    settings: UpstreamFile
    dialect: Dialect
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All that the process is configured by; `document` tells the places of what is in the gateway's own file."""

    gateway: GatewayFile
    document: Document
    upstreams: tuple[Upstream, ...]
    environment: tuple[EnvironmentReference, ...]

    @property
    def texts(self) -> dict[str, str]:
        """Return the files as they were read, by their names: `load` takes them in place of what is on the disk."""
        documents = (self.document, *(upstream.document for upstream in self.upstreams))
        return {document.file: document.text for document in documents}

    @property
    def views(self) -> Mapping[str, WriteSpec]:
        """Return the dialects in which problems can be written, by the names of their views."""
        return views.of_presets() | views.of_upstreams(upstream.settings for upstream in self.upstreams)

    @property
    def digest(self) -> str:
        """Return what tells this configuration from others: a digest of what its own files say, in 16 hex digits.

        It is the same wherever the files lie, but for patterns; what the files that they name hold is not in it.
        """
        folder = Path(self.document.file).parent
        digest = blake2b(digest_size=_DIGEST_BYTES)
        for file, text in sorted((relpath(file, folder), text) for file, text in self.texts.items()):
            for part in (file.encode(), text.encode()):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    def environment_faults(self, environ: Mapping[str, str]) -> list[Fault]:
        """Return a fault for each variable that is named and not set (or empty), or whose value cannot be sent."""
        return [fault for reference in self.environment if (fault := reference.fault(environ)) is not None]


def load(path: Path, texts: Mapping[str, str] | None = None, known: Configuration | None = None) -> Configuration:
    """Read the gateway's file and the upstream files that it names, or what they said before: `Configuration.texts`.

    Upstreams whose files say what they said in a configuration that is `known` are the same values.

    Raises:
        ConfigError: something is wrong; it carries every fault of every file.
    """
    document = _document(path, texts, again=known is not None)
    gateway, faults = validate(GatewayFile, document)
    names = patterns(document) if gateway is None else gateway.upstreams
    upstreams: list[Upstream] = []
    environment = references(document)
    if texts is None:
        files, unmatched = matching(document, path.parent, names)
        faults += unmatched
    else:
        files = [Path(name) for name in texts if name != document.file]
    same = {} if known is None else {one.document.file: one for one in known.upstreams}
    documents: list[Document] = []
    for file in files:
        upstream, upstream_document, wrong = _upstream(file, texts, same.get(str(file)))
        documents.append(upstream_document)
        faults += wrong
        if upstream is not None:
            upstreams.append(upstream)
        environment += references(upstream_document)
    faults += views.unknown_views(document, documents)
    faults += _cross_checks(gateway, document, upstreams)
    if gateway is None or faults:
        raise ConfigError(faults)
    return Configuration(gateway=gateway, document=document, upstreams=tuple(upstreams), environment=tuple(environment))


def _upstream(
    file: Path, texts: Mapping[str, str] | None, known: Upstream | None
) -> tuple[Upstream | None, Document, list[Fault]]:
    """Return an upstream, its document and what is wrong with it; the one that is `known` if it says the same."""
    text = _text(file) if texts is None else texts[str(file)]
    if known is not None and known.document.text == text:
        return known, known.document, []
    document = Document(text, str(file)) if isinstance(text, str) else _unread(file, text)
    upstream, faults = upstream_of(document)
    return upstream, document, faults


def load_upstream(path: Path) -> Upstream:
    """Read one upstream's file by itself.

    Raises:
        ConfigError: something is wrong; it carries every fault.
    """
    document = _read(path)
    upstream, faults = upstream_of(document)
    faults += _cross_checks(None, document, [upstream] if upstream is not None else [])
    if upstream is None or faults:
        raise ConfigError(faults)
    return upstream


def load_dialect(path: Path) -> DialectSpec:
    """Read a dialect by itself, written as a preset is.

    Raises:
        ConfigError: something is wrong; it carries every fault.
    """
    document = _read(path)
    spec, faults = validate(DialectSpec, document)
    for index, name in enumerate(spec.extends if spec is not None else ()):
        if name not in presets.names():
            faults.append(fault_at(document, ("extends", index), _NO_PRESET, presets.hint(name)))
    if spec is None or faults:
        raise ConfigError(faults)
    return spec


def kind_of(path: Path) -> str:
    """Say what a file is, by its keys: `upstream`, `dialect`, or `gateway` for all else."""
    value = _read(path).value
    keys = set(value) if isinstance(value, dict) else set()
    if "base_url" in keys:
        return "upstream"
    return "dialect" if keys & _DIALECT_KEYS else "gateway"


_DIALECT_KEYS = frozenset(DialectSpec.model_fields) - {"name"}


def _document(path: Path, texts: Mapping[str, str] | None, *, again: bool) -> Document:
    return _read(path, again=again) if texts is None else Document(texts[str(path)], str(path))


def _read(path: Path, *, again: bool = False) -> Document:
    """Read a file; what was a pipe can be read once, and would keep us waiting for ever when it is read `again`."""
    pipe = again and path.exists() and not path.is_file()
    text = Fault(file=str(path), message="is not a file") if pipe else _text(path)
    return Document(text, str(path)) if isinstance(text, str) else _unread(path, text)


def _text(path: Path) -> str | Fault:
    """Return what a file says, or why that is not known."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        message = "is not UTF-8 text"
    return Fault(file=str(path), message=message)


def _unread(path: Path, fault: Fault) -> Document:
    unread = Document("", str(path))
    unread.value = None
    unread.faults.append(fault)
    return unread


def patterns(document: Document) -> tuple[str, ...]:
    """Return the patterns of upstream files that a gateway's file names, however wrong it may be."""
    return _texts(_inside(document.value, "upstreams")) or ("upstreams/*.yaml",)


def matching(document: Document, folder: Path, patterns: Iterable[str]) -> tuple[list[Path], list[Fault]]:
    """Return the files that match the patterns, and a fault for each pattern that no file matches."""
    found: set[Path] = set()
    faults = []
    for index, pattern in enumerate(patterns):
        try:
            matching = {file for file in folder.glob(pattern) if file.is_file()}
        except (ValueError, NotImplementedError, IndexError, OSError):  # pathlib's for "", "/srv/*", ".", and too long
            faults.append(fault_at(document, ("upstreams", index), "not a pattern relative to this file's folder"))
            continue
        if not matching and not document.faults:
            faults.append(fault_at(document, ("upstreams", index), "no upstream file matches", f"looked for {pattern}"))
        found |= matching
    unnamed = {file for file in found if not _has_text_name(file)}
    faults += [Fault(file=ascii(str(file)), message="its name is not UTF-8 text") for file in sorted(unnamed)]
    return sorted(found - unnamed), faults


def _has_text_name(file: Path) -> bool:
    """Tell whether a file has a name that can be told to others; Linux lets it be any bytes."""
    try:
        str(file).encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in values if isinstance(text, str))


def upstream_of(document: Document) -> tuple[Upstream | None, list[Fault]]:
    """Return what an upstream's file says, or None and all that is wrong with it."""
    settings, faults = validate(UpstreamFile, document)
    faults += _wrong_choices(document)
    if settings is not None:
        faults += taken_names(settings, document) + double_fields(settings, document) + no_way(settings, document)
    if settings is None or faults:
        return None, faults
    dialect = _dialect(settings)
    faults = budget_faults(settings, dialect.chain, document)
    return None if faults else Upstream(settings=settings, dialect=dialect, document=document), faults


def _wrong_choices(document: Document) -> list[Fault]:
    """Find what no model knows: a prefix that is ours, a preset that does not exist; even where the rest is wrong."""
    faults = []
    prefix = _inside(document.value, "match", "prefix")
    if isinstance(prefix, str) and (prefix == RESERVED_PREFIX or prefix.startswith(RESERVED_PREFIX + "/")):
        faults.append(fault_at(document, ("match", "prefix"), "/-/ is kept for the gateway's own pages"))
    dialect, known = _inside(document.value, "dialect"), presets.names()
    if isinstance(dialect, str) and dialect not in ("auto", *known):
        faults.append(fault_at(document, ("dialect",), _NO_PRESET, presets.hint(dialect, also=[presets.AUTO])))
    accept = _inside(dialect, "accept")
    if isinstance(accept, str) and (not accept.isascii() or has_control(accept.encode())):
        faults.append(fault_at(document, ("dialect", "accept"), "must be in ASCII and without control characters"))
    for index, name in enumerate(_texts(_inside(dialect, "extends"))):
        if name not in known:
            faults.append(fault_at(document, ("dialect", "extends", index), _NO_PRESET, presets.hint(name)))
    return faults


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _dialect(settings: UpstreamFile) -> Dialect:
    choice = settings.dialect
    if choice.own is None:
        return presets.auto() if choice.preset == presets.AUTO else presets.preset(str(choice.preset))
    own = choice.own.model_copy(update={"name": choice.own.name or settings.name})
    return Dialect(presets.chain(own))


def _cross_checks(gateway: GatewayFile | None, document: Document, upstreams: list[Upstream]) -> list[Fault]:
    faults = []
    seen: dict[str, str] = {}
    for upstream in upstreams:
        name = upstream.settings.name
        if name in seen:
            faults.append(fault_at(upstream.document, ("name",), "another upstream has this name", f"see {seen[name]}"))
        seen.setdefault(name, upstream.document.file)
        faults += _policies(upstream.document, ("limits",), upstream.settings.limits)
        for index, route in enumerate(upstream.settings.routes):
            faults += _policies(upstream.document, ("routes", index, "limits"), route.limits)
    if gateway is not None:
        faults += one_address(gateway, document)
        for upstream in upstreams:
            faults += unknown_clients(gateway, upstream.settings, upstream.document)
        faults += _policies(document, ("limits",), gateway.limits)
        faults += _same_names(document, ("clients",), [client.name for client in gateway.clients])
        for index, client in enumerate(gateway.clients):
            faults += _policies(document, ("clients", index, "limits"), client.limits)
    return faults


def _policies(document: Document, at: tuple[str | int, ...], policies: Iterable[PolicyConfig]) -> list[Fault]:
    return _same_names(document, at, [policy.name for policy in policies])


def _same_names(document: Document, at: tuple[str | int, ...], names: list[str]) -> list[Fault]:
    return [
        fault_at(document, (*at, index, "name"), "this name is given twice")
        for index, name in enumerate(names)
        if name in names[:index]
    ]
