"""Run the command line: ``python -m rsam_core.evaluate``."""

import sys

from rsam_core.evaluate.cli import main

if __name__ == "__main__":
    sys.exit(main())
