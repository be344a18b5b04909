"""What a call needed and by which policy it was sent: with both, its decision can be made again later.

Columns with a constant default: no row is rewritten. Every partition gets them with the table.
"""

from __future__ import annotations

from django.db import migrations, models

ADD = """
ALTER TABLE rotation_request
    ADD COLUMN needs jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN policy jsonb NOT NULL DEFAULT '{}';
"""
DROP = "ALTER TABLE rotation_request DROP COLUMN needs, DROP COLUMN policy"


class Migration(migrations.Migration):
    dependencies = [("rotation", "0003_config_triggers")]

    operations = [
        migrations.RunSQL(
            ADD,
            DROP,
            state_operations=[
                migrations.AddField(
                    "Request",
                    "needs",
                    models.JSONField(
                        default=dict, help_text="What it asked of a model: numbers and flags, never its text."
                    ),
                ),
                migrations.AddField(
                    "Request",
                    "policy",
                    models.JSONField(default=dict, help_text="Version and strategy it was chosen by, and from whom."),
                ),
            ],
        ),
    ]
