"""Which workflow a tenant works by."""

from tenants.models import Tenant
from tickets.workflow.rules import DEFAULT_WORKFLOW, Workflow


def workflow_of(tenant: Tenant) -> Workflow:  # noqa: ARG001 - every tenant has the default one so far
    """The tenant's workflow."""
    return DEFAULT_WORKFLOW
