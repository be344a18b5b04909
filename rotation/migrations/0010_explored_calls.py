"""An index of the calls that were sent out of turn, a hundredth of all: what exploring costs is read from them."""

from __future__ import annotations

from django.db import migrations

EXPLORED = "CREATE INDEX rotation_request_explored ON rotation_request (at) WHERE policy ? 'explored'"


class Migration(migrations.Migration):
    dependencies = [("rotation", "0009_one_open_task")]

    operations = [migrations.RunSQL(EXPLORED, "DROP INDEX rotation_request_explored")]
