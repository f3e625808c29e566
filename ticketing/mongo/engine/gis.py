"""Keeps GIS out of the process: no model here has a place, and looking for GDAL costs half a second of every start."""

import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_gis() -> Iterator[None]:
    """Imports within find no GDAL, as on a machine that has none, unless the setting GDAL_LIBRARY_PATH names it.

    The backend tries to import Django's GIS in four places and carries on without, but each time Django asks the
    linker and the compiler for a dozen names of the library.
    """
    find_library = ctypes.util.find_library
    ctypes.util.find_library = _find_nothing
    try:
        yield
    finally:
        ctypes.util.find_library = find_library


def _find_nothing(name: str) -> str | None:  # noqa: ARG001 - the signature of what it replaces
    return None
