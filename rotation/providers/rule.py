"""One row of the error tables: a signal and the failure kind it stands for. The rows themselves are elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rotation.core.failures import Blame, FailureKind
from rotation.providers.complaints import Complaint

Statuses = frozenset[int | None]
REQUEST: Statuses = frozenset({None, 400, 403, 404, 405, 413, 415, 422, 500, 501})
LIMITED: Statuses = frozenset({None, 429})
READ = 4000  # characters of a message that are looked at

# What wrappers put before the sentence that matters
_PREFIX = re.compile(
    r"\A(?:\s*(?:"
    r"error code: \d{3} - |error: |input validation error: |invalid request: |bad request: |provider returned error: "
    r"|upstream error from [^:]{1,60}: |<\d{3}> |code=\d{3}, message=|\d{3}:? "
    r"|(?:\w{1,30}\.){0,3}\w{0,40}(?:Error|Exception): "
    r"))+",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\"[^\"]*\"|`[^`]*`|(?<!\w)'(?:[^']|(?<=\w)'(?=\w))*'(?!\w)")
_NAME = 26  # characters, quotes included: a shorter quotation names a field, a longer one may be the prompt


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint made ready for the rows. `status` None: an error inside a 200 that names none."""

    status: int | None
    complaint: Complaint
    texts: tuple[str, ...]  # the message, then relayed ones, from the sentence that matters on

    @classmethod
    def of(cls, complaint: Complaint, status: int | None) -> Case:
        return cls(status, complaint, tuple(_PREFIX.sub("", t[:READ], count=1) if t else "" for t in complaint.texts))


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches when the status is among `statuses` (None: any) and a word or a sentence of the complaint fits.

    Without words and sentences the status alone decides. Codes and types (`words`) are trusted. `starts` is matched
    at the start of a message only, because a message may echo the prompt; `says` is searched in all of it but long
    quotations, and is kept for kinds that bench nobody. `relayed`: also look at what an upstream behind the provider
    said; its keys, credits and limits are not ours, so only rules about the request itself do. `longest`: no hint may
    be longer, in seconds; a limit per minute is free again after one, whatever two clocks make of its reset.
    """

    kind: FailureKind
    words: frozenset[str] = frozenset()
    starts: re.Pattern[str] | None = None
    says: re.Pattern[str] | None = None
    statuses: Statuses | None = None
    blame: Blame | None = None
    feature: str | None = None
    relayed: bool = False
    longest: float | None = None

    def matches(self, case: Case) -> bool:
        if self.statuses is not None and case.status not in self.statuses:
            return False
        if not self.words and self.starts is None and self.says is None:
            return True
        words = case.complaint.all_words if self.relayed else case.complaint.words
        return not self.words.isdisjoint(words) or self._reads(case.texts if self.relayed else case.texts[:1])

    def _reads(self, texts: Iterable[str]) -> bool:
        for text in texts:
            if self.starts is not None and self.starts.match(text):
                return True
            if self.says is not None and self.says.search(_QUOTED.sub(_short, text)):
                return True
        return False


def _short(quoted: re.Match[str]) -> str:
    return quoted[0] if len(quoted[0]) <= _NAME else ""


def words(text: str) -> frozenset[str]:
    """Codes and types, separated by spaces, lower case."""
    return frozenset(text.split())


def sentences(*patterns: str) -> re.Pattern[str]:
    """Any of these, in any case."""
    return re.compile("|".join(f"(?:{p})" for p in patterns), re.IGNORECASE | re.DOTALL)
