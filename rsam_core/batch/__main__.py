"""Run the command line: ``python -m rsam_core.batch``."""

import sys

from rsam_core.batch.cli import main

if __name__ == "__main__":
    sys.exit(main())
