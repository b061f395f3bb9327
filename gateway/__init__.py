"""Accord: an HTTP gateway that answers for many APIs in one format."""

__version__ = "0.1.0"
