"""Limits on Redis or Valkey, shared by all replicas.

`remote` is the store, `script.lua` what decides in the server, `rows` and `request` how it is asked, `line` and
`cluster` the ways there, `dial` how a connection comes about, `target` which server is meant, `failures` why it failed.
"""

from gateway.limits.stores.redis.remote import RedisRemote
from gateway.limits.stores.redis.target import Kind, RedisTarget, parse

__all__ = ["Kind", "RedisRemote", "RedisTarget", "parse"]
