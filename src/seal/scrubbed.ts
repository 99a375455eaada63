// Which environment variables a sealed executable does not see. The kernel gives every word of its
// command line that has the form name=value, and that it does not know itself, to PID 1 as a variable,
// and the command line is the host's. Each of these turns the runtime into another program, loads code
// into it, or stops it. Variables by which the agent is configured stay.

/** Beginnings of names. */
export const SCRUBBED: readonly string[] = [
  // Bun: BUN_BE_BUN makes the executable Bun's command line, BUN_OPTIONS gives it options,
  // BUN_JSC_useJIT=0 takes bun:ffi away.
  "BUN_",
  // What Bun honours of Node: a descriptor of the agent as a channel, other certificates.
  "NODE_",
  "UV_",
  // JavaScriptCore and its allocators: JavaScriptCoreUseJIT=0 takes bun:ffi away, JSC_SIGNAL_FOR_GC=9
  // kills the process.
  "JSC_",
  "JavaScriptCore",
  "WTF_",
  "WebKit",
  "MIMALLOC_",
  "Malloc",
  "ICU_",
  // An implementation that does not exist ends the process.
  "SIMDUTF_",
  // The compiler of the player looks in these directories.
  "C_INCLUDE_PATH",
  "LIBRARY_PATH",
  // The loader and the C library: LD_PRELOAD, LD_DEBUG, LD_SHOW_AUXV and the rest, and what the loader
  // itself does not trust the environment with for set-user-ID programs (ld.so(8)).
  "LD_",
  "GLIBC_TUNABLES",
  "GLIBCXX_TUNABLES",
  "MALLOC_",
  "GCONV_PATH",
  "LOCPATH",
  "NLSPATH",
  // consola would log less, or nothing.
  "CONSOLA_LEVEL",
];
