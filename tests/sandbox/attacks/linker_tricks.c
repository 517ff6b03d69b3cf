/* Asks the linker and loader for things: an interpreter of its own, a library that is not there. */
const char interp[] __attribute__((section(".interp"))) = "/work/evil-loader";
__asm__(".section .note.GNU-stack,\"x\",@progbits\n.text");
#include <stdio.h>
int main(void) { puts("CONTAINED"); return 0; }
