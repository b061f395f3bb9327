"""Print the reference of all codes: `python -m gateway.catalog > docs/reference/codes.md`."""

import sys

from gateway.catalog.reference import codes_markdown

# Bytes, since the encoding of a pipe depends on the machine, and the reference holds Arabic.
sys.stdout.buffer.write(codes_markdown().encode())
