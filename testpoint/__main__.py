"""`python -m testpoint`."""

from testpoint.command import testpoint

testpoint(prog_name="testpoint")
