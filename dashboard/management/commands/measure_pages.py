"""`manage.py measure_pages`: how long every page takes on the server, with whatever the database holds."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLPattern

from rotation.models import Deployment, Pool, Provider, Request

#: Pages with something in their address, and what is looked at there.
EXAMPLES: Mapping[str, Callable[[], Any]] = {
    "request": lambda: Request.objects.order_by("-at", "-id").values_list("id", flat=True).first(),
    "model": lambda: Deployment.objects.filter(placements__isnull=False).values_list("pk", flat=True).first(),
    "pool": lambda: Pool.objects.values_list("pk", flat=True).first(),
    "provider": lambda: Provider.objects.filter(enabled=True).values_list("pk", flat=True).first(),
}
#: Addresses worth a look of their own: filters that match few rows, other ranges.
MORE = {
    "overview": ("?range=1h", "?range=7d", "?range=30d"),
    "overview_live": ("?range=30d",),
    "requests": ("?outcome=failed", "?rotated=1&pool=code", "?outcome=cancelled", "?model=whisper"),
}
NOT_PAGES = {"icon", "logout", "admin_door", "setup", "theme"}


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds on the server, bytes as they are sent with gzip."""

    address: str
    status: int
    queries: int
    times: list[float]
    size: int

    @property
    def p50(self) -> float:
        return statistics.median(self.times or [0.0])

    @property
    def p95(self) -> float:
        return sorted(self.times or [0.0])[max(0, round(0.95 * len(self.times)) - 1)]


class Command(BaseCommand):
    help = "Asks for every page some times and tells how long the server took, how many queries and how many bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rounds", type=int, default=20)
        parser.add_argument("--only", default="", help="Only addresses that hold this text.")

    def handle(self, *args: Any, **options: Any) -> None:
        rounds = options["rounds"]
        if rounds < 1:
            raise CommandError("--rounds must be at least 1.")
        user = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if user is None:
            raise CommandError("There is no admin to look with: make the first account by its set-up link.")
        client = Client(SERVER_NAME="localhost")
        client.force_login(user)
        self.stdout.write(f"{'p50 ms':>8} {'p95 ms':>8} {'queries':>8} {'KB':>7}  page")
        addresses = [address for address in sorted(set(pages())) if options["only"] in address]
        # rounds are interleaved: a busy second of the machine is shared by all pages
        for one in measure(client, addresses, rounds):
            if one.status == 200:  # the rest is only for forms, or switched off
                row = f"{one.p50:8.1f} {one.p95:8.1f} {one.queries:8d} {one.size / 1000:7.1f}  {one.address}"
                self.stdout.write(row)


def measure(client: Client, addresses: list[str], rounds: int) -> list[Measured]:
    """The first round warms up and counts; what it does not find a page is not asked again."""
    times: dict[str, list[float]] = {address: [] for address in addresses}
    last: dict[str, tuple[int, int, int]] = {}
    for n in range(rounds + 1):
        for address in addresses:
            if n and last[address][0] != 200:
                continue
            connection.force_debug_cursor = n == 0
            connection.queries_log.clear()
            begun = time.perf_counter()
            answer = client.get(address)
            took = 1000 * (time.perf_counter() - begun)
            if n == 0:
                last[address] = (answer.status_code, len(connection.queries), len(gzip.compress(body(answer), 6)))
            else:
                times[address].append(took)
    connection.force_debug_cursor = False
    return [Measured(address, *last[address][:2], times[address], last[address][2]) for address in addresses]


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def pages() -> Iterator[str]:
    """Every GET page of the dashboard that can be asked for without choosing anything, and the examples."""
    for pattern in get_resolver("dashboard.urls").url_patterns:
        name = pattern.name if isinstance(pattern, URLPattern) else None
        if not name or name in NOT_PAGES:
            continue
        example = EXAMPLES[name]() if name in EXAMPLES else None
        try:
            address = reverse(name, args=[example] if example else [])
        except NoReverseMatch:
            continue
        yield address
        yield from (address + query for query in MORE.get(name, ()))
