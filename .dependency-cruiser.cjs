/** The layers of ARCHITECTURE.md as rules: imports point down only. */
const core = "^shared/(model|translate|topics|wire)/";
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "core-is-pure",
      comment: "model, translate, topics and wire import nothing but each other",
      severity: "error",
      from: { path: core },
      to: { pathNot: core },
    },
    {
      name: "model-is-the-bottom",
      severity: "error",
      from: { path: "^shared/model/" },
      to: { pathNot: "^shared/model/" },
    },
    {
      name: "manifests-know-the-core-only",
      comment: "manifests may use the YAML parser and the schema library, and read files in one place",
      severity: "error",
      from: { path: "^shared/manifests/" },
      to: { path: "^(shared/(engine|adapters|compose|plan)|node_modules/(mqtt|kafkajs|aedes|@azure)/)" },
    },
    {
      name: "engine-knows-no-vendor",
      severity: "error",
      from: { path: "^shared/engine/" },
      to: { pathNot: ["^shared/(model|translate|topics|engine)/", "^shared/errors"] },
    },
    {
      name: "adapters-are-siblings",
      severity: "error",
      from: { path: "^shared/adapters/([^/]+)/" },
      to: { path: "^shared/adapters/", pathNot: "^shared/adapters/$1/" },
    },
    {
      name: "vendor-only-in-adapters",
      severity: "error",
      from: { path: "^(functions|local|shared)/", pathNot: "^(shared/adapters|local/sandbox)/" },
      to: { path: "^node_modules/(mqtt|kafkajs|aedes|@azure/(event-hubs|identity|keyvault)[^/]*)/" },
    },
    {
      name: "functions-sdk-only-in-functions",
      severity: "error",
      from: { path: "^(shared|local)/" },
      to: { path: "^node_modules/@azure/functions" },
    },
    {
      name: "shells-do-not-meet",
      severity: "error",
      from: { path: "^(functions|local)/" },
      to: { path: "^(functions|local)/", pathNot: "^$1/" },
    },
    {
      name: "shared-knows-no-shell",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: "^(functions|local|test|bench|examples)/" },
    },
    { name: "not-to-test", severity: "error", from: { pathNot: "^test/" }, to: { path: "^test/" } },
    {
      name: "not-to-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
