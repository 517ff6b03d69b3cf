#include <stdio.h>
int main(void) { int i = 0; again: switch (i) { case 0: printf("zero "); case 1: printf("one "); break; case 2 ... 4: printf("mid "); break; default: puts("end"); return 0; } i++; goto again; }
