#include <stdio.h>
static int f(int n) { volatile char b[1024]; b[0] = n; return n ? f(n - 1) + (b[0] == (char)n) : 0; }
int main(void) { printf("%d\n", f(5000)); return 0; }
