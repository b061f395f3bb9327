"""Dialects: how APIs write successes and errors, as data, and the engine that reads replies by that data.

`spec` is the language, `presets/` are dialects written in it, `reader` runs them. The way of the data is
`bodies` (bytes to tree) -> `conditions` (which rule) -> `sources` and `fields` (what it says) -> `reader` (a reading).
"""
