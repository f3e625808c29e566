"""Keeps GIS out of the process: no model here has a place, and looking for GDAL costs half a second of every start."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured


@contextmanager
def without_gis() -> Iterator[None]:
    """Importing Django's GIS within says what it says on a machine without GDAL, and says so at once.

    The backend tries in three places and carries on without; each time Django would ask the linker and the compiler for
    a dozen names of the library, after importing thirty modules of its own.
    """
    sys.meta_path.insert(0, _NoGis)
    try:
        yield
    finally:
        sys.meta_path.remove(_NoGis)


class _NoGis:
    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "django.contrib.gis":
            raise ImproperlyConfigured("GIS is not used here")
