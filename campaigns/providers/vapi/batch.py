"""Calls that Vapi holds until their time: `schedulePlan`, and `customers` for several at once.

One customer travels as in any create, with the attempt id as `name`. Several share the root of the body, so each
carries what is its own: overrides, and the attempt id as `externalId`, by which answers, lists and webhooks match.

| answer                                          | that customer  | result                            |
|-------------------------------------------------|----------------|-----------------------------------|
| 201, in `results` with an `id`                  | created        | `Placed`                          |
| 201, in `errors` and not in `results`           | certainly not  | `NotDialed`, by the error's text  |
| 201, in neither, or its result has no `id`      | nobody knows   | `FateUnknown`                     |
| any other                                       | all of them    | as `errors.py` reads it           |

Both times are always sent: without `latestAt` Vapi may dial hours later.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from campaigns.providers.clock_skew import skew_of
from campaigns.providers.contract import (
    DialRequest,
    DialResult,
    FateUnknown,
    NotDialed,
    NotDialedKind,
    PermitLapsedError,
    Placed,
)
from campaigns.providers.fields import mapping
from campaigns.providers.http import ExchangeError, HttpAnswer, HttpClient, NoConnectionError
from campaigns.providers.refusals import without
from campaigns.providers.scheduling import ProviderSpan
from campaigns.providers.vapi.errors import KIND_BY_TEXT, read_create
from campaigns.providers.vapi.requests import create_body, encoded
from campaigns.providers.vapi.unusable import UnusableCustomerError, UnusableRequestError
from campaigns.providers.words import writable

PER_CUSTOMER = ("assistantOverrides", "squadOverrides")
"""What Vapi takes for each customer of a batch; there it stands in the place of the root's, it is not merged."""

Results = dict[UUID, DialResult]
Jitter = Callable[[], timedelta]


async def hand_over(
    http: HttpClient, requests: Sequence[DialRequest], *, span: ProviderSpan, jitter: Jitter
) -> Results:
    """One `POST /call` for all of them, never repeated."""
    bodies, results = _bodies(requests)
    sent = [request for request in requests if request.attempt_id in bodies]
    if not sent:
        return results
    return results | await _send(http, sent, list(bodies.values()), span=span, jitter=jitter)


async def _send(
    http: HttpClient,
    requests: Sequence[DialRequest],
    bodies: Sequence[dict[str, Any]],
    *,
    span: ProviderSpan,
    jitter: Jitter,
) -> Results:
    try:
        body = encoded(schedule_body(bodies, span=span))
        answer = await http.request("POST", "/call", body=body, permit=requests[0].permit)
    except UnusableRequestError as error:
        return _for_all(requests, NotDialed(NotDialedKind.CONFIG_ERROR, str(error)))
    except PermitLapsedError:
        why = "the permit was over before the request could leave"
        return _for_all(requests, NotDialed(NotDialedKind.PERMIT_LAPSED, why))
    except NoConnectionError as error:
        return _for_all(requests, NotDialed(NotDialedKind.NO_CONNECTION, str(error)))
    except ExchangeError as error:
        return _for_all(requests, FateUnknown(str(error)))
    return read_answer(answer, requests, jitter=jitter)


def schedule_body(bodies: Sequence[dict[str, Any]], *, span: ProviderSpan) -> dict[str, Any]:
    """Bodies of single creates, made into one. Raises `UnusableRequestError` if they differ where they must not."""
    plan = {"schedulePlan": {"earliestAt": _text(span.due_from), "latestAt": _text(span.due_until)}}
    customers = [_customer(body) for body in bodies]
    if len(bodies) == 1:
        return {**bodies[0], "customer": customers[0] | {"externalId": bodies[0]["name"]}, **plan}
    roots = [_root(body) for body in bodies]
    if any(root != roots[0] for root in roots):
        raise UnusableRequestError("these customers need different settings where Vapi takes one for all of a batch")
    own = [{key: body[key] for key in PER_CUSTOMER if key in body} for body in bodies]
    named = zip(customers, own, bodies, strict=True)
    return {
        **roots[0],
        "customers": [customer | overrides | {"externalId": body["name"]} for customer, overrides, body in named],
        **plan,
    }


def read_answer(answer: HttpAnswer, requests: Sequence[DialRequest], *, jitter: Jitter) -> Results:
    """What the answer proves of each."""
    private = [word for request in requests for word in _private_words(request)]
    if len(requests) == 1:
        return _for_all(requests, read_create(answer, private=private, jitter=jitter))
    if not 200 <= answer.status < 300:
        return _for_all(requests, _of_no_one(read_create(answer, private=private, jitter=jitter)))
    try:
        told = mapping(answer.json())
    except ValueError:
        told = {}
    created, refused = _by_attempt(told.get("results"), requests), _by_attempt(told.get("errors"), requests)
    skew = skew_of(answer)
    return {
        request.attempt_id: _result(
            created.get(request.attempt_id), refused.get(request.attempt_id), private=private, skew=skew
        )
        for request in requests
    }


def _bodies(requests: Sequence[DialRequest]) -> tuple[dict[UUID, dict[str, Any]], Results]:
    """The bodies that can be sent, and the answers for customers whose own values cannot."""
    bodies, results = dict[UUID, dict[str, Any]](), Results()
    for request in requests:
        try:
            bodies[request.attempt_id] = create_body(request)
        except UnusableRequestError as error:
            results[request.attempt_id] = NotDialed(NotDialedKind.CONFIG_ERROR, str(error))
        except UnusableCustomerError as error:
            results[request.attempt_id] = NotDialed(NotDialedKind.INVALID_NUMBER, str(error))
    return bodies, results


def _root(body: Mapping[str, Any]) -> dict[str, Any]:
    """What all customers share. The call's name and our id in its metadata are one customer's."""
    root = {key: value for key, value in body.items() if key not in ("name", "customer", "metadata", *PER_CUSTOMER)}
    metadata = {key: value for key, value in mapping(body.get("metadata")).items() if key != "attemptId"}
    return root | ({"metadata": metadata} if metadata else {})


def _customer(body: Mapping[str, Any]) -> dict[str, Any]:
    return dict(body["customer"])


def _by_attempt(entries: object, requests: Sequence[DialRequest]) -> dict[UUID, Mapping[str, Any]]:
    """Entries of a batch's answer by attempt: by the echoed `externalId`, else by the number."""
    by_key = {request.number: request.attempt_id for request in requests}
    by_key |= {str(request.attempt_id): request.attempt_id for request in requests}
    found = dict[UUID, Mapping[str, Any]]()
    for entry in entries if isinstance(entries, list) else ():
        customer = mapping(mapping(entry).get("customer"))
        keys = (customer.get("externalId"), customer.get("number"))
        attempt_id = next((by_key[key] for key in keys if isinstance(key, str) and key in by_key), None)
        if attempt_id is not None:
            found[attempt_id] = mapping(entry)
    return found


def _result(
    created: Mapping[str, Any] | None,
    refused: Mapping[str, Any] | None,
    *,
    private: Iterable[str],
    skew: timedelta | None,
) -> DialResult:
    """A customer in both lists was created: what may have been dialed counts as dialed."""
    if created is not None:
        call_id = created.get("id")
        if isinstance(call_id, str) and call_id:
            return Placed(writable(call_id), clock_skew=skew)
        return FateUnknown("the batch was accepted, and this customer's call has no id", clock_skew=skew)
    if refused is None:
        return FateUnknown("the batch was accepted, and its answer does not name this customer", clock_skew=skew)
    text = str(refused.get("error") or "no explanation given")
    kind = next((kind for pattern, kind in KIND_BY_TEXT if pattern.search(text)), NotDialedKind.CONFIG_ERROR)
    return NotDialed(kind, without(private, text=text), clock_skew=skew)


def _of_no_one(result: DialResult) -> DialResult:
    """A refusal of the whole request for one number's sake says nothing against the other numbers."""
    if isinstance(result, NotDialed) and result.kind is NotDialedKind.INVALID_NUMBER:
        return NotDialed(NotDialedKind.CONFIG_ERROR, result.message, clock_skew=result.clock_skew)
    return result


def _for_all(requests: Sequence[DialRequest], result: DialResult) -> Results:
    return {request.attempt_id: result for request in requests}


def _private_words(request: DialRequest) -> list[str]:
    return [word for word in (request.number, request.customer_name, request.external_id) if word]


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
