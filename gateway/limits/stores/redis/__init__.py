"""Limits on Redis or Valkey, shared by all replicas.

`remote` is the store, `script.lua` what decides in the server, `rows` and `request` how it is asked, `line` and
`cluster` the ways there, `dial` how a connection comes about, `target` which server is meant, `failures` why it failed.

Nothing is imported here: redis-py takes half a second to load, which only those with a Redis should spend.
"""
