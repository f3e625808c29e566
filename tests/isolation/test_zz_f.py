import pytest
from tests.isolation import test_console as t
from tests.isolation.test_console import *  # noqa
MINE = ("auditentry", "/export/", "profile", "branding", "legalhold", "accounts/", "tenants/")
ALL = t.console_routes
@pytest.fixture(autouse=True)
def only(monkeypatch):
    monkeypatch.setattr(t, "console_routes", lambda: [r for r in ALL() if any(m in r.template for m in MINE)])
for name in list(globals()):
    if name.startswith("test_") and name not in ("test_no_page_tells_of_another_tenant", "test_who_gets_in_where"):
        del globals()[name]
