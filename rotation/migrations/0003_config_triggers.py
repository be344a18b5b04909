"""Whoever changes the configuration, by whatever door, raises its version and tells the gateway.

Statement-level triggers, so a bulk update counts once. What only records use (a key's last check, a client key's last
call) is left out where the statement sets nothing else.
"""

from __future__ import annotations

from django.db import migrations

FUNCTION = """
CREATE FUNCTION rotation_config_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
BEGIN
    INSERT INTO rotation_configversion (id, version) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET version = rotation_configversion.version + 1
    RETURNING version INTO raised;
    PERFORM pg_notify('rotation_config', raised::text);
    RETURN NULL;
END
$$;
INSERT INTO rotation_configversion (id, version) VALUES (1, 0);
"""

TABLES = ("provider", "account", "deployment", "pool", "placement")

ALL_EVENTS = """
CREATE TRIGGER rotation_config_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rotation_{table}
FOR EACH STATEMENT EXECUTE FUNCTION rotation_config_changed();
"""

BUT_RECORDS = """
CREATE TRIGGER rotation_config_changed
AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF {columns} ON rotation_{table}
FOR EACH STATEMENT EXECUTE FUNCTION rotation_config_changed();
"""

KEY = "account_id, sealed, last4, fingerprint, label, enabled, state, state_reason, state_since, source"
CLIENT_KEY = "label, prefix, last4, digest, enabled, internal, pools, expires_at, created_at"


def trigger(table: str, sql: str) -> migrations.RunSQL:
    return migrations.RunSQL(sql, f"DROP TRIGGER rotation_config_changed ON rotation_{table}")


class Migration(migrations.Migration):
    dependencies = [("rotation", "0002_partitioned_tables")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION rotation_config_changed(); DELETE FROM rotation_configversion"),
        *(trigger(table, ALL_EVENTS.format(table=table)) for table in TABLES),
        trigger("key", BUT_RECORDS.format(table="key", columns=KEY)),
        trigger("clientkey", BUT_RECORDS.format(table="clientkey", columns=CLIENT_KEY)),
    ]
