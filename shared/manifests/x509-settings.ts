import type { X509Credential } from "../model/connection.ts";
import { oneOf } from "./defaults.ts";
import type { FieldPath } from "./problem.ts";
import type { References } from "./references.ts";
import type { Resource } from "./resource.ts";
import type { EndpointAuthentication } from "./schema/dataflow-endpoint.ts";

/** The client certificate of a dataflow endpoint, in either of its spellings (S-8). */
export function x509Settings(
  resource: Resource,
  path: FieldPath,
  spec: EndpointAuthentication,
  references: References,
): X509Credential | undefined {
  const section =
    spec.x509CertificateSettings === undefined && spec.x509CredentialsSettings !== undefined
      ? "x509CredentialsSettings"
      : "x509CertificateSettings";
  const { secretRef, certificateSecretName } = spec[section] ?? {};
  const secretName = oneOf(resource, [...path, section], { secretRef, certificateSecretName });
  if (secretName === undefined) {
    resource.report(
      "error",
      [...path, section],
      '"secretRef" is missing: name the Secret that holds the client certificate and its key',
    );
    return undefined;
  }
  const field = secretRef === undefined ? "certificateSecretName" : "secretRef";
  references.use("Secret", secretName, resource, [...path, section, field]);
  return { secretName };
}
