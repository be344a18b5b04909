"""What is served under `/v1`, and what is said to those who ask for something else. Both doors read it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from rotation.gateway.envelope import Refusal

PLAIN = {"/v1/chat/completions": "chat", "/v1/completions": "completions", "/v1/embeddings": "embeddings"}
AUDIO = {"/v1/audio/transcriptions": "transcription", "/v1/audio/translations": "translation"}  # path -> operation
ROUTES: Mapping[str, tuple[str, ...]] = {
    "/v1/models": ("GET",),
    **dict.fromkeys((*PLAIN, *AUDIO), ("POST",)),
}
ONE_MODEL = "/v1/models/"
DECLARED = ("/v1/docs", "/v1/openapi.json")  # django-ninja's own pages about this API
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]
MOST_HEADERS = 100
HEADER_BYTES = 32 * 1024

Headers = list[tuple[bytes, bytes]]


def is_call(path: str) -> bool:
    return (path == "/v1" or path.startswith("/v1/")) and path not in DECLARED


def methods_of(path: str) -> tuple[str, ...]:
    """The methods a path answers; none for one that is not here."""
    return ("GET",) if path.startswith(ONE_MODEL) else ROUTES.get(path, ())


def check(method: str, path: str) -> None:
    """Raises `Refusal`: 404 for what is not here, 405 for the wrong method."""
    allowed = methods_of(path)
    if not allowed:
        raise unknown_url(path)
    if method not in allowed:
        message = f"Use {' or '.join(allowed)} for {_shown(path)}."
        raise Refusal(405, message, "method_not_allowed", headers={"allow": ", ".join(allowed)})


def check_headers(headers: Headers) -> None:
    """Raises `Refusal`: too many headers, or a host that is not ours."""
    if len(headers) > MOST_HEADERS or sum(len(k) + len(v) for k, v in headers) > HEADER_BYTES:
        message = f"Send at most {MOST_HEADERS} headers of {HEADER_BYTES // 1024} KiB in all."
        raise Refusal(431, message, "headers_too_large")
    hosts = [v for k, v in headers if k == b"host"]
    if len(hosts) != 1 or not _known_host(hosts[0]):
        raise unknown_host()


def unknown_url(path: str) -> Refusal:
    message = f"There is no {_shown(path)}. GET /v1/models and POST /v1/chat/completions are here."
    return Refusal(404, message, "unknown_url")


def unknown_host() -> Refusal:
    return Refusal(400, "This host name is not served here; add it to ALLOWED_HOSTS.", "unknown_host")


def too_large(most: int | None = None) -> Refusal:
    """413 for more than `most` bytes, by default what a body without audio may have."""
    mib = (most or settings.ROTATION_MAX_BODY) / 2**20
    return Refusal(413, f"The body is larger than {mib:g} MiB.", "request_too_large", headers={"connection": "close"})


@lru_cache(maxsize=256)
def _known_host(host: bytes) -> bool:
    domain, _ = split_domain_port(host.decode("latin-1"))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _shown(path: str) -> str:
    """A path from outside, fit for a message."""
    return path[:100] if path.isprintable() else "such path"
