import { identityRows } from "../support/azure/identity-rows.ts";

identityRows("App Service");
