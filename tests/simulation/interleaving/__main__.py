"""`PYTHONPATH=tests/simulation python -m interleaving --schedules 2000`."""

import sys

from interleaving.many import main

if __name__ == "__main__":
    sys.exit(main())
