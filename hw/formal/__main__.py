"""python -m hw.formal [BLOCK ...]: exit code 0 if all proofs hold, 1 if one does not, 2 for bad use."""

import sys

from bnn.errors import BnnError
from hw.formal.prove import main

try:
    sys.exit(main(sys.argv[1:]))
except BnnError as error:
    print(f"formal: {error}", file=sys.stderr)
    sys.exit(2)
