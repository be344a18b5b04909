"""Faults of the wire: time, connections, and bytes that are no answer at all. Each turns one script into another."""

from __future__ import annotations

from dataclasses import replace

from rotation.simulator.faults import Rule
from rotation.simulator.script import Ending, Script, whole

_HTML = """<!DOCTYPE html>
<html lang="en-US"><head><title>simulated | {status}: Bad gateway</title></head>
<body><h1>Bad gateway <span>Error code {status}</span></h1>
<p>The web server reported a bad gateway error.</p></body></html>
"""
_GARBAGE = bytes(range(128, 256)) + b"\r\n\x00\x16\x03\x01 not http at all\r\n\r\n"
_HUGE = 64 * 2**20
_SLOW = 30.0


def after(rule: Rule, script: Script) -> int:
    """How many steps still go out; by default a third of a stream, at least the first content."""
    return rule.after if rule.after is not None else max(2, len(script.steps) // 3)


def half(script: Script) -> bytes:
    body = b"".join(script.steps)
    return body[: len(body) // 2]


def slow(rule: Rule, script: Script) -> Script:
    more = _SLOW if rule.seconds is None else rule.seconds
    return replace(script, wait=script.wait + more)


def slow_first(rule: Rule, script: Script) -> Script:
    """The status line comes in time, the first step does not."""
    more = _SLOW if rule.seconds is None else rule.seconds
    return replace(script, first=script.first + more)


def stall(rule: Rule, script: Script) -> Script:
    if not script.stream:
        return replace(script, status=0, steps=(), ending=Ending.HANG)
    return replace(script, steps=script.steps[: after(rule, script)], ending=Ending.HANG, filler=b"")


def cut(rule: Rule, script: Script) -> Script:
    ending = Ending.CLOSE if rule.way == "close" else Ending.RESET
    if script.stream:
        return replace(script, steps=script.steps[: after(rule, script)], ending=ending)
    return replace(script, steps=(half(script),), ending=ending)


def truncate(rule: Rule, script: Script) -> Script:
    if script.stream:
        return replace(script, steps=script.steps[: after(rule, script)])
    part = half(script)
    return replace(script, steps=(part,), length=len(part))


def html(rule: Rule, script: Script) -> Script:
    status = rule.status or 502
    return whole(
        status, (("content-type", "text/html; charset=UTF-8"),), _HTML.format(status=status).encode(), wait=0.1
    )


def redirect(rule: Rule, script: Script) -> Script:
    """Somewhere a key must never travel to. `message` is the address."""
    headers = (("location", rule.message or "http://127.0.0.1:9/elsewhere"), ("content-type", "text/html"))
    return whole(rule.status or 302, headers, b"<html><body>Moved</body></html>", wait=0.05)


def refuse_connection(rule: Rule, script: Script) -> Script:
    return Script(status=0, ending=Ending.CLOSE if rule.way == "close" else Ending.RESET)


def garbage(rule: Rule, script: Script) -> Script:
    return Script(status=0, steps=(_GARBAGE,), wait=0.05, ending=Ending.CLOSE)


def huge(rule: Rule, script: Script) -> Script:
    """`size` bytes: one endless body, or a stream of large events (`form` event: one event of that size)."""
    size = rule.size or _HUGE
    block = b"x" * 2**16
    count = max(1, size // len(block))
    if not script.stream:
        return replace(
            script, steps=(b'{"choices":[{"message":{"content":"', *([block] * count), b'"}}]}'), length=None, gap=0.0
        )
    if rule.form == "event":
        return replace(
            script, steps=(b'data: {"choices":[{"delta":{"content":"', *([block] * count), b'"}}]}\n\n'), gap=0.0
        )
    one = b'data: {"choices":[{"index":0,"delta":{"content":"' + block + b'"},"finish_reason":null}]}\n\n'
    return replace(script, steps=(*script.steps[:1], *([one] * count), *script.steps[-2:]), gap=0.0)
