"""The guided start: a key (or none yet), a first call, a program of one's own. Every step knows whether it is done."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard.acting import by
from dashboard.queries import mode
from dashboard.snippets import KEY, snippets
from rotation.control import clients
from rotation.models import CallDay, ClientKey, Key, Provider

PROGRAM = "My first program"


@dataclass(frozen=True, slots=True)
class Progress:
    """What is done. `called`: somebody's call was answered; `program`: a client key was made by a person."""

    keyed: bool
    called: bool
    program: bool

    @property
    def now(self) -> str:
        """The step to take next."""
        return "key" if not (self.keyed or self.called) else "call" if not self.called else "program"


def progress() -> Progress:
    """Three queries."""
    real = Key.objects.usable().filter(account__provider__simulated=False).exclude(sealed="")
    called = CallDay.objects.filter(calls__gt=0)
    made = ClientKey.objects.filter(internal=False, label__startswith=PROGRAM)
    return Progress(real.exists(), called.exists(), made.exists())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """A POST makes a client key for a program; it is shown in the snippets of this one answer, and never again."""
    plain = ""
    if request.method == "POST":
        _, plain = clients.issue(by(request), label=f"{PROGRAM}, {timezone.now():%Y-%m-%d %H:%M}")
    return render(
        request,
        "dashboard/start.html",
        {
            "progress": progress(),
            "simulated": mode.simulated(),
            "providers": Provider.objects.filter(simulated=False).exclude(kind="generic").order_by("priority", "name"),
            "plain": plain,
            "snippets": snippets(request.build_absolute_uri("/v1"), plain or KEY),
        },
    )
