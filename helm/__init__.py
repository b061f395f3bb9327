"""What the chart in `accord/` is described by: its values as models, from which its schema and its table are made."""
