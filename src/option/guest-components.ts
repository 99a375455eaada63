// What programs of the guest beside the agent are told: process.md section 4.5. None of them is started yet.
import { bool, seconds, text, word } from "./kind.ts";
import type { Read } from "./option.ts";

export function readGuestComponents(read: Read) {
  return {
    cdhApiTimeoutMs: read({
      parameter: "agent.cdh_api_timeout",
      kind: seconds,
      default: 50_000,
      says: "How long the confidential data hub may take to answer.",
      acts: false,
    }),
    imagePullTimeoutMs: read({
      parameter: "agent.image_pull_timeout",
      kind: seconds,
      default: 1_200_000,
      says: "How long it may take to pull an image.",
      acts: false,
    }),
    launchProcessTimeoutMs: read({
      parameter: "agent.launch_process_timeout",
      kind: seconds,
      default: 6_000,
      says: "How long guest components may take to start.",
      acts: false,
    }),
    procs: read({
      parameter: "agent.guest_components_procs",
      kind: word({
        none: "none",
        "attestation-agent": "attestation-agent",
        "confidential-data-hub": "confidential-data-hub",
        "api-server-rest": "api-server-rest",
      } as const),
      default: "api-server-rest",
      says: "The last guest component to start; those before it are started as well.",
      acts: false,
    }),
    restApi: read({
      parameter: "agent.guest_components_rest_api",
      kind: word({ all: "all", attestation: "attestation", resource: "resource" } as const),
      default: "resource",
      says: "What the REST server of the guest components offers.",
      acts: false,
    }),
    attesterVariant: read({
      variable: "KATA_ATTESTER_VARIANT",
      kind: text,
      default: "default",
      says: "The variant of the attester to start.",
      acts: false,
    }),
    secureStorageIntegrity: read({
      parameter: "agent.secure_storage_integrity",
      kind: bool,
      default: true,
      says: "Protect the integrity of encrypted storage.",
      acts: false,
    }),
  };
}
