"""What happens to a call while the world changes under it, or when we ourselves are at fault."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from rotation.gateway.gate import Gate, without_feature
from rotation.sealing import Secret
from tests.cast import Offer
from tests.gateway.scripted import NOWHERE, ask, gate_for, message, pages, upstream, whole


async def answer(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(message()))


def without_the_second_key(gate: Gate) -> None:
    snapshot = gate.snapshot
    gone = {t.key.id for t in snapshot.targets[2]}
    secrets = {k: v for k, v in snapshot.secrets.items() if k not in gone}
    gate.adopt(replace(snapshot, secrets=secrets, targets={1: snapshot.targets[1]}))


def test_a_key_taken_away_under_a_running_call_does_not_end_it() -> None:
    """The call keeps the configuration it began with; the next one has the new."""

    async def story() -> None:
        async def fail_after_the_change(writer: asyncio.StreamWriter) -> None:
            without_the_second_key(gate)
            writer.write(whole({"error": {"message": "no"}}, 500))

        async with upstream(fail_after_the_change) as bad, upstream(answer) as good:
            offers = Offer("generic", "m", base_url=bad), Offer("generic", "n", base_url=good)
            async with gate_for(*offers) as gate:
                assert (await ask(gate))[0] == 200
                assert len(pages(gate)) == 1

    asyncio.run(story())


def test_a_lack_of_a_model_taken_away_meanwhile_is_forgotten() -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            bare = replace(gate.snapshot, deployments={}, targets={})
            assert without_feature(bare, 1, "tools") is bare

    asyncio.run(story())


def test_a_fault_of_our_own_at_one_target_is_logged_and_the_next_one_answers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with upstream(answer) as good:
            offers = Offer("groq", "m", base_url=NOWHERE), Offer("generic", "n", base_url=good)
            async with gate_for(*offers) as gate:
                monkeypatch.setattr("rotation.providers.groq.Groq.chat", lambda *_, **__: 1 / 0)
                assert (await ask(gate))[0] == 200
                assert [a["outcome"] for a in pages(gate)[0]["attempts"]] == ["cancelled", "ok"]
                assert gate.health.standing(gate.snapshot.targets[1][0]).state == "ready"

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert "an error of our own" in caplog.text


def test_an_error_outside_of_any_attempt_still_leaves_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            monkeypatch.setattr(gate.health, "admit", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await ask(gate)
            [page] = pages(gate)
            assert (page["outcome"], page["status"]) == ("failed", 500)

    asyncio.run(story())


def test_a_key_of_no_known_form_that_a_provider_echoes_goes_nowhere() -> None:
    secret = "my-own-local-password"

    async def echo(writer: asyncio.StreamWriter) -> None:
        writer.write(whole({"error": {"message": f"bad request from {secret}", "type": "invalid_request_error"}}, 400))

    async def story() -> None:
        async with upstream(echo) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            gate.snapshot = replace(gate.snapshot, secrets={k: Secret(secret) for k in gate.snapshot.secrets})
            status, body, _ = await ask(gate)
            assert status == 400
            assert secret not in str(body)
            assert secret not in str(pages(gate))

    asyncio.run(story())
