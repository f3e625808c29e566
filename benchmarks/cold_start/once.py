"""`python once.py HANDLER EVENT`: one cold start. Prints what it took as a line of JSON.

STARTED is the monotonic clock's nanoseconds when the process was started.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

name, event = sys.argv[1:]
module, function = name.rsplit(".", 1)
handler = getattr(import_module(module), function)
imported = time.monotonic_ns()
context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 30_000)
answer = handler(json.loads(event), context)
answered = time.monotonic_ns()
started = int(os.environ["STARTED"])
# Not getrusage: its maximum is the parent's until the process has grown beyond it.
[peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
figures = {
    "import": (imported - started) / 1e6,
    "milliseconds": (answered - started) / 1e6,
    "mebibytes": int(peak) / 1024,
    "modules": len(sys.modules),
    "status": answer["statusCode"],
    "rows": len(json.loads(answer["body"]).get("data", ())) if answer["statusCode"] == 200 else 0,
    "body": answer["body"] if answer["statusCode"] != 200 or "login" in event else "",
}
print(json.dumps(figures), flush=True)
os._exit(0)  # as Lambda does: nobody waits for a process to take itself down
