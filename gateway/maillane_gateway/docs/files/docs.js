// Shows /openapi.json: a list of operations, and for the chosen one what it takes, a form to try it, and what it answers.
import { call, curl } from "/docs/call.js";
import { element } from "/docs/element.js";
import { example, fields, resolve } from "/docs/schema.js";

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const find = document.getElementById("find");
const token = document.getElementById("token");

const api = await (await fetch("/openapi.json")).json();
const operations = Object.entries(api.paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, operation]) => ({ path, verb: verb.toUpperCase(), ...operation })),
);

function showNav() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (o) => words.every((word) => `${o.verb} ${o.path} ${o.summary} ${o.tags}`.toLowerCase().includes(word));
  const tags = [...new Set(operations.map((o) => o.tags[0]))];
  const current = decodeURIComponent(location.hash.slice(1));
  const sections = tags.map((tag) => [tag, operations.filter((o) => o.tags[0] === tag && matches(o))]);
  nav.replaceChildren(
    ...sections
      .filter(([, found]) => found.length)
      .flatMap(([tag, found]) => [
        element("h2", {}, tag),
        element("ul", {}, ...found.map((o) => element("li", {}, link(o, o.operationId === current)))),
      ]),
  );
}

function link(operation, isCurrent) {
  const attributes = { href: `#${operation.operationId}`, title: operation.path };
  if (isCurrent) attributes["aria-current"] = "page";
  return element("a", attributes, element("span", { class: "verb" }, operation.verb), operation.summary);
}

function showOperation() {
  const id = decodeURIComponent(location.hash.slice(1));
  const operation = operations.find((o) => o.operationId === id);
  showNav();
  if (!operation) {
    main.replaceChildren(element("h1", {}, api.info.title + " API"), element("p", { class: "text" }, api.info.summary), ...overview());
    return;
  }
  document.title = `${operation.summary} · Maillane API`;
  main.replaceChildren(
    element("h1", {}, operation.summary),
    element("p", { class: "path mono" }, element("span", { class: "verb" }, operation.verb), operation.path),
    ...paragraphs(operation.description),
    ...form(operation),
    ...answers(operation),
  );
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function overview() {
  return api.tags.flatMap((tag) => [element("h2", {}, tag.name), ...paragraphs(tag.description)]);
}

function form(operation) {
  const parameters = operation.parameters ?? [];
  const inputs = parameters.map((parameter) => ({ parameter, input: control(parameter) }));
  const body = bodyControl(operation);
  const output = element("div", { "aria-live": "polite" });
  const send = element("button", { class: "button primary", type: "button" }, "Send");
  const stop = element("button", { class: "button", type: "button", disabled: "" }, "Stop");
  const copy = element("button", { class: "button", type: "button" }, "Copy as curl");
  const request = () => ({
    operation,
    token: token.value.trim(),
    parameters: inputs.map(({ parameter, input }) => ({ ...parameter, value: input.value.trim() })),
    body: body && { ...body, value: body.read() },
  });
  send.addEventListener("click", async () => {
    const controller = new AbortController();
    stop.onclick = () => controller.abort();
    send.disabled = true;
    stop.disabled = false;
    await call(request(), output, controller.signal);
    send.disabled = false;
    stop.disabled = true;
  });
  copy.addEventListener("click", () => navigator.clipboard.writeText(curl(request())));
  return [
    ...(inputs.length ? [element("h2", {}, "Parameters"), element("ul", { class: "fields" }, ...inputs.map(row))] : []),
    ...(body ? [element("h2", {}, "Body"), ...body.elements] : []),
    element("div", { class: "actions" }, send, stop, copy),
    output,
  ];
}

function row({ parameter, input }) {
  const name = element("label", { class: "mono", for: input.id }, parameter.name);
  const place = parameter.required ? `${parameter.in}, required` : parameter.in;
  const text = element("small", {}, parameter.description ?? "");
  return element("li", {}, element("div", {}, name, element("small", {}, place)), element("div", {}, input, text));
}

function control(parameter) {
  const schema = resolve(api, parameter.schema);
  const id = `parameter-${parameter.name}`;
  if (!schema.enum) return element("input", { id, class: "input mono", autocomplete: "off", spellcheck: "false" });
  const options = ["", ...schema.enum].map((value) => element("option", { value }, value));
  return element("select", { id, class: "mono" }, ...options);
}

function bodyControl(operation) {
  const content = operation.requestBody?.content;
  if (!content) return null;
  const text = element("textarea", { "aria-label": "Body", spellcheck: "false" });
  const note = paragraphs(operation.requestBody.description);
  if (content["text/csv"]) {
    text.value = content["text/csv"].example;
    const file = element("input", { type: "file", accept: ".csv,text/csv", "aria-label": "File" });
    return { type: "text/csv", elements: [...note, text, file], read: () => file.files[0] ?? text.value };
  }
  const { schema } = content["application/json"];
  text.value = JSON.stringify(example(api, schema), null, 2);
  const described = element("details", {}, element("summary", {}, "Fields"), fields(api, schema));
  return { type: "application/json", elements: [text, described], read: () => text.value };
}

function answers(operation) {
  const answer = operation.responses["200"];
  const [type, content] = Object.entries(answer.content ?? {})[0] ?? [];
  if (!content) return [];
  return [
    element("h2", {}, "Answer"),
    ...paragraphs(answer.description),
    element("p", { class: "faint mono" }, type),
    fields(api, content.schema),
  ];
}

function paragraphs(text) {
  return (text ?? "").split("\n\n").filter(Boolean).map((part) => element("p", { class: "text" }, part));
}

find.addEventListener("input", showNav);
addEventListener("hashchange", showOperation);
showOperation();
