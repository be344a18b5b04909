"""What a client asks of one call in its headers: by when, by whom only, and by whom not.

Both doors hand over the same: the headers named here, and nothing else of them. What they mean for a route stands in
`choosing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rotation.gateway.envelope import invalid

DEADLINE = "x-deadline-ms"
PIN = "x-rotation-pin"
EXCLUDE = "x-rotation-exclude"
REFERENCE, ECHO = "x-request-id", "x-client-request-id"
HEADERS = (DEADLINE, PIN, EXCLUDE, REFERENCE)
MAX_REFERENCE = 128
TOTAL = 600.0  # seconds a call may take, whatever its client's deadline
MAX_NAMES = 50
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Wishes:
    """`seconds` until the deadline, None for none of the client's own. `pin` and `exclude` are names of providers,
    of models, or `provider/model`. `reference` is the client's own id of this call.
    """

    seconds: float | None = None
    pin: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    reference: str = ""


NO_WISHES = Wishes()


def told(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """These headers of an ASGI request; one that comes twice is a list, as HTTP has it."""
    found: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1").lower()
        if name in HEADERS:
            text = value.decode("latin-1")
            found[name] = f"{found[name]},{text}" if name in found else text
    return found


def read(given: Mapping[str, str]) -> Wishes:
    """What the headers say. Raises `Refusal` (400) that names the header."""
    return Wishes(_seconds(given.get(DEADLINE)), _names(given, PIN), _names(given, EXCLUDE), reference(given))


def reference(given: Mapping[str, str]) -> str:
    """The client's own id of this call: printable ASCII, at most 128 characters; any other is as none."""
    text = given.get(REFERENCE, "")
    fit = len(text) <= MAX_REFERENCE and text.isascii() and text.isprintable()
    return text.strip() if fit else ""


def echo(reference: str) -> dict[str, str]:
    """That id, as every answer of a call gives it back."""
    return {ECHO: reference} if reference else {}


def _seconds(deadline: str | None) -> float | None:
    if deadline is None:
        return None
    if not deadline.isascii() or not deadline.isdigit() or int(deadline[:12]) < 1:
        raise invalid(f"The header '{DEADLINE}' must be a whole number of milliseconds from 1.", param=DEADLINE)
    return min(int(deadline[:12]) / 1000, TOTAL)


def _names(given: Mapping[str, str], header: str) -> tuple[str, ...]:
    names = [name for part in given.get(header, "").split(",") if (name := part.strip())]
    if len(names) > MAX_NAMES or not all(len(name) <= MAX_NAME and name.isprintable() for name in names):
        rule = f"at most {MAX_NAMES} names of providers or models, separated by commas"
        raise invalid(f"The header '{header}' must hold {rule}.", param=header)
    return tuple(dict.fromkeys(names))
