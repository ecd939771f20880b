// A market from its creation to a submitted application, by the client that was generated from openapi.json alone.
// The same journey as journey.py; scripts/contract generates the client, compiles this and runs it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];
type Api = Client<paths>;

function env(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is set`);
  return value;
}

function as(token: string): Api {
  return createClient<paths>({ baseUrl: env("API"), headers: { Authorization: `Bearer ${token}` } });
}

/** What a call brought, or the problem that it was refused with as an error. */
async function done<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<{ data: T; etag: string }> {
  const { data, error, response } = await call;
  assert.ok(data !== undefined, `${response.status} ${JSON.stringify(error)}`);
  return { data, etag: response.headers.get("ETag") ?? "" };
}

/** The problem that a call was refused with. */
async function refused(call: Promise<{ error?: Problem; response: Response }>, status: number, code: string): Promise<Problem> {
  const { error, response } = await call;
  assert.ok(error, `refused, not ${response.status}`);
  assert.deepEqual([response.status, error.status, error.code], [status, status, code], JSON.stringify(error));
  assert.equal(response.headers.get("Content-Type"), "application/problem+json");
  return error;
}

/** Every row of a list, page by page. */
async function all<T>(page: (cursor?: string) => Promise<{ data?: { items: T[]; next?: string | null } }>): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await page(cursor);
    assert.ok(data);
    rows.push(...data.items);
    cursor = data.next ?? undefined;
  } while (cursor !== undefined);
  return rows;
}

const [lead, provider, script] = [as(env("LEAD")), as(env("PROVIDER")), as(env("SCRIPT"))];
const at = async (now: string): Promise<void> => {
  await done(script.PUT("/v1/clock", { params: { header: {} }, body: { now } }));
};

// A lead agency makes a market of one lot.
const question = { code: "insurer", text: "Who insures you?", answer: { type: "text", maxLength: 200 }, mandatory: true } as const;
const { data: insurance } = await done(
  lead.POST("/v1/requirements", {
    body: {
      code: "insurance",
      first: {
        title: "Public liability insurance is in force",
        test: { kind: "manual" },
        gate: "membership",
        mandatory: true,
        selfAssessable: false,
        questions: [question],
      },
    },
  }),
);
const { data: arrangement } = await done(
  lead.POST("/v1/arrangements", {
    body: {
      kind: "dps",
      lead: { code: "LGSS", name: "Local Government Shared Services" },
      participants: [{ code: "CCC", name: "Cambridgeshire County Council" }],
      reference: "DN119642",
      title: "Children's external placements",
      description: "Care placements and education for children",
      cpv: ["85311300-5"],
      specification: { title: "Service specification", uri: "urn:example:specification" },
      terms: { document: { title: "Terms", uri: "urn:example:terms" }, version: "2019-01" },
      contact: { name: "Procurement team" },
      liveAt: "2019-01-04T00:00:00Z",
      contractStart: "2019-04-01",
      policies: {},
    },
  }),
);
assert.equal(arrangement.state, "draft");
const market = { params: { path: { id: arrangement.id } } };
const { data: lot } = await done(
  lead.POST("/v1/arrangements/{id}/lots", {
    ...market,
    body: { code: "RESIDENTIAL", title: "Children's homes", serviceType: "childrens_home" },
  }),
);

// A refusal is a typed problem that names every rule that is broken.
const early = await refused(lead.POST("/v1/arrangements/{id}/publish", market), 422, "requirement_required");
assert.ok(early.errors?.some((error) => error.restsOn?.includes("PCR34-3")));
await done(
  lead.POST("/v1/lots/{id}/requirements", { params: { path: { id: lot.id } }, body: { requirement: insurance.id, version: 1 } }),
);
const { data: published } = await done(lead.POST("/v1/arrangements/{id}/publish", market));
assert.equal(published.state, "live");

// A list is read page by page.
for (const code of ["safeguarding", "references"]) {
  await done(
    lead.POST("/v1/requirements", {
      body: { code, first: { title: code, test: { kind: "manual" }, gate: "membership", mandatory: true, selfAssessable: false } },
    }),
  );
}
const library = await all((cursor) =>
  lead.GET("/v1/requirements", { params: { query: cursor === undefined ? { limit: 2 } : { limit: 2, cursor } } }),
);
assert.deepEqual(library.map((one) => one.code).sort(), ["insurance", "references", "safeguarding"]);

// A provider registers, and applies while the round is open. The key makes a write safe to repeat.
await at("2019-01-10T09:00:00Z");
await done(provider.POST("/v1/providers", { body: { legalName: "Willow House Ltd" } }));
const key = randomUUID();
const apply = (lots: string[]) =>
  provider.POST("/v1/applications", { params: { header: { "Idempotency-Key": key } }, body: { arrangement: arrangement.id, lots } });
const { data: application } = await done(apply([lot.id]));
assert.equal((await done(apply([lot.id]))).data.id, application.id, "the first answer again");
await refused(apply([]), 409, "idempotency_key_reused");

// A write says which version it saw; one that saw an older version is refused.
const id = application.id;
const answer = (etag: string) =>
  provider.PUT("/v1/applications/{id}/answers/{requirement}", {
    params: { path: { id, requirement: insurance.id }, header: { "If-Match": etag } },
    body: { values: { insurer: "Fen Mutual" } },
  });
const first = await done(provider.GET("/v1/applications/{id}", { params: { path: { id } } }));
const answered = await done(answer(first.etag));
assert.notEqual(answered.etag, first.etag);
await refused(answer(first.etag), 412, "stale");
const seen = { params: { path: { id }, header: { "If-None-Match": answered.etag } } };
assert.equal((await provider.GET("/v1/applications/{id}", seen)).response.status, 304);

// What is missing is asked without a submission; then it is submitted, twice under one key.
const submit = (query: { dryRun?: boolean }) =>
  provider.POST("/v1/applications/{id}/submit", { params: { path: { id }, query, header: { "Idempotency-Key": `submit-${key}` } } });
await refused(submit({ dryRun: true }), 422, "terms_not_accepted");
const latest = { path: { id }, header: { "If-Match": "*" } };
await done(provider.PUT("/v1/applications/{id}/exclusions", { params: latest, body: { grounds: [] } }));
await done(provider.PUT("/v1/applications/{id}/terms", { params: latest, body: { version: "2019-01" } }));
const { data: submitted } = await done(submit({}));
assert.equal(submitted.state, "submitted");
assert.deepEqual((await done(submit({}))).data, submitted);

// Until evaluation the content is sealed from the buying side.
const content = { params: { path: { id } } };
await refused(lead.GET("/v1/applications/{id}/content", content), 409, "application_sealed");
