"""The admin: everything an operator sets, and everything the engine has written, on Django's own pages."""

from __future__ import annotations

from django.contrib import admin

from rotation.admin import catalogue, clients, health, keys, neighbours, pools, records

__all__ = ["catalogue", "clients", "health", "keys", "neighbours", "pools", "records"]

admin.site.site_header = "Rotation"
admin.site.site_title = "Rotation"
admin.site.index_title = "Configuration and records"
