"""The program of a process that calls CPU-heavy handlers, one at a time: for `processes.py`.

It reads frames from its standard input and answers on its standard output; what handlers print
goes to its standard error. It ends at once when its pod does.
"""

import os
import signal
import sys
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

import orjson

from sagalog.engine.results import Result, Returned
from sagalog.streams.addresses import Address, imported
from sagalog.streams.explaining import failure_of, said
from sagalog.streams.frames import HEAD, answer, context_of, frame

Message = dict[str, Any]


def main() -> None:
    """Import what is to be called, say so, and serve calls until the pod ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _pass)
    requests, answers = _pipes()
    calls: SimpleQueue[Message] = SimpleQueue()
    Thread(target=_listen, args=(requests, calls), daemon=True).start()
    _say(answers, _prepared(calls.get()))
    while True:
        _say(answers, answer(_called(calls.get())))


def _pass(number: int, frame: object) -> None:
    """A terminal, or a supervisor, means the pod, which lets its calls end."""


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pod's two pipes, out of the way of what handlers read and print."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return requests, answers


def _listen(requests: BinaryIO, calls: "SimpleQueue[Message]") -> None:
    """A thread of its own: so it notices the pod's end while a handler runs."""
    for message in _messages(requests):
        calls.put(message)
    if os.getpgrp() == os.getpid():  # as the pod starts it: with it ends what handlers forked
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _messages(requests: BinaryIO) -> Iterator[Message]:
    while len(head := requests.read(HEAD)) == HEAD:
        yield orjson.loads(requests.read(int.from_bytes(head, "big")))


def _say(answers: BinaryIO, message: Message) -> None:
    answers.write(frame(message))
    answers.flush()


def _prepared(hello: Message) -> Message:
    """Import all that will be called, so that no call's time goes into that."""
    sys.path[:] = hello["path"]
    try:
        for address in hello["addresses"]:
            imported(Address(*address))
    except BaseException as error:  # noqa: BLE001 (an import may do anything)
        return {"error": f"{type(error).__name__}: {said(error)}"}
    return {}


def _called(message: Message) -> Result:
    operation = imported(Address(*message["address"]))
    try:
        arguments = operation.arguments(message["input"], context_of(message["context"]))
        return Returned(operation.dump(operation.handler(*arguments)))
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is how the call ended)
        return failure_of(operation, error)


if __name__ == "__main__":
    main()
