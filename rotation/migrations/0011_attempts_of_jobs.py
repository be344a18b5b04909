"""Whose attempt it was: those of the jobs' own calls say nothing of how clients are served.

The new column has a constant default: no row is rewritten. The index holds only what jobs ask, a small share of all.
"""

from __future__ import annotations

from django.db import migrations, models

INTERNAL = "ALTER TABLE rotation_attempt ADD COLUMN internal boolean NOT NULL DEFAULT false"
NO_INTERNAL = "ALTER TABLE rotation_attempt DROP COLUMN internal"
INDEX = "CREATE INDEX rotation_attempt_internal ON rotation_attempt (at) WHERE internal"
NO_INDEX = "DROP INDEX rotation_attempt_internal"


class Migration(migrations.Migration):
    dependencies = [("rotation", "0010_explored_calls")]

    operations = [
        migrations.RunSQL(
            INTERNAL,
            NO_INTERNAL,
            state_operations=[
                migrations.AddField(
                    "Attempt",
                    "internal",
                    models.BooleanField(default=False, help_text="Made for one of Rotation's own jobs."),
                ),
            ],
        ),
        migrations.RunSQL(INDEX, NO_INDEX),
    ]
