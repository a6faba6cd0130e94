// Makes a call, and shows what comes back as it comes.
import { element } from "/docs/element.js";

const MOST_SHOWN = 200_000; // characters; a browser grows slow with more

export async function call(request, output, signal) {
  const status = element("p", {}, "Sending …");
  const text = element("pre", {});
  output.replaceChildren(status, text);
  const start = performance.now();
  try {
    const response = await fetch(url(request), { ...options(request), signal });
    const ms = Math.round(performance.now() - start);
    status.className = response.ok ? "good" : "bad";
    status.textContent = `${response.status} after ${ms} ms, request id ${response.headers.get("x-request-id")}`;
    await show(response, text);
  } catch (error) {
    if (error.name !== "AbortError") status.className = "bad";
    status.textContent = error.name === "AbortError" ? "Stopped" : `No answer: ${error.message}`;
  }
}

export function curl(request) {
  const { method, headers, body } = options({ ...request, token: "$TOKEN" });
  const parts = [`curl -X ${method} ${quoted(location.origin + url(request))}`];
  for (const [name, value] of Object.entries(headers)) {
    parts.push(name === "authorization" ? `-H "authorization: ${value}"` : `-H ${quoted(`${name}: ${value}`)}`);
  }
  if (body instanceof File) parts.push(`--data-binary ${quoted(`@${body.name}`)}`);
  else if (body) parts.push(`--data-binary ${quoted(body)}`);
  return parts.join(" \\\n  ");
}

function url({ operation, parameters }) {
  const query = new URLSearchParams();
  let path = operation.path;
  for (const { name, value, in: place } of parameters) {
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value) query.append(name, value);
  }
  return query.size ? `${path}?${query}` : path;
}

function options({ operation, token, body }) {
  const headers = {};
  if (!operation.security && token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = body.type;
  return { method: operation.verb, headers, body: body?.value };
}

async function show(response, text) {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (!isStream) {
    text.textContent = pretty(await response.text()).slice(0, MOST_SHOWN);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text.textContent = (text.textContent + part.value).slice(-MOST_SHOWN);
    text.scrollTop = text.scrollHeight;
  }
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function quoted(value) {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
