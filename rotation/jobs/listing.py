"""A provider's listing, fetched and doubted. What is done with it is up to the job that asked."""

from __future__ import annotations

import time

from rotation.jobs.fetch import FetchFailed, allowed, fetch
from rotation.models import DiscoveryRun, Key, KeyState, Provider, RunState
from rotation.providers import PROVIDERS
from rotation.providers.base import Listed
from rotation.sealing import Locked

SAME = 0.1  # a short listing is believed when the look before it found as few, give or take a tenth
DOUBT_FROM = 10  # below this many models a listing may well halve


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


def doubt(provider: Provider, listed: int) -> str:
    """Why a listing of this length is not believed; "" when it is. One that stays short is believed the second time."""
    if not listed:
        return "the listing is empty"
    looks = DiscoveryRun.objects.filter(provider=provider)
    before = looks.filter(state=RunState.DONE).values_list("listed", flat=True).first() or 0
    if before < DOUBT_FROM or listed * 2 >= before:
        return ""
    last = looks.exclude(state=RunState.RUNNING).first()
    if last and last.state == RunState.FAILED and abs(last.listed - listed) <= SAME * listed:
        return ""
    return f"only {listed} models are listed, {before} were at the last look: believed when the next one says so too"
