#include <stdio.h>
#include <stdlib.h>
#include <assert.h>
static int cmp(const void *a, const void *b) { int x = *(const int *)a, y = *(const int *)b; return (x > y) - (x < y); }
int main(void) { int a[1000]; unsigned s = 1; for (int i = 0; i < 1000; i++) a[i] = (s = s * 1103515245u + 12345) >> 16 & 0x7fff; qsort(a, 1000, sizeof *a, cmp); for (int i = 1; i < 1000; i++) assert(a[i - 1] <= a[i]); printf("%d %d %d\n", a[0], a[500], a[999]); return 0; }
