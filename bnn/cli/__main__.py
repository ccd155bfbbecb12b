"""`python -m bnn.cli` is `bnn`."""

from bnn.cli.app import main

main()
