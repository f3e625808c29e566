"""The jobs of tenants, imported when jobs run."""

from tenants.usage import jobs as usage

__all__ = ["usage"]
