"""Calls and attempts: partitioned by day on `at`, with a default partition for what has no day yet.

The primary key serves "newest first"; the other indexes serve one call by its id, the attempts of a call, and the
filters of the request log that may match few rows (a client, a deployment, trouble).
"""

from __future__ import annotations

from django.db import migrations

REQUEST = """
CREATE TABLE rotation_request (
    at timestamptz NOT NULL,
    id uuid NOT NULL,
    client_key_id integer,
    operation text NOT NULL,
    asked text NOT NULL,
    pool text NOT NULL,
    stream boolean NOT NULL,
    status smallint NOT NULL,
    outcome text NOT NULL,
    failure_kind text,
    provider_id integer,
    deployment_id integer,
    key_id integer,
    model text NOT NULL,
    attempts smallint NOT NULL,
    queue_ms double precision NOT NULL,
    first_ms double precision,
    total_ms double precision NOT NULL,
    lost_ms double precision NOT NULL,
    tokens_in integer NOT NULL,
    tokens_out integer NOT NULL,
    usage_estimated boolean NOT NULL,
    cost numeric(20, 10),
    simulated boolean NOT NULL,
    error text NOT NULL DEFAULT '',
    trace jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX rotation_request_by_id ON rotation_request (id);
CREATE INDEX rotation_request_by_client ON rotation_request (client_key_id, at);
CREATE INDEX rotation_request_by_deployment ON rotation_request (deployment_id, at);
CREATE INDEX rotation_request_trouble ON rotation_request (at, id) WHERE outcome <> 'answered';
CREATE TABLE rotation_request_default PARTITION OF rotation_request DEFAULT;
"""

ATTEMPT = """
CREATE TABLE rotation_attempt (
    at timestamptz NOT NULL,
    id uuid NOT NULL,
    request_id uuid NOT NULL,
    n smallint NOT NULL,
    provider_id integer NOT NULL,
    deployment_id integer NOT NULL,
    account_id integer NOT NULL,
    key_id integer NOT NULL,
    model text NOT NULL,
    outcome text NOT NULL,
    status smallint,
    blame text,
    message text NOT NULL DEFAULT '',
    retry_after_s double precision,
    start_ms double precision NOT NULL,
    connect_ms double precision,
    first_ms double precision,
    total_ms double precision NOT NULL,
    tokens_in integer NOT NULL,
    tokens_out integer NOT NULL,
    cost numeric(20, 10),
    simulated boolean NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX rotation_attempt_by_request ON rotation_attempt (request_id);
CREATE INDEX rotation_attempt_by_deployment ON rotation_attempt (deployment_id, at);
CREATE TABLE rotation_attempt_default PARTITION OF rotation_attempt DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("rotation", "0001_tables")]

    operations = [
        migrations.RunSQL(REQUEST, "DROP TABLE rotation_request"),
        migrations.RunSQL(ATTEMPT, "DROP TABLE rotation_attempt"),
    ]
