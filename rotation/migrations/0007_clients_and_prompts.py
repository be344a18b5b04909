"""Whose call it was: jobs' own calls are told apart, roll-ups per client key and per kind of failure begin with what is
stored, and kept prompts are erased the moment the operator no longer wants them, through whatever door that is said.

The new column has a constant default: no row is rewritten. The roll-ups read the raw rows once, which are a month's at
most, and only into tables that are empty.
"""

from __future__ import annotations

from django.db import migrations, models

INTERNAL = "ALTER TABLE rotation_request ADD COLUMN internal boolean NOT NULL DEFAULT false"
NO_INTERNAL = "ALTER TABLE rotation_request DROP COLUMN internal"

CLIENT_DAYS = """
INSERT INTO rotation_clientday (at, client_key_id, simulated, calls, answered, tokens_in, tokens_out, cost)
SELECT date_trunc('day', at, 'UTC'), client_key_id, simulated, count(*), count(*) FILTER (WHERE outcome = 'answered'),
    sum(tokens_in), sum(tokens_out), coalesce(sum(cost), 0)
FROM rotation_request
WHERE client_key_id IS NOT NULL AND NOT EXISTS (SELECT FROM rotation_clientday)
GROUP BY 1, 2, 3
"""
KIND_DAYS = """
INSERT INTO rotation_kindday (at, deployment_id, kind, attempts)
SELECT date_trunc('day', at, 'UTC'), deployment_id, outcome, count(*)
FROM rotation_attempt
WHERE NOT EXISTS (SELECT FROM rotation_kindday)
GROUP BY 1, 2, 3
"""

ERASE = """
CREATE FUNCTION rotation_erase_prompts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM rotation_switch WHERE name = 'keep_prompts' AND value = 'true'::jsonb) THEN
        DELETE FROM rotation_keptprompt;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER rotation_erase_prompts AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rotation_switch
FOR EACH STATEMENT EXECUTE FUNCTION rotation_erase_prompts();
"""
NO_ERASE = """
DROP TRIGGER rotation_erase_prompts ON rotation_switch;
DROP FUNCTION rotation_erase_prompts();
"""


class Migration(migrations.Migration):
    dependencies = [("rotation", "0006_control_plane_rules")]

    operations = [
        migrations.RunSQL(
            INTERNAL,
            NO_INTERNAL,
            state_operations=[
                migrations.AddField(
                    "Request",
                    "internal",
                    models.BooleanField(default=False, help_text="Asked by one of Rotation's own jobs."),
                ),
            ],
        ),
        migrations.RunSQL(CLIENT_DAYS, migrations.RunSQL.noop),
        migrations.RunSQL(KIND_DAYS, migrations.RunSQL.noop),
        migrations.RunSQL(ERASE, NO_ERASE),
    ]
