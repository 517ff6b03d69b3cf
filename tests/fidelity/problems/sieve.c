#include <stdio.h>
#include <string.h>
#include <assert.h>
static char s[100001];
int main(void) { int n = 0; memset(s, 1, sizeof s); for (int i = 2; i <= 100000; i++) if (s[i]) { n++; for (long j = (long)i * i; j <= 100000; j += i) s[j] = 0; } assert(n == 9592); printf("%d\n", n); return 0; }
