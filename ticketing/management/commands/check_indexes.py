"""Tells whether the server has the indexes that the models declare."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections

from ticketing.mongo.index_report import Finding, compare_indexes


class Command(BaseCommand):
    help = (
        "Compares the indexes that the models declare with those on the server. "
        "Ends with 1 when one is missing or differs; extra and unused ones are only listed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="alias of the connection to check")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print a JSON array instead of a table")

    def handle(self, *, database: str, as_json: bool, **_options: Any) -> None:
        findings = compare_indexes(apps.get_models(include_auto_created=True), connections[database])
        self.stdout.write(_as_json(findings) if as_json else _as_table(findings))
        if any(finding.is_fault for finding in findings):
            raise SystemExit(1)


def _as_json(findings: list[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def _as_table(findings: list[Finding]) -> str:
    if not findings:
        return "Every declared index is there, and each has been used."
    rows = [(str(each.state), each.collection, each.index, each.detail) for each in findings]
    states, collections, indexes, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(
        f"{state:{states}}  {collection:{collections}}  {index:{indexes}}  {detail}"
        for state, collection, index, detail in rows
    )
