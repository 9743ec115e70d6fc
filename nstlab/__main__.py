"""`python -m nstlab` does what the command `nstlab` does."""

import sys

from nstlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
