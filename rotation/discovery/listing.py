"""A provider's listing, fetched and read whole or not at all. Whether it is believed, `intake` says."""

from __future__ import annotations

import time

from rotation.jobs.fetch import FetchFailed, allowed, fetch
from rotation.models import Key, KeyState, Provider
from rotation.providers import PROVIDERS
from rotation.providers.base import Listed
from rotation.sealing import Locked


class NoListing(Exception):
    """Nothing to go by; the message is one line for people."""


def key_for(provider: Provider) -> Key | None:
    """The key to ask with, the soundest first; None: there is none, and the provider is not asked."""
    keys = Key.objects.usable().filter(account__provider=provider)
    order = [KeyState.READY, KeyState.EXHAUSTED, KeyState.SUSPECT, KeyState.INVALID]
    return min((key for key in keys if not key.locked), key=lambda key: order.index(KeyState(key.state)), default=None)


def read(provider: Provider, key: Key) -> list[Listed]:
    """What the provider lists now. Raises NoListing."""
    adapter = PROVIDERS[provider.kind]
    try:
        reply = fetch(adapter.listing(provider.url, key.secret.reveal()), allowed(provider))
        if not 200 <= reply.status < 300:
            failure = adapter.classify(reply.status, reply.headers, reply.body, time.time())
            raise NoListing(f"{failure.row.words} ({reply.status}){': ' if failure.message else ''}{failure.message}")
        return adapter.read_listing(reply.body)
    except (FetchFailed, ValueError, Locked) as error:
        raise NoListing(str(error)) from None
