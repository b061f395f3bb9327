"""A request's head as the parser left it: what of aiohttp's message anybody here looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.model import Headers


class Message(Protocol):
    """A head."""

    @property
    def method(self) -> str:
        """As it came."""

    @property
    def path(self) -> str:
        """The whole target, its bytes beyond UTF-8 as surrogates."""

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor."""

    @property
    def raw_headers(self) -> Headers:
        """All fields in their order, without the white space around values."""

    @property
    def should_close(self) -> bool:
        """Whether the client wants the connection to end with the answer, by its words or its version."""

    @property
    def chunked(self) -> bool:
        """Whether a body comes in chunks."""

    @property
    def upgrade(self) -> bool:
        """Whether another protocol was asked for."""
