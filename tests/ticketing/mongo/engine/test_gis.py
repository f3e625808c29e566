"""The engine starts without the search for GDAL."""

import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from ticketing.mongo.engine.gis import without_gis

SETUP = """
import sys
import django

started = []
sys.addaudithook(lambda event, arguments: started.append(arguments[0]) if event == "subprocess.Popen" else None)
django.setup()
print(started, [name for name in sys.modules if "django.contrib.gis" in name])
"""


def test_nothing_is_imported_within() -> None:
    finders = list(sys.meta_path)
    with without_gis(), pytest.raises(ImproperlyConfigured):
        import django.contrib.gis  # noqa: F401
    assert sys.meta_path == finders


def test_a_start_looks_for_no_library() -> None:
    finished = subprocess.run([sys.executable, "-c", SETUP], capture_output=True, text=True, check=True)
    assert finished.stdout == "[] []\n"
