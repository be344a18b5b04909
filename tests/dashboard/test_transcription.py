"""The page about audio: who is next, why, and what each was sent and takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.queries.audio import Ear, evenness
from dashboard.queries.transcription import Turn, next_of, reason, turns
from rotation.models import Cooldown, DayStat, Deployment, Key, LearnedLimit, Placement, Provider

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0)


def order() -> list[Turn]:
    return turns(NOW, simulated=True)


def names() -> list[str]:
    return [turn.deployment.name for turn in order()]


def sent(provider: str, calls: int) -> None:
    deployment = Deployment.objects.get(provider__name=provider, tags__contains=["transcription"])
    DayStat.objects.create(at=MIDNIGHT, deployment_id=deployment.pk, key_id=1, attempts=calls, simulated=True,
                           first_hist=[], total_hist=[])  # fmt: skip


def cool(provider: str, reason_: str = "rate-limited") -> None:
    for deployment in Deployment.objects.filter(provider__name=provider, tags__contains=["transcription"]):
        account = deployment.provider.accounts.get()
        Cooldown.objects.create(scope=f"account:{account.pk}/deployment:{deployment.pk}", kind="rate_limited",
                                until=NOW + timedelta(minutes=5), reason=reason_)  # fmt: skip


def test_groq_is_next_while_it_is_free(world):
    found = order()
    assert next_of(found) is found[0]
    assert found[0].deployment.name == "sim-groq/whisper-large-v3-turbo"
    assert reason(found, found[0]) == "It is preferred, and free."
    assert [turn.state for turn in found] == ["ready"] * 5


def test_while_groq_cools_the_one_sent_least_today_is_next(world):
    cool("sim-groq")
    for provider, calls in (("sim-openai", 9), ("sim-together", 4), ("sim-generic", 7)):
        sent(provider, calls)
    found = order()
    chosen = next_of(found)
    assert chosen is not None
    assert chosen.deployment.provider.name == "sim-together"
    assert [turn.calls for turn in found[2:]] == [4, 7, 9]
    assert (found[0].state, found[0].why, found[0].until) == ("cooling", "rate-limited", NOW + timedelta(minutes=5))
    told = reason(found, chosen)
    assert "Passed over: Groq whisper-large-v3-turbo (cooling), Groq whisper-large-v3 (cooling)." in told
    assert told.endswith("the fewest calls today: 4.")


def test_yesterdays_calls_count_no_more(world):
    sent("sim-openai", 9)
    DayStat.objects.update(at=MIDNIGHT - timedelta(days=1))
    assert [turn.calls for turn in order()] == [0] * 5


def test_who_has_no_key_or_is_gone_is_not_next(world):
    Key.objects.filter(account__provider__name="sim-groq").delete()
    Deployment.objects.filter(model_id="whisper-1").update(status="gone")
    found = {turn.deployment.name: turn for turn in order()}
    assert found["sim-groq/whisper-large-v3"].state == "no key"
    assert found["sim-openai/whisper-1"].state == "away"
    chosen = next_of(found.values())
    assert chosen is not None
    assert chosen.deployment.provider.name == "sim-together"


def test_a_learned_size_is_shown_as_long_as_it_is_believed(world):
    key = Key.objects.get(account__provider__name="sim-openai")
    LearnedLimit.objects.create(scope=f"key:{key.pk}", axis="upload_bytes", limit=3 * 2**20, window_s=0, seen_at=NOW)
    (whisper,) = (turn for turn in order() if turn.deployment.model_id == "whisper-1")
    assert (whisper.most, whisper.learned) == (3.0, True)
    LearnedLimit.objects.update(seen_at=NOW - timedelta(hours=2))
    (whisper,) = (turn for turn in order() if turn.deployment.model_id == "whisper-1")
    assert (whisper.most, whisper.learned) == (25.0, False)


def test_an_operators_size_and_a_refused_format_are_shown(world):
    Provider.objects.filter(name="sim-generic").update(options={"max_upload_mib": 100})
    Deployment.objects.filter(model_id="whisper-base").update(lacks=["srt", "translation"])
    local = order()[-1]
    assert (local.most, local.learned, local.translates) == (100.0, False, False)
    assert local.formats == ["json", "text", "verbose_json", "vtt", "diarized_json"]


def test_the_page_says_who_is_next_and_why(world, page: Client):
    html = page.get("/transcription/").content.decode()
    assert "gets the next upload. It is preferred, and free." in html
    assert html.count("takes turns") >= 3
    assert 'aria-current="page">Transcription' in html


def test_the_page_says_when_nobody_can_be_asked(world, page: Client):
    Cooldown.objects.bulk_create(
        Cooldown(scope=f"provider:{p.pk}", until=timezone.now() + timedelta(hours=1)) for p in Provider.objects.all()
    )
    assert "Nobody can be asked now." in page.get("/transcription/").content.decode()


def test_the_page_says_what_to_do_without_a_pool(world, page: Client):
    Placement.objects.filter(pool__name="transcription").delete()
    assert "Place one in the pool" in page.get("/transcription/").content.decode()


def test_a_provider_is_switched_off_and_on_again_for_audio_alone(page: Client, world):
    openai = Provider.objects.get(name="sim-openai")
    text = page.post(f"/transcription/{openai.pk}/switch/", {"on": "0"}, follow=True).text
    assert "is asked for no transcription" in text
    assert "Switch on" in text
    assert not Placement.objects.filter(pool__name="transcription", deployment__provider=openai, enabled=True).exists()
    assert Placement.objects.filter(pool__name="code", deployment__provider=openai, enabled=True).exists()
    page.post(f"/transcription/{openai.pk}/switch/", {"on": "1"})
    assert "Switch on" not in page.get("/transcription/").text


def test_how_large_an_upload_may_be_is_said_per_provider_and_other_options_stay(page: Client, world):
    groq = Provider.objects.get(name="groq")
    Provider.objects.filter(pk=groq.pk).update(options={"kept": 1})
    url = f"/transcription/{groq.pk}/size/"
    assert page.post(url, {"most": "-1"}).status_code == 422
    page.post(url, {"most": "100"})
    groq.refresh_from_db()
    assert groq.options == {"kept": 1, "max_upload_mib": 100.0}
    page.post(url, {"most": "", "x": "1"})
    groq.refresh_from_db()
    assert groq.options == {"kept": 1}


def ear(calls: int, *, on: bool = True, preferred: bool = False) -> Ear:
    return Ear(Provider(label="x"), on, 1, preferred, calls, 25.0, own=False)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], None),
        ([ear(0), ear(0)], None),
        ([ear(4), ear(9, preferred=True)], None),
        ([ear(4), ear(90, on=False), ear(5)], (True, "Even: 4 to 5 calls each.")),
        ([ear(100), ear(108)], (True, "Even: 100 to 108 calls each.")),
        ([ear(7), ear(7)], (True, "Even: 7 calls each.")),
        ([ear(4), ear(40)], (False, "Not even yet: 4 to 40 calls. Who was sent fewer goes first until they are.")),
    ],
    ids=["nobody", "nothing", "one", "about", "tenth", "same", "apart"],
)
def test_use_is_even_when_those_that_take_turns_lie_close(found: list[Ear], said: tuple[bool, str] | None):
    assert evenness(found) == said
