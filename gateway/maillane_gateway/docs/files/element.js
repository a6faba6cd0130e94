// Builds elements; text is always text, never markup.
export function element(name, attributes = {}, ...children) {
  const built = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) built.setAttribute(key, value);
  built.append(...children);
  return built;
}
