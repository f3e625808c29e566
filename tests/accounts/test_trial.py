from tests.cast import PASSWORD, api
def test_login(cast):
    c = api()
    r = c.post("/api/v1/auth/login", {"tenant":"acme","email":"ADMIN@example.test","password":PASSWORD}, format="json")
    print(r.status_code, r.content)
    assert r.status_code == 200
