"""What the database itself sees to: an audit that only grows, and which changes the gateway is told of."""

from __future__ import annotations

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION rotation_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed and never deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER rotation_append_only BEFORE UPDATE OR DELETE ON rotation_auditevent
FOR EACH ROW EXECUTE FUNCTION rotation_append_only();
"""
NO_APPEND_ONLY = """
DROP TRIGGER rotation_append_only ON rotation_auditevent;
DROP FUNCTION rotation_append_only();
"""

TRIGGER = """
DROP TRIGGER IF EXISTS rotation_config_changed ON rotation_{table};
CREATE TRIGGER rotation_config_changed
AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE{columns} ON rotation_{table}
FOR EACH STATEMENT EXECUTE FUNCTION rotation_config_changed();
"""
CLIENT_KEY_BEFORE = "label, prefix, last4, digest, enabled, internal, pools, expires_at, created_at"
CLIENT_KEY = f"{CLIENT_KEY_BEFORE}, requests_per_minute, daily_budget, monthly_budget"
# not: when it was last listed, missed or verified
DEPLOYMENT = (
    "provider_id, model_id, label, family, context, max_output, input_modalities, tools, parallel_tools, json_schema, "
    "images, reasoning, price_in, price_out, price_source, free, status, status_reason, seed_latency_s, tags, lacks"
)

STATES = """
UPDATE rotation_reordering SET state = CASE
    WHEN undone_at IS NOT NULL THEN 'undone' WHEN applied_at IS NOT NULL THEN 'applied' ELSE 'proposed' END;
"""


def of(columns: str) -> str:
    return f" OF {columns}" if columns else ""


def told(table: str, columns: str, before: str | None) -> migrations.RunSQL:
    """`before`: the columns until now, "" for all, None for no trigger."""
    back = f"DROP TRIGGER rotation_config_changed ON rotation_{table}"
    if before is not None:
        back = TRIGGER.format(table=table, columns=of(before))
    return migrations.RunSQL(TRIGGER.format(table=table, columns=of(columns)), back)


class Migration(migrations.Migration):
    dependencies = [("rotation", "0005_control_plane")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, NO_APPEND_ONLY),
        migrations.RunSQL(STATES, migrations.RunSQL.noop),
        told("clientkey", CLIENT_KEY, CLIENT_KEY_BEFORE),
        told("deployment", DEPLOYMENT, ""),
        told("switch", "", None),
    ]
