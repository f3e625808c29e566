"""The image's health check: 0 when /healthz answers 200."""

import http.client
import os
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
connection.request("GET", "/healthz")
sys.exit(connection.getresponse().status != http.HTTPStatus.OK)
