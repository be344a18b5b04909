"""What runs by the clock. READ FIRST: `registry.py` says which jobs there are, `runs.py` how one is run exactly once.

Importing this package registers the Celery tasks: the worker looks for it by name.
"""

from __future__ import annotations

from rotation.jobs import tasks

__all__ = ["tasks"]
