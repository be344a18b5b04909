"""A replay's result in words and figures, for people at a terminal and for the line above a page's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]
VERDICTS = {"better": "better", "worse": "worse", "open": "could be either", "same": "the same", "": ""}


def told(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A figure in its unit: shares as %, seconds, USD; a dash where there is none."""
    if value is None:
        return "–"
    sign = "+" if signed and value > 0 else ""
    if unit == "share":
        return f"{sign}{100 * value:.2f}{' points' if signed else ' %'}"
    if unit == "s":
        return f"{sign}{value:.3f} s" if abs(value) < 10 else f"{sign}{value:.1f} s"
    if unit == "USD":
        return f"{sign}{value:.4f} USD"
    return f"{sign}{value:.3f}"


def between(interval: Sequence[float] | None, unit: str, *, signed: bool = False) -> str:
    """`0.8 s to 1.2 s`."""
    if not interval:
        return "–"
    return f"{told(interval[0], unit, signed=signed)} to {told(interval[1], unit, signed=signed)}"


def lines(result: Result) -> Iterator[str]:
    """The whole of it, a line at a time."""
    yield f"{result['source']}: {result['calls']:,} calls ({result['rule']}), {result['measured']:,} measured attempts"
    yield from (f"  candidate: {words}" for words in result["differences"])
    yield ""
    yield f"{'':34}{'present':>12}{'candidate':>12}   difference, 95 %"
    for figure in result["figures"]:
        unit = figure["unit"]
        cells = told(figure["present"], unit), told(figure["candidate"], unit)
        if figure["difference"] is None:
            yield f"{figure['label']:34}{cells[0]:>12}{cells[1]:>12}"
            continue
        change = told(figure["difference"], unit, signed=True)
        span = between(figure["interval"], unit, signed=True)
        yield f"{figure['label']:34}{cells[0]:>12}{cells[1]:>12}   {change} ({span}): {VERDICTS[figure['verdict']]}"
    yield ""
    for account in result["accounts"]:
        was, now = account["requests"]
        yield f"{account['name']}: {was:,} requests, {now:,} with the candidate"
    yield from ("", summary(result), *covered(result))


def summary(result: Result) -> str:
    """One sentence on what matters: success and the time to an answer."""
    figures = {figure["name"]: figure for figure in result["figures"]}
    said = [_sentence(figures[name], words) for name, words in (
        ("success", "calls answered"), ("mean", "the mean time to an answer"), ("p95", "its p95"),
    )]  # fmt: skip
    return f"With the candidate {'; '.join(filter(None, said))}."


def _sentence(figure: Mapping[str, Any], words: str) -> str:
    if figure["difference"] is None:
        return ""
    if figure["verdict"] == "same":
        return f"{words} would be the same ({told(figure['candidate'], figure['unit'])})"
    change = told(figure["difference"], figure["unit"], signed=True)
    sure = {"better": "better", "worse": "worse"}.get(figure["verdict"], "not sure to be either")
    return f"{words} would be {told(figure['candidate'], figure['unit'])} ({change}, {sure})"


def covered(result: Result) -> Iterator[str]:
    """How much of it rests on evidence, and on what the rest does."""
    was, now = result["coverage"]
    if now is not None:
        yield f"Coverage: for {100 * now:.1f} % of the candidate's decisions something had been measured" + (
            f" ({100 * was:.1f} % of the present's)." if was is not None else "."
        )
    for prior in result["priors"]:
        yield f"{prior['words']}; {prior['attempts'][1]:,} of the candidate's attempts, and no interval knows of it."
