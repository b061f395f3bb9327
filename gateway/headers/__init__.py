"""The end-to-end rules of header fields, as pure functions on byte pairs.

What a client's fields become on the way to an upstream (`request`, then `upstream`), what an upstream's become on the
way to a client (`reply`), and when both may switch to WebSocket (`upgrade`). Each rule names the section it obeys.

Invariants: values pass as they came or are refused, never altered in between; names keep their spelling, fields their
order and repeats; what is refused is a value (`Refusal`) and never an exception, and its reason quotes nothing that was
sent. What frames a message (`Content-Length`, `Transfer-Encoding`) or belongs to one connection never passes: whoever
writes the next message writes its own.
"""

from gateway.headers.lists import elements, has_control, is_json, is_token, media_type
from gateway.headers.mapping import AddressMap
from gateway.headers.names import CREDENTIALS
from gateway.headers.query import strip_parameters
from gateway.headers.refusal import Refusal
from gateway.headers.reply import ReplyRules, forbids_transform, reply_to_client
from gateway.headers.request import RequestHead, read_request
from gateway.headers.secrets import Secrets
from gateway.headers.upgrade import SWITCHING_PROTOCOLS, handshake_fault, handshake_key
from gateway.headers.upstream import NOT_CONFIGURABLE, Hop, RequestRules, request_to_upstream

__all__ = [
    "CREDENTIALS",
    "NOT_CONFIGURABLE",
    "SWITCHING_PROTOCOLS",
    "AddressMap",
    "Hop",
    "Refusal",
    "ReplyRules",
    "RequestHead",
    "RequestRules",
    "Secrets",
    "elements",
    "forbids_transform",
    "handshake_fault",
    "handshake_key",
    "has_control",
    "is_json",
    "is_token",
    "media_type",
    "read_request",
    "reply_to_client",
    "request_to_upstream",
    "strip_parameters",
]
