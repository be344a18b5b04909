from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_test_database_is_a_postgres():
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        assert cursor.fetchone()[0].startswith("PostgreSQL")
