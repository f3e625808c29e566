#!/usr/bin/env python
"""Of MongoDB's shell what the health check in compose.yaml asks: make the replica set, and tell if it takes writes."""

import re
import sys

from pymongo import MongoClient
from pymongo.errors import OperationFailure

NOT_YET_INITIALIZED = 94

script = " ".join(sys.argv)  # podman up to 4.3 hands it over in words
members = re.search(r'rs\.initiate\({_id: "(\w+)", members: \[{_id: 0, host: "([\w.:]+)"}\]}\)', script)
assert members is not None, "the health check has changed, so this has to"
with MongoClient[dict[str, object]]("127.0.0.1", directConnection=True, serverSelectionTimeoutMS=2000) as client:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": members[1], "members": [{"_id": 0, "host": members[2]}]})
    sys.exit(not client.admin.command("hello").get("isWritablePrimary"))
