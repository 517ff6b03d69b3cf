#include <stdio.h>
#include <string.h>
#include <assert.h>
int main(void) { unsigned char a[300] = {0}, b[300] = {1}, c[300]; for (int i = 1; i < 1000; i++) { int k = 0; for (int j = 0; j < 300; j++) { k += a[j] + b[j]; c[j] = k % 10; k /= 10; } memcpy(a, b, 300); memcpy(b, c, 300); } int n = 299; while (!b[n]) n--; assert(n == 208); while (n >= 0) putchar('0' + b[n--]); puts(""); return 0; }
