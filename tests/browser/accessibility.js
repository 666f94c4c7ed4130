/* What a page is asked by test_accessibility.py; runs in the page, beside axe-core. */

/** axe-core's findings. `theirs` are [rule, selector] of what is Streamlit's own; with `rules`, these only. */
async function violationsOf(theirs, rules) {
  const only = rules.length ? { runOnly: rules } : {};
  const { violations } = await axe.run(document, { resultTypes: ["violations"], elementRef: true, ...only });
  const ours = (rule, { element }) => !theirs.some(([id, where]) => id === rule && element?.matches(where));
  return violations.flatMap(({ id, nodes }) =>
    nodes.filter((node) => ours(id, node)).map(({ html, any, all, none }) => [
      id, html.slice(0, 200), ...[...any, ...all, ...none].map(({ message }) => message),
    ]),
  );
}

const paper = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

/** The luminance of colours, each with its opacity, painted over white one after the other. */
function luminance(colors) {
  for (const [color, alpha] of [["white", 1], ...colors]) {
    Object.assign(paper, { globalAlpha: alpha, fillStyle: color });
    paper.fillRect(0, 0, 1, 1);
  }
  const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  const [red, green, blue] = [...paper.getImageData(0, 0, 1, 1).data].map((each) => linear(each / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrastOf(text) {
  const ground = [];
  let opacity = 1;
  for (let each = text; each; each = each.parentElement ?? each.getRootNode().host) {
    const style = getComputedStyle(each);
    ground.unshift([style.backgroundColor, 1]);
    opacity *= style.opacity;
  }
  const label = text.closest(".hovertext")?.querySelector("path");
  if (label) ground.push([getComputedStyle(label).fill, 1]);
  const { fill, color } = getComputedStyle(text);
  const shades = [luminance(ground), luminance([...ground, [text instanceof SVGElement ? fill : color, opacity]])];
  return (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
}

/** Texts of the deck and of figures with less than 4.5 : 1 to what is behind them. Cells of a
 * confusion are drawn, not behind: their colours are those of figures.PALE. */
function faintTexts() {
  const decks = [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')];
  const elements = [
    ...decks.flatMap((each) => [...each.shadowRoot.querySelectorAll(":not(style, button:disabled, button:disabled *)")]),
    ...document.querySelectorAll(".js-plotly-plot text:not(.heatmap-label *)"),
  ];
  const writes = (each) => [...each.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim());
  return elements
    .filter((each) => writes(each) && each.checkVisibility())
    .map((each) => ["contrast", each.outerHTML.slice(0, 200), contrastOf(each).toFixed(2)])
    .filter(([, , ratio]) => ratio < 4.5);
}

/** Until the page has taken the colours of that ground, and nothing moves. */
async function settled(ground) {
  const app = document.querySelector('[data-testid="stApp"]');
  const moves = ({ effect }) => effect.getComputedTiming().iterations < Infinity;
  for (let same = 0; same < 5; same++) {
    await new Promise(requestAnimationFrame);
    if (getComputedStyle(app).backgroundColor !== ground || document.getAnimations().some(moves)) same = 0;
  }
}
