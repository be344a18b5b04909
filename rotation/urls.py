"""Every address Django answers. The hot `/v1` routes are taken by the gateway's own door before Django sees them."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from rotation import health_pages

urlpatterns = [
    path("healthz", health_pages.healthz),
    path("readyz", health_pages.readyz),
    path("admin/", admin.site.urls),
    path("", include("dashboard.urls")),
]
