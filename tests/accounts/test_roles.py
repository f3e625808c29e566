"""The permission table, written out: every role × action is granted or withdrawn here in so many words."""

import pytest

from accounts.models import User
from accounts.roles import KEY_SCOPES, PERMISSIONS, Action, Role, ScopeLevel, can_by_scopes, level_of

# What a key needs for the action, and then customer, agent, admin, operator: + granted, . withdrawn.
TABLE = """
tickets.read_own           read    + + + .
tickets.read_all           read    . + + .
tickets.create             write   + + + .
tickets.create_for_others  write   . + + .
tickets.edit_own           write   + + + .
tickets.edit_all           write   . + + .
tickets.assign             write   . + + .
tickets.follow             write   . + + .
tickets.read_events        read    . + + .
tickets.read_stats         read    . + + .
comments.read_public       read    + + + .
comments.read_internal     read    . + + .
comments.add_public        write   + + + .
comments.add_internal      write   . + + .
comments.edit_own          write   + + + .
attachments.read           read    + + + .
attachments.add            write   + + + .
profile.read               read    + + + +
profile.edit               write   + + + +
users.read                 read    . . + .
users.manage               admin   . . + .
teams.read                 read    . + + .
teams.manage               admin   . . + .
api_keys.manage            admin   . . + .
settings.manage            admin   . . + .
privacy.manage             admin   . . + .
exports.manage             admin   . . + .
audit.read                 never   . . + .
console.enter              never   . + + +
tenants.manage             never   . . . +
tenants.enter              never   . . . +
"""
ROLES = (Role.USER, Role.AGENT, Role.ADMIN, Role.OPERATOR)
ROWS = [line.split() for line in TABLE.strip().splitlines()]


def test_the_table_names_every_action_and_role() -> None:
    assert [row[0] for row in ROWS] == [action.value for action in Action]
    assert set(PERMISSIONS) == set(Role) == set(ROLES)


@pytest.mark.parametrize(
    ("role", "action", "granted"),
    [(role, Action(row[0]), row[2 + n] == "+") for row in ROWS for n, role in enumerate(ROLES)],
)
def test_a_role_may_do_what_the_table_says(role: Role, action: Action, granted: bool) -> None:
    assert (action in PERMISSIONS[role]) is granted
    assert User(role=role.value, is_active=True).can(action) is granted
    assert User(role=role.value, is_active=False).can(action) is False


@pytest.mark.parametrize(("action", "needs"), [(Action(row[0]), row[1]) for row in ROWS])
def test_a_key_needs_the_level_that_the_table_says(action: Action, needs: str) -> None:
    for resource_scope in KEY_SCOPES:
        resource, level = resource_scope.split(":")
        includes = list(ScopeLevel).index(ScopeLevel(level)) >= (
            list(ScopeLevel).index(ScopeLevel(needs)) if needs != "never" else len(ScopeLevel)
        )
        expected = resource == action.resource and includes
        assert can_by_scopes(frozenset({resource_scope}), action) is expected, resource_scope
    assert can_by_scopes(frozenset(), action) is False
    if needs != "never":
        assert level_of(action) == needs
