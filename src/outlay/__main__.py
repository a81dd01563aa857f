"""``python -m outlay``: the same as the command."""

import sys

from outlay.cli import main

if __name__ == "__main__":
    sys.exit(main())
