// What is typed to find events by their properties: a JSON object, or page=/home, n=3.

// An object, or null where nothing is typed. Throws an Error whose message is a sentence.
export function propertiesOf(text) {
  const typed = text.trim();
  if (typed === "") return null;
  if (typed.startsWith("{")) {
    try {
      return JSON.parse(typed);
    } catch {
      throw new Error('Properties are not JSON: an object is like {"page": "/home"}.');
    }
  }
  const found = {};
  for (const part of typed.split(",")) {
    const [, name, value] = part.match(/^\s*([^=]+?)\s*=\s*(.*?)\s*$/) ?? [];
    if (name === undefined)
      throw new Error(`“${part.trim()}” is not name=value, as page=/home is.`);
    found[name] = valueOf(value);
  }
  return found;
}

// A number, true, false, null or a "text" as JSON has it; anything else is text.
function valueOf(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? text : value;
  } catch {
    return text;
  }
}
