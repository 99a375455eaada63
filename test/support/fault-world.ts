// What the fault sweep runs: the golden programs, and those of ordinary containers, in a private /run
// that has what their specs name.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Cgroup } from "../../src/cgroup/cgroup.ts";
import { createCgroup } from "../../src/cgroup/cgroup.ts";
import { Bundle } from "../../src/container/bundle.ts";
import { describeGuest } from "../../src/container/guest.ts";
import { PinnedNamespaces } from "../../src/container/pinned-namespaces.ts";
import type { Process } from "../../src/container/process.ts";
import { type Spawn, spawn } from "../../src/container/spawn.ts";
import { Fd } from "../../src/kernel/fd.ts";
import { AT_FDCWD } from "../../src/linux/constants.ts";
import { openat } from "../../src/linux/fs.ts";
import { O } from "../../src/linux/open-flags.ts";
import { normaliseEnvironment } from "../../src/oci/environment.ts";
import { specFromProto } from "../../src/oci/from-proto.ts";
import type { NamespaceType } from "../../src/oci/namespace.ts";
import type { ContainerProcess, ContainerSpec } from "../../src/oci/valid-spec.ts";
import { validateSpec } from "../../src/oci/validate.ts";
import { execProgram } from "../../src/program/exec.ts";
import { type InitContext, initProgram } from "../../src/program/init.ts";
import { CLONE_FLAG, type Joined } from "../../src/program/namespaces.ts";
