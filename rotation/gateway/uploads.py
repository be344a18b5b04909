"""How large an upload each key takes, and how many calls for audio each provider was sent today.

A size is our default, the operator's (`max_upload_mib` in the provider's options), or learned from a 413. What is
learned is noted as a limit of the axis `upload_bytes` and outlives a restart; it is believed for an hour, then one
larger upload may prove it wrong, so that no key is thought small for good. Days are UTC.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rotation.core.failures import Failure, FailureKind
from rotation.core.targets import Target, key_scope
from rotation.core.transcription import MIB, USUAL_MOST, learned_most
from rotation.providers.sentences import spent

if TYPE_CHECKING:
    from rotation.gateway.snapshot import Learned

AXIS = "upload_bytes"
DAY = 86_400.0
BELIEVED = 3600.0  # seconds
TOO_LARGE = 413
_TOLD = re.compile(r"(?i)(?:limit|maximum|max|most)[^0-9]{0,40}(\d{4,12})\b(?! bytes read)")


class Uploads:
    """One gateway's knowledge. `now` is engine time."""

    def __init__(self, note: Callable[[Mapping[str, Any]], None], now: Callable[[], float]) -> None:
        self._note, self._now = note, now
        self._learned: dict[str, tuple[float, float]] = {}  # scope -> bytes, until when that is believed
        self._used: Counter[int] = Counter()
        self._day = -1

    def most(self, target: Target) -> float:
        """Bytes of the largest upload this target's key takes, as far as is known."""
        usual = own_most(target.provider.options)
        most, until = self._learned.get(key_scope(target), (usual, 0.0))
        return min(usual, most) if self._now() < until else usual

    def refused(self, target: Target, size: int, failure: Failure) -> None:
        """An upload of `size` bytes was refused: if for its size, that is remembered for the key."""
        large = failure.kind is FailureKind.TOO_LARGE_FOR_BUDGET and failure.status == TOO_LARGE
        if not large or spent(failure.message):  # what is spent is a quota, and it refills
            return
        told = _TOLD.search(failure.message)
        most, scope = learned_most(size, float(told[1]) if told else None), key_scope(target)
        if most < self.most(target):
            self._learned[scope] = most, self._now() + BELIEVED
            self._note({"t": "limit", "at": self._now(), "scope": scope, "axis": AXIS, "limit": most,
                        "window": 0.0, "source": "413"})  # fmt: skip

    def adopt(self, learned: Iterable[Learned], used: Mapping[int, int]) -> None:
        """What an earlier life learned, and what it sent today."""
        for known in learned:
            if known.axis == AXIS:
                self._learned.setdefault(known.scope, (known.limit, self._now() + BELIEVED))
        if self._day < 0:
            self._today().update(used)

    def forget(self, scope: str) -> None:
        """A person lifted what was learned of this scope."""
        self._learned.pop(scope, None)

    def sent(self, provider: int) -> None:
        """One more call went to this provider."""
        self._today()[provider] += 1

    @property
    def used(self) -> Mapping[int, int]:
        """Calls sent today, by provider id."""
        return self._today()

    def _today(self) -> Counter[int]:
        day = int(self._now() // DAY)
        if day != self._day:
            self._day, self._used = day, Counter()
        return self._used


def own_most(options: Mapping[str, Any]) -> float:
    """What an operator says a provider takes, else what is usual."""
    own = options.get("max_upload_mib")
    return float(own) * MIB if isinstance(own, int | float) and own > 0 else float(USUAL_MOST)
