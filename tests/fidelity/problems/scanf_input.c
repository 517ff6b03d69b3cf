#include <stdio.h>
int main(void) { int n, c = 0; long s = 0; while (scanf("%d", &n) == 1) { s += n; c++; } printf("%d %ld\n", c, s); return 0; }
