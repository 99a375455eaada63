// The two architectures the agent is built for, named as `uname -m` would on x86 and as the kernel
// source does on ARM.
export type Arch = "x86_64" | "arm64";
