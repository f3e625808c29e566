"""Which workflow a tenant works by."""

from tenants.models import Tenant
from tickets.workflow.rules import DEFAULT_WORKFLOW, Workflow


def workflow_of(tenant: Tenant) -> Workflow:
    """The tenant's workflow."""
    return DEFAULT_WORKFLOW
