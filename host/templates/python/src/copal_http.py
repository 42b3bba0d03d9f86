"""Requests over HTTP, as far as the owner granted them (`http`). Not for filters.

Without `include http-client;` in wit/hook.wit, this file has to go too.
"""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import copal
from componentize_py_types import Err, Ok
from wit_world.imports import outgoing_handler, streams
from wit_world.imports import wasi_http_types as http

# The most that `blocking_write_and_flush` takes at once.
_CHUNK = 4096


@dataclass
class Response:
    status: int
    body: bytes


def post(url: str, value) -> Response:
    """Sends JSON. An answer that does not mean success is an error."""
    headers = {"content-type": "application/json"}
    body = json.dumps(value, separators=(",", ":"))
    response = send("POST", url, headers, body.encode())
    if not 200 <= response.status < 300:
        text = response.body.decode(errors="replace").strip()[:200]
        text = f": {text}" if text else ""
        raise copal.failed(f"{_origin(url)} answered {response.status}{text}")
    return response


def send(method: str, url: str, headers: dict, body: bytes = b"") -> Response:
    """Sends a request and waits for the answer, whatever its status. Copal follows no redirect."""
    about = f"{method} {_origin(url)}"
    try:
        future = _handle(_request(method, url, headers), body)
        with future.subscribe() as ready:
            ready.block()
        answer = future.get()
        while not isinstance(answer, (http.IncomingResponse, Err)):
            answer = answer.value  # of Some and of Ok, which say that it is there
        if isinstance(answer, Err):
            raise answer
        with answer as response:
            return Response(response.status(), _read(response))
    except Err as error:
        raise _explained(error.value, about) from error


def _origin(url: str) -> str:
    """What may be shown of a URL, as grants have it: behind it there can be a secret."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise copal.invalid("the URL is none of http or https, without a user in it")
    usual = ":443" if parts.scheme == "https" else ":80"
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"


def _request(method, url, headers):
    parts = urlsplit(url)
    fields = http.Fields.from_list([(name, value.encode()) for name, value in headers.items()])
    request = http.OutgoingRequest(fields)
    request.set_method(_method(method))
    request.set_scheme(http.Scheme_Https() if parts.scheme == "https" else http.Scheme_Http())
    request.set_authority(parts.netloc)
    query = f"?{parts.query}" if parts.query else ""
    request.set_path_with_query((parts.path or "/") + query)
    return request


def _method(name):
    case = getattr(http, f"Method_{name.capitalize()}", None)
    return case() if case else http.Method_Other(name)


def _handle(request, body):
    outgoing = request.body()
    future = outgoing_handler.handle(request, None)
    try:
        with outgoing.write() as stream:
            for start in range(0, len(body), _CHUNK):
                stream.blocking_write_and_flush(body[start : start + _CHUNK])
    except Err:
        # Whoever does not want it says why in the answer.
        outgoing.__exit__(None, None, None)
        return future
    http.OutgoingBody.finish(outgoing, None)
    return future


def _read(response) -> bytes:
    chunks = []
    with response.consume() as incoming, incoming.stream() as stream:
        while True:
            try:
                chunks.append(stream.blocking_read(1 << 16))
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    return b"".join(chunks)
                raise


def _explained(error, about: str) -> Err:
    """The error of `wasi:http` as one of Copal's."""
    if isinstance(error, (http.ErrorCode_HttpRequestDenied, http.ErrorCode_DestinationIpProhibited)):
        # Copal adds the line that would grant it.
        return Err(copal.types.Error_Denied(copal.types.Denial("http", about, "")))
    if isinstance(error, http.ErrorCode_InternalError) and error.value:
        return copal.failed(error.value)  # Copal's own words, which begin with the origin
    name = type(error).__name__.removeprefix("ErrorCode_")
    return copal.failed(f"{about}: {name}")
