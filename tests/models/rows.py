"""Rows to test with: each function makes one, with everything it needs, unless it is given."""

from __future__ import annotations

import datetime as dt
import uuid
from itertools import count
from typing import Any

from django.utils import timezone

from rotation.models import Account, Attempt, Deployment, Key, Pool, Provider, Request

number = count(1)
SECRET = "sk-test-0123456789abcdefghij"


def provider(**values: Any) -> Provider:
    n = next(number)
    start = {"kind": "openai", "name": f"p{n}", "label": f"Provider {n}", "base_url": "https://api.example.com/v1"}
    return Provider.objects.create(**{**start, **values})


def account(**values: Any) -> Account:
    return Account.objects.create(**{"provider": values.pop("provider", None) or provider(), **values})


def key(secret: str = SECRET, **values: Any) -> Key:
    made, _ = Key.objects.take_in(values.pop("account", None) or account(), secret, label=values.pop("label", ""))
    for name, value in values.items():
        setattr(made, name, value)
    made.save()
    return made


def deployment(**values: Any) -> Deployment:
    start = {"provider": values.pop("provider", None) or provider(), "model_id": f"m{next(number)}"}
    return Deployment.objects.create(**{**start, **values})


def pool(**values: Any) -> Pool:
    return Pool.objects.create(**{"name": f"pool{next(number)}", **values})


def request(at: dt.datetime | None = None, **values: Any) -> Request:
    start: dict[str, Any] = {
        "at": at or timezone.now(),
        "id": uuid.uuid4(),
        "operation": "chat",
        "asked": "auto",
        "pool": "auto",
        "stream": False,
        "status": 200,
        "outcome": "answered",
        "model": "m",
        "attempts": 1,
        "queue_ms": 0.1,
        "total_ms": 900.0,
        "lost_ms": 0.0,
        "tokens_in": 10,
        "tokens_out": 20,
        "usage_estimated": False,
        "simulated": False,
        "error": "",
        "trace": [],
    }
    return Request.objects.create(**{**start, **values})


def attempt(at: dt.datetime | None = None, **values: Any) -> Attempt:
    start: dict[str, Any] = {
        "at": at or timezone.now(),
        "id": uuid.uuid4(),
        "request_id": uuid.uuid4(),
        "n": 1,
        "provider_id": 1,
        "deployment_id": 1,
        "account_id": 1,
        "key_id": 1,
        "model": "m",
        "outcome": "ok",
        "message": "",
        "start_ms": 0.0,
        "total_ms": 900.0,
        "tokens_in": 10,
        "tokens_out": 20,
        "simulated": False,
    }
    return Attempt.objects.create(**{**start, **values})
