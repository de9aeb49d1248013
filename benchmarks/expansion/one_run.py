"""Expand one run in a process of its own: `python -m benchmarks.expansion.one_run DATABASE_URL RUN_ID`."""

import sys

from benchmarks.expansion.readings import told
from campaigns.runtime.law import gatekeeper
from campaigns.services.expand import Expand
from campaigns.store.engine import open_engine


def main() -> None:
    url, run_id = sys.argv[1], int(sys.argv[2])
    gate = gatekeeper()  # a worker has read its rules long before
    told(lambda: Expand(open_engine(url), gate).run(run_id))


if __name__ == "__main__":
    main()
