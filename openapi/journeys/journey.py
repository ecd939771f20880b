"""A market from its creation to a submitted application, by the client that was generated from openapi.json alone.
The same journey as journey.ts; scripts/contract generates the client, type-checks this and runs it."""

import datetime
import os
import uuid
from typing import Any, TypeVar

from dps_client import AuthenticatedClient
from dps_client.api.applications import (
    accept_terms,
    declare_exclusions,
    get_application,
    read_application_content,
    save_answer,
    start_application,
    submit_application,
)
from dps_client.api.arrangements import create_arrangement, publish_arrangement
from dps_client.api.lots import adopt_requirement, define_lot
from dps_client.api.providers import register_provider
from dps_client.api.requirements import define_requirement, list_requirements
from dps_client.api.system import move_clock
from dps_client import models
from dps_client.types import UNSET, Response, Unset

Expected = TypeVar("Expected")


def client(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ["API"], token=os.environ[token])


def refused(answer: Response[Any], status: int, code: str) -> models.Problem:
    """The problem that a call was refused with."""
    problem = answer.parsed
    assert isinstance(problem, models.Problem), f"refused, not {answer.status_code}"
    assert (answer.status_code, problem.status, problem.code) == (status, status, code), problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    return problem


def done(answer: Response[Any], expected: type[Expected]) -> Expected:
    """What a call brought."""
    assert isinstance(answer.parsed, expected), f"{answer.status_code} {answer.content.decode()}"
    return answer.parsed


def requirement(code: str, title: str, questions: list[models.Question] | Unset = UNSET) -> models.Define:
    first = models.RequirementVersion(
        title=title,
        test=models.TestManual(kind="manual"),
        gate="membership",
        mandatory=True,
        self_assessable=False,
        questions=questions,
    )
    return models.Define(code=code, first=first)


def at(now: str) -> None:
    body = models.MoveClock(now=datetime.datetime.fromisoformat(now))
    done(move_clock.sync_detailed(client=client("SCRIPT"), body=body), models.Time)


lead, provider = client("LEAD"), client("PROVIDER")

# A lead agency makes a market of one lot.
question = models.Question(
    code="insurer", text="Who insures you?", answer=models.AnswerTypeText(type_="text", max_length=200), mandatory=True
)
insurance = done(
    define_requirement.sync_detailed(
        client=lead, body=requirement("insurance", "Public liability insurance is in force", [question])
    ),
    models.ResourceRequirement,
)
arrangement = done(
    create_arrangement.sync_detailed(
        client=lead,
        body=models.NewArrangement(
            kind="dps",
            lead=models.Participant(code="LGSS", name="Local Government Shared Services"),
            participants=[models.Participant(code="CCC", name="Cambridgeshire County Council")],
            reference="DN119642",
            title="Children's external placements",
            description="Care placements and education for children",
            cpv=["85311300-5"],
            specification=models.DocumentRef(title="Service specification", uri="urn:example:specification"),
            terms=models.Terms(document=models.DocumentRef(title="Terms", uri="urn:example:terms"), version="2019-01"),
            contact=models.Contact(name="Procurement team"),
            live_at=datetime.datetime(2019, 1, 4, tzinfo=datetime.timezone.utc),
            contract_start=datetime.date(2019, 4, 1),
            policies=models.Policies(),
        ),
    ),
    models.ResourceArrangementDraft,
)
lot = done(
    define_lot.sync_detailed(
        arrangement.id,
        client=lead,
        body=models.LotParticulars(code="RESIDENTIAL", title="Children's homes", service_type="childrens_home"),
    ),
    models.ResourceLotDraft,
)

# A refusal is a typed problem that names every rule that is broken.
early = refused(publish_arrangement.sync_detailed(arrangement.id, client=lead), 422, "requirement_required")
assert early.errors and any("PCR34-3" in (error.rests_on or "") for error in early.errors)
adopted = models.RequirementRef(requirement=insurance.id, version=1)
done(adopt_requirement.sync_detailed(lot.id, client=lead, body=adopted), models.ResourceLotDraft)
done(publish_arrangement.sync_detailed(arrangement.id, client=lead), models.ResourceArrangementLive)

# A list is read page by page.
for code in ("safeguarding", "references"):
    done(define_requirement.sync_detailed(client=lead, body=requirement(code, code)), models.ResourceRequirement)
library: list[str] = []
cursor: str | None | Unset = UNSET
while cursor is not None:
    page = done(list_requirements.sync_detailed(client=lead, limit=2, cursor=cursor), models.ListResourceRequirement)
    library += [one.code for one in page.items]
    cursor = page.next_ or None
assert sorted(library) == ["insurance", "references", "safeguarding"]

# A provider registers, and applies while the round is open. The key makes a write safe to repeat.
at("2019-01-10T09:00:00Z")
profile = models.ProviderProfile(legal_name="Willow House Ltd")
done(register_provider.sync_detailed(client=provider, body=profile), models.ResourceProviderRegistered)
key = str(uuid.uuid4())
wanted = models.StartApplication(arrangement=arrangement.id, lots=[lot.id])


def apply(body: models.StartApplication) -> Response[Any]:
    return start_application.sync_detailed(client=provider, idempotency_key=key, body=body)


application = done(apply(wanted), models.ResourceApplicationViewDraft)
assert done(apply(wanted), models.ResourceApplicationViewDraft) == application, "the first answer again"
refused(apply(models.StartApplication(arrangement=arrangement.id, lots=[])), 409, "idempotency_key_reused")

# A write says which version it saw; one that saw an older version is refused.
first = get_application.sync_detailed(application.id, client=provider)
values = models.AnswersValues.from_dict({"insurer": "Fen Mutual"})


def save(etag: str) -> Response[Any]:
    answers = models.Answers(values=values)
    return save_answer.sync_detailed(application.id, insurance.id, client=provider, if_match=etag, body=answers)


answered = save(first.headers["ETag"])
done(answered, models.ResourceApplicationViewDraft)
assert answered.headers["ETag"] != first.headers["ETag"]
refused(save(first.headers["ETag"]), 412, "stale")
unchanged = get_application.sync_detailed(application.id, client=provider, if_none_match=answered.headers["ETag"])
assert unchanged.status_code == 304

# What is missing is asked without a submission; then it is submitted, twice under one key.


def submit(dry_run: bool = False) -> Response[Any]:
    return submit_application.sync_detailed(
        application.id, client=provider, dry_run=dry_run, idempotency_key=f"submit-{key}"
    )


refused(submit(dry_run=True), 422, "terms_not_accepted")
draft = models.ResourceApplicationViewDraft
none = models.Declared(grounds=[])
done(declare_exclusions.sync_detailed(application.id, client=provider, if_match="*", body=none), draft)
terms = models.AcceptedTerms(version="2019-01")
done(accept_terms.sync_detailed(application.id, client=provider, if_match="*", body=terms), draft)
submitted = done(submit(), models.ResourceApplicationViewSubmitted)
assert done(submit(), models.ResourceApplicationViewSubmitted) == submitted

# Until evaluation the content is sealed from the buying side.
refused(read_application_content.sync_detailed(application.id, client=lead), 409, "application_sealed")
