"""What has run and what was changed, to read: jobs, discovery, verification, reordering, the audit."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from rotation.admin.audited import ReadOnly
from rotation.models import AuditEvent, CatalogueChange, DiscoveryRun, JobRun, JournalFile, Reordering, Verification

HEAD = format_html_join("", "<th scope='col'>{}</th>", (("column",), ("before",), ("after",)))


@admin.register(JobRun)
class JobRunAdmin(ReadOnly):
    list_display = ("job", "slot", "state", "took", "summary")
    list_filter = ("state", "job")
    search_fields = ("job", "summary", "error")

    @admin.display(description="took")
    def took(self, run: JobRun) -> str:
        return f"{(run.ended_at - run.started_at).total_seconds():.1f} s" if run.ended_at else ""


@admin.register(JournalFile)
class JournalFileAdmin(ReadOnly):
    list_display = ("name", "offset", "done_at")
    search_fields = ("name",)


@admin.register(DiscoveryRun)
class DiscoveryRunAdmin(ReadOnly):
    list_display = ("provider", "started_at", "state", "listed", "changed", "error")
    list_filter = ("state", "provider")
    list_select_related = ("provider",)


@admin.register(CatalogueChange)
class CatalogueChangeAdmin(ReadOnly):
    list_display = ("at", "provider", "model_id", "change", "before", "after")
    list_filter = ("change", "provider")
    list_select_related = ("provider",)
    search_fields = ("model_id",)


@admin.register(Verification)
class VerificationAdmin(ReadOnly):
    list_display = ("at", "deployment", "capability", "verdict", "score", "trials", "reason")
    list_filter = ("verdict", "capability")
    list_select_related = ("deployment__provider",)
    search_fields = ("deployment__model_id", "reason")


@admin.register(Reordering)
class ReorderingAdmin(ReadOnly):
    list_display = ("at", "pool", "standing", "reason", "applied_by", "undone_by")
    list_filter = ("pool",)
    list_select_related = ("pool",)
    search_fields = ("reason",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    list_display = ("at", "actor", "door", "action", "object_type", "about", "what")
    list_filter = ("door", "object_type", "action")
    search_fields = ("actor", "object_type", "object_id", "about")
    fields = ("at", "actor", "door", "action", "object_type", "object_id", "about", "differences")
    readonly_fields = ("differences",)

    @admin.display(description="columns")
    def what(self, event: AuditEvent) -> str:
        return ", ".join(name for name, _, _ in event.differences)

    @admin.display(description="before and after")
    def differences(self, event: AuditEvent) -> SafeString:
        rows = format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td><td>{}</td></tr>", event.differences)
        return format_html("<table><tr>{}</tr>{}</table>", HEAD, rows)
