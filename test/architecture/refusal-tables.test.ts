import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withRefusalTables } from "../support/refusal-tables.ts";

const PAGE = "docs/operations.md";

// `npm run tables` writes the page
test("docs/operations.md shows the tables that the adapters decide by (S-54)", async () => {
  const page = withRefusalTables(readFileSync(PAGE, "utf8"));
  await expect(page).toMatchFileSnapshot(`../../${PAGE}`);
});
