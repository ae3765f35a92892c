"""The command line: `python -m hollandite`."""

import signal
import sys

from . import _lib


def main() -> int:
    """Runs the command line of this process and returns its exit code."""
    # Ctrl-C ends a command as it ends the program: Python would wait until the command is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _lib.main(["hollandite", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
