/* A row of a table: column and value, one under the other; long texts over the whole width. */

const LONG = 120; // characters from which a value gets the whole width

views.record = {
  depth: 256,

  paint(element, { fields, truncated = [] }) {
    const rows = fields.map((field) => recordField(field, truncated));
    const record = node("dl", "record");
    record.toggleAttribute("data-many", fields.length > 18);
    record.append(...rows);
    element.replaceChildren(record);
  },

  prefetch() {}, // the text is all there is
};

function recordField([column, value, kind], truncated) {
  const row = node("div", "field");
  const shown = node("dd", value === null ? "missing" : kind, value ?? "missing");
  if (value?.length > LONG || value?.includes("\n")) row.classList.add("long");
  row.append(node("dt", "", column), shown);
  if (truncated.includes(column)) row.append(node("p", "cut", "Cut: the text goes on in the source."));
  return row;
}
