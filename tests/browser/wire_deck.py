"""A labeling page without a browser: Streamlit's websocket held open, decisions by POST."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from app_server import AppServer
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from labeling_core.web.messages import PORTION
from labeling_core.web.security_headers import COOKIE

DEPTH = 256  # as view_record.js
RETRY = 0.2  # seconds; the deck of a browser waits longer


class Page:
    """One session of the real app on a labeling page; what the server sends is read on."""

    def __init__(
        self, server: AppServer, project: str, annotator: str, page: str = "label_tabular"
    ) -> None:
        self._open, self._page = ExitStack(), page
        self._socket = self._open.enter_context(
            connect(
                f"ws://127.0.0.1:{server.port}/_stcore/stream",
                subprotocols=["streamlit"],  # type: ignore[list-item]
                max_size=None,
                open_timeout=120,
            )
        )
        self.token = ""
        self._name_field = ""
        self._project = project
        self._run("")
        self._read(lambda: self._name_field and self.token)
        self.token = ""
        self._run(annotator)
        self._read(lambda: self.token)
        threading.Thread(target=self._read, args=(lambda: False,), daemon=True).start()

    def close(self) -> None:
        """Leave without a word, as a closed lid does."""
        self._open.close()

    def _run(self, annotator: str) -> None:
        message = BackMsg()
        message.rerun_script.page_name = self._page
        message.rerun_script.query_string = f"project={self._project}"
        if annotator:
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.string_value = self._name_field, annotator
        self._socket.send(message.SerializeToString())

    def _read(self, enough: Callable[[], object]) -> None:
        try:
            while not enough():
                received = self._socket.recv()
                message = ForwardMsg()
                message.ParseFromString(received)
                element = message.delta.new_element
                if element.text_input.label == "Your name":
                    self._name_field = element.text_input.id
                found = re.search(rb'"token": ?"([^"]+)"', received)
                if found:
                    self.token = found[1].decode()
        except ConnectionClosed:
            pass  # the server was killed


class WireDeck:
    """One annotator: decides as fast as answers come, and sends again what was not answered."""

    def __init__(self, server: AppServer, token: str) -> None:
        self.server, self.token = server, token
        self.client = uuid.uuid4().hex
        self.cookies = {"Cookie": f"{COOKIE}={self.client}"}  # what links are bound to
        self.numbers = itertools.count(1)
        self.pending: list[dict[str, Any]] = []  # decided, not acknowledged
        self.acknowledged: dict[str, str] = {}  # sample_id -> category
        self.refused: list[dict[str, Any]] = []
        self.queue: list[str] = []
        self.session_id = self.version = 0
        self.learning: dict[str, Any] = {}
        self.views: dict[str, dict[str, Any]] = {}  # of the samples in the queue and before
        self.finished, self.failures = False, 0  # since the last answer
        self.latencies: list[float] = []  # seconds from decision to its acknowledgement
        self._connection: http.client.HTTPConnection | None = None

    def label(self, count: int) -> None:
        """Decide on so many samples, one after the other, each stored before the next."""
        while len(self.acknowledged) < count:
            while not self.queue:
                self.exchange()
            self.decide(self.queue.pop(0))
            started = time.perf_counter()
            while self.pending:
                self.exchange()
            self.latencies.append(time.perf_counter() - started)

    def timed(
        self, count: int, beside: Callable[[threading.Event], object] | None = None
    ) -> list[float]:
        """The seconds of so many decisions more, while ``beside`` runs in a thread until the event
        that it is given is set."""
        done = threading.Event()
        thread = threading.Thread(target=beside or (lambda done: None), args=(done,))
        thread.start()
        self.latencies.clear()
        self.label(len(self.acknowledged) + count)
        done.set()
        thread.join()
        return list(self.latencies)

    def decide(self, sample_id: str) -> None:
        """Put one decision into the outbox."""
        number = next(self.numbers)
        self.pending.append(
            {"client": self.client, "seq": number, "sample_id": sample_id, "action": "label",
             "category": ("red", "white")[number % 2], "comment": None, "seconds": 1.0}
        )  # fmt: skip

    def exchange(self) -> None:
        """One message; when nothing comes back, the next one brings the same again."""
        room = DEPTH - len(self.queue)
        wanted = room if room >= PORTION else 0
        message = {
            "token": self.token, "client": self.client, "message": 1, "decisions": self.pending,
            "holding": self.queue, "screen": self.queue[0] if self.queue else None,
            "version": self.version, "release": False, "want": wanted, "history": None,
        }  # fmt: skip
        try:
            self._take(self._post(json.dumps(message).encode()))
            self.failures = 0
        except (OSError, http.client.HTTPException, ValueError):  # or half an answer
            self.failures += 1
            self.close()
            time.sleep(RETRY)

    def close(self) -> None:
        """Hang up; the next message opens another connection."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _post(self, body: bytes) -> dict[str, Any]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        kind = {"Content-Type": "application/json"} | self.cookies
        self._connection.request("POST", "/labeling/exchange", body, kind)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise OSError(f"{response.status}: {answer[:200]!r}")
        return json.loads(answer)

    def _take(self, reply: dict[str, Any]) -> None:
        stored = reply["stored"].get(self.client, 0)
        refused = {each["seq"] for each in reply["refused"]}
        self.refused += reply["refused"]
        for each in self.pending:
            if each["seq"] <= stored and each["seq"] not in refused:
                self.acknowledged[each["sample_id"]] = each["category"]
        self.pending = [each for each in self.pending if each["seq"] > stored]
        gone = set(reply["drop"])
        self.queue = [each for each in self.queue if each not in gone]
        self.queue += [each["sample_id"] for each in reply["samples"]]
        self.views |= {each["sample_id"]: each["view"] for each in reply["samples"]}
        self.finished = reply["finished"]
        self.learning = reply["learning"]
        self.session_id = self.learning["session_id"]
        self.version = self.learning["version"]
