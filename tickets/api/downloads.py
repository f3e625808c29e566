"""Sending a stored file, to be saved: never shown or run in the browser."""

from collections.abc import Mapping
from typing import Any

from django.http import FileResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from tickets.attachments.rules import UNKNOWN_TYPE
from tickets.attachments.services import find_download_url, open_file

# A file must never run as a page of ours, whatever is in it.
DOWNLOAD_POLICY = "default-src 'none'; sandbox"


def download(request: Request, file: Mapping[str, Any]) -> HttpResponseBase:
    """The bytes of a file with ``_id``, ``name``, ``size`` and ``storage_key``, or the way to them in the bucket.

    Raises NotFound.
    """
    if url := find_download_url(dict(file), str(request.method)):
        return HttpResponseRedirect(url)
    response = FileResponse(open_file(dict(file)), content_type=UNKNOWN_TYPE)
    response["Content-Length"] = str(file["size"])
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file["name"])
    response["Content-Security-Policy"] = DOWNLOAD_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
