"""uvicorn's HTTP protocol with one addition: the transport is put within the application's reach.

Without it an ASGI application cannot reset a connection or write bytes that are not HTTP.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rotation.simulator.wire import TRANSPORT


class OpenProtocol(HttpToolsProtocol):
    """Adds the connection's transport to every scope's extensions."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]  # ours, not one of ASGI's
