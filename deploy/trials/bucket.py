"""A bucket of a trial's own, whose S3 can be made to fail: moto, and a server in front of it."""

import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar, Self

import boto3
import httpx
from moto.server import ThreadedMotoServer

NAME, REGION = "trial-attachments", "eu-central-1"
_ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"


class BucketServer:
    """``with BucketServer() as bucket:`` there is an empty bucket; ``fail`` says how S3 shall behave."""

    FAULTS: ClassVar[tuple[str, ...]] = ("fails", "denies", "hangs up")

    def __enter__(self) -> Self:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._moto.start()
        host, port = self._moto.get_host_and_port()
        self._front = ThreadingHTTPServer(("127.0.0.1", 0), _Front)
        self._front.behind, self._front.fault = f"http://{host}:{port}", ""  # type: ignore[attr-defined]
        Thread(target=self._front.serve_forever, daemon=True).start()
        self._bucket = boto3.resource(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            region_name=REGION,
            aws_access_key_id="x",
            aws_secret_access_key="x",
        ).Bucket(NAME)
        self._bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})
        return self

    def __exit__(self, *_: object) -> None:
        self._front.shutdown()
        self._moto.stop()

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a server whose files go there."""
        return {
            "ATTACHMENTS_BUCKET": NAME,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._front.server_port}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": REGION,
        }

    def fail(self, fault: str) -> None:
        """One of FAULTS, or none."""
        self._front.fault = fault  # type: ignore[attr-defined]

    def keys(self) -> set[str]:
        """Of all that lies in the bucket."""
        return {each.key for each in self._bucket.objects.all()}


class _Front(BaseHTTPRequestHandler):
    """Hands requests on, or lets them fail; what hangs up does so after the bytes have reached the bucket."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        server: Any = self.server
        content = self._read()
        if server.fault in {"fails", "denies"}:
            status, code = (503, "SlowDown") if server.fault == "fails" else (403, "AccessDenied")
            self._answer(status, _ERROR.format(code=code).encode(), {"Content-Type": "application/xml"})
            return
        answer = httpx.request(
            self.command, f"{server.behind}{self.path}", headers=self._handed_on(), content=content, timeout=30
        )
        if server.fault == "hangs up" and self.command != "DELETE":
            self.close_connection = True
            return
        self._answer(answer.status_code, answer.content, dict(answer.headers))

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT  # noqa: N815 - names of the base class

    def _read(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _handed_on(self) -> dict[str, str]:
        left_out = {"connection", "content-length", "transfer-encoding", "expect"}
        return {name: value for name, value in self.headers.items() if name.lower() not in left_out}

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"connection", "content-length", "transfer-encoding", "date", "server"}:
                self.send_header(name, value)
        self.send_header(
            "Content-Length", headers.get("content-length", "0") if self.command == "HEAD" else str(len(content))
        )
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: the trial tells what it does."""
