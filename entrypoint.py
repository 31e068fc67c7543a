"""
The container's entry point.
"""

import os
import sys

from reliability.action import main

if __name__ == "__main__":
    sys.exit(main(os.environ, sys.argv[1:]))
