"""What the OpenAPI page says is what happens: every operation tried by schemathesis, the same examples every time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from rotation.models import Role
from tests.api.furnished import people, token_of

pytestmark = pytest.mark.django_db
EXAMPLES = 2
#: The control plane may still refuse what has the right shape, and If-Match may not fit.
REFUSALS = ["2xx", "304", "401", "403", "404", "409", "412", "422"]
CONFIG = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": REFUSALS},
        "negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "409", "412", "413", "422"]},
    },
    "generation": {"allow-x00": False},
}
PARTS = 6


def declared() -> dict[str, Any]:
    import json

    from ninja.responses import NinjaJSONEncoder

    from rotation.api.management import api

    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder))
    return found


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The one the test's transaction lives in is kept open between requests, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is changed within is as if it had not been: each example finds the same installation."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["sound", "broken"])
def test_every_operation_keeps_to_what_is_declared(part: int, mode: GenerationMode, there: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(declared(), config=SchemathesisConfig.from_dict(CONFIG))
    schema.app = get_wsgi_application()
    headers = {"Authorization": f"Bearer {token_of(people()[Role.ADMIN], Role.ADMIN)}"}
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]  # no Err here
    found = []
    for operation in operations[part::PARTS]:
        more = operation.body or operation.query
        # A thing that is there, but for an operation with nothing but a path to get wrong.
        path = {one.name: there[one.name] for one in operation.path_parameters} if mode.is_positive or more else {}
        try:
            tried(operation, mode, path, lambda case: case.call_and_validate(headers=headers))
        except (BaseExceptionGroup, AssertionError, DatabaseError) as failed:
            found.append(told(operation.label, failed))
    if found:
        pytest.fail("\n\n".join(found), pytrace=False)


def told(operation: str, failed: BaseException) -> str:
    """What is wrong with an operation, and how to see it again."""
    within = failed.exceptions if isinstance(failed, BaseExceptionGroup) else [failed]
    return f"{operation}: " + " / ".join(f"{type(one).__name__} {one}"[:1500] for one in within)


def tried(operation: Any, mode: GenerationMode, path: dict[str, Any], call: Any) -> None:
    """The same few examples every time."""

    @hypothesis.seed(0)
    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=path or None))
    def run(case: Any) -> None:
        with undone():
            call(case)

    try:
        run()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, operation.label  # there is nothing one could get wrong
