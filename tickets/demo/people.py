"""The cast of the demo: two tenants, their teams and people, and the operator. Not for production."""

from dataclasses import dataclass, field
from typing import Any

from accounts.roles import Role


@dataclass(frozen=True, slots=True)
class Person:
    """Who has no password cannot sign in."""

    email: str
    name: str
    role: Role
    password: str = ""
    teams: tuple[str, ...] = ()
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """``settings`` are what tenants.services.create_tenant takes; ``secret`` stands in every internal note."""

    slug: str
    settings: dict[str, Any]
    teams: tuple[str, ...]
    people: tuple[Person, ...] = field(default=())

    @property
    def secret(self) -> str:
        return f"{self.slug}-only"

    def with_role(self, *roles: Role) -> list[Person]:
        return [person for person in self.people if person.role in roles]


# Sam is a customer of both, with different passwords.
_SHARED_CUSTOMER = "sam@shared.example"
_CUSTOMER_NAMES = (
    *("Ada Lindqvist", "Ben Okafor", "Chiara Rossi", "David Novak", "Elif Demir", "Farid Rahimi"),
    *("Grace Mensah", "Hana Sato", "Igor Petrov", "Jana Kovac", "Karim Haddad", "Lucia Fernandez"),
    *("Mateus Silva", "Nora Hansen", "Oskar Wagner", "Priya Nair"),
)


def _customers(domain: str, names: tuple[str, ...]) -> tuple[Person, ...]:
    return tuple(Person(f"{name.split()[0].lower()}@{domain}", name, Role.USER) for name in names)


ACME = DemoTenant(
    slug="acme",
    settings={
        "name": "Acme Tools",
        "hosts": ["acme.localhost"],
        "registration": "open",
        "time_zone": "Europe/Berlin",
        "brand_name": "Acme Help",
        "brand_color": "#b91c1c",
    },
    teams=("Machines", "Orders and billing", "Digital services"),
    people=(
        Person("admin@acme.example", "Alex Adler", Role.ADMIN, "violet-harbour-51"),
        Person("second.admin@acme.example", "Bea Brandt", Role.ADMIN),
        Person("agent@acme.example", "Carl Conrad", Role.AGENT, "amber-lantern-62", ("Digital services",)),
        Person("dora@acme.example", "Dora Diaz", Role.AGENT, teams=("Machines",)),
        Person("emil@acme.example", "Emil Eriksen", Role.AGENT, teams=("Machines", "Orders and billing")),
        Person("fay@acme.example", "Fay Fischer", Role.AGENT, teams=("Orders and billing",)),
        Person("gone@acme.example", "Gus Gone", Role.AGENT, teams=("Digital services",), is_active=False),
        Person("customer@acme.example", "Zoe Zimmer", Role.USER, "copper-meadow-73"),
        Person(_SHARED_CUSTOMER, "Sam Shared", Role.USER, "silver-orchard-84"),
        *_customers("workshop.example", _CUSTOMER_NAMES),
    ),
)

GLOBEX = DemoTenant(
    slug="globex",
    settings={
        "name": "Globex Freight",
        "hosts": ["globex.localhost"],
        "registration": "domains",
        "registration_domains": ["globex.example", "importer.example"],
        "time_zone": "America/New_York",
        "brand_name": "Globex Support",
        "brand_color": "#0f766e",
    },
    teams=("Transport", "Customs and claims", "Digital services"),
    people=(
        Person("admin@globex.example", "Hank Hill", Role.ADMIN, "crimson-glacier-15"),
        Person("second.admin@globex.example", "Iris Ito", Role.ADMIN),
        Person("agent@globex.example", "Jack Jensen", Role.AGENT, "indigo-compass-26", ("Digital services",)),
        Person("kim@globex.example", "Kim Kaya", Role.AGENT, teams=("Transport",)),
        Person("lena@globex.example", "Lena Lopez", Role.AGENT, teams=("Transport", "Customs and claims")),
        Person("milo@globex.example", "Milo Moreau", Role.AGENT, teams=("Customs and claims",)),
        Person("gone@globex.example", "Nils Nobody", Role.AGENT, teams=("Transport",), is_active=False),
        Person("customer@globex.example", "Yann Young", Role.USER, "emerald-voyage-37"),
        Person(_SHARED_CUSTOMER, "Sam Shared", Role.USER, "golden-canyon-48"),
        *_customers("importer.example", _CUSTOMER_NAMES),
    ),
)

DEMO_TENANTS = (ACME, GLOBEX)
DEMO_OPERATOR = Person("operator@platform.example", "Olga Operator", Role.OPERATOR, "scarlet-beacon-99")

# (tenant's slug, e-mail, role, password); the operator has no tenant.
DEMO_SIGN_INS: list[tuple[str, str, str, str]] = [
    *(
        (tenant.slug, person.email, person.role.value, person.password)
        for tenant in DEMO_TENANTS
        for person in tenant.people
        if person.password
    ),
    ("", DEMO_OPERATOR.email, DEMO_OPERATOR.role.value, DEMO_OPERATOR.password),
]
