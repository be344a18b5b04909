"""Every address Django answers. The hot `/v1` routes are taken by the gateway's own door before Django sees them."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from rotation import health_pages
from rotation.api.management import api as management
from rotation.api.v1 import api as v1

urlpatterns = [
    path("healthz", health_pages.healthz, name="healthz"),
    path("readyz", health_pages.readyz, name="readyz"),
    path("v1/", v1.urls),
    path("api/", management.urls),
    path("", include("dashboard.urls")),  # before the admin, whose own login page it takes over
    path("admin/", admin.site.urls),
]

handler400 = "rotation.refused_pages.bad_request"
handler404 = "rotation.refused_pages.not_found"
