"""Loads the benchmark data set into the reference's database: python load.py SIZE (1k, 20k, 200k, 1m).

Environment: SEED_MONGO_URI (a replica set), SEED_DB (dropped and rebuilt).
Sign-in for measurements: agent0x0@example.org / benchmark (an agent of tenant t0, which holds 80 % of the tickets).
"""

from __future__ import annotations

import hashlib
import os
import sys

import dataset as d
from bson import ObjectId
from pymongo import ASCENDING as UP
from pymongo import DESCENDING as DOWN
from pymongo import TEXT, MongoClient


def load(db, size: int) -> None:
    salt = b"0123456789abcdef"
    users = {t: [f"u{t}-{a}" for a in range(d.AGENTS)] for t in range(d.TENANTS)}
    db.users.insert_many(
        [
            {
                "_id": users[t][a],
                "email": f"{d.agent_login(t, a)}@example.org",
                "tenant_id": f"t{t}",
                "role": "agent",
                "salt": salt,
                "hash": hashlib.scrypt(b"benchmark", salt=salt, n=2**14, r=8, p=1),
            }
            for t in range(d.TENANTS)
            for a in range(2)
        ]
    )
    tickets, comments, serial = [], [], 2**40
    for t in d.tickets(size):
        key = ObjectId(f"{t.index + 1:024x}")
        tickets.append(
            {
                "_id": key,
                "tenant_id": f"t{t.tenant}",
                "title": t.title,
                "description": t.description,
                "status": t.status,
                "priority": t.priority,
                "category": t.category,
                "requester": d.requester_email(t.tenant, t.requester),
                "assignee": None if t.assignee is None else users[t.tenant][t.assignee],
                "created_at": t.created,
                "updated_at": t.updated,
            }
        )
        for c in t.comments:
            serial += 1
            comments.append(
                {
                    "_id": ObjectId(f"{serial:024x}"),
                    "tenant_id": f"t{t.tenant}",
                    "ticket_id": key,
                    "author": users[t.tenant][c.author],
                    "body": c.body,
                    "internal": c.internal,
                    "created_at": c.created,
                }
            )
        if len(tickets) == 2000:
            db.tickets.insert_many(tickets, ordered=False)
            db.comments.insert_many(comments, ordered=False)
            tickets, comments = [], []
    if tickets:
        db.tickets.insert_many(tickets)
        db.comments.insert_many(comments)
    db.users.create_index("email", unique=True)
    for keys in (("created_at",), ("status", "created_at"), ("priority", "created_at"), ("assignee", "created_at")):
        db.tickets.create_index([("tenant_id", UP), *((k, DOWN if k == "created_at" else UP) for k in keys)])
    db.tickets.create_index([("tenant_id", UP), ("status", UP), ("priority", UP), ("category", UP)], name="stats")
    db.tickets.create_index(
        [("tenant_id", UP), ("title", TEXT), ("description", TEXT)], name="text", default_language="none"
    )
    db.comments.create_index([("tenant_id", UP), ("ticket_id", UP), ("created_at", UP)])
    db.events.create_index([("tenant_id", UP), ("ticket_id", UP), ("at", UP)])


if __name__ == "__main__":
    client = MongoClient(os.environ["SEED_MONGO_URI"])
    client.drop_database(os.environ["SEED_DB"])
    load(client[os.environ["SEED_DB"]], d.SIZES[sys.argv[1]])
