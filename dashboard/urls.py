"""Addresses of the pages. Who may see what: everything is behind the login wall but the views of `access`."""

from __future__ import annotations

from django.urls import path

from dashboard.views import access, audit, order, overview, requests, savings, status, style, transcription

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("live/overview/", overview.overview_live, name="overview_live"),
    path("table/<slug:name>/", overview.table, name="table"),
    path("requests/", requests.requests, name="requests"),
    path("requests/<uuid:uuid>/", requests.one_request, name="request"),
    path("requests/<uuid:uuid>/why-not/", requests.why_not_model, name="why_not"),
    path("requests/<uuid:uuid>.json", requests.one_request_json, name="request_json"),
    path("transcription/", transcription.transcription, name="transcription"),
    path("order/undo/<int:pk>/", order.undo_reordering, name="undo_reordering"),
    path("setup/<str:token>/", access.setup, name="setup"),
    path("login/", access.sign_in, name="login"),
    path("admin/login/", access.admin_door, name="admin_door"),
    path("logout/", access.sign_out, name="logout"),
    path("savings/", savings.savings_page, name="savings"),
    path("audit/", audit.audit, name="audit"),
    path("audit/<int:pk>/", audit.audit_event, name="audit_event"),
    path("status/", status.status, name="status"),
    path("status/badge.svg", status.status_badge, name="status_badge"),
    path("status.json", status.status_json, name="status_json"),
    path("favicon.ico", access.icon, name="icon"),
    path("theme/", access.theme, name="theme"),
    path("style/", style.style, name="style"),
    path("style/form/", style.style_form, name="style_form"),
]
