"""`manage.py discover`: what a person reads, what a program gets, how it ends."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from rotation.models import Deployment, Provider
from rotation.simulator.serve import Running
from tests.models import rows

pytestmark = pytest.mark.django_db
FREE = "test/free:free"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def discover(*asked: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("discover", *asked, stdout=out, stderr=options.pop("stderr", io.StringIO()), no_color=True, **options)
    return out.getvalue()


def test_it_says_what_changed_and_why(sim: Running, provider: Provider) -> None:
    rows.pool(name="auto", admits={"free": True, "context": 8_000})
    rows.provider(kind="groq", name="keyless", label="Keyless")
    told = discover()
    assert "openrouter: 347 listed, 347 new\n" in told
    assert "  candidate: wanted by auto\n" in told
    assert "... and 339 more (--all shows every one)" in told
    assert "Not asked, for want of a usable key: Keyless\n" in told
    assert told.endswith("What follows: no model takes a further step\n")
    sim.catalogue("openrouter", remove=["openrouter/auto"], put=[{"id": FREE, "context": 9_000}])
    told = discover()
    assert "openrouter: 347 listed, 1 new; openrouter/auto is not listed this time; gone if the next" in told
    assert f"  new       {FREE}  candidate: wanted by auto\n" in told
    sim.catalogue("openrouter", put=[{"id": FREE, "context": 4_000, "price_in": 0.5, "price_out": 1}])
    told = discover("--provider", "sim-openrouter")
    assert f"  price     {FREE}  price in 0 -> 0.5, price out 0 -> 1 USD per million tokens\n" in told
    assert f"  free      {FREE}  free yes -> no\n" in told
    assert "  vanished  openrouter/auto  gone: not in 2 listings in a row, last seen " in told
    assert "What follows: 1 wanted by no pool\n" in told


def test_programs_get_the_same_as_one_document(sim: Running, provider: Provider) -> None:
    rows.pool(name="auto", admits={"free": True})
    found = json.loads(discover("--json"))
    [one] = found["providers"]
    assert (one["provider"], one["believed"], one["listed"], len(one["changes"])) == ("sim-openrouter", True, 347, 347)
    assert found["verification"] is None


def test_a_listing_that_is_not_believed_ends_with_one(sim: Running, provider: Provider) -> None:
    sim.faults({"fault": "html", "operation": "*"})
    with pytest.raises(CommandError, match="Not believed, so nothing of it changed: sim-openrouter") as end:
        discover()
    assert end.value.returncode == 1
    assert not Deployment.objects.exists()


def test_nobody_to_ask_and_a_name_nobody_has_end_with_two(sim: Running, provider: Provider) -> None:
    with pytest.raises(CommandError, match=r"nope is not known\. Enabled are: sim-openrouter\.") as end:
        discover("--provider", "nope")
    assert end.value.returncode == 2
    provider.keys().delete()
    with pytest.raises(CommandError, match="No provider could be asked") as end:
        discover()
    assert end.value.returncode == 2


def test_a_bar_is_drawn_on_a_terminal_only(sim: Running, provider: Provider) -> None:
    screen, pipe = Terminal(), io.StringIO()
    discover(stderr=screen)
    discover(stderr=pipe)
    assert "[##############################] 100% openrouter" in screen.getvalue()
    assert pipe.getvalue() == ""


def test_a_name_that_would_move_the_cursor_is_shown_plainly() -> None:
    from rotation.discovery.report import printable

    assert printable("a\x1b[2Jb\u202ec") == "a�[2Jb�c"


def test_nothing_to_verify_is_said(sim: Running, provider: Provider) -> None:
    assert "Nothing to verify: no candidate is untried.\n" in discover("--verify")
