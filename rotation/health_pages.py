"""`/healthz` (this process is alive) and `/readyz` (it can do its work) for processes without the gateway's door."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """503 while the database does not answer: pages need it, calls do not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "starting", "degraded": ["db"]}, status=503)
    return JsonResponse({"status": "ok", "degraded": []})
