"""The ASGI application of this process's role (ROTATION_ROLE).

all: calls and pages in one process. gateway: calls here, pages forwarded to the dashboard's socket.
dashboard: pages only. Calls never pass through Django's middleware.
"""

from __future__ import annotations

import os

import django

from rotation.asgi_words import App

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rotation.settings")
django.setup()


def pages_here() -> App:
    """Django, with static files served ahead of it."""
    from django.conf import settings  # noqa: PLC0415 - a gateway needs none of this
    from django.core.asgi import get_asgi_application  # noqa: PLC0415
    from servestatic import ServeStaticASGI  # noqa: PLC0415

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    pages: App = ServeStaticASGI(get_asgi_application(), root=settings.STATIC_ROOT, prefix=settings.STATIC_URL)
    return pages


def pages_elsewhere() -> App:
    from django.conf import settings  # noqa: PLC0415

    from rotation.gateway.pages import PageForwarder  # noqa: PLC0415 - the other roles need no client

    return PageForwarder(settings.ROTATION_DASHBOARD_SOCKET)


def application_for(role: str) -> App:
    if role == "dashboard":
        return pages_here()
    from rotation.gateway.door import create_door  # noqa: PLC0415 - pages need no engine

    return create_door(pages_elsewhere() if role == "gateway" else pages_here())


application = application_for(django.conf.settings.ROTATION_ROLE)
