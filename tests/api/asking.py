"""A program that uses the management API with a token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from rotation.models import Role
from rotation.roles import give
from tests.api.furnished import token_of


class Asking:
    """`ask("post", "/v1/pools", {"name": "x"})` answers what came back; `ask.json(...)` its JSON, when it went well."""

    def __init__(self, role: Role = Role.ADMIN, name: str = "root") -> None:
        self.user, _ = User.objects.get_or_create(username=name)
        give(self.user, role)
        self.token = token_of(self.user, role)

    def __call__(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Any:
        sent = {"authorization": f"Bearer {token or self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        address = path if path.startswith("/api") else f"/api{path}"
        if body is None:
            return Client().generic(method.upper(), address, headers=sent)
        return getattr(Client(), method)(address, headers=sent, data=body, content_type="application/json")

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self(method, path, body, **headers)
        assert 200 <= answer.status_code < 300, (answer.status_code, answer.content[:500])
        return answer.json() if answer.content else None
