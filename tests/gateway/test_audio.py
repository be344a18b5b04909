"""Audio to text through the whole gateway: who is asked, who is next, what comes back and what is remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from rotation.core.targets import Account, Key, Provider, Target
from rotation.core.transcription import USUAL_MOST
from rotation.gateway.snapshot import Learned
from rotation.gateway.uploads import BELIEVED, Uploads
from rotation.simulator.serve import Running
from tests.cast import ALICE, BOB, Offer, Serving, serving, wait_for
from tests.gateway.parts import MORNING, Hands, Pages
from tests.gateway.parts import target as any_target
from tests.gateway.uploading import FORM, HEARS, OFFERS, SPEECH, form, kept_files, listening

TRANSCRIPTIONS, TRANSLATIONS = "/v1/audio/transcriptions", "/v1/audio/translations"
TURBO, LARGE, WHISPER_1, TOGETHER, LOCAL = (offer.model for offer in OFFERS)
GROQ_DOWN = {"kind": "groq", "fault": "overloaded"}

Open = Callable[..., Serving]


@pytest.fixture
def hearing(sim: Running, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_one(*offers: Offer, **more: Any) -> Serving:
            return stack.enter_context(serving(listening(sim.url, offers or OFFERS, **more), tmp_path / "journal"))

        yield open_one


def ask(client: httpx2.Client, served: Serving, path: str = TRANSCRIPTIONS, *, content: bytes = SPEECH,
        name: str = "speech.mp3", **fields: str) -> httpx2.Response:  # fmt: skip
    body = form(content, name, **{"model": "transcription", **fields})
    return client.post(served.url + path, content=body, headers={"content-type": FORM})


def model_of(reply: httpx2.Response) -> str:
    assert reply.status_code == 200, reply.text
    return reply.headers["x-rotation-model"]


@pytest.mark.parametrize("form_", ["json", "text", "srt", "verbose_json", "vtt"])
def test_the_sdk_gets_every_format(hearing: Open, form_: Any) -> None:
    served = hearing()
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=ALICE, max_retries=0) as client:
        answer = client.audio.transcriptions.create(
            model="whisper-1", file=("speech.mp3", SPEECH), response_format=form_
        )
    assert f"simulated transcript of a mp3 file of {len(SPEECH)} bytes" in str(answer).replace("\n", " ") or form_ in (
        "srt",
        "vtt",
    )
    assert isinstance(answer, str) is (form_ in ("text", "srt", "vtt"))


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the SDK has no other way left
def test_the_sdk_translates(hearing: Open) -> None:
    with openai.OpenAI(base_url=f"{hearing().url}/v1", api_key=ALICE, max_retries=0) as client:
        answer = client.audio.translations.create(model="transcription", file=("a.wav", SPEECH))
    assert "simulated translation of a wav file" in answer.text


@pytest.mark.parametrize(
    ("form_", "content_type"),
    [("json", "application/json"), ("verbose_json", "application/json"), ("text", "text/plain; charset=utf-8"),
     ("srt", "text/plain; charset=utf-8"), ("vtt", "text/plain; charset=utf-8")],
)  # fmt: skip
def test_formats_have_their_content_types(hearing: Open, client: httpx2.Client, form_: str, content_type: str) -> None:
    assert ask(client, hearing(), response_format=form_).headers["content-type"] == content_type


@pytest.mark.parametrize(
    ("asked", "pool", "model"),
    [
        ("transcription", "transcription", TURBO),
        ("auto", "transcription", TURBO),
        ("pool/transcription", "transcription", TURBO),
        ("whisper-1", "", WHISPER_1),
        ("sim-together/openai/whisper-large-v3", "", TOGETHER),
    ],
)
def test_a_name_means_the_pool_or_a_model(
    hearing: Open, client: httpx2.Client, asked: str, pool: str, model: str
) -> None:
    served = hearing()
    assert model_of(ask(client, served, model=asked)) == model
    assert [(r["asked"], r["pool"], r["op"]) for r in served.records()] == [(asked, pool, "transcription")]


def test_whisper_1_is_the_pool_where_nobody_has_a_key_for_it(hearing: Open, client: httpx2.Client) -> None:
    served = hearing(*(o for o in OFFERS if o.kind != "openai"))
    assert model_of(ask(client, served, model="whisper-1")) == TURBO


def test_chat_never_goes_to_a_model_for_audio_nor_audio_to_one_for_chat(hearing: Open, client: httpx2.Client) -> None:
    served = hearing(Offer("groq", "llama-3.1-8b-instant"), *OFFERS, pool="auto")
    for model in ("auto", "llama-3.1-8b-instant"):
        talk = {"model": model, "messages": [{"role": "user", "content": "Hi."}]}
        assert (
            client.post(f"{served.url}/v1/chat/completions", json=talk).headers["x-rotation-model"].startswith("llama")
        )
    talk["model"] = "whisper-1"
    refused = client.post(f"{served.url}/v1/chat/completions", json=talk)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_fit")
    assert "this model is for transcription, the call is for chat" in refused.text
    refused = ask(client, served, model="llama-3.1-8b-instant")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_fit")


def test_groq_is_preferred_and_the_others_take_turns_while_it_is_away(
    hearing: Open, client: httpx2.Client, sim: Running
) -> None:
    sim.control("POST", "/_sim/settings", {"limits": False})
    served = hearing()
    assert [model_of(ask(client, served)) for _ in range(3)] == [TURBO] * 3
    sim.faults({"kind": "groq", "fault": "rate_limit", "hint": "retry_after", "seconds": 600})
    asked = Counter(model_of(ask(client, served)) for _ in range(12))
    assert asked == {WHISPER_1: 4, TOGETHER: 4, LOCAL: 4}
    assert all(len(r["attempts"]) == 1 for r in served.records()[4:]), "whoever is cooling is not asked again"
    sim.faults()
    all_back(served)
    assert model_of(ask(client, served)) == TURBO, "back to Groq"


def test_usage_stays_even_whoever_was_away(hearing: Open, client: httpx2.Client, sim: Running) -> None:
    sim.control("POST", "/_sim/settings", {"limits": False})
    served = hearing(*OFFERS[2:])
    sim.faults({"kind": "together", "fault": "rate_limit", "hint": "retry_after", "seconds": 600})
    away = Counter(model_of(ask(client, served)) for _ in range(7))
    assert set(away) == {WHISPER_1, LOCAL}
    sim.faults()
    all_back(served)
    for _ in range(5):
        ask(client, served)
    assert max(served.gate.health.uploads.used.values()) - min(served.gate.health.uploads.used.values()) <= 1


def test_who_cannot_answer_so_is_passed_over(hearing: Open, client: httpx2.Client) -> None:
    served = hearing()
    assert {model_of(ask(client, served, response_format="srt")) for _ in range(4)} == {WHISPER_1, LOCAL}
    assert model_of(ask(client, served, TRANSLATIONS)) == LARGE, "turbo does not translate"
    trace = {row["target"]: row for row in served.records()[-1]["trace"]}
    assert trace[f"sim-groq/{TURBO}"]["state"] == "unfit"
    assert trace[f"sim-groq/{TURBO}"]["why"] == "this model does not translate"


def test_a_failed_attempt_rotates_with_the_whole_file(hearing: Open, client: httpx2.Client, sim: Running) -> None:
    served = hearing()
    sim.faults(GROQ_DOWN, {"kind": "openai", "fault": "cut", "after": 0}, {"kind": "together", "fault": "html"})
    reply = ask(client, served, content=b"\r\n--" * 500_000)
    assert model_of(reply) == LOCAL
    assert "of 2000000 bytes" in reply.text
    assert reply.headers["x-rotation-attempts"] == "5"
    assert kept_files() == []


def test_a_file_too_large_for_all_is_refused_and_nobody_is_asked(
    hearing: Open, client: httpx2.Client, sim: Running
) -> None:
    served = hearing()
    refused = ask(client, served, content=bytes(USUAL_MOST + 1))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_fit")
    assert "26,214,400 bytes" in refused.text
    assert sim.ledger() == []
    assert kept_files() == []


def test_an_upload_beyond_what_is_taken_at_all_is_413(hearing: Open, client: httpx2.Client, settings: Any) -> None:
    settings.ROTATION_MAX_AUDIO = 50_000
    served = hearing()
    refused = ask(client, served)
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "request_too_large")
    chunked = client.post(
        served.url + TRANSCRIPTIONS, content=iter([form(model="auto")[:40_000], bytes(40_000)]),
        headers={"content-type": FORM},
    )  # fmt: skip
    assert chunked.status_code == 413
    wait_for(lambda: kept_files() == [])


def test_a_size_is_learned_from_413_and_remembered_for_the_key(
    hearing: Open, client: httpx2.Client, sim: Running
) -> None:
    served = hearing(Offer("groq", TURBO, features=HEARS), Offer("openai", WHISPER_1, features=HEARS))
    told = "413: Maximum content size limit (60000) exceeded (88000 bytes read)"
    sim.faults({"kind": "groq", "fault": "server_error", "status": 413, "message": told})
    assert model_of(ask(client, served)) == WHISPER_1
    assert model_of(ask(client, served)) == WHISPER_1
    assert [len(r["attempts"]) for r in served.records()] == [2, 1]
    (limit,) = served.records("limit")[:1]
    assert (limit["axis"], limit["limit"], limit["window"], limit["source"]) == ("upload_bytes", 60000.0, 0.0, "413")
    assert limit["scope"].startswith("key:")
    sim.faults()
    assert model_of(ask(client, served, content=b"short " * 100)) == TURBO
    assert not served.records("breaker")
    assert not served.records("cooldown")


def test_costs_and_seconds_are_kept(hearing: Open, client: httpx2.Client) -> None:
    served = hearing()
    ask(client, served, model="whisper-1", response_format="verbose_json")
    ask(client, served)
    ask(client, served, model=LOCAL)
    told, groq, local = served.records()
    assert told["cost"] == pytest.approx(6 * 0.006 / 60)  # told in whole seconds
    assert groq["cost"] == pytest.approx(10 * 0.04 / 3600)
    assert local["cost"] == 0
    assert [r["estimated"] for r in (told, groq, local)] == [False, True, True]
    (bucket,) = (
        b for (axis, _), b in served.gate.health.limits.quotas["account:11/deployment:1"].buckets.items()
        if axis == "audio_seconds"
    )  # fmt: skip
    assert bucket.capacity - 11 < bucket.level <= bucket.capacity - 9


def test_a_quota_of_audio_seconds_is_not_overdrawn(hearing: Open, client: httpx2.Client, sim: Running) -> None:
    served = hearing(*OFFERS[:3])
    models = Counter(model_of(ask(client, served, content=bytes(16_000 * 1200))) for _ in range(14))
    assert set(models) == {TURBO, LARGE, WHISPER_1}
    assert 5 <= models[TURBO] <= 8, "two hours of audio an hour, twenty minutes each"
    assert not [e for e in sim.ledger(kind="groq") if e["status"] == 429], "the known limit foretold it"


def all_back(served: Serving) -> None:
    """As if every cooldown had passed and every quota were full."""
    health = served.gate.health
    served.loop.call_soon_threadsafe(health.limits.quotas.clear)
    served.loop.call_soon_threadsafe(health.cooldowns.clear)
    wait_for(lambda: not health.cooldowns)


BAD: list[tuple[dict[str, str], str, str]] = [
    ({"response_format": "yaml"}, "response_format", "invalid_value"),
    ({"temperature": "hot"}, "temperature", "invalid_value"),
    ({"temperature": "nan"}, "temperature", "invalid_value"),
    ({"language": "x" * 41}, "language", "invalid_value"),
    ({"timestamp_granularities[]": "sentence"}, "timestamp_granularities[]", "invalid_value"),
    ({"stream": "true"}, "stream", "invalid_value"),
    ({"model": ""}, "model", "missing_model"),
    ({"model": "m" * 201}, "model", "invalid_value"),
    ({"model": "no-such-model"}, "model", "model_not_found"),
]


@pytest.mark.parametrize(("fields", "param", "code"), BAD)
def test_a_bad_field_is_refused_and_named(
    hearing: Open, client: httpx2.Client, sim: Running, fields: dict[str, str], param: str, code: str
) -> None:
    served = hearing()
    refused = ask(client, served, **fields)  # type: ignore[arg-type]  # fields of a form all of them
    assert refused.status_code in (400, 404)
    error = refused.json()["error"]
    assert (error["param"], error["code"]) == (param, code)
    (page,) = served.records()
    assert (page["outcome"], page["op"], page["id"]) == ("refused", "transcription", refused.headers["x-request-id"])
    assert (sim.ledger(), kept_files()) == ([], [])


def test_an_empty_file_is_refused(hearing: Open, client: httpx2.Client) -> None:
    error = ask(client, hearing(), content=b"").json()["error"]
    assert (error["param"], error["code"]) == ("file", "empty_file")


def test_the_callers_own_mistake_is_passed_on_and_does_not_rotate(
    hearing: Open, client: httpx2.Client, sim: Running
) -> None:
    served = hearing()
    refused = ask(client, served, name="letter.docx")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "file")
    assert "Invalid file format" in refused.text
    assert len(sim.ledger()) == 1


def test_a_limited_client_may_not_use_another_pool(hearing: Open, client: httpx2.Client) -> None:
    client.headers["authorization"] = f"Bearer {BOB}"
    assert ask(client, hearing()).status_code == 403


def test_no_key_no_upload(hearing: Open, sim: Running) -> None:
    served = hearing()
    with httpx2.Client() as nobody:
        assert ask(nobody, served).status_code == 401
    assert kept_files() == []


def uploads() -> tuple[Uploads, Hands, Pages]:
    clock, pages = Hands(MORNING), Pages()
    return Uploads(pages.write, clock), clock, pages


def test_a_learned_size_is_believed_for_an_hour() -> None:
    known, clock, _ = uploads()
    known.adopt([Learned("key:1", "upload_bytes", 1000.0, 0.0), Learned("key:1", "requests", 5.0, 60.0)], {})
    assert known.most(any_target()) == 1000.0
    clock.forward(BELIEVED + 1)
    known.adopt([Learned("key:1", "upload_bytes", 1000.0, 0.0)], {})
    assert known.most(any_target()) == USUAL_MOST


def test_what_a_person_lifted_is_forgotten() -> None:
    known, _, _ = uploads()
    known.adopt([Learned("key:1", "upload_bytes", 1000.0, 0.0)], {})
    known.forget("key:1")
    assert known.most(any_target()) == USUAL_MOST


def test_an_operator_may_say_what_a_provider_takes() -> None:
    known, _, _ = uploads()
    plain = any_target()
    roomy = Target(plain.deployment, Key(2, 2), Account(2, 2), Provider(2, "p", "groq", "https://p.example/v1",
                   options={"max_upload_mib": 100}))  # fmt: skip
    assert (known.most(plain), known.most(roomy)) == (USUAL_MOST, 100 * 2**20)


def test_turns_go_on_where_they_were_and_begin_anew_each_day() -> None:
    known, clock, _ = uploads()
    known.adopt([], {1: 7, 2: 5})
    known.sent(2)
    known.adopt([], {1: 99})
    assert known.used == {1: 7, 2: 6}
    clock.forward(86_400)
    assert known.used == {}
