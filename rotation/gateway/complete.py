"""READ FIRST. One call, from the name it asked for to the reply.

`rotation.next` says what to do, `health` says whether one may, `attempt` does it; failures go back to `rotation`.
Whatever happens, the call's page in the journal is closed exactly once: here for a refusal or a client that hung up,
in `attempt` for a whole answer, in `relay` at the end of a stream.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from rotation.core.rotation import GiveUp, Rotation, Try, Wait
from rotation.core.selection import select
from rotation.gateway import alternatives, quiet
from rotation.gateway.attempt import attempt
from rotation.gateway.call import Call
from rotation.gateway.choosing import meant
from rotation.gateway.entry import Entry
from rotation.gateway.envelope import Refusal
from rotation.gateway.gate import Gate
from rotation.gateway.leave import Permit, Refused, Work
from rotation.gateway.outlook import honest, peers_of, pools_that_fit
from rotation.gateway.patience import ears, out_of_reach
from rotation.gateway.refusals import closed, refusal, too_short
from rotation.gateway.reply import Failed, Reply
from rotation.sealing import Secret

log = logging.getLogger("rotation.gateway")


async def complete(gate: Gate, call: Call) -> Reply:
    """Answer the call, through as many targets as it takes. Raises `Refusal` when none could."""
    secrets = gate.snapshot.secrets  # this configuration's: the call keeps it, whatever is adopted meanwhile
    route = meant(gate.snapshot, call)
    if call.started + route.policy.total < call.deadline:
        call = replace(call, deadline=call.started + route.policy.total)
    targets = call.task.targets(gate, route, call)
    policy = quiet.policy(route.policy) if call.client.internal else route.policy
    scores, turn = gate.order.scores, gate.order.turn
    found = select(targets, call.needs, policy, call.task.standing(gate))
    candidates = gate.allowances.afforded(call.client, found)
    hold = gate.allowances.open(call.client)
    entry = Entry(call, route, gate.write, gate.now, candidates, scores=scores(), turn=turn(), hold=hold)
    try:
        heard = ears(gate, call)
        rotation = Rotation(candidates, policy, now=call.started, deadline=call.deadline, rand=gate.rand, heard=heard)
        if quickest := out_of_reach(candidates, call, heard, call.deadline - gate.now()):
            raise too_short(entry, quickest)
        return await rotate(gate, call, rotation, entry, secrets)
    except asyncio.CancelledError:
        entry.close("cancelled", 499)
        raise
    except Exception:
        entry.close("failed", 500, error="an error of our own")
        raise


async def rotate(gate: Gate, call: Call, rotation: Rotation, entry: Entry, secrets: Mapping[int, Secret]) -> Reply:
    """Ask what next until there is an answer or nothing left to ask."""
    policy, pool = entry.route.policy, entry.route.pool
    peers = peers_of(rotation.candidates, gate.now() + policy.patience)
    work = Work(policy, pool, call.needs.prompt_tokens, call.id, call.task.audio_seconds, call.output, peers,
                call.client.internal)  # fmt: skip
    who = {"request_id": call.id}
    while True:
        match rotation.next(gate.now()):
            case Try(target, again, last_resort, another):
                match gate.health.admit(target, work, again=again, last_resort=last_resort):
                    case Refused(until) as no:
                        entry.set_aside(target, no.standing)
                        rotation.refused(target, until, gate.now(), soft=no.soft)
                    case Permit() as permit:
                        outcome = await attempt(gate, call, permit, entry, secrets, another=another)
                        if not isinstance(outcome, Failed):
                            return outcome
                        log.warning("%s %s; rotating", target.name, outcome.failure.row.words, extra=who)
                        rotation.failed(target, outcome.failure, gate.now(), outcome.until)
            case Wait(seconds) if gate.health.outage.over(peers, gate.now()):
                log.warning("nothing is free; waiting %.2f s", seconds, extra=who)
                await gate.clock.sleep(seconds)
            case Wait() | GiveUp():  # a wait without hope would only keep the client
                end = honest(rotation.give_up(gate.now()), rotation.candidates, gate.health, work)
                if (instead := otherwise(gate, entry, end)) is None:
                    raise nobody(gate, entry, end)
                return await rotate(gate, call, instead, entry, secrets)


def otherwise(gate: Gate, entry: Entry, end: GiveUp) -> Rotation | None:
    """The way through a successor, where the model turned out to be gone. Raises `Refusal` where it has none."""
    gone = alternatives.discovered(gate, entry, end)
    if not gone:
        return None
    if (instead := alternatives.go_on(gate, entry, gone)) is None:
        failure = end.failures[-1][1] if end.failures else None
        raise closed(alternatives.told_gone(gate, entry, gone), entry, failure)
    return instead


def nobody(gate: Gate, entry: Entry, end: GiveUp) -> Refusal:
    """What the client is told at the end of a way that led nowhere."""
    snapshot, call, route = gate.snapshot, entry.call, entry.route
    return refusal(end, entry, gate.now(), elsewhere=lambda: pools_that_fit(snapshot, call, route))
