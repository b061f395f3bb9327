"""Measurements: `make bench` compares Accord with its peers; `python -m bench micro` times pure functions."""
