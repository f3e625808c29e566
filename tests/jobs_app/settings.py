"""The platform's settings with this app's jobs beside its own."""

from tests.settings import *
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobs_app"]
