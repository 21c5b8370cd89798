"""What the tests of every convention look at once it has been lived through in `crossing.py`."""

from __future__ import annotations

import json
from http import HTTPStatus

import httpx

from contracts import registry
from contracts.kernel.checks import Agreement, NoticeGiven, Side
from contracts.kernel.documents import verify
from contracts.kernel.instrument import Cardinality, Convention, Flow
from contracts.kernel.receipts import parse_receipts
from services.federation.intruder import published_entry
from tests.federation.answers import signing_key
from tests.federation.crossing import Life


def reasons(answer: httpx.Response) -> set[tuple[str, str]]:
    """Articles and codes with which the gate refused; fails unless it did."""
    assert answer.status_code == HTTPStatus.FORBIDDEN, answer.text
    body = answer.json()
    assert (body["code"], body["type"]) == ("refused", "urn:relais:problem:refused")
    found = {(one["article"], one["code"]) for one in body["reasons"]}
    assert {article for article, _ in found} == set(body["articles"])
    return found


def articles(answer: httpx.Response) -> set[str]:
    """Articles on which the gate refused."""
    return {article for article, _ in reasons(answer)}


def shows_it_crossed(life: Life, code: str) -> None:
    """Accepted, with the receiver's signed receipt, and an effect there that was not before."""
    made, flow = life.first[code], life.script.flows[code]
    sender, receiver = life.cast.orgs[flow.sender], life.cast.orgs[flow.receiver]
    assert (made.before, made.after) == (False, True)
    receipt = made.message["receipt"]
    assert (receipt["status"], receipt["from"]) == ("received", receiver)
    entry = published_entry(life.cast.fed.layout.node_dir(sender), receiver)
    batch = parse_receipts(verify(receipt["signed"], signing_key(entry)))
    said = {(one.message_id, one.status) for one in batch.receipts}
    assert (made.message["message_id"], "received") in said


def shows_no_way_back(life: Life, code: str) -> None:
    """The same request from its receiver is refused, on the flow's article or another text's."""
    back = life.back[code]
    own = (life.script.flows[code].article, "flow")
    assert _speaks_of_another(life, code, back) or own in reasons(back)
    assert life.first[code].message["state"] == "accepted"


def shows_refusals_to_others(life: Life, code: str, *, unbound: str, no_case: str) -> None:
    """Whoever has not signed is bound by nothing; whoever has knows the text, and not the case.

    A third party of the text that has no such message to send is refused on that alone.
    unbound, no_case: articles on which the text refuses the one and the other.
    """
    flow = life.script.flows[code]
    same = [one.article for one in life.script.flows.values() if one.type == flow.type]
    for org, answer in life.others[code].items():
        known = life.may_know(code, org)
        if not known and _speaks_of_another(life, code, answer):
            continue
        found = reasons(answer)
        if known:
            assert {"unbound", "flow"}.isdisjoint(one for _, one in found), org
        else:
            assert ((unbound, "unbound") in found) is not life.bound(code, org), org
            assert any((article, "flow") in found for article in same), org
        if flow.case is Cardinality.WITHIN:
            assert (no_case, "missing_open_case") in found, org
        elif flow.case is Cardinality.OPENS:
            assert _nobody_asked(flow) <= {article for article, _ in found}, org
    assert life.first[code].message["state"] == "accepted"


def _speaks_of_another(life: Life, code: str, answer: httpx.Response) -> bool:
    """Whether somebody is refused by another text that has the type: on its content, or unbound.

    Such a text may be the sender's own, with other fields; nothing leaves either way.
    """
    wanted = life.script.flows[code].type
    pairs = [(text, one) for text, one in registry.load().flows() if one.type == wanted]
    texts = [text for text, _ in pairs if text not in life.script.texts]
    if answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        return (
            {text.minimisation_article for text in texts} >= set(answer.json()["articles"]) > set()
        )
    said = {article for article, why in reasons(answer) if why == "unbound"}
    return any(
        (text.parties_article if isinstance(text, Convention) else text.article) in said
        for text in texts
    )


def _nobody_asked(flow: Flow) -> set[str]:
    """Articles on which a sender is refused an opening message where nobody was asked or told."""
    here = [one for one in flow.checks if one.side is not Side.RECEIVER]
    found = {one.article for one in here if isinstance(one, Agreement | NoticeGiven)}
    assert found, flow.code
    return found


def shows_the_dates(life: Life, code: str, *, term: str, version: str | None) -> None:
    """Refused on the eve and the day after the end; allowed on the first day and on the last.

    term, version: articles on which the text refuses before its first day, and nothing else does.
    No version where an amendment reopens the text: on its eve what else it asks is not there yet.
    """
    assert (term, "term") in reasons(life.eve[code]) & reasons(life.over[code])
    flow = life.script.flows[code]
    if flow.case is not Cardinality.WITHIN:
        ended = set() if flow.case is Cardinality.NONE else _nobody_asked(flow)  # it ended as well
        assert articles(life.over[code]) <= {term, *ended}
        assert version is None or articles(life.eve[code]) == {term, version}
    assert life.first[code].message["state"] == life.last[code].message["state"] == "accepted"
    assert life.last[code].after


def shows_it_left_no_file(life: Life, code: str, *secrets: str) -> None:
    """Shown again by its sender, and nothing of it among what the receiver's agents hold.

    secrets: what the content says, each of which must be seen and not held.
    """
    made = life.first[code]
    seen, held = json.dumps(made.again), json.dumps(made.held)
    for secret in secrets:
        assert secret in seen, code
        assert secret not in held, code
