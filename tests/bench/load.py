"""The load: raw HTTP/1.1 over kept connections, the same for every system, in its own process.

Run `python -m tests.bench.load FILE CONNECTIONS`, FILE as `write_requests` leaves it; it prints one
line of JSON, the fields of `Answers`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Request:
    """One POST: where to, with which headers, and the JSON body."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Answers:
    """What came back: seconds of each answered request, and how many answers of each status.

    `began` is on the machine's monotonic clock, which all its processes share.
    """

    began: float = field(default_factory=perf_counter)
    latencies: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def add(self, status: str, seconds: float) -> None:
        """Count one answer."""
        self.latencies.append(seconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    @classmethod
    def from_json(cls, printed: bytes) -> Answers:
        """Read what the load process printed."""
        return cls(**json.loads(printed))

    @property
    def accepted(self) -> int:
        """Return how many were answered 202."""
        return self.statuses.get("202", 0)


def write_requests(path: Path, requests: Sequence[Request]) -> None:
    """Leave requests in a file for the load process: one JSON line each."""
    lines = (
        json.dumps({"url": one.url, "headers": dict(one.headers), "body": one.body.decode()})
        for one in requests
    )
    path.write_text("\n".join(lines), encoding="utf-8")


def read_requests(path: Path) -> list[Request]:
    """Read what `write_requests` left."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        Request(one["url"], one["headers"], one["body"].encode()) for one in map(json.loads, lines)
    ]


async def fire(requests: Sequence[Request], connections: int) -> Answers:
    """Send every request once, `connections` at a time, and return the answers.

    All requests go to the host and port of the first. Raises an ExceptionGroup of ConnectionError
    when the server closes a connection before it answered.
    """
    address = urlsplit(requests[0].url)
    waiting = iter([wire(one) for one in requests])
    answers = Answers()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(requests))):
            group.create_task(_one_connection(address.hostname, address.port, waiting, answers))
    return answers


def wire(request: Request) -> bytes:
    """Return the bytes of a request as HTTP/1.1 puts them on the wire."""
    address = urlsplit(request.url)
    headers = {
        "Host": address.netloc,
        "Content-Type": "application/json",
        "Content-Length": str(len(request.body)),
        **request.headers,
    }
    lines = [
        f"POST {address.path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


async def _one_connection(
    host: str | None, port: int | None, waiting: Iterable[bytes], answers: Answers
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in waiting:
        began = perf_counter()
        writer.write(request)
        status, _ = await read_answer(reader)
        answers.add(status, perf_counter() - began)
    writer.close()
    await writer.wait_closed()


async def exchange(requests: Sequence[Request], connections: int, *, status: str) -> list[bytes]:
    """Send every request once and return the bodies of the answers, in the requests' order.

    Raises ExceptionGroup of ConnectionError when an answer has another status than the one wanted.
    """
    bodies = [b""] * len(requests)
    waiting = iter(enumerate(requests))

    async def one_connection() -> None:
        address = urlsplit(requests[0].url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for number, request in waiting:
            writer.write(wire(request))
            answered, bodies[number] = await read_answer(reader)
            if answered != status:
                raise ConnectionError(f"{request.url} answered {answered}")
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(requests))):
            group.create_task(one_connection())
    return bodies


async def read_answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Read one answer to its end and return its status and its body.

    Raises ConnectionError when the server hangs up first. Only answers with a Content-Length are
    understood: every system here gives one.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the server hung up before it answered") from error
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
    return lines[0].split(" ")[1], await reader.readexactly(length)


def main(path: str, connections: str) -> None:
    """Fire the requests of a file and print the answers."""
    # It shares the processors with what it measures: half of what the standard loop would take.
    answers = uvloop.run(fire(read_requests(Path(path)), int(connections)))
    sys.stdout.write(json.dumps(asdict(answers)))


if __name__ == "__main__":
    main(*sys.argv[1:])
