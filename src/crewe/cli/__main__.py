"""`python -m crewe.cli` is `crewe`."""

import sys

from crewe.cli.main import main

sys.exit(main())
