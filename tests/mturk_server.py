"""Mechanical Turk on the loopback: JSON 1.1 over X-Amz-Target, as far as holotype uses it, with faults on demand."""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Callable
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TARGET = "MTurkRequesterServiceV20170117."
REQUIRED = {
    "CreateHITType": {"Title", "Description", "Reward", "AssignmentDurationInSeconds"},
    "CreateHITWithHITType": {"HITTypeId", "LifetimeInSeconds", "Question"},
    "CreateAdditionalAssignmentsForHIT": {"HITId", "NumberOfAdditionalAssignments"},
    "UpdateExpirationForHIT": {"HITId", "ExpireAt"},
    "GetHIT": {"HITId"},
    "ListHITs": set(),
    "ListAssignmentsForHIT": {"HITId"},
    "ApproveAssignment": {"AssignmentId"},
    "RejectAssignment": {"AssignmentId", "RequesterFeedback"},
    "CreateQualificationType": {"Name", "Description", "QualificationTypeStatus"},
    "ListQualificationTypes": {"MustBeRequestable"},
    "AssociateQualificationWithWorker": {"QualificationTypeId", "WorkerId"},
    "DisassociateQualificationFromWorker": {"QualificationTypeId", "WorkerId"},
    "ListWorkersWithQualificationType": {"QualificationTypeId"},
    "GetAccountBalance": set(),
}
DAY = 86_400


class Refused(Exception):
    def __init__(self, code: str, message: str, kind: str = "RequestError", status: int = 400) -> None:
        super().__init__(message)
        self.body = {"__type": kind, "Message": message, "TurkErrorCode": f"AWS.MechanicalTurk.{code}"}
        self.status = status


class MTurkServer:
    """The service, its faults and its workers; `url` is where it is.

    `faults` are used up by the coming requests, one each: ``throttle`` and ``busy`` refuse it, ``lose`` performs it and
    cuts the connection, ``twice`` performs it twice and answers once, ``none`` does nothing. Any other is the type
    of an error to answer with, or JSON to answer. Errors do not name the HIT where the service is `vague`, and HITs in
    `unlisted` are not listed.
    """

    page_size = 3

    def __init__(self) -> None:
        self.reset()
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def reset(self) -> None:
        self.now = 1_800_000_000.0
        self.balance = Decimal(100)
        self.types: dict[str, dict[str, Any]] = {}
        self.hits: dict[str, dict[str, Any]] = {}
        self.assignments: dict[str, dict[str, Any]] = {}
        self.qualifications: dict[str, str] = {}
        self.holders: set[tuple[str, str]] = set()
        self.tokens: dict[str, str] = {}
        self.unlisted: set[str] = set()
        self.vague = False
        self.calls: Counter[str] = Counter()
        self.faults: deque[str] = deque()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def submit(self, hit: str, worker: str, xml: str) -> str:
        """A worker takes a HIT and answers it; the id of the assignment."""
        held = self.hits[hit]
        of_hit = [a for a in self.assignments.values() if a["HITId"] == hit]
        barred = [
            need
            for need in self.types[held["HITTypeId"]]["QualificationRequirements"]
            if need["Comparator"] == "DoesNotExist" and (need["QualificationTypeId"], worker) in self.holders
        ]
        assert len(of_hit) < held["MaxAssignments"], "no assignment is left"
        assert held["Expiration"] > self.now, "the HIT has expired"
        assert not barred, "the worker is not qualified"
        assert worker not in {a["WorkerId"] for a in of_hit}, "a worker takes a HIT once"
        number = _id("A", len(self.assignments))
        self.assignments[number] = {
            "AssignmentId": number,
            "HITId": hit,
            "WorkerId": worker,
            "AssignmentStatus": "Submitted",
            "SubmitTime": self.now + len(self.assignments),
            "Answer": xml,
        }
        return number

    def pay_unasked(self) -> None:
        """The approval delay is over: everything submitted is approved."""
        for assignment in self.assignments.values():
            self._pay(assignment)

    def perform(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.calls[operation] += 1
            if missing := REQUIRED[operation] - parameters.keys():
                raise Refused("ParameterValidationError", f"missing {sorted(missing)}")
            answer: dict[str, Any] = getattr(self, operation)(**parameters)
            return answer

    def CreateHITType(self, **values: Any) -> dict[str, Any]:
        for id, known in self.types.items():
            if known == values:
                return {"HITTypeId": id}
        id = _id("T", len(self.types))
        self.types[id] = values
        return {"HITTypeId": id}

    def CreateHITWithHITType(
        self, HITTypeId: str, LifetimeInSeconds: int, UniqueRequestToken: str, MaxAssignments: int = 1, **values: Any
    ) -> dict[str, Any]:
        if UniqueRequestToken in self.tokens:
            named = "" if self.vague else self.tokens[UniqueRequestToken]
            raise Refused("HitAlreadyExists", f"The HIT {named} already exists")
        assert len(UniqueRequestToken) <= 64
        id = _id("H", len(self.hits))
        self.tokens[UniqueRequestToken] = id
        self.hits[id] = {
            "HITId": id,
            "HITTypeId": HITTypeId,
            "MaxAssignments": MaxAssignments,
            "Reward": self.types[HITTypeId]["Reward"],
            "Expiration": self.now + LifetimeInSeconds,
            **values,
        }
        return {"HIT": self._shown(id)}

    def CreateAdditionalAssignmentsForHIT(
        self, HITId: str, NumberOfAdditionalAssignments: int, UniqueRequestToken: str
    ) -> dict[str, Any]:
        if UniqueRequestToken in self.tokens:
            raise Refused("ExtensionAlreadyExists", f"The request {self.tokens[UniqueRequestToken]} was made before")
        hit = self._hit(HITId)
        if hit["MaxAssignments"] < 10 <= hit["MaxAssignments"] + NumberOfAdditionalAssignments:
            raise Refused("InvalidMaximumAssignmentsIncrease", "from fewer than 10 to 10 or more")
        self.tokens[UniqueRequestToken] = "request"
        hit["MaxAssignments"] += NumberOfAdditionalAssignments
        return {}

    def UpdateExpirationForHIT(self, HITId: str, ExpireAt: float) -> dict[str, Any]:
        self._hit(HITId)["Expiration"] = ExpireAt
        return {}

    def GetHIT(self, HITId: str) -> dict[str, Any]:
        self._hit(HITId)
        return {"HIT": self._shown(HITId)}

    def ListHITs(self, NextToken: str = "0", **_: Any) -> dict[str, Any]:
        listed = [self._shown(id) for id in self.hits if id not in self.unlisted]
        return self._page("HITs", listed, NextToken)

    def ListAssignmentsForHIT(
        self, HITId: str, AssignmentStatuses: list[str], NextToken: str = "0", **_: Any
    ) -> dict[str, Any]:
        self._hit(HITId)
        found = [
            assignment
            for assignment in self.assignments.values()
            if assignment["HITId"] == HITId and assignment["AssignmentStatus"] in AssignmentStatuses
        ]
        return self._page("Assignments", found, NextToken)

    def ApproveAssignment(self, AssignmentId: str) -> dict[str, Any]:
        self._pay(self._submitted(AssignmentId))
        return {}

    def RejectAssignment(self, AssignmentId: str, RequesterFeedback: str) -> dict[str, Any]:
        self._submitted(AssignmentId).update(AssignmentStatus="Rejected", RequesterFeedback=RequesterFeedback)
        return {}

    def CreateQualificationType(self, Name: str, **_: Any) -> dict[str, Any]:
        if Name in self.qualifications.values():
            raise Refused("QualificationTypeAlreadyExists", "there is one of this name")
        id = _id("Q", len(self.qualifications))
        self.qualifications[id] = Name
        return {"QualificationType": {"QualificationTypeId": id, "Name": Name}}

    def ListQualificationTypes(self, Query: str, NextToken: str = "0", **_: Any) -> dict[str, Any]:
        found = [{"QualificationTypeId": id, "Name": name} for id, name in self.qualifications.items() if Query in name]
        return self._page("QualificationTypes", found, NextToken)

    def AssociateQualificationWithWorker(self, QualificationTypeId: str, WorkerId: str, **_: Any) -> dict[str, Any]:
        self.holders.add((QualificationTypeId, WorkerId))
        return {}

    def DisassociateQualificationFromWorker(self, QualificationTypeId: str, WorkerId: str) -> dict[str, Any]:
        self.holders.discard((QualificationTypeId, WorkerId))
        return {}

    def ListWorkersWithQualificationType(
        self, QualificationTypeId: str, Status: str, NextToken: str = "0", **_: Any
    ) -> dict[str, Any]:
        assert Status == "Granted"
        found = [{"WorkerId": worker} for id, worker in sorted(self.holders) if id == QualificationTypeId]
        return self._page("Qualifications", found, NextToken)

    def GetAccountBalance(self) -> dict[str, Any]:
        return {"AvailableBalance": f"{self.balance:.2f}"}

    def _hit(self, id: str) -> dict[str, Any]:
        if id not in self.hits:
            raise Refused("HITDoesNotExist", f"Hit {id} does not exist.")
        return self.hits[id]

    def _shown(self, id: str) -> dict[str, Any]:
        states = [a["AssignmentStatus"] for a in self.assignments.values() if a["HITId"] == id]
        settled = sum(state != "Submitted" for state in states)
        return {**self.hits[id], "NumberOfAssignmentsCompleted": settled}

    def _submitted(self, id: str) -> dict[str, Any]:
        assignment = self.assignments[id]
        if assignment["AssignmentStatus"] != "Submitted":
            raise Refused("InvalidAssignmentState", "This operation can be called with a status of: Submitted")
        return assignment

    def _pay(self, assignment: dict[str, Any]) -> None:
        if assignment["AssignmentStatus"] == "Submitted":
            assignment["AssignmentStatus"] = "Approved"
            reward = Decimal(self.hits[assignment["HITId"]]["Reward"])
            self.balance -= reward + max(Decimal("0.01"), reward / 5)

    def _page(self, key: str, found: list[dict[str, Any]], start: str) -> dict[str, Any]:
        first = int(start)
        answer: dict[str, Any] = {key: found[first : first + self.page_size], "NumResults": len(found)}
        if first + self.page_size < len(found):
            answer["NextToken"] = str(first + self.page_size)
        return answer


def _id(kind: str, number: int) -> str:
    return f"3{kind}{number:028d}"


def _handler(service: MTurkServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fault = service.faults.popleft() if service.faults else "none"
            refusals: dict[str, tuple[int, str]] = {
                "throttle": (400, "ThrottlingException"),
                "busy": (503, "ServiceUnavailable"),
            }
            if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential="):
                self._answer(400, {"__type": "MissingAuthenticationTokenException"})
            elif fault in refusals or fault.endswith("Exception"):
                status, kind = refusals.get(fault, (400, fault))
                self._answer(status, {"__type": kind, "message": f"the canonical request was {self.headers}"})
            elif fault.startswith(("{", "[", "<")):
                self._answer(200, fault)
            else:
                self._serve(json.loads(body), fault)

        def _serve(self, parameters: dict[str, Any], fault: str) -> None:
            operation = self.headers["X-Amz-Target"].removeprefix(TARGET)
            perform: Callable[[], dict[str, Any]] = lambda: service.perform(operation, parameters)  # noqa: E731
            try:
                status, answer = 200, perform()
                if fault == "twice":
                    answer = perform()
            except Refused as error:
                status, answer = error.status, error.body
            if fault == "lose":
                self.close_connection = True
            else:
                self._answer(status, answer)

        def _answer(self, status: int, answer: dict[str, Any] | str) -> None:
            body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
