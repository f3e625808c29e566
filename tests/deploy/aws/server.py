"""`python -m tests.deploy.aws.server FOLDER FILE`: writes the two addresses to the file, serves until it is ended."""

import json
import logging
import signal
import sys
import threading
from pathlib import Path

from moto.awslambda.models import lambda_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from tests.deploy.aws.functions import Functions
from tests.deploy.aws.gateway import Gateway
from tests.deploy.aws.mends import Mends

REGION = "eu-central-1"
HOST = "127.0.0.1"


def main(folder: Path, ready: Path) -> None:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    lambdas = lambda_backends[DEFAULT_ACCOUNT_ID][REGION]
    moto = DomainDispatcherApplication(create_backend_app)
    aws = make_server(HOST, 0, moto, threaded=True, request_handler=MotoRequestHandler)
    functions = Functions(folder, _address(aws))
    aws.app = Mends(moto, functions, REGION, folder / "calls")
    gateway = make_server(HOST, 0, Gateway(functions, lambdas, REGION), threaded=True)
    threading.Thread(target=aws.serve_forever, daemon=True).start()
    threading.Thread(target=gateway.serve_forever, daemon=True).start()
    partial = ready.with_suffix(".partial")
    partial.write_text(json.dumps({"aws": _address(aws), "gateway": _address(gateway)}))
    partial.rename(ready)  # whole, or not there
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    functions.stop()


def _address(server: BaseWSGIServer) -> str:
    return f"http://{HOST}:{server.server_port}"


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(Path(sys.argv[1]), Path(sys.argv[2]))
