"""What a browser sends, and what comes back beside the fields."""

from __future__ import annotations

from typing import Any


def errors(response: Any) -> dict[str, list[str]]:
    """The field errors of a form that was sent back."""
    assert response.status_code == 200, response
    form = response.context["adminform"].form
    return {name: [str(error) for error in found] for name, found in form.errors.items()}


def formset(prefix: str, rows: list[dict[str, Any]] | None = None, *, initial: int = 0) -> dict[str, Any]:
    """What a browser sends for an inline."""
    rows = rows or []
    sent = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    return sent | {f"{prefix}-{n}-{name}": value for n, row in enumerate(rows) for name, value in row.items()}
