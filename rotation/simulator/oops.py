"""Everything that can go wrong in a provider's own words: the kinds put it into their shapes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rotation.simulator.limits import Refused


class Trouble(StrEnum):
    NO_KEY = "no_key"
    BAD_KEY = "bad_key"
    NOT_PERMITTED = "not_permitted"
    NO_MODEL = "no_model"
    MODEL_GONE = "model_gone"
    LIMIT = "limit"
    BUSY = "busy"  # somebody else's limit behind the provider
    OVERLOADED = "overloaded"
    SERVER = "server"
    CREDIT = "credit"
    LACKS = "lacks"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"  # the body
    POLICY = "policy"
    GENERATION = "generation"
    BAD_REQUEST = "bad_request"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True)
class Oops:
    """One trouble with what a text about it may need.

    `hint` says how a rate limit tells its wait: "" for the provider's own way, else retry_after, retry_after_ms,
    reset, text, none.
    `status` 0 means the usual one. `feature`: tools, images, json.
    """

    what: Trouble
    model: str = ""
    message: str = ""
    param: str | None = None
    code: str | None = None
    feature: str = ""
    status: int = 0
    key: str = ""
    account: str = ""
    refused: Refused | None = None
    hint: str = ""
    tokens_in: int = 0
    tokens_max: int = 0
    context: int = 0
    size: int = 0
    affords: int | None = None
    path: str = ""
    method: str = ""
    detail: str = ""


class Refusal(Exception):
    """Raised where an answer cannot be given; carries what to say."""

    def __init__(self, oops: Oops) -> None:
        super().__init__(oops.what)
        self.oops = oops
