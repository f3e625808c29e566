"""The platform's settings, with what only tests want."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "the key of a test run, which protects nothing at all")
_folder = tempfile.TemporaryDirectory(prefix="ticketing-tests-data-")  # goes with the process
os.environ["DATA_DIR"] = _folder.name

from ticketing.settings import *
from ticketing.settings import STATIC_ROOT, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # argon2 is slow on purpose
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # needs no collectstatic
# A test run is one busy client; the tests of the limits set their own.
RATE_LIMIT_USER_PER_MINUTE = RATE_LIMIT_ADDRESS_PER_MINUTE = RATE_LIMIT_TENANT_PER_MINUTE = 1_000_000
RATE_LIMIT_SIGN_IN_PER_MINUTE = 1_000_000
USAGE_FLUSH_SECONDS = 0  # the tests of usage count it themselves
STATIC_ROOT.mkdir(parents=True)  # WhiteNoise warns of a missing folder
