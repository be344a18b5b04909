"""Every page there is: one table, walked by the tests of looks, of hostile texts and of scripts switched off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: Route -> address, of all that can be opened without knowing an id. `tests/browser/test_looks.py` holds it complete.
PLAIN: Mapping[str, str] = {
    "overview": "/",
    "start": "/start/",
    "requests": "/requests/",
    "models": "/models/",
    "model_matrix": "/models/matrix/",
    "model_timeline": "/models/timeline/",
    "savings": "/savings/",
    "rotation": "/rotation/",
    "order_history": "/rotation/history/",
    "laboratory": "/laboratory/",
    "import_trace": "/laboratory/traces/import/",
    "discovery": "/discovery/",
    "catalogue_changes": "/discovery/changes/",
    "pools": "/pools/",
    "add_pool": "/pools/add/",
    "transcription": "/transcription/",
    "providers": "/providers/",
    "add_provider": "/providers/add/",
    "clients": "/clients/",
    "add_client": "/clients/add/",
    "playground": "/playground/",
    "people": "/people/",
    "add_person": "/people/add/",
    "tokens": "/tokens/",
    "add_token": "/tokens/add/",
    "own_password": "/tokens/password/",
    "settings": "/settings/",
    "audit": "/audit/",
    "status": "/status/",
    "style": "/style/",
    "style_form": "/style/form/",
}
#: Routes that answer a GET, but not with a page of their own: parts, files, redirects, and the door (for strangers).
NOT_PAGES = frozenset({"overview_live", "status_badge", "status_json", "icon", "login", "admin_door"})
#: Routes that only take a POST.
POSTED = frozenset({"look_now", "verify_candidates", "set_breaker", "logout", "theme"})
#: More views of pages that are there: a table of a chart, a range, a filter, something chosen.
VIEWS: Mapping[str, str] = {
    "overview_1h": "/?range=1h",
    "table_requests": "/table/requests/",
    "requests_rotated": "/requests/?rotated=1",
    "models_out": "/models/?status=gone",
}


def every(known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(name, address) of all of them; `known` are addresses with ids in them."""
    yield from PLAIN.items()
    yield from VIEWS.items()
    yield from ((name, path) for name, path in known.items() if path.startswith("/"))
