#include <stdarg.h>
#include <stdio.h>
#include <assert.h>
static int sum(int n, ...) { va_list v; int s = 0; va_start(v, n); while (n--) s += va_arg(v, int); va_end(v); return s; }
static void say(const char *f, ...) { va_list v; va_start(v, f); vprintf(f, v); va_end(v); }
int main(void) { assert(sum(4, 1, 2, 3, 4) == 10); say("%d %s %.1f\n", 1, "two", 3.0); return 0; }
