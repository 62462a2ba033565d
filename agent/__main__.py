"""`python -m agent` is `netready`."""

from agent.cli import main

main()
