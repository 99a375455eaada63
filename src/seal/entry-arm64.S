/* The two places of entry.c that are entered without a caller. */
  .section .text.start, "ax"
  .globl _start
_start:
  mov x0, sp
  adr x1, _start
  bl prepare
  mov x16, x0
  /* For the loader: no function of the kernel's to call at exit. */
  mov x0, xzr
  br x16

/* The loader ends here, and leaves in x0 the function that Bun calls at exit. */
  .globl loaded
  .hidden loaded
loaded:
  mov x19, x0
  adr x0, _start
  bl finish
  mov x16, x0
  mov x0, x19
  br x16

  .section .note.GNU-stack, "", @progbits
