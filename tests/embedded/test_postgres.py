from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from rotation.embedded import lodging, postgres
from rotation.embedded.postgres import LONGEST_SOCKET_PATH, SOCKET_NAME, Cluster
from tests.embedded.waiting import alive, until


@pytest.fixture(scope="module")
def folder():
    """Where a lodged Postgres can come to: pytest's own folders are closed to everybody else."""
    path = Path(tempfile.mkdtemp(prefix="rotation-cluster-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def cluster(folder):
    cluster = postgres.at(folder / "data", settings=postgres.THROW_AWAY)
    assert cluster.create() is True
    assert cluster.create() is False
    return cluster


@pytest.fixture
def running(cluster):
    processes = []

    def run() -> subprocess.Popen[bytes]:
        cluster.clear_the_way()
        identity = lodging.identity(cluster.owner)
        process = subprocess.Popen(cluster.argv(), cwd="/", stderr=None, start_new_session=True, **identity)
        processes.append(process)
        until(lambda: cluster.ready() or process.poll() is not None, "Postgres")
        return process

    yield run
    cluster.clear_the_way()
    for process in processes:
        process.wait(60)


def rows(cluster):
    with psycopg.connect(cluster.url) as link:
        link.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        link.execute("INSERT INTO kept VALUES (1)")
        return link.execute("SELECT count(*) FROM kept").fetchone()[0]


@pytest.mark.django_db
def test_the_test_database_is_a_postgres():
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        assert cursor.fetchone()[0].startswith("PostgreSQL")


def test_it_starts_stops_quickly_and_keeps_what_was_written(cluster, running):
    first = running()
    before = rows(cluster)
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 0
    assert not cluster.ready()
    running()
    assert rows(cluster) == before + 1


def test_only_the_socket_is_open_and_only_to_its_owner(cluster, running):
    running()
    with psycopg.connect(cluster.url) as link:
        assert link.execute("SHOW listen_addresses").fetchone() == ("",)
    assert (cluster.sockets / SOCKET_NAME).stat().st_mode & 0o077 == 0
    assert cluster.data.stat().st_mode & 0o077 == 0


def test_a_postmaster_left_behind_is_ended_before_the_next_start(cluster, running):
    left = running()
    cluster.clear_the_way()
    assert left.wait(60) == 0
    assert alive(running().pid)


def test_sessions_of_a_killed_postmaster_do_not_keep_the_next_one_from_starting(cluster, running):
    left = running()
    with psycopg.connect(cluster.url) as link:
        link.execute("SELECT 1")
        left.kill()  # nobody waits for it, so it stays a zombie: many containers never collect theirs
        assert alive(running().pid)
        with pytest.raises(psycopg.OperationalError):
            link.execute("SELECT 1")


def test_a_pid_file_naming_somebody_elses_process_is_dropped(cluster, running):
    file = cluster.data / "postmaster.pid"
    file.write_text(f"{os.getppid()}\n{cluster.data}\n1\n5432\n{cluster.data}\n\n")
    lodging.give(file, cluster.owner)
    cluster.clear_the_way()
    assert not file.exists()
    assert alive(os.getppid())


def test_a_half_made_data_folder_is_made_again(folder):
    half = postgres.at(folder / "half")
    lodging.make_private(half.data, half.owner)
    (half.data / "base").mkdir()
    (half.data / "rest").write_text("of a killed initdb")
    assert half.create() is True
    assert (half.data / "PG_VERSION").exists()


def test_a_data_folder_that_cannot_be_made_says_why(folder):
    cluster = postgres.at(folder / "refused")
    shutil.copytree(cluster.programs, folder / "programs")
    (folder / "programs" / "initdb").write_text("#!/bin/sh\necho 'could not write: no space left' >&2\nexit 1\n")
    broken = Cluster(cluster.data, folder / "programs", cluster.owner, cluster.sockets)
    with pytest.raises(postgres.PostgresFailed, match="no space left"):
        broken.create()


def test_a_long_path_gets_a_short_socket_folder(folder):
    deep = postgres.at(folder / ("d" * 60) / ("e" * 60))
    assert len(str(deep.sockets / SOCKET_NAME)) <= LONGEST_SOCKET_PATH
    assert f"host={deep.sockets}" in deep.url
