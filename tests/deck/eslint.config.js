import js from "@eslint/js";
import globals from "globals";

/** The deck's modules share one scope once they are joined: a name at the top of one of them would
 * hide the browser's own from all. */
const ownNames = {
  create: (context) => ({
    Program(node) {
      const [scope] = context.sourceCode.getScope(node).childScopes;
      for (const { name, defs } of scope.variables) {
        if (name in globals.browser) context.report({ node: defs[0].name, message: `The browser has a ${name}.` });
      }
    },
  }),
};

export default [
  { ignores: ["node_modules/"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2022, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      "consistent-return": "off",
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "max-depth": ["error", 3],
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 45],
      "no-else-return": "error",
      "no-implicit-coercion": "error",
      "no-shadow": ["error", { builtinGlobals: false }],
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "one-var": ["error", "never"],
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  {
    files: ["pages/deck/*.js"],
    languageOptions: { globals: globals.browser },
    plugins: { deck: { rules: { "own-names": ownNames } } },
    rules: {
      "deck/own-names": "error",
      // What sets markup or runs text: the deck is not sandboxed.
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property })),
        { object: "document", property: "querySelector" },
        { object: "document", property: "getElementById" },
        { object: "document", property: "write" },
      ],
    },
  },
  { files: ["tests/deck/**/*.js"], languageOptions: { globals: globals.node } },
];
