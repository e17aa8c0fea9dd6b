"""How is the command started as a module, ``python -m iceye_derivatives``?"""

from __future__ import annotations

import sys

from iceye_derivatives.cli import main

if __name__ == "__main__":
    sys.exit(main())
