#include <setjmp.h>
#include <stdio.h>
static jmp_buf b; static void f(int n) { if (!n) longjmp(b, 42); f(n - 1); }
int main(void) { int r = setjmp(b); if (!r) f(10); printf("%d\n", r); return r != 42; }
