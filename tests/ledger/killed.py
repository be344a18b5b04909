"""A ledger that is killed with -9: `python -m tests.ledger.killed JOURNAL DATABASE_JSON PLAN`.

PLAN is `random:<seed>`: again and again, after a random part of a second, until `<JOURNAL>/enough` exists;
or `<module>:<function>`: once, at the moment that function of the ledger has returned.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rotation.ledger.files import Journal
from rotation.ledger.loop import Ledger


def main(journal: Path, database: dict[str, Any], plan: str) -> None:
    name, _, rest = plan.partition(":")
    if name != "random":
        die_after(name, rest)
        run(journal, database)
        return
    chance = random.Random(rest)
    deaths, parent = 0, os.getppid()
    while not (journal / "enough").exists() and os.getppid() == parent:
        child = os.fork()
        if not child:
            run(journal, database)
            os._exit(0)
        time.sleep(min(chance.expovariate(8), 2.0))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        deaths += 1
    print(deaths)


def run(journal: Path, database: dict[str, Any]) -> None:
    Ledger(Journal(journal), database).run()


def die_after(module: str, path: str) -> None:
    owner: Any = importlib.import_module(module)
    *classes, function = path.split(".")
    for name in classes:
        owner = getattr(owner, name)
    original = getattr(owner, function)

    @functools.wraps(original)
    def fatal(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, function, fatal)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3])
