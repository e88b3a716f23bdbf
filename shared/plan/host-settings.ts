/** App settings that do not come from the manifests. */
import type { AppSetting } from "./function-plan.ts";

/** What the host needs to run with the app's own identity, and what may be changed of this app. */
export function hostSettings(): AppSetting[] {
  const plain = (
    name: string,
    description: string,
    more: Partial<AppSetting> = {},
  ): AppSetting => ({ name, description, secret: false, required: true, ...more });
  return [
    plain("AzureWebJobsStorage__accountName", "Storage account of the host"),
    plain("AzureWebJobsStorage__credential", "Sign in to it with the app's own identity", {
      value: "managedidentity",
    }),
    plain("AzureWebJobsStorage__clientId", "Which user-assigned identity", { required: false }),
    plain("AZURE_CLIENT_ID", "Which user-assigned identity brokers are signed in to with", {
      required: false,
    }),
    plain("APPLICATIONINSIGHTS_CONNECTION_STRING", "Where logs and metrics go", {
      required: false,
    }),
    plain(
      "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
      '"Authorization=AAD", with "ClientId=<id>;" before it for a user-assigned identity',
      { required: false },
    ),
    plain(
      "ISTHMUS_MANIFESTS",
      "Folder or file of the manifests; default: manifests, beside host.json",
      {
        required: false,
      },
    ),
    plain("ISTHMUS_LOCAL_BROKER", "MQTT broker of manifests that name none, mqtt://host:port", {
      required: false,
    }),
    plain("AzureFunctionsJobHost__functionTimeout", "In place of host.json's, hh:mm:ss", {
      required: false,
    }),
    plain(
      "ISTHMUS_PUMP_SECONDS",
      "How long a pump is held open; default: functionTimeout less 60 s",
      {
        required: false,
      },
    ),
  ];
}
