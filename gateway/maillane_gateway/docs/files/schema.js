// JSON Schemas: resolved, as an example, and as a list of fields.
import { element } from "/docs/element.js";

const DEEPEST = 5; // no message here nests deeper; a schema that refers to itself ends

export function resolve(api, schema) {
  if (!schema.$ref) return schema;
  const found = schema.$ref.slice(2).split("/").reduce((part, name) => part[name], api);
  return { ...found, ...Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$ref")) };
}

export function example(api, schema, depth = 0) {
  const { type, enum: names, examples, properties, items, readOnly } = resolve(api, schema);
  if (readOnly || depth > DEEPEST) return undefined;
  if (examples) return examples[0];
  if (names) return names[1] ?? names[0];
  if (type === "object") {
    const entries = Object.entries(properties ?? {})
      .filter(([, each]) => !(each.description ?? "").startsWith("Output only"))
      .map(([name, each]) => [name, example(api, each, depth + 1)]);
    return Object.fromEntries(entries);
  }
  if (type === "array") return [example(api, items, depth + 1)].filter((item) => item !== undefined && item !== "");
  return { string: "", integer: 1, number: 1, boolean: false }[type];
}

export function fields(api, schema, depth = 0) {
  const { properties = {} } = inner(api, schema);
  return element("ul", { class: "fields" }, ...Object.entries(properties).map(([name, each]) => field(api, name, each, depth)));
}

function field(api, name, schema, depth) {
  const nested = Object.keys(inner(api, schema).properties ?? {}).length > 0 && depth < DEEPEST;
  const head = element("div", {}, element("code", {}, name), element("small", {}, kind(api, schema)));
  const text = element("div", {}, schema.description ?? "", names(api, schema));
  return element("li", {}, head, text, ...(nested ? [fields(api, schema, depth + 1)] : []));
}

// What an array holds, or the thing itself.
function inner(api, schema) {
  const resolved = resolve(api, schema);
  return resolved.type === "array" ? resolve(api, resolved.items) : resolved;
}

function kind(api, schema) {
  const { type, format, items, additionalProperties } = resolve(api, schema);
  if (type === "array") return `array of ${kind(api, items)}`;
  if (type === "object" && additionalProperties) return `object of ${kind(api, additionalProperties)}`;
  return format ? `${type}, ${format}` : type;
}

function names(api, schema) {
  const { enum: values } = inner(api, schema);
  return values ? element("small", { class: "mono" }, values.join(" · ")) : "";
}
