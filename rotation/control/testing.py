"""Asks a provider whether it answers, and names what is wrong: its name, the way there, the certificate, the key, the
path, the listing. Costs no quota; nothing is stored but that it was asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import ValidationError

from rotation import addresses
from rotation.control.by import By
from rotation.core.failures import FailureKind
from rotation.discovery import listing
from rotation.jobs import fetch
from rotation.jobs.fetch import Cause, FetchFailed
from rotation.models import Provider
from rotation.models.keys import clean_secret
from rotation.providers import PROVIDERS
from rotation.providers.base import Listed
from rotation.providers.redact import redact
from rotation.providers.wire import html_title, is_html
from rotation.sealing import Locked

PATIENCE = 15.0  # seconds for the whole answer


class Trouble(StrEnum):
    """What is wrong; one row of `SAY` each."""

    NONE = ""
    NO_ADDRESS = "no_address"
    NO_KEY = "no_key"
    DNS = "dns"
    ADDRESS = "address"
    CONNECTION = "connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    KEY = "key"
    PATH = "path"
    REDIRECT = "redirect"
    HTML = "html"
    LISTING = "listing"
    NO_MODELS = "no_models"
    REFUSED = "refused"
    BROKEN = "broken"


#: What to say and what to do about it, for people.
SAY = {
    Trouble.NONE: "It answers.",
    Trouble.NO_ADDRESS: "It has no address now: no simulator runs.",
    Trouble.NO_KEY: "There is no usable key to ask with: add one first.",
    Trouble.DNS: "Its name could not be resolved: look for a typing mistake in the host.",
    Trouble.ADDRESS: "Its name leads to an address this provider may not live at (for a server in your own network, "
    'use a generic provider with {"local": true} in its options).',
    Trouble.CONNECTION: "Nobody accepts the connection: is the server running, and is the port right?",
    Trouble.TLS: "No trusted connection: look at the certificate, or whether it is http and not https.",
    Trouble.TIMEOUT: "No answer in time: the server is down, busy, or a firewall swallows the connection.",
    Trouble.KEY: "It refuses the key.",
    Trouble.PATH: "There is nothing at this path: the base URL mostly ends in /v1.",
    Trouble.REDIRECT: "It sends us elsewhere, which is never followed: write the address it redirects to.",
    Trouble.HTML: "A web page answers, not an API: the base URL mostly ends in /v1.",
    Trouble.LISTING: "It answers, but not with a list of models.",
    Trouble.NO_MODELS: "It answers, and lists no model.",
    Trouble.REFUSED: "It answers with an error.",
    Trouble.BROKEN: "The answer broke off or could not be read.",
}
BY_CAUSE = {
    Cause.DNS: Trouble.DNS,
    Cause.ADDRESS: Trouble.ADDRESS,
    Cause.CONNECTION: Trouble.CONNECTION,
    Cause.TLS: Trouble.TLS,
    Cause.TIMEOUT: Trouble.TIMEOUT,
    Cause.BROKEN: Trouble.BROKEN,
    Cause.TOO_LARGE: Trouble.LISTING,
}


@dataclass(frozen=True, slots=True)
class Tested:
    """`said` is what the provider itself said, redacted and cut, or ""; `status` its HTTP status; `took_ms` from the
    question to the whole answer; `models` the ids it lists."""

    trouble: Trouble
    said: str = ""
    status: int | None = None
    took_ms: float | None = None
    models: Sequence[str] = ()

    @property
    def works(self) -> bool:
        return self.trouble is Trouble.NONE

    @property
    def words(self) -> str:
        """One or two sentences for people."""
        if self.works:
            return f"{SAY[self.trouble]} {len(self.models)} models listed."
        return f"{SAY[self.trouble]} It said: {self.said}" if self.said else SAY[self.trouble]


def connection(by: By, provider: Provider, *, secret: str | None = None) -> Tested:
    """Read its listing now, with `secret` or else the soundest stored key. The provider may be unsaved.

    Raises ValidationError when the address or the secret cannot be used as it is; a stored key is never sent to
    another origin than the one it was given for.
    """
    apart = Provider(
        **{name: getattr(provider, name) for name in ("kind", "label", "base_url", "simulated", "options")}
    )
    apart.full_clean(exclude=["name", "label"], validate_unique=False, validate_constraints=False)
    text = _secret(provider, secret)
    tested = Tested(Trouble.NO_KEY) if text is None else ask(provider, text)
    if provider.pk:
        by.noted("test connection", provider, trouble=tested.trouble.value, said=tested.said)
    return tested


def _secret(provider: Provider, given: str | None) -> str | None:
    """What to ask with; None when there is nothing."""
    if given is not None:
        try:
            return clean_secret(given)
        except ValidationError as wrong:
            raise ValidationError({"secret": wrong.messages}) from None
    stored = Provider.objects.filter(pk=provider.pk).first()
    key = listing.key_for(stored) if stored else None
    if key is None or stored is None:
        return "" if provider.kind == "generic" else None
    if addresses.origin(stored.url) != addresses.origin(provider.url):
        raise ValidationError({"secret": "Enter the key: the stored one was given for another address."})
    try:
        return key.secret.reveal()
    except Locked:
        return None


def ask(provider: Provider, secret: str) -> Tested:
    """One GET of its listing."""
    if not provider.url:
        return Tested(Trouble.NO_ADDRESS)
    outgoing = PROVIDERS[provider.kind].listing(provider.url, secret)
    start = time.monotonic()
    try:
        reply = fetch.fetch(outgoing, fetch.allowed(provider), total=PATIENCE)
    except FetchFailed as failed:
        return Tested(BY_CAUSE[failed.cause], took_ms=_since(start))
    return judged(provider.kind, reply, _since(start))


def _since(start: float) -> float:
    return round((time.monotonic() - start) * 1000, 1)


def judged(kind: str, reply: fetch.Reply, took_ms: float | None = None) -> Tested:
    """What an answer means. Its words are redacted."""
    if not 200 <= reply.status < 300:
        return _refused(kind, reply, took_ms)
    try:
        listed: list[Listed] = PROVIDERS[kind].read_listing(reply.body)
    except ValueError as wrong:
        trouble = Trouble.HTML if is_html(reply.body) else Trouble.LISTING
        return Tested(trouble, redact(str(wrong), longest=300), reply.status, took_ms)
    trouble = Trouble.NONE if listed else Trouble.NO_MODELS
    return Tested(trouble, "", reply.status, took_ms, tuple(offer.model for offer in listed))


def _refused(kind: str, reply: fetch.Reply, took_ms: float | None) -> Tested:
    page = is_html(reply.body)
    failure = PROVIDERS[kind].classify(reply.status, reply.headers, reply.body, time.time())
    said = redact(html_title(reply.body), longest=100) if page else failure.message
    if 300 <= reply.status < 400:
        trouble = Trouble.REDIRECT
    elif reply.status in {401, 403} or failure.kind in {FailureKind.BAD_CREDENTIAL, FailureKind.NOT_PERMITTED}:
        trouble = Trouble.KEY
    elif reply.status in {404, 405}:
        trouble = Trouble.PATH
    else:
        trouble = Trouble.HTML if page and reply.status < 500 else Trouble.REFUSED
    return Tested(trouble, said or f"status {reply.status}", reply.status, took_ms)
