#!/usr/bin/env python
"""Of MongoDB's shell, what the health check of compose.yaml asks of it: make the replica set, and tell whether it takes writes."""

import re
import sys

from pymongo import MongoClient
from pymongo.errors import OperationFailure

NOT_YET_INITIALIZED = 94

members = re.search(
    r'rs\.initiate\({_id: "(\w+)", members: \[{_id: 0, host: "([\w.:]+)"}\]}\)', " ".join(sys.argv)
)  # older podman hands it over in words
assert members is not None, "the health check has changed, so this has to"
with MongoClient[dict[str, object]]("127.0.0.1", directConnection=True, serverSelectionTimeoutMS=2000) as client:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": members[1], "members": [{"_id": 0, "host": members[2]}]})
    sys.exit(not client.admin.command("hello").get("isWritablePrimary"))
