from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from rotation.models import Attempt, Request

pytestmark = pytest.mark.django_db


def test_the_tables_are_what_the_models_say():
    call_command("makemigrations", "rotation", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("model", [Request, Attempt])
def test_the_tables_made_in_sql_are_what_their_models_say(model):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, is_nullable = 'YES' FROM information_schema.columns "
            "WHERE table_name = %s ORDER BY ordinal_position",
            [model._meta.db_table],
        )
        made = cursor.fetchall()
    fields = [field for field in model._meta.local_fields if field.name != "pk"]
    said = [(field.column, (field.db_type(connection) or "").split("(")[0], field.null) for field in fields]
    assert made == said
