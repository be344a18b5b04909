"""A worker as a process of its own, to be killed: works on what is waiting in the database it is told of."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import django


def main() -> None:
    """Arguments: the database's name, the gateway's address, seconds to work."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rotation.settings"
    from django.conf import settings

    database, gateway, seconds = sys.argv[1:]
    settings.DATABASES["default"]["NAME"] = database
    settings.ROTATION_GATEWAY_URL = gateway
    django.setup()
    from django.utils import timezone

    from rotation.discovery.verify import runs

    until = timezone.now() + timedelta(seconds=float(seconds))
    print(runs.work(until=until, progress=lambda line: print(line, flush=True)), flush=True)


if __name__ == "__main__":
    main()
