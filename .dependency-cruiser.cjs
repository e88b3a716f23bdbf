/**
 * The layers of ARCHITECTURE.md as rules: imports point down only.
 * test/architecture plants a violation of each and sees it reported.
 */
const core = "^shared/(model|translate|topics|wire|expressions)/";
const errors = "^shared/(errors|network-errors)\\.ts$";
const patience = "^shared/within\\.ts$";
const ports = "^shared/engine/(ports|status)\\.ts$";
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
      comment: "besides the YAML parser and the schema library; they read files in one place",
      severity: "error",
      from: { path: "^shared/manifests/" },
      to: {
        path: "^(shared/|node_modules/)",
        pathNot: [core, errors, "^shared/manifests/", "^node_modules/(yaml|zod)/"],
      },
    },
    {
      name: "secrets-know-the-model",
      comment: "they read files and the names that manifests give things",
      severity: "error",
      from: { path: "^shared/secrets/" },
      to: {
        dependencyTypesNot: ["core"],
        pathNot: ["^shared/(model|manifests|secrets|expressions)/", errors],
      },
    },
    {
      name: "plan-is-pure",
      severity: "error",
      from: { path: "^shared/plan/" },
      to: { pathNot: ["^shared/(model|topics|translate|manifests|plan)/", errors] },
    },
    {
      name: "pages-are-pure",
      comment: "text out of counters: no I/O, no engine, only the types of its state",
      severity: "error",
      from: { path: "^shared/pages/" },
      to: { pathNot: ["^shared/(model|topics|translate|pages)/", errors, ports] },
    },
    {
      name: "verify-is-pure",
      comment: "what canaries are and what is expected of them: no I/O, no adapters",
      severity: "error",
      from: { path: "^shared/verify/" },
      to: { pathNot: ["^shared/(model|topics|translate|verify)/", errors] },
    },
    {
      name: "engine-knows-no-vendor",
      severity: "error",
      from: { path: "^shared/engine/" },
      to: { pathNot: ["^shared/(model|translate|topics|engine)/", errors] },
    },
    {
      name: "adapters-know-the-ports",
      comment: "of our own code: ports, core and errors",
      severity: "error",
      from: { path: "^shared/adapters/" },
      to: { path: "^shared/", pathNot: [core, errors, patience, ports, "^shared/adapters/"] },
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
      name: "shells-go-through-compose",
      comment: "the sandbox is a broker of its own and needs the packets",
      severity: "error",
      from: { path: "^(functions|local)/", pathNot: "^local/sandbox/" },
      to: {
        path: "^shared/(adapters|compose|engine|wire)/",
        pathNot: ["^shared/adapters/(system|files)/", ports],
      },
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
      name: "not-to-dev-dependencies",
      comment: "what ships is installed without them",
      severity: "error",
      from: { path: "^(functions|local|shared)/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "not-to-undeclared",
      severity: "error",
      from: {},
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
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
