"""Three small APIs to try the gateway with: real HTTP servers that speak the founding dialects.

Each is a table of rows (`ROWS`): what it answers to which request. The texts are our own, the shapes are those that the
three APIs document. Nothing here is part of the way of a real request.
"""
