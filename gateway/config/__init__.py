"""Configuration: files to frozen values, all faults at once, each with its place.

`document` reads YAML with places, `values` are the scalars, `gateway_file` and `upstream_file` the models, `presets`
the dialects that come with Accord, `load` puts them together, `examples` runs the examples of a file, `schema` writes
the JSON Schemas.
"""
