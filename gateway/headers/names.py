"""The field names that mean something to a gateway, in lower case, by what happens to them."""

from __future__ import annotations

from typing import Final

HOP_BY_HOP: Final = frozenset({
    b"connection",
    b"http2-settings",  # RFC 7540 section 3.2.1
    b"keep-alive",
    b"proxy-authenticate",  # RFC 9110 section 11.7
    b"proxy-authentication-info",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
})  # fmt: skip
"""Fields of one connection (RFC 9110 section 7.6.1). They never pass, and neither does what `Connection` names."""

FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})

SINGLE: Final = frozenset({b"authorization"})
"""Fields that pass, and that no real client repeats (RFC 9110 section 11.6.2)."""

FORWARDING: Final = frozenset({
    b"cf-connecting-ip",
    b"client-ip",
    b"forwarded",
    b"true-client-ip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-forwarded",
    b"x-real-ip",
})  # fmt: skip
"""What proxies say of a request, beside all `X-Forwarded-*`. From a peer that is not trusted it is a client's claim."""
FORWARDING_PREFIX: Final = b"x-forwarded-"

APART: Final = frozenset({
    b"accept",
    b"accept-encoding",
    b"connection",
    b"content-length",
    b"expect",
    b"host",
    b"transfer-encoding",
    b"via",
    b"x-request-id",
})  # fmt: skip
"""Fields of a request that do not pass as they are: each has a rule of its own."""

NOT_HOP_BY_HOP: Final = frozenset({
    b"accept",
    b"authorization",
    b"cache-control",
    b"content-encoding",
    b"content-length",
    b"content-type",
    b"cookie",
    b"expect",
    b"forwarded",
    b"host",
    b"range",
    b"transfer-encoding",
    b"via",
    b"x-request-id",
})  # fmt: skip
"""Fields that `Connection` must not name, beside all `X-Forwarded-*`: to obey would change what a request means."""

KNOWN: Final = HOP_BY_HOP | FORWARDING | NOT_HOP_BY_HOP | {b"accept-encoding", b"set-cookie", b"x-http-method-override"}
"""Fields that no other may shadow: many servers read `Content_Length` as `Content-Length` (RFC 3875 section 4.1.18)."""

COMMON: Final = frozenset({
    b"accept-language",
    b"date",
    b"etag",
    b"idempotency-key",
    b"if-none-match",
    b"last-modified",
    b"location",
    b"origin",
    b"referer",
    b"server",
    b"traceparent",
    b"user-agent",
    b"vary",
    b"x-api-key",
})  # fmt: skip
"""Fields without a rule that come with nearly every message: what is known of them is never pushed out."""

RATE_PREFIXES: Final = (b"ratelimit", b"rate-limit", b"x-ratelimit", b"x-rate-limit")
"""How the names of the fields begin in which APIs say what they still grant."""

OF_THIS_HOP: Final = frozenset({b"accord-format", b"alt-svc", b"x-request-id"})
"""Fields of a reply that we answer for: our own, and the address of a server that is not us (RFC 7838 section 3)."""

OF_THE_BODY: Final = frozenset({
    b"accept-ranges",
    b"content-digest",
    b"content-disposition",
    b"content-encoding",
    b"content-md5",
    b"content-range",
    b"content-type",
    b"digest",
    b"etag",
    b"last-modified",
    b"repr-digest",
})  # fmt: skip
"""What describes bytes that are no longer sent once a body is rewritten (RFC 9110 section 7.7)."""

OF_THE_ANSWER: Final = frozenset({
    b"age",
    b"cache-control",
    b"content-language",
    b"expires",
    b"pragma",
    b"proxy-status",
    b"retry-after",
})  # fmt: skip
"""What is ours to say, too, once an answer of our own stands in place of a failure."""

CHALLENGES: Final = frozenset({b"authentication-info", b"www-authenticate"})
"""What asks for a credential, or confirms one (RFC 9110 section 11): nobody's business but ours where it was ours."""

CREDENTIALS: Final = frozenset({b"authorization", b"cookie"})
"""What a client proves itself by: not the upstream's business where that knows us by a credential of our own."""
