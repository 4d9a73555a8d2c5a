"""`make reference`: write the description of the API and the reference."""

from __future__ import annotations

from local.reference.files import write

if __name__ == "__main__":
    write()
