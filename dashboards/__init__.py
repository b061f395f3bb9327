"""The Grafana dashboards, written in Python: `python -m dashboards FOLDER` makes a JSON file of each.

One module for each dashboard, in words that all share: `queries` (PromQL), `looks` (colours, units), `panels` and
`frame`. Nothing here is imported by the gateway, and nothing of the gateway is imported here: a dashboard knows of it
what Prometheus knows, the names and labels in docs/reference/metrics.md. They need no recording rules.
"""
