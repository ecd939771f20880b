// The rules of this contract that no linter brings along.

const isWrite = (method) => method !== "get";
const isJson = (media) => /[/+]json$/.test(media);
const isSuccess = (status) => status.startsWith("2");

/** What every operation can answer, and what follows from its shape. */
function expected({ method, parameters = [], security = [], path }) {
  const statuses = ["400", "401", "500", "503"];
  const isPublic = security.some((way) => Object.keys(way).length === 0);
  if (!isPublic || isWrite(method)) statuses.push("403");
  if (parameters.some((parameter) => parameter.in === "path") || path.includes("{")) statuses.push("404");
  if (isWrite(method)) statuses.push("409", "412", "413", "415", "422");
  return statuses;
}

/** A rule over operations: `check(operation, report, options)`. */
const overOperations = (check) => (options) => ({
  PathItem: {
    Operation(operation, { report, location, key, parentLocations, resolve }) {
      // What the server sends is no operation of it.
      if (parentLocations.PathItem.pointer.startsWith("#/webhooks/")) return;
      const path = parentLocations.PathItem.pointer.split("/").pop().replaceAll("~1", "/").replaceAll("~0", "~");
      if (options.except?.includes(path)) return;
      const say = (message) => report({ message: `${operation.operationId ?? `${key} ${path}`}: ${message}`, location });
      const parameters = operation.parameters?.map((parameter) => resolve(parameter).node);
      const responses = Object.entries(operation.responses ?? {}).map(([status, response]) => [status, resolve(response).node]);
      check({ ...operation, parameters, responses: Object.fromEntries(responses), path, method: key }, say);
    },
  },
});

const operationNamed = overOperations(({ operationId = "", summary = "" }, say) => {
  if (!/^[a-z]+([A-Z][a-z0-9]*)*$/.test(operationId)) say("an operationId in camelCase (the handler's name)");
  if (!/^[A-Z]/.test(summary) || summary.endsWith(".") || summary.length > 100)
    say("a summary of one line that begins with a capital and has no full stop (the first line of the handler's documentation)");
});

const successShown = overOperations(({ requestBody, responses = {} }, say) => {
  const has = ({ example, examples }) => example !== undefined || examples !== undefined;
  const lacking = (content = {}) => Object.entries(content).filter(([media, body]) => isJson(media) && !has(body));
  if (lacking(requestBody?.content).length > 0) say("an example of the request (a test that succeeds, then `make examples`)");
  const statuses = Object.keys(responses).filter(isSuccess);
  if (statuses.length === 0) say("an answer of success");
  for (const status of statuses)
    if (lacking(responses[status].content).length > 0) say(`an example of the answer ${status} (a test that gets it, then \`make examples\`)`);
});

const problemsTyped = overOperations((operation, say) => {
  const { responses = {} } = operation;
  for (const status of expected(operation)) if (!responses[status]) say(`the problems answered with ${status}`);
  for (const [status, response] of Object.entries(responses).filter(([status]) => /^[45]/.test(status))) {
    const schema = response.content?.["application/problem+json"]?.schema?.$ref;
    if (schema !== "#/components/schemas/Problem") say(`${status} as a Problem in application/problem+json`);
    // What follows from rules the operation says itself.
    const codes = response["x-problem-codes"] ?? operation["x-problem-codes"]?.[status] ?? [];
    if (codes.length === 0 || !codes.every((code) => /^[a-z][a-z0-9_]*$/.test(code))) say(`the codes of ${status} (the rules in the \`routes!\` of its subject)`);
  }
});

const permissionNamed = overOperations((operation, say) => {
  if (!operation["x-permission"]) say("a permission");
  if (!Array.isArray(operation.security)) say("its security");
});

export default () => ({
  id: "contract",
  rules: {
    oas3: {
      "operation-named": operationNamed,
      "success-shown": successShown,
      "problems-typed": problemsTyped,
      "permission-named": permissionNamed,
    },
  },
});
