"""Proof that tenants, and within a tenant customers and internal notes, are kept apart.

The walks take their routes from Django's URL resolver; `registry.py` says what each one's parameters and bodies name.
A route, method, parameter or console page that the registry does not know fails the build.
"""
