/* The two places of entry.c that are entered without a caller. */
  .section .text.start, "ax"
  .globl _start
_start:
  mov %rsp, %rdi
  lea _start(%rip), %rsi
  call prepare
  /* For the loader: no function of the kernel's to call at exit. */
  xor %edx, %edx
  jmp *%rax

/* The loader ends here, and leaves in rdx the function that Bun calls at exit. */
  .globl loaded
  .hidden loaded
loaded:
  mov %rdx, %rbx
  lea _start(%rip), %rdi
  call finish
  mov %rbx, %rdx
  jmp *%rax

  .section .note.GNU-stack, "", @progbits
