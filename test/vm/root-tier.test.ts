// Files of the root tier in a guest with cgroup v2, which the machine that tests may not have. Their
// agents are started there, beside the one that is process 1.
import { beforeAll, expect, test } from "bun:test";
import { REPOSITORY } from "../support/vm-root.ts";
import { describeWithVm } from "../support/with-vm.ts";

/** Which of a file's titles: all it has takes an emulated processor minutes. */
const CHOSEN = [
  ["beside-runc", "an ordinary container|limits and devices"],
  ["cgroup", "^v2|a v2|the version"],
  ["resources-v2", ""],
  ["device-policy-v2", ""],
  ["file-changed", ""],
  ["spec-words-cgroup", ""],
  ["lifecycle", "into a paused container|PauseContainer|RemoveContainer"],
  ["spec-words-process", "the limits of a process"],
  ["spec-words-paths", "make a directory empty"],
  ["seccomp", "answers with the errno of the rule|takes an errno of 0"],
  ["user-namespace", "its own cgroup"],
  ["leaks", "after 100 containers what"],
] as const;

/** Many times what any of them takes where nothing else runs. */
const PATIENCE_MS = 300_000;

describeWithVm("A guest with cgroup v2 and this repository", { root: "tests" }, (vm) => {
  beforeAll(() => vm().sh("mount -t tmpfs tmpfs /tmp"));

  test.each(CHOSEN)(
    "passes %s.test.ts: %s",
    async (file, titles) => {
      const run = `bun test ./test/root/${file}.test.ts --timeout 60000 -t '${titles}'`;
      const output = await vm().sh(
        `cd ${REPOSITORY}; PATH=/usr/bin:/usr/sbin bash test/support/namespaces.sh ${run} || true`,
      );
      expect(output).toMatch(/^ *0 fail$/m);
      expect(output).toMatch(/^ *[1-9]\d* pass$/m);
    },
    PATIENCE_MS,
  );
});
