"""The engine starts without the search for GDAL."""

import ctypes.util
import subprocess
import sys

from ticketing.mongo.engine.gis import without_gis

SETUP = """
import sys
import django

started = []
sys.addaudithook(lambda event, arguments: started.append(arguments[0]) if event == "subprocess.Popen" else None)
django.setup()
print(started, [name for name in sys.modules if "libgdal" in name])
"""


def test_nothing_is_found_within() -> None:
    find_library = ctypes.util.find_library
    with without_gis():
        assert ctypes.util.find_library("c") is None
    assert ctypes.util.find_library is find_library


def test_a_start_looks_for_no_library() -> None:
    finished = subprocess.run([sys.executable, "-c", SETUP], capture_output=True, text=True, check=True)
    assert finished.stdout == "[] []\n"
