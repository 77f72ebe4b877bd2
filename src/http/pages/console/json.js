// JSON as Daybook has it: a number keeps its value, however many digits it has. One that
// JavaScript would round stays as it was written, where the browser can hold it so.

export function parseJson(text) {
  return JSON.parse(text, (_, value, context) =>
    typeof value === "number" && context && JSON.rawJSON && rounded(context.source)
      ? JSON.rawJSON(context.source)
      : value,
  );
}

// A double has 15 digits that are sure.
const rounded = (source) => source.replace(/[eE].*$/, "").replace(/^[-0.]+|\./g, "").length > 15;

export const isNumberAsWritten = (value) => Boolean(JSON.isRawJSON?.(value));
