"""From a configuration to a running gateway: everything is made here, and handed to whoever needs it.

`lasting` lives as long as the process, `serving` as long as a configuration; `application` has one of the first, and of
the second the one by which new requests are served. `loading` brings configurations in, `reloads` sees when there is
another one to take.
"""

from __future__ import annotations

from gateway.app.application import Application, build

__all__ = ["Application", "build"]
